//! Tells whether anything was committed to the file, by whichever process.

use super::Sqlite;
use crate::connection::first;
use crate::error::Result;
use crate::recent::Version;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A connection that reads nothing else. Asking it takes a look into the memory that all connections to the file
/// share, and waits for nobody, so it needs no thread.
pub(crate) struct Watch(Mutex<Sqlite>);

impl Watch {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self(Mutex::new(
            Sqlite::open(path)?.reading_only()?.impatient()?,
        )))
    }

    /// What all that was committed until now amounts to; `None` when it cannot be told at once.
    pub(crate) fn version(&self) -> Option<Version> {
        // The connection is between two statements whenever nobody holds it.
        let mut it = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = first(&mut *it, "PRAGMA data_version", &[], |row| row.integer(0));
        asked.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Connection, values};

    #[test]
    fn every_commit_of_anybody_shows_and_nothing_else_does() {
        // The folder goes with the test, and so do the journals that SQLite puts beside the file.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greenroom.db");
        std::fs::File::create(&path).unwrap();
        let (mut one, mut other) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
        one.script("CREATE TABLE numbers (number BIGINT)").unwrap();
        let watch = Watch::open(&path).unwrap();
        let mut seen = watch.version().unwrap();
        for number in 0..100_i64 {
            let c = if number % 2 == 0 {
                &mut one
            } else {
                &mut other
            };
            let insert = "INSERT INTO numbers VALUES ($1)";
            c.script("BEGIN IMMEDIATE").unwrap();
            c.execute(insert, values![number]).unwrap();
            assert_eq!(watch.version(), Some(seen), "not committed yet");
            c.script("COMMIT").unwrap();
            let now = watch.version().unwrap();
            assert_ne!(now, seen);
            assert_eq!(watch.version(), Some(now), "nothing came since");
            seen = now;
        }
    }
}
