//! What this machine has of a desktop for the apps of its sessions. None of it keeps sessions apart, and each starts
//! without it.

use crate::catalogue::on_path;
use std::path::Path;
use std::process::{Command, Stdio};

/// A part of a desktop: what it is, Debian's package with it, and whether it is there.
type Part = (&'static str, &'static str, fn() -> bool);

const PARTS: [Part; 6] = [
    ("a message bus", "dbus-daemon", || on_path("dbus-daemon")),
    ("portals", "xdg-desktop-portal-gtk", || {
        Path::new("/usr/libexec/xdg-desktop-portal-gtk").is_file()
    }),
    ("what opens what", "desktop-file-utils", || {
        Path::new("/usr/share/applications/mimeinfo.cache").is_file()
    }),
    ("sound", "pulseaudio", || on_path("pulseaudio")),
    ("letters for Chinese", "fonts-noto-cjk", || {
        has_font(":lang=zh")
    }),
    ("emoji", "fonts-noto-color-emoji", || {
        has_font(":lang=und-zsye")
    }),
];

/// A line for an administrator: what apps find on this machine, and with which packages they would find the rest. Looks
/// at files and asks fontconfig, which takes a while where it has no cache.
#[must_use]
pub fn desktop() -> String {
    told(&PARTS)
}

fn told(parts: &[Part]) -> String {
    let (there, lacking): (Vec<&Part>, Vec<&Part>) =
        parts.iter().partition(|(.., is_there)| is_there());
    let names = |parts: &[&Part]| {
        let names: Vec<&str> = parts.iter().map(|(name, ..)| *name).collect();
        names.join(", ")
    };
    let found = match there.as_slice() {
        [] => "nothing".to_owned(),
        there => names(there),
    };
    if lacking.is_empty() {
        return format!("desktop: ok: {found}");
    }
    let packages: Vec<&str> = lacking.iter().map(|(_, package, _)| *package).collect();
    format!(
        "desktop: partly: {found}; not {} (install the packages {})",
        names(&lacking),
        packages.join(", ")
    )
}

/// Whether fontconfig knows a font for a pattern.
fn has_font(pattern: &str) -> bool {
    let mut list = Command::new("fc-list");
    list.arg(pattern).stdin(Stdio::null());
    list.output().is_ok_and(|output| !output.stdout.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_its_package() {
        let bus: Part = ("a message bus", "dbus-daemon", || true);
        let sound: Part = ("sound", "pulseaudio", || false);
        assert_eq!(told(&[bus]), "desktop: ok: a message bus");
        assert_eq!(
            told(&[bus, sound]),
            "desktop: partly: a message bus; not sound (install the packages pulseaudio)"
        );
        assert_eq!(
            told(&[sound]),
            "desktop: partly: nothing; not sound (install the packages pulseaudio)"
        );
    }
}
