//! SQLite: one thread that writes, a few that read, in write-ahead mode.
//!
//! Readers see the last commit and never wait for the writer.

mod connection;
mod watch;

use crate::error::{Result, StoreError};
use crate::migrate;
use crate::threads::Threads;
pub(crate) use connection::Sqlite;
use std::io;
use std::path::Path;
pub(crate) use watch::Watch;

/// Opens the file, makes it when it is not there, migrates it, starts a writing and `readers` reading threads.
pub(crate) fn open(path: &Path, readers: usize) -> Result<Threads> {
    make_private(path)?;
    let mut writer = Sqlite::open(path)?;
    migrate::run(&mut writer)?;
    let mut threads = Threads::none();
    for _ in 0..readers {
        threads.add_reader(Sqlite::open(path)?.reading_only()?)?;
    }
    threads.add_writer(writer)?;
    threads.watch = Some(Watch::open(path)?);
    Ok(threads)
}

/// A database that is gone with its only thread.
pub(crate) fn in_memory() -> Result<Threads> {
    let mut only = Sqlite::in_memory()?;
    migrate::run(&mut only)?;
    Threads::only(only)
}

fn unavailable(step: &'static str, error: io::Error) -> StoreError {
    StoreError::Unavailable {
        step,
        source: error.into(),
    }
}

/// Makes the file readable by its owner only: it holds access keys. SQLite gives its journals the same mode.
fn make_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unavailable("opening its file", error)),
    }
}
