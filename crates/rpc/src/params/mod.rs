//! An operation's parameters: a flat map on the wire, the operation's own type inside.
//!
//! [`Params::deserialize`] is a serde deserializer that knows how the vendor's clients flatten values:
//!
//! | type | on the wire |
//! |---|---|
//! | text, numbers, booleans, unit enums | `Name=value`; `True` and `true` alike |
//! | list | `Name.1=..&Name.2=..`, counted from one, in numeric order, gaps allowed; or one JSON array |
//! | list of structs | `Name.1.Key=..`; or one JSON array |
//! | struct or map | `Name.Key=..`; or one JSON object |
//!
//! Inside JSON values have their JSON types, and numbers or booleans written as strings are taken too;
//! `null` is absence. A value that is empty (`Name=`) is absence for every type but text. A type made from
//! text that cannot be empty either says so by asking for a `char`: it is given the whole text.
//!
//! What the wire does not say cannot be asked for: types that let the *input* decide their shape
//! (`#[serde(flatten)]`, untagged enums, `serde_json::Value`) see plain parameters as text.

mod error;
mod flat;
mod json;
mod text;
mod tree;

pub use error::{ParamError, Problem};

use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use tree::Tree;

/// How deep a value may be nested, by dots and JSON together.
pub const MAX_DEPTH: usize = 32;
/// The highest number an element of a `Name.N` list may have.
pub const MAX_INDEX: usize = 2_000;
/// How many empty values that are not text a request may have: each costs another reading.
const MAX_BLANKS: usize = 100;

/// A request's parameters by name. Its `Debug` shows the names only: values may be passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// The value of the parameter of exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every parameter, in the byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Reads the parameters as a `T`. Parameters `T` does not know are ignored.
    ///
    /// # Errors
    /// Which parameter is missing or invalid, by its name on the wire.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ParamError> {
        let mut tree = Tree::of(self)?;
        // Only the type knows whether an empty value is an empty text or nothing at all, and serde asks
        // too late to take an answer of "nothing". So the value is taken away and the question put again.
        for _ in 0..MAX_BLANKS {
            match T::deserialize(flat::Flat(&tree)) {
                Err(error) if error.is_blank() && tree.remove(error.segments()) => {}
                other => return other,
            }
        }
        T::deserialize(flat::Flat(&tree))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
