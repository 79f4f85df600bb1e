//! Copies of the whole database as one file, and what such a file must be to take the database's place.

use crate::connection::{all, first};
use crate::error::{Result, StoreError};
use crate::sqlite::Sqlite;
use crate::{SealingKey, Store, migrate, seal};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::sync::OwnedMutexGuard;

/// The folder beside the database's file that copies are written to.
pub const COPIES: &str = "backups";

/// The right to copy the database, which one caller at a time has.
pub struct Copying {
    store: Store,
    folder: OwnedMutexGuard<PathBuf>,
}

impl Store {
    /// Takes the right to copy the database.
    ///
    /// # Errors
    /// [`StoreError::NotAFile`] for a database that is none; [`StoreError::Busy`] while it is being copied.
    pub fn begin_copy(&self) -> Result<Copying> {
        let folder = self.copies.clone().ok_or(StoreError::NotAFile)?;
        Ok(Copying {
            folder: folder.try_lock_owned().map_err(|_| StoreError::Busy)?,
            store: self.clone(),
        })
    }
}

impl Copying {
    /// Writes the database, as it is at one moment after this call began, to a file of this name in [`COPIES`],
    /// where no other is left: whoever asked for one before and did not take it away has lost it. The file is
    /// its owner's only, and on disk when this returns. Writers do not wait for it; one of the connections that
    /// read does nothing else meanwhile.
    ///
    /// Answers how long the file is, in bytes.
    ///
    /// # Errors
    /// It could not be read or written; there is no file then.
    pub async fn write(self, name: String) -> Result<u64> {
        let Self { store, folder } = self;
        store
            .read(move |c| {
                // Held until the file is there, also when nobody waits for it any more.
                let folder = folder;
                empty(&folder).map_err(unwritable)?;
                let path = folder.join(name);
                let copied = c.copy_to(&path).and_then(|()| on_disk(&path, &folder));
                if copied.is_err() {
                    // The error is the one to tell; the next copy takes away what is left.
                    std::fs::remove_file(&path).ok();
                }
                copied
            })
            .await
    }
}

/// Checks that a file can take the database's place: it is one of this build's or an older build's, whole, and
/// its secrets are sealed with `key`. Blocks for as long as reading all of it takes, and changes nothing.
///
/// # Errors
/// [`StoreError::Corrupt`], [`StoreError::SchemaTooNew`] or [`StoreError::WrongSealingKey`] for what it is not,
/// or it cannot be read.
pub fn check_copy(path: &Path, key: &SealingKey) -> Result<()> {
    let mut c = Sqlite::open_as_it_is(path)?;
    let flaws = all(&mut c, "PRAGMA integrity_check(1)", &[], |row| {
        Ok(row.text(0)?.to_owned())
    })?;
    if flaws != ["ok"] {
        return Err(StoreError::Corrupt(flaws.concat()));
    }
    // Its migrations are this program's by their checksums: nothing else tells one SQLite file from another.
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'";
    if first(&mut c, table, &[], |row| row.integer(0))?.is_none() {
        return Err(StoreError::Corrupt("it is another program's".to_owned()));
    }
    migrate::check_known(&mut c)?;
    seal::check(&mut c, key)
}

/// Makes the folder, or removes the files in it.
fn empty(folder: &Path) -> io::Result<()> {
    let mut private = std::fs::DirBuilder::new();
    match private.mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    for entry in std::fs::read_dir(folder)? {
        std::fs::remove_file(entry?.path())?;
    }
    Ok(())
}

fn on_disk(path: &Path, folder: &Path) -> Result<u64> {
    let sync = || {
        let file = std::fs::File::open(path)?;
        file.sync_all()?;
        std::fs::File::open(folder)?.sync_all()?;
        file.metadata().map(|data| data.len())
    };
    sync().map_err(unwritable)
}

fn unwritable(error: io::Error) -> StoreError {
    StoreError::Unavailable {
        step: "writing a copy of it",
        source: error.into(),
    }
}
