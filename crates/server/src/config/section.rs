//! One section of the configuration, its settings and their documentation, from one declaration: what the
//! example file says is what the code does.

use super::ConfigError;
use serde::de::DeserializeOwned;

/// A setting as the example file shows it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key in its section.
    pub key: &'static str,
    /// What it is for, line by line.
    pub about: &'static [&'static str],
}

/// What is known about a section without having one.
#[derive(Debug, Clone, Copy)]
pub struct SectionInfo {
    /// The name in brackets; empty for the settings at the top of the file.
    pub name: &'static str,
    /// What it is for, line by line.
    pub about: &'static [&'static str],
    /// Its settings, in order.
    pub settings: &'static [Setting],
    /// Its default values.
    pub defaults: fn() -> toml::Table,
}

/// Settings that may hold a password: what is written there is not repeated, whatever it is.
const SECRET: [&str; 1] = ["database.url"];

/// Takes `key` out of `table`, or gives the default when it is not there.
pub(super) fn take<T: DeserializeOwned>(
    table: &mut toml::Table,
    section: &str,
    key: &str,
    default: T,
) -> Result<T, ConfigError> {
    match table.remove(key) {
        None => Ok(default),
        Some(value) => {
            let (key, shown) = (path(section, key), value.to_string());
            value.try_into().map_err(|source| {
                if SECRET.contains(&key.as_str()) {
                    return ConfigError::Rule(format!("{key} must be one text"));
                }
                ConfigError::Value {
                    key,
                    value: shown,
                    source: Box::new(source),
                }
            })
        }
    }
}

/// `section.key`, or the key alone at the top of the file.
pub(super) fn path(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// Declares a section: a struct whose fields have documentation and a default.
macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident in $section:literal {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr;)*
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $name { $($(#[doc = $doc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            /// The section as the example file and the checks see it.
            pub const INFO: $crate::config::section::SectionInfo = $crate::config::section::SectionInfo {
                name: $section,
                about: &[$($about),*],
                settings: &[$($crate::config::section::Setting {
                    key: stringify!($field),
                    about: &[$($doc),*],
                }),*],
                defaults: || toml::Table::try_from($name::default()).unwrap_or_default(),
            };

            fn from_table(mut table: toml::Table) -> Result<Self, $crate::config::ConfigError> {
                let default = Self::default();
                Ok(Self { $($field: $crate::config::section::take(
                    &mut table, $section, stringify!($field), default.$field,
                )?,)* })
            }
        }
    };
}
pub(super) use section;
