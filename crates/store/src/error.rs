//! What can go wrong in the store, as far as a caller can act on it.

use std::error::Error;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much waits already; nothing was done, and a retry may succeed.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached or written (disk full, read-only, locked, gone); a retry may succeed
    /// once its cause is removed.
    #[error("the database is unavailable while {step}")]
    Unavailable {
        /// What was being done.
        step: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A call with this nonce was carried out before.
    #[error("the nonce was used before")]
    NonceReplayed,
    /// What was to be changed is not as the caller believed; read it again.
    #[error("{0} has changed meanwhile")]
    Conflict(&'static str),
    /// What was to be changed does not exist for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The database's secrets are sealed with another key than the one at hand, if there is one.
    #[error("the secrets in the database are sealed with another key")]
    WrongSealingKey,
    /// The caller is not, or no longer, the one that looks after this session.
    #[error("another server has taken this one for lost")]
    Fenced,
    /// The server that joins was forgotten: others have its sessions now.
    #[error(
        "this server was forgotten, and what lived on it lives elsewhere: it needs a new data folder"
    )]
    ServerForgotten,
    /// What RAM's rules forbid, in terms that its callers act on.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// What the rules of images forbid.
    #[error(transparent)]
    Image(#[from] crate::images::ImageRefusal),
    /// The capacity asked for is not there.
    #[error("there is no room for the nodes asked for")]
    NoRoom,
    /// The database is no file that could be copied: it has tools of its own for that.
    #[error("the database is not a file")]
    NotAFile,
    /// The database was migrated by a newer build that older ones must not follow.
    #[error(
        "the database has schema {found}, which needs a build that knows schema {needed}; this one knows {known}"
    )]
    SchemaTooNew {
        /// The newest migration applied.
        found: i64,
        /// The newest migration this build knows.
        known: i64,
        /// The migration a build must know to work on it.
        needed: i64,
    },
    /// The database holds something this build cannot have written.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database refused a statement: a defect of this crate.
    #[error("the database refused a statement while {step}")]
    Refused {
        /// What was being done.
        step: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What the store's functions answer.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// Whether the same call may succeed later without anybody changing it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable { .. })
    }
}
