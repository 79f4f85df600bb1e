//! SQLite: one thread that writes, a few that read, in write-ahead mode.
//!
//! Readers see the last commit and never wait for the writer. The writer takes every write that waits
//! into one transaction, each behind a savepoint of its own, and commits once for all of them: with
//! `synchronous = FULL` the commit's sync costs far more than the statements. No answer leaves before that
//! commit, so to each caller it is as if its write had been alone.

mod connection;

use crate::connection::{Connection, Transactions};
use crate::error::{Result, StoreError};
use crate::migrate;
use crate::workers::{Done, Job, Queue};
pub(crate) use connection::Sqlite;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Writes that share one commit at most, so that the first of them does not wait long for its answer.
const LARGEST_BATCH: usize = 64;

/// The threads of one open database.
pub(crate) struct Threads {
    pub(crate) reads: Arc<Queue>,
    pub(crate) writes: Arc<Queue>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Opens the file, makes it when it is not there, migrates it, starts `readers` reading threads.
    pub(crate) fn open(path: &Path, readers: usize) -> Result<Self> {
        make_private(path)?;
        let mut writer = Sqlite::open(path)?;
        migrate::run(&mut writer)?;
        let (reads, writes) = (Arc::new(Queue::new()), Arc::new(Queue::new()));
        let mut threads = Self {
            reads,
            writes,
            handles: Vec::new(),
        };
        for number in 0..readers {
            let mut reader = Sqlite::open(path)?;
            reader.script("PRAGMA query_only = ON")?;
            let queue = Arc::clone(&threads.reads);
            threads.start(&format!("store-read-{number}"), move || {
                read(&mut reader, &queue);
            })?;
        }
        let queue = Arc::clone(&threads.writes);
        threads.start("store-write", move || write(&mut writer, &queue))?;
        Ok(threads)
    }

    /// A database that is gone with its only thread; reads and writes take turns.
    pub(crate) fn in_memory() -> Result<Self> {
        let mut only = Sqlite::in_memory()?;
        migrate::run(&mut only)?;
        let queue = Arc::new(Queue::new());
        let mut threads = Self {
            reads: Arc::clone(&queue),
            writes: Arc::clone(&queue),
            handles: Vec::new(),
        };
        threads.start("store-memory", move || write(&mut only, &queue))?;
        Ok(threads)
    }

    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new().name(name.to_owned());
        let handle = thread
            .spawn(work)
            .map_err(|error| unavailable("starting its threads", error))?;
        self.handles.push(handle);
        Ok(())
    }
}

impl Drop for Threads {
    /// Waits until what was asked for is on disk.
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
        for handle in self.handles.drain(..) {
            // A thread that panicked has nothing left to wait for.
            drop(handle.join());
        }
    }
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

fn read(c: &mut Sqlite, queue: &Queue) {
    while let Some(job) = queue.next() {
        // One transaction for each job: what it reads with several statements is one moment.
        if let Err(error) = c.script("BEGIN") {
            job.refuse(error);
            continue;
        }
        let done = job.run(c);
        c.roll_back();
        if let Some(Done { answer, .. }) = done {
            answer(Ok(()));
        }
    }
}

fn write(c: &mut Sqlite, queue: &Queue) {
    while let Some(job) = queue.next() {
        if let Err(error) = c.begin() {
            job.refuse(error);
            continue;
        }
        let mut batch = Vec::new();
        let mut next = Some(job);
        while let Some(job) = next {
            batch.extend(within_savepoint(c, job));
            // Some errors (a full disk) end the whole transaction, the earlier jobs' writes included.
            let go_on = c.in_transaction() && batch.len() < LARGEST_BATCH;
            next = if go_on { queue.next_waiting() } else { None };
        }
        let committed = if c.in_transaction() {
            c.commit().map_err(|error| cause(&error))
        } else {
            Err("another write of the same commit ended the transaction".to_owned())
        };
        for Done { answer, .. } in batch {
            answer(committed.clone().map_err(|cause| StoreError::Unavailable {
                step: "committing",
                source: cause.into(),
            }));
        }
    }
}

/// What the database said.
fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn within_savepoint(c: &mut Sqlite, job: Box<dyn Job>) -> Option<Done> {
    if let Err(error) = c.script("SAVEPOINT job") {
        job.refuse(error);
        return None;
    }
    let done = job.run(c);
    if c.in_transaction() {
        let keep = done.as_ref().is_some_and(|done| done.keep);
        let closed = c.script(if keep {
            "RELEASE job"
        } else {
            "ROLLBACK TO job; RELEASE job"
        });
        if closed.is_err() {
            // What is to be kept cannot be told from what is not any more.
            c.roll_back();
        }
    }
    done
}
