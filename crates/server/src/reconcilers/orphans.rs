//! Sessions that run here and that the database does not know, or knows elsewhere: told of and left as they are, for
//! somebody may be at work in them.

use super::membership::Membership;
use crate::runtime::{Handle, Observation};
use greenroom_model::{PersistentId, PersistentStatus};
use greenroom_store::{Store, StoreError};
use std::fmt;
use std::path::PathBuf;

/// One of them; displayed it is a line for an administrator, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The session.
    pub session: PersistentId,
    /// Its holder's process.
    pub pid: u32,
    /// Where its holder listens.
    pub run_dir: PathBuf,
}

impl Orphan {
    /// The orphan that an observation shows; `None` where nothing runs.
    pub(super) fn seen(session: &PersistentId, observation: &Observation) -> Option<Self> {
        let (Observation::Present(handle, _) | Observation::Unseen(handle)) = observation else {
            return None;
        };
        let Handle { pid, run_dir, .. } = handle;
        Some(Self {
            session: session.clone(),
            pid: *pid,
            run_dir: run_dir.clone(),
        })
    }
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            session,
            pid,
            run_dir,
        } = self;
        write!(
            f,
            "orphan: session {session} runs here as process {pid} (in {}), and the database does not know it, or knows \
             it elsewhere. It is left as it is; if nobody needs it, `kill {pid}` ends it and keeps its home",
            run_dir.display()
        )
    }
}

/// Whether a session is one that this server is to have.
pub(super) async fn is_known(
    store: &Store,
    membership: &Membership,
    session: &PersistentId,
) -> Result<bool, StoreError> {
    let record = store.session_record(session).await?;
    Ok(record.is_some_and(|record| {
        let here = record.server.as_ref() == Some(membership.id());
        here && record.status != PersistentStatus::Deleted
    }))
}
