//! Rules about the documents: the map names every crate, and links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::Entry;

const MAP: &str = "docs/ARCHITECTURE.md";
const DECISIONS: &str = "docs/decisions/";

/// Everything wrong with the documents of a tree.
pub fn check(entries: &[Entry], members: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let map = entries
        .iter()
        .find(|entry| entry.path == MAP)
        .and_then(|entry| entry.text.as_deref());
    match map {
        None => found.push(format!("{MAP}: missing")),
        Some(map) => found.extend(
            members
                .iter()
                .map(|name| name.trim_start_matches("greenroom-"))
                .filter(|short| !map.contains(&format!("`{short}`")))
                .map(|short| format!("{MAP}: does not name the crate `{short}`")),
        ),
    }
    found.extend(decisions(entries));
    let known = known(entries);
    for entry in entries.iter().filter(|entry| entry.path.ends_with(".md")) {
        for target in links(entry.text.as_deref().unwrap_or_default()) {
            if !leads_somewhere(&entry.path, target, &known) {
                found.push(format!(
                    "{}: links to `{target}`, which is not there",
                    entry.path
                ));
            }
        }
    }
    found
}

/// A decision is cited by its number, so no two share one.
fn decisions(entries: &[Entry]) -> Vec<String> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for path in entries.iter().map(|entry| entry.path.as_str()) {
        let number = path
            .strip_prefix(DECISIONS)
            .and_then(|name| name.split_once('-'))
            .map(|(number, _)| number);
        let Some(number) = number else { continue };
        if let Some(other) = first.insert(number, path) {
            found.push(format!("{path}: has the number of {other}"));
        }
    }
    found
}

/// All files and folders of the tree.
fn known(entries: &[Entry]) -> BTreeSet<String> {
    let ancestors = |path: &str| {
        Path::new(path)
            .ancestors()
            .map(|it| it.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
    };
    entries
        .iter()
        .flat_map(|entry| ancestors(&entry.path))
        .collect()
}

/// The targets of inline links that stay inside the project.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets.filter(|target| {
        !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:")
    })
}

fn leads_somewhere(from: &str, target: &str, known: &BTreeSet<String>) -> bool {
    let path = target.split('#').next().unwrap_or(target);
    let mut parts: Vec<String> = Vec::new();
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    for part in folder.join(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    known.contains(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, text: &str) -> Entry {
        Entry {
            path: path.into(),
            size: 0,
            text: Some(text.into()),
        }
    }

    #[test]
    fn the_map_names_every_crate() {
        let tree = [entry(MAP, "`model` and `store`")];
        let members = ["greenroom-model".to_owned(), "greenroom-gateway".to_owned()];
        assert_eq!(
            check(&tree, &members),
            ["docs/ARCHITECTURE.md: does not name the crate `gateway`"]
        );
        assert_eq!(check(&[], &members), ["docs/ARCHITECTURE.md: missing"]);
    }

    #[test]
    fn two_decisions_do_not_share_a_number() {
        let decision = |name: &str| entry(&format!("{DECISIONS}{name}.md"), "");
        let tree = [
            entry(MAP, ""),
            decision("README"),
            decision("0001-a"),
            decision("0002-b"),
        ];
        assert!(check(&tree, &[]).is_empty());
        let twice = [entry(MAP, ""), decision("0001-a"), decision("0001-b")];
        assert_eq!(check(&twice, &[]).len(), 1);
    }

    #[test]
    fn a_link_must_lead_to_a_file_or_folder_of_the_tree() {
        let map = entry(MAP, "");
        let readme = entry(
            "README.md",
            "[a](docs/ARCHITECTURE.md#map) [b](docs) [c](https://example.com) [d](#here)",
        );
        assert!(check(&[map, readme], &[]).is_empty());
        let bad = entry(
            "docs/recipes/x.md",
            "[up](../ARCHITECTURE.md) [gone](../gone.md) [out](../../../x)",
        );
        let found = check(&[entry(MAP, ""), bad], &[]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
