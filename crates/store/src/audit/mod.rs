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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whose chain it is until somebody says so: a database in memory has one writer.
const UNNAMED: &str = "unnamed";

/// What is recorded of one call, and whether it is.
#[derive(Debug)]
pub struct Recording {
    entry: AuditEntry,
    written: AtomicBool,
}

impl Recording {
    /// Of a call that is still to be carried out; `entry` is what its row says if it is.
    #[must_use]
    pub fn new(entry: AuditEntry) -> Arc<Self> {
        Arc::new(Self {
            entry,
            written: AtomicBool::new(false),
        })
    }

    /// What the row says.
    #[must_use]
    pub fn entry(&self) -> &AuditEntry {
        &self.entry
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

    /// Writes rows of what has no transaction of its own: all of them, or none.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<()> {
        let writer = self.writer();
        self.write(move |c| {
            entries
                .into_iter()
                .try_for_each(|entry| append(c, &writer, entry))
        })
        .await
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
