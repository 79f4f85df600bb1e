//! Names of settings: which there are, and which one was meant.

use super::section::path;
use super::{ConfigError, General, SECTIONS};

/// The lists at the top of the file, and what each entry may have.
const LISTS: [(&str, &[&str]); 2] = [
    ("images", &["id", "name", "dir", "desktop_entries"]),
    ("policies", &["id", "clipboard"]),
];

/// Refuses names that no section knows, before any value is looked at: a misspelt setting must not be a
/// setting that silently has its default.
pub(super) fn check(table: &toml::Table) -> Result<(), ConfigError> {
    let top = SECTIONS
        .iter()
        .filter(|s| !s.name.is_empty())
        .map(|s| s.name);
    let mut top: Vec<&str> = top
        .chain(General::INFO.settings.iter().map(|s| s.key))
        .collect();
    top.extend(LISTS.map(|(name, _)| name));
    for (name, value) in table {
        known("", name, &top)?;
        let entries = |value: &toml::Value| value.as_array().cloned().unwrap_or_default();
        if let Some((list, keys)) = LISTS.into_iter().find(|(list, _)| name == list) {
            for entry in entries(value) {
                known_in(list, &entry, keys)?;
            }
        }
        if let Some(section) = SECTIONS
            .iter()
            .find(|s| !s.name.is_empty() && s.name == name)
        {
            let mut keys: Vec<&str> = section.settings.iter().map(|s| s.key).collect();
            if name == "image" {
                keys.push("apps");
                for entry in value.get("apps").map(entries).unwrap_or_default() {
                    known_in("image.apps", &entry, &["id", "name", "argv"])?;
                }
            }
            known_in(name, value, &keys)?;
        }
    }
    Ok(())
}

fn known_in(section: &str, value: &toml::Value, valid: &[&str]) -> Result<(), ConfigError> {
    for key in value.as_table().into_iter().flat_map(toml::Table::keys) {
        known(section, key, valid)?;
    }
    Ok(())
}

fn known(section: &str, key: &str, valid: &[&str]) -> Result<(), ConfigError> {
    if valid.contains(&key) {
        return Ok(());
    }
    Err(ConfigError::Unknown {
        name: path(section, key),
        nearest: nearest(key, valid.iter().copied()).map(|n| path(section, n)),
    })
}

pub(super) fn nearest<'a>(name: &str, valid: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    valid
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
