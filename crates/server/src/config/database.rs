//! The address of a PostgreSQL database, as far as it may be shown.

use greenroom_store::{DatabaseUrl, InvalidUrl};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A database's URL as it was written, or nothing. There may be a password in it, so it shows without one,
/// and not at all when it cannot be taken apart.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct WrittenUrl(String);

impl WrittenUrl {
    /// The URL, when one is written.
    ///
    /// # Errors
    /// What is written is none.
    pub fn read(&self) -> Result<Option<DatabaseUrl>, InvalidUrl> {
        match self.0.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        }
    }
}

impl From<String> for WrittenUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for WrittenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.read() {
            Ok(Some(url)) => url.fmt(f),
            Ok(None) => Ok(()),
            Err(_) => f.write_str("…"),
        }
    }
}

impl fmt::Debug for WrittenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrittenUrl({self})")
    }
}

impl Serialize for WrittenUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
