//! Settings from the environment.

use super::names::nearest;
use super::section::{SectionInfo, Setting};
use super::{ConfigError, SECTIONS};

/// Variables beginning with `GREENROOM_` that are no settings.
pub const OTHER_VARIABLES: &[&str] = &[
    "GREENROOM_CONFIG",
    "GREENROOM_ROOT_ACCESS_KEY_ID",
    "GREENROOM_ROOT_ACCESS_KEY_SECRET",
];

/// The variable that sets `section.key`.
#[must_use]
pub fn env_name(section: &str, key: &str) -> String {
    let mut name = "GREENROOM_".to_owned();
    if !section.is_empty() {
        name.push_str(&section.to_uppercase());
        name.push('_');
    }
    name.push_str(&key.to_uppercase());
    name
}

/// Puts what the variables say over what the file says.
pub(super) fn overlay(
    table: &mut toml::Table,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let names: Vec<(String, &SectionInfo, &Setting)> = SECTIONS
        .iter()
        .flat_map(|section| {
            section
                .settings
                .iter()
                .map(move |s| (env_name(section.name, s.key), section, s))
        })
        .collect();
    for (name, text) in env {
        if !name.starts_with("GREENROOM_") || OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let Some((_, section, setting)) = names.iter().find(|(valid, ..)| *valid == name) else {
            let valid = names
                .iter()
                .map(|(valid, ..)| valid.as_str())
                .chain(OTHER_VARIABLES.iter().copied());
            let nearest = nearest(&name, valid).map(str::to_owned);
            return Err(ConfigError::Unknown { name, nearest });
        };
        let like = (section.defaults)().remove(setting.key);
        let value = from_env(&name, &text, like.as_ref())?;
        let target = if section.name.is_empty() {
            &mut *table
        } else {
            match table
                .entry(section.name)
                .or_insert_with(|| toml::Table::new().into())
            {
                toml::Value::Table(inner) => inner,
                _ => continue, // Not a table: the file's own error, reported when the section is read.
            }
        };
        target.insert(setting.key.to_owned(), value);
    }
    Ok(())
}

/// A variable's text as a value of the kind that the setting's default is.
fn from_env(
    name: &str,
    text: &str,
    like: Option<&toml::Value>,
) -> Result<toml::Value, ConfigError> {
    let wrong = |source| ConfigError::Value {
        key: name.to_owned(),
        value: format!("{text:?}"),
        source,
    };
    Ok(match like {
        Some(toml::Value::Integer(_)) => text
            .trim()
            .parse::<i64>()
            .map_err(|e| wrong(e.into()))?
            .into(),
        Some(toml::Value::Array(_)) => text
            .split(',')
            .map(|item| toml::Value::String(item.trim().to_owned()))
            .collect::<Vec<_>>()
            .into(),
        _ => text.into(),
    })
}
