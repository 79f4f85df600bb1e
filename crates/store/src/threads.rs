//! The threads of an open database: one that writes, some that read, each with a connection of its own.
//!
//! The writer takes every write that waits into one transaction, each behind a savepoint of its own, and
//! commits once for all of them: the commit's sync, and on PostgreSQL the lock that lets one server write
//! at a time, cost far more than the statements. No answer leaves before that commit, so to each caller it
//! is as if its write had been alone.

use crate::connection::Transactions;
use crate::error::{Result, StoreError};
use crate::sqlite::Watch;
use crate::workers::{Done, Job, Queue};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Writes that share one commit at most, so that the first of them does not wait long for its answer.
const LARGEST_BATCH: usize = 64;

/// The threads of one open database.
pub(crate) struct Threads {
    pub(crate) reads: Arc<Queue>,
    pub(crate) writes: Arc<Queue>,
    /// What tells whether anything was committed, where that can be told without one of the threads.
    pub(crate) watch: Option<Watch>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// No thread yet.
    pub(crate) fn none() -> Self {
        Self {
            reads: Arc::new(Queue::new()),
            writes: Arc::new(Queue::new()),
            watch: None,
            handles: Vec::new(),
        }
    }

    /// One thread for everything: reads and writes take turns.
    pub(crate) fn only(mut c: impl Transactions + Send + 'static) -> Result<Self> {
        let mut threads = Self::none();
        threads.reads = Arc::clone(&threads.writes);
        let queue = Arc::clone(&threads.writes);
        threads.start("store-memory", move || write(&mut c, &queue))?;
        Ok(threads)
    }

    /// Starts the thread that writes.
    pub(crate) fn add_writer(&mut self, mut c: impl Transactions + Send + 'static) -> Result<()> {
        let queue = Arc::clone(&self.writes);
        self.start("store-write", move || write(&mut c, &queue))
    }

    /// Starts one that reads.
    pub(crate) fn add_reader(&mut self, mut c: impl Transactions + Send + 'static) -> Result<()> {
        let queue = Arc::clone(&self.reads);
        let name = format!("store-read-{}", self.handles.len());
        self.start(&name, move || read(&mut c, &queue))
    }

    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new().name(name.to_owned());
        let handle = thread
            .spawn(work)
            .map_err(|error| StoreError::Unavailable {
                step: "starting its threads",
                source: error.into(),
            })?;
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

fn read(c: &mut impl Transactions, queue: &Queue) {
    while let Some(job) = queue.next() {
        // One transaction for each job: what it reads with several statements is one moment.
        if let Err(error) = c.begin_reading() {
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

fn write(c: &mut impl Transactions, queue: &Queue) {
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

fn within_savepoint(c: &mut impl Transactions, job: Box<dyn Job>) -> Option<Done> {
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
