//! What the store counts of itself: how long its callers waited, and rows that the audit trail lacks.

use crate::Store;
use crate::error::Result;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Counters of one open database.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) reads: Timer,
    pub(crate) writes: Timer,
    /// Rows of the audit trail that could not be written.
    pub(crate) unaudited: AtomicU64,
}

/// Counts calls of one kind and times them.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    calls: AtomicU64,
    unavailable: AtomicU64,
    micros: AtomicU64,
}

/// Calls of one kind since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many were answered.
    pub answered: u64,
    /// Those that the database could not answer, or had no time for.
    pub unavailable: u64,
    /// How long all of them took together, from the moment they were asked.
    pub took: Duration,
}

/// What the store has counted since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that only read.
    pub reads: Calls,
    /// Calls that write.
    pub writes: Calls,
    /// Rows of the audit trail that could not be written by themselves.
    pub unaudited: u64,
}

impl Timer {
    /// Awaits a call and counts it.
    pub(crate) async fn time<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        let answer = call.await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
        if answer.as_ref().is_err_and(|error| error.is_retryable()) {
            self.unavailable.fetch_add(1, Relaxed);
        }
        answer
    }

    fn calls(&self) -> Calls {
        Calls {
            answered: self.calls.load(Relaxed),
            unavailable: self.unavailable.load(Relaxed),
            took: Duration::from_micros(self.micros.load(Relaxed)),
        }
    }
}

impl Store {
    /// What was counted so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            reads: self.meter.reads.calls(),
            writes: self.meter.writes.calls(),
            unaudited: self.meter.unaudited.load(Relaxed),
        }
    }
}
