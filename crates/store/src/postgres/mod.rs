//! PostgreSQL: one connection that writes, a few that read, and any number of servers beside this one.
//!
//! One transaction writes at a time, whichever server it belongs to, as with SQLite: each takes one
//! advisory lock first. So what a write has read is still so when it commits, and no write has to be tried
//! again because another one came between.

mod connection;
mod tls;

use crate::error::{Result, StoreError};
use crate::threads::Threads;
use crate::{DatabaseUrl, migrate};
pub(crate) use connection::Postgres;
use std::thread;

/// Connects, migrates, starts a writing and `readers` reading threads.
pub(crate) fn open(url: &DatabaseUrl, readers: usize) -> Result<Threads> {
    migrate(url)?;
    let mut threads = Threads::none();
    for _ in 0..readers {
        threads.add_reader(Postgres::new(url)?)?;
    }
    threads.add_writer(Postgres::new(url)?)?;
    Ok(threads)
}

/// On a thread of its own: the driver waits, also when a connection is dropped, in a way that an async
/// caller's thread must not.
fn migrate(url: &DatabaseUrl) -> Result<()> {
    let work = || migrate::run(&mut Postgres::patient(url)?);
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|_| {
        Err(StoreError::Refused {
            step: "migrating",
            source: "the migration panicked".into(),
        })
    })
}
