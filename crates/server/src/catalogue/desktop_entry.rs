//! Apps from the desktop entries of an image, which say by themselves how a program is started.
//!
//! After the Desktop Entry Specification 1.5 (freedesktop.org), as far as an app that is opened without a document
//! needs it.

use super::tree::Tree;
use crate::config::App;
use greenroom_model::AppId;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// Where a system keeps its entries.
const FOLDERS: [&str; 2] = ["/usr/share/applications", "/usr/local/share/applications"];

/// The most bytes of an entry that are read. Translations are most of a large one.
const MAX_BYTES: u64 = 256 << 10;

/// The most words of a command line.
const MAX_WORDS: usize = 128;

/// Why an entry is no app.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// No file of that name.
    #[error("no such entry in /usr/share/applications or /usr/local/share/applications")]
    Absent,
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It is no text, or longer than an entry is.
    #[error("it is no text of at most 256 KiB")]
    NoText,
    /// Its name makes no id.
    #[error("its name makes no id of an app")]
    Name,
    /// It is a link or a folder, or it is marked as deleted.
    #[error("it is not the entry of a program")]
    NoProgram,
    /// Its program draws nothing by itself.
    #[error("its program runs in a terminal")]
    Terminal,
    /// A key that it must have.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// The command line follows no rule.
    #[error("its Exec cannot be understood")]
    Exec,
}

/// Whether a text can be the name of an entry, without `.desktop`: never a way out of their folders.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=128).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_plain)
}

/// The app that an entry of an image describes. Its id is `ca-` and the entry's name, in lower case and with
/// hyphens where an id has no other character.
///
/// # Errors
/// There is no such entry, or it describes no app.
pub fn app(tree: &Tree, name: &str) -> Result<App, EntryError> {
    parse(name, &text(tree, name)?)
}

/// What a menu would show, by the entries' names: the app of each, or why it is none.
///
/// # Errors
/// The entries cannot be listed, or are too many.
pub fn menu(
    tree: &Tree,
) -> io::Result<impl Iterator<Item = (String, Result<App, EntryError>)> + '_> {
    let mut names = BTreeSet::new();
    for folder in FOLDERS {
        let found = tree.names(folder)?.into_iter();
        names.extend(found.filter_map(|name| name.strip_suffix(".desktop").map(str::to_owned)));
    }
    let names = names.into_iter().filter(|name| is_name(name));
    Ok(names.filter_map(|name| {
        let app = text(tree, &name).map(|text| {
            let is_hidden = value(&text, "NoDisplay") == Some("true");
            (!is_hidden).then(|| parse(&name, &text))
        });
        match app.transpose()?.and_then(|app| app) {
            // Of no menu either.
            Err(EntryError::Absent | EntryError::NoProgram | EntryError::Terminal) => None,
            app => Some((name, app)),
        }
    }))
}

fn text(tree: &Tree, name: &str) -> Result<String, EntryError> {
    for folder in FOLDERS {
        match tree.file(&format!("{folder}/{name}.desktop")) {
            Ok(file) => return read(file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(EntryError::Read(error)),
        }
    }
    Err(EntryError::Absent)
}

fn read(file: File) -> Result<String, EntryError> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(EntryError::Read)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(EntryError::NoText);
    }
    String::from_utf8(bytes).map_err(|_| EntryError::NoText)
}

fn parse(name: &str, text: &str) -> Result<App, EntryError> {
    let value = |key: &str| value(text, key);
    if value("Type") != Some("Application") || value("Hidden") == Some("true") {
        return Err(EntryError::NoProgram);
    }
    if value("Terminal") == Some("true") {
        return Err(EntryError::Terminal);
    }
    let shown = unescape(value("Name").ok_or(EntryError::Missing("Name"))?);
    let exec = unescape(value("Exec").ok_or(EntryError::Missing("Exec"))?);
    let hyphened = name.to_ascii_lowercase().replace(['.', '_'], "-");
    Ok(App {
        id: AppId::parse(&format!("ca-{hyphened}")).map_err(|_| EntryError::Name)?,
        name: shown.chars().take(256).collect(),
        argv: command_line(&exec)?,
    })
}

/// The value of a key of the entry's own group, without a language.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let lines = text.lines().map(str::trim);
    let own = lines.skip_while(|line| *line != "[Desktop Entry]").skip(1);
    own.take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim_end() == key)
        .map(|(_, value)| value.trim_start())
}

/// What every value of the type string may have escaped.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('s') => text.push(' '),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('\\') | None => text.push('\\'),
            Some(other) => text.extend(['\\', other]),
        }
    }
    text
}

/// The words of an `Exec`, without the documents and the names that its field codes stand for.
fn command_line(exec: &str) -> Result<Vec<String>, EntryError> {
    let mut words = Vec::new();
    let mut rest = exec.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, after) = quoted_word(quoted)?;
            words.push(word);
            rest = after;
        } else {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            words.extend(plain_word(&rest[..end])?);
            rest = &rest[end..];
        }
        let after = rest.trim_start_matches([' ', '\t']);
        if after.len() == rest.len() && !rest.is_empty() {
            return Err(EntryError::Exec);
        }
        rest = after;
    }
    let is_whole = words.first().is_some_and(|program| !program.is_empty())
        && words.len() <= MAX_WORDS
        && words
            .iter()
            .all(|word| word.len() <= 4096 && !word.contains('\0'));
    is_whole.then_some(words).ok_or(EntryError::Exec)
}

/// What is up to the closing quote, in which four characters are escaped, and what follows it.
fn quoted_word(text: &str) -> Result<(String, &str), EntryError> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((word, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '`' | '$' | '\\'))) => word.push(escaped),
                _ => return Err(EntryError::Exec),
            },
            c => word.push(c),
        }
    }
    Err(EntryError::Exec)
}

/// A word without quotes; `None` when it is a field code, all of which stand for what is not there.
fn plain_word(word: &str) -> Result<Option<String>, EntryError> {
    if word.contains([
        '"', '\'', '\\', '`', '$', '>', '<', '~', '|', '&', ';', '*', '?', '#', '(', ')',
    ]) {
        return Err(EntryError::Exec);
    }
    let mut plain = String::new();
    let mut chars = word.chars();
    let mut had_code = false;
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('%')) => plain.push('%'),
            (
                '%',
                Some('f' | 'F' | 'u' | 'U' | 'i' | 'c' | 'k' | 'd' | 'D' | 'n' | 'N' | 'v' | 'm'),
            ) => {
                had_code = true;
            }
            ('%', _) => return Err(EntryError::Exec),
            (c, _) => plain.push(c),
        }
    }
    Ok((!(had_code && plain.is_empty())).then_some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(lines: &str) -> Result<App, EntryError> {
        parse(
            "org.Example.App_1",
            &format!("# a comment\n[Desktop Entry]\n{lines}\n"),
        )
    }

    #[test]
    fn an_entry_is_an_app_of_its_name() {
        let app = entry(
            "Type=Application\nName[de]=Schreiber\nName=Writer\nExec=writer --new %U\nTerminal=false\n\
             [Desktop Action other]\nName=Other\nExec=other",
        )
        .unwrap();
        assert_eq!(app.id.as_str(), "ca-org-example-app-1");
        assert_eq!(
            (app.name.as_str(), app.argv.as_slice()),
            ("Writer", &["writer".to_owned(), "--new".to_owned()][..])
        );
    }

    #[test]
    fn command_lines_are_read_as_the_specification_has_it() {
        for (exec, expected) in [
            ("foot", Some(vec!["foot"])),
            ("  a   b\t%f ", Some(vec!["a", "b"])),
            (
                r#""/opt/My App/run" --x"#,
                Some(vec!["/opt/My App/run", "--x"]),
            ),
            (r#"a "q\"\`\$\\q" c"#, Some(vec!["a", "q\"`$\\q", "c"])),
            ("a 100%% %u", Some(vec!["a", "100%"])),
            ("a --file=%f", Some(vec!["a", "--file="])),
            ("a \"\"", Some(vec!["a", ""])),
            ("", None),
            ("%U", None),
            ("\"\" a", None),
            ("a %x", None),
            ("a %", None),
            (r#"a "open"#, None),
            (r#"a "b"c"#, None),
            ("sh -c 'x'", None),
            ("a; b", None),
            ("a $HOME", None),
            ("a \"x\\y\"", None),
        ] {
            assert_eq!(
                command_line(exec).ok(),
                expected.map(|it| it.into_iter().map(str::to_owned).collect()),
                "{exec}"
            );
        }
        assert!(command_line(&"a ".repeat(MAX_WORDS + 1)).is_err());
    }

    #[test]
    fn what_is_no_app_says_why() {
        for (lines, why) in [
            (
                "Type=Link\nName=a\nURL=x",
                "it is not the entry of a program",
            ),
            (
                "Type=Application\nHidden=true\nName=a\nExec=a",
                "it is not the entry of a program",
            ),
            (
                "Type=Application\nTerminal=true\nName=a\nExec=a",
                "its program runs in a terminal",
            ),
            ("Type=Application\nExec=a", "it has no Name"),
            ("Type=Application\nName=a", "it has no Exec"),
            (
                "Type=Application\nName=a\nExec=a | b",
                "its Exec cannot be understood",
            ),
            ("Name=a\nExec=a", "it is not the entry of a program"),
        ] {
            assert_eq!(entry(lines).unwrap_err().to_string(), why, "{lines}");
        }
        let machine = Tree::open(&["/".into()]).unwrap();
        assert!(matches!(
            app(&machine, "greenroom-no-such-entry"),
            Err(EntryError::Absent)
        ));
        let endless = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(endless.path(), vec![b'a'; 300 << 10]).unwrap();
        let endless = File::open(endless.path()).unwrap();
        assert!(matches!(read(endless), Err(EntryError::NoText)));
    }

    #[test]
    fn a_name_is_no_path() {
        for (name, is_one) in [
            ("org.xfce.mousepad", true),
            ("a_b-c", true),
            ("", false),
            ("../x", false),
            ("a/b", false),
            (".hidden", false),
        ] {
            assert_eq!(is_name(name), is_one, "{name}");
        }
    }
}
