//! The audit trail: what was done, by whom, and how it ended; a chain of rows for each writer, in which
//! each row carries the hash of the one before it.
//!
//! A call's row is written in the first transaction that the call writes anything in, whatever that is: see
//! [`Store::recording`]. So there is no change without its row, and no row without its change.

mod chain;
mod checkpoint;
mod entry;
mod read;
mod retention;
mod verify;

pub(crate) use chain::append;
pub(crate) use checkpoint::CheckpointKey;
pub use checkpoint::CheckpointVerifier;
pub use entry::{AuditEntry, AuditHead, AuditPrincipal, AuditRow, RowHash};
pub use read::{AuditFilter, AuditPage, AuditPlace};
pub use verify::{AuditFlaw, AuditVerification, Flaw};

use crate::Store;
use crate::error::{Result, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whose chain it is until somebody says so: a database in memory has one writer.
const UNNAMED: &str = "unnamed";

/// What is recorded of one call, and whether it is.
#[derive(Debug)]
pub struct Recording {
    entry: AuditEntry,
    /// What the call has made or chosen.
    found: Mutex<Vec<(&'static str, String)>>,
    written: AtomicBool,
}

/// The most characters of a subject.
const LONGEST_SUBJECT: usize = 500;

impl Recording {
    /// Of a call that is still to be carried out; `entry` is what its row says if it is.
    #[must_use]
    pub fn new(entry: AuditEntry) -> Arc<Self> {
        Arc::new(Self {
            entry,
            found: Mutex::default(),
            written: AtomicBool::new(false),
        })
    }

    /// What the row says, as far as the request tells.
    #[must_use]
    pub fn entry(&self) -> &AuditEntry {
        &self.entry
    }

    /// What the row says of a call that was carried out: its subject has what the call has made or chosen as well.
    #[must_use]
    pub fn carried_out(&self) -> AuditEntry {
        let mut entry = self.entry.clone();
        // The list is whole at every moment, so a panic elsewhere does not spoil it.
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in found.iter() {
            let pair = format!("{name}={value}");
            let room = entry.subject.len() + pair.len() < LONGEST_SUBJECT;
            if room && !entry.subject.split(' ').any(|told| told == pair) {
                let space = if entry.subject.is_empty() { "" } else { " " };
                entry.subject += &format!("{space}{pair}");
            }
        }
        entry
    }

    /// Adds to the subject what the call has made or chosen: the name of a parameter or field, and an id.
    fn find(&self, name: &'static str, value: &str) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push((name, value.to_owned()));
    }

    /// Whether the row is on disk, with something that the call has written.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    pub(crate) fn set_written(&self) {
        self.written.store(true, Ordering::Release);
    }
}

/// As [`Store::tells`], within a transaction.
pub(crate) fn tells(call: Option<&Arc<Recording>>, name: &'static str, value: &str) {
    if let Some(call) = call {
        call.find(name, value);
    }
}

impl Store {
    /// Names the writer of this server's chain, which no other server of the database may have. Clones made
    /// before write there as well.
    pub fn write_audit_as(&self, writer: &str) {
        // A second call would come from the same server.
        drop(self.writer.set(Arc::from(writer)));
    }

    /// The same store for the length of one call: the first of its transactions that is kept has the call's
    /// row in it.
    #[must_use]
    pub fn recording(&self, call: &Arc<Recording>) -> Self {
        Self {
            call: Some(Arc::clone(call)),
            ..self.clone()
        }
    }

    /// Adds to the row of the call that this store records what the call has made or chosen, before it is written
    /// or in the same transaction: the name of a parameter or field, and an id.
    pub fn tells(&self, name: &'static str, value: &str) {
        tells(self.call.as_ref(), name, value);
    }

    /// Writes rows of what has no transaction of its own: all of them, or none.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<()> {
        let (writer, count) = (self.writer(), entries.len());
        let written = self.write(move |c| {
            entries
                .into_iter()
                .try_for_each(|entry| append(c, &writer, entry))
        });
        written.await.inspect_err(|_| {
            let lost = u64::try_from(count).unwrap_or(u64::MAX);
            self.meter.unaudited.fetch_add(lost, Ordering::Relaxed);
        })
    }

    /// The key that checkpoints are verified with.
    ///
    /// # Errors
    /// The store has no key that it could come from.
    pub fn checkpoint_verifier(&self) -> Result<CheckpointVerifier> {
        let key = self.sealing().ok_or(StoreError::WrongSealingKey)?;
        let verifier = key.checkpoints().verifier();
        verifier.ok_or(StoreError::WrongSealingKey)
    }

    pub(crate) fn writer(&self) -> Arc<str> {
        self.writer
            .get()
            .map_or_else(|| Arc::from(UNNAMED), Arc::clone)
    }
}
