//! Rules about single files: module docs, stray snapshots, size, unmerged lines, paths of somebody's machine.

use super::Entry;

/// Larger files belong elsewhere, or need a line in [`LARGE`].
const LARGEST: u64 = 200 * 1024;

/// Large files and why they are here.
const LARGE: &[(&str, &str)] = &[(
    "contract/appstream-center-2021-09-01.json",
    "the recorded contract of 92 operations",
)];

/// Folders that exist on somebody's machine only. Put together here, so that this file passes its own check.
const MACHINES: &[&str] = &[
    concat!("/", "root/"),
    concat!("/", "Users/"),
    concat!("/", "work/"),
    concat!("/", "workspace/"),
    concat!("/", "builds/"),
];

/// What a merge leaves where it could not decide. `=======` alone also underlines headings.
const UNMERGED: &[&str] = &["<<<<<<< ", ">>>>>>> "];

/// Everything wrong with one file.
pub fn check(entry: &Entry) -> Vec<String> {
    let path = entry.path.as_str();
    let mut found = Vec::new();
    if path.ends_with(".snap.new") {
        found.push(format!("{path}: a snapshot nobody has accepted or dropped"));
    }
    if entry.size > LARGEST && !LARGE.iter().any(|(large, _)| *large == path) {
        found.push(format!(
            "{path}: {} KiB; files over {} KiB are not committed",
            entry.size / 1024,
            LARGEST / 1024
        ));
    }
    let Some(text) = &entry.text else {
        return found;
    };
    if path.ends_with(".rs") && !begins_with_docs(text) {
        found.push(format!(
            "{path}: begins without `//!` saying what it is for"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        if UNMERGED.iter().any(|marker| line.starts_with(marker)) {
            found.push(format!("{path}:{}: was not merged", number + 1));
        }
        if let Some(folder) = MACHINES.iter().find(|folder| names_folder(line, folder)) {
            found.push(format!(
                "{path}:{}: names `{folder}`, a folder of somebody's machine",
                number + 1
            ));
        }
    }
    found
}

/// Inner attributes may stand before the docs, nothing else.
fn begins_with_docs(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| !line.is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//!"))
}

/// Whether an absolute path under `folder` stands in the line; `target/work/` and URLs are no such thing.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/}$~*)".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, text: &str) -> Entry {
        Entry {
            path: path.into(),
            size: text.len() as u64,
            text: Some(text.into()),
        }
    }

    #[test]
    fn a_module_begins_with_its_purpose() {
        assert!(check(&entry("a.rs", "//! What it is for.\nfn f() {}\n")).is_empty());
        assert!(check(&entry("a.rs", "#![cfg(unix)]\n\n//! What it is for.\n")).is_empty());
        assert_eq!(
            check(&entry("a.rs", "// A remark.\n//! Too late.\n")).len(),
            1
        );
        assert_eq!(check(&entry("a.rs", "")).len(), 1);
    }

    #[test]
    fn a_stray_snapshot_is_found() {
        assert_eq!(
            check(&entry("crates/x/src/snapshots/a.snap.new", "")).len(),
            1
        );
        assert!(check(&entry("crates/x/src/snapshots/a.snap", "")).is_empty());
    }

    #[test]
    fn a_line_that_was_not_merged_is_found_and_a_heading_is_not() {
        let merge = |left: &str, right: &str| {
            let (begin, end) = (UNMERGED[0], UNMERGED[1]);
            format!("{begin}main\n{left}\n=======\n{right}\n{end}mine\n")
        };
        let found = check(&entry("README.md", &merge("one", "other")));
        assert_eq!(
            found,
            ["README.md:1: was not merged", "README.md:5: was not merged"]
        );
        assert!(check(&entry("a.md", "Heading\n=======\n")).is_empty());
    }

    #[test]
    fn a_large_file_needs_a_reason() {
        let large = |path: &str| Entry {
            path: path.into(),
            size: LARGEST + 1,
            text: None,
        };
        assert_eq!(check(&large("docs/video.webm")).len(), 1);
        assert!(check(&large(LARGE[0].0)).is_empty());
    }

    #[test]
    fn paths_of_a_machine_are_found_and_lookalikes_are_not() {
        let root = MACHINES[0];
        assert_eq!(
            check(&entry("a.md", &format!("see `{root}notes`"))).len(),
            1
        );
        assert!(
            check(&entry(
                "a.md",
                &format!("see `src{root}mod.rs` and https://x.example{root}")
            ))
            .is_empty()
        );
    }
}
