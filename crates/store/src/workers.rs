//! Database threads and their queues: how async callers reach blocking connections.
//!
//! A caller leaves a [`Job`] in a [`Queue`] and awaits its answer; a thread that owns a connection takes
//! it. The answer to a write is sent only after its commit is on disk. A caller that goes away before its
//! job begins withdraws it; once begun, a job is carried out whole.

use crate::connection::Connection;
use crate::error::{Result, StoreError};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How many jobs may wait for a thread before the next is refused: at 10,000 a second these are half a
/// second of work, and a caller that would wait longer is better told.
pub(crate) const LONGEST_QUEUE: usize = 5_000;

/// Work for a database thread.
pub(crate) trait Job: Send {
    /// Does the work, unless nobody waits for it any more.
    fn run(self: Box<Self>, c: &mut dyn Connection) -> Option<Done>;
    /// Answers that the work could not be begun.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// Work that was done and whose answer waits for the commit.
pub(crate) struct Done {
    /// Whether its changes are to be kept.
    pub(crate) keep: bool,
    /// Sends the answer, given how the commit went.
    pub(crate) answer: Box<dyn FnOnce(Result<()>)>,
}

struct Task<T, F> {
    work: F,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Connection) -> Result<T> + Send,
{
    fn run(self: Box<Self>, c: &mut dyn Connection) -> Option<Done> {
        let Self { work, answer } = *self;
        if answer.is_closed() {
            return None;
        }
        // A defect in one call must not end the thread that serves all of them. The connection is left
        // in a known state because the caller rolls back whatever was not kept.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(c))).unwrap_or_else(|_| {
            Err(StoreError::Refused {
                step: "working",
                source: "the operation panicked".into(),
            })
        });
        Some(Done {
            keep: outcome.is_ok(),
            // The receiver may have gone since; what was committed stays.
            answer: Box::new(move |committed| drop(answer.send(after(committed, outcome)))),
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.answer.send(Err(error)));
    }
}

/// The answer to work that ended with `outcome` before the commit.
fn after<T>(committed: Result<()>, outcome: Result<T>) -> Result<T> {
    match outcome {
        // A full disk ends the work and the transaction; the work's own error says so, the commit's does not.
        Err(cause) if cause.is_retryable() => Err(cause),
        // Any other refusal may rest on what a neighbour wrote, so it only stands if that does.
        outcome => committed.and(outcome),
    }
}

/// Jobs that wait for a thread, in order of arrival.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                jobs: VecDeque::new(),
                closed: false,
            }),
            arrived: Condvar::new(),
        }
    }

    /// Has a thread do `work` and awaits the answer.
    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.push(Box::new(Task { work, answer }))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The next job; waits for one. `None` once the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<Box<dyn Job>> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job, if one waits already.
    pub(crate) fn next_waiting(&self) -> Option<Box<dyn Job>> {
        self.lock().jobs.pop_front()
    }

    /// Lets the threads end once they have done what waits.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    fn push(&self, job: Box<dyn Job>) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(gone());
        }
        if waiting.jobs.len() >= LONGEST_QUEUE {
            return Err(StoreError::Busy);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing inside can be left half-changed by a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable {
        step: "reaching its thread",
        source: "the database thread is gone".into(),
    }
}
