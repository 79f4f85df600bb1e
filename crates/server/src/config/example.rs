//! The example file, written from the settings' own documentation.

use super::section::SectionInfo;
use super::{SECTIONS, env_name};
use std::fmt::Write;

const HEAD: &str = "\
# Greenroom's settings with their defaults; every line may be left out.
#
# A setting is taken from this file, then from the environment, then from a flag; the last one counts.
# `greenroom config check --config FILE` says what is wrong with a file and what would be in force.
";

const LISTS: &str = r#"
# Apps of this machine, offered as the image `img-this-machine`. Without any, and without
# `desktop_entries`, the terminal `foot` (ca-foot), the editor `mousepad` (ca-mousepad), the word processor
# `lowriter` (ca-writer) and the browser `chromium` (ca-chromium) are offered as far as they are installed. Ids begin
# with `ca-`. Groups of browsers are made of an image of its own, `img-browser`, when `chromium` is installed.
# [[image.apps]]
# id = "ca-foot"
# name = "Terminal"
# argv = ["foot"]

# Images that are folders, each with a whole system in it, as debootstrap makes one. A session of such an image sees
# the folder instead of this machine, and what it changes there is kept apart for it. `greenroom doctor` says what is
# wrong with one. Change none that sessions have: name a new one, and give it to their group.
# [[images]]
# id = "img-debian"
# name = "Debian"
# dir = "/srv/images/debian"
# desktop_entries = ["org.xfce.mousepad"] # without it: all that its menu would show

# Policies that a group can choose with AppPolicyId. Ids begin with `pg-`.
# [[policies]]
# id = "pg-no-clipboard"
# clipboard = "off" # off, to-session, to-viewer, both
"#;

/// The text of `docs/greenroom.example.toml`.
#[must_use]
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        write_section(&mut text, section);
    }
    text.push_str(LISTS);
    text
}

fn write_section(text: &mut String, section: &SectionInfo) {
    text.push('\n');
    for line in section.about {
        let _ = writeln!(text, "#{line}");
    }
    if !section.name.is_empty() {
        let _ = writeln!(text, "[{}]", section.name);
    }
    let defaults = (section.defaults)();
    for setting in section.settings {
        text.push('\n');
        for line in setting.about {
            let _ = writeln!(text, "#{line}");
        }
        let _ = writeln!(
            text,
            "# Environment: {}",
            env_name(section.name, setting.key)
        );
        if let Some(value) = defaults.get(setting.key) {
            let _ = writeln!(text, "# {} = {value}", setting.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_example_in_the_docs_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/greenroom.example.toml"
        );
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            kept,
            example(),
            "run: cargo run -p greenroom-server -- config example > docs/greenroom.example.toml"
        );
    }

    #[test]
    fn the_example_with_every_setting_uncommented_is_the_default() {
        let settings: String = example()
            .split("\n# Apps of this machine")
            .next()
            .unwrap_or_default()
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = "))
                    .unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let read = Config::from_text(&settings).unwrap();
        assert_eq!(read, Config::default());
    }
}
