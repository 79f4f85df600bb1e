//! One [`Store`] over SQLite, written so that PostgreSQL is the same code path.
//!
//! The functions here are transactions that say what they are for, not access to tables: whatever must
//! become true together is one call. They take the time, ids and secrets as arguments. Calls of a tenant
//! take the account as well, so that an operation that forgot to check cannot cross over to another.
//!
//! Three sides use it: operations write intent ([`Store::create_group`], [`Store::ask_session`]…) and read
//! pages; reconcilers take what is due ([`Store::sessions_to_act_on`]) and write what they saw, fenced by a
//! generation ([`Store::record`]); the door redeems tickets ([`Store::redeem_ticket`]).
//!
//! A write is answered once it is on disk. A future that is dropped before its job begins withdraws it;
//! after that the job is carried out whole, heard or not.

mod accounts;
mod bindings;
mod blocks;
mod connection;
mod error;
mod grants;
mod groups;
mod housekeeping;
mod migrate;
mod nonces;
mod page;
mod reconcile;
mod sessions;
mod slots;
mod sqlite;
mod tasks;
mod tickets;
mod workers;

pub use accounts::{AccessKey, Secret};
pub use bindings::Binding;
pub use error::{Result, StoreError};
pub use grants::GrantChange;
pub use groups::{Charge, Group, GroupFilter, GroupSpec, NodePool, NodesInUse};
pub use nonces::Nonce;
pub use page::{Page, PageRequest};
pub use reconcile::{Observation, SessionRecord, SettlingGroup};
pub use sessions::{Session, SessionFilter, SessionRow};
pub use slots::{NewSlot, NewSlots};
pub use tasks::{NewTask, TicketTask};
pub use tickets::{Admitted, Digest, NewTicket, Redemption, Resumption};

use connection::Connection;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// The database. Clones share it; the last one to go waits until every write is on disk.
#[derive(Clone)]
pub struct Store {
    threads: Arc<sqlite::Threads>,
    intents: Arc<watch::Sender<u64>>,
}

impl Store {
    /// Opens the database at `path`, makes it when there is none (readable by its owner only), and brings
    /// its schema up to date. Blocks while it does.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`], [`StoreError::Corrupt`] for what is no such database, or the file
    /// cannot be opened or written.
    pub fn open(path: &Path) -> Result<Self> {
        // More readers than cores only take turns; fewer than two would let one slow page delay the rest.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self::over(sqlite::Threads::open(path, cores.clamp(2, 8))?))
    }

    /// A database in memory, gone with its last clone; for tests.
    ///
    /// # Errors
    /// There is no memory or thread for it.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::over(sqlite::Threads::in_memory()?))
    }

    /// Changes whenever this process wrote intent that a reconciler may have to act on: a hint to look now
    /// and not at the next sweep. Other replicas' intent does not show.
    #[must_use]
    pub fn intents(&self) -> watch::Receiver<u64> {
        self.intents.subscribe()
    }

    fn over(threads: sqlite::Threads) -> Self {
        Self {
            threads: Arc::new(threads),
            intents: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Reads, seeing one moment of the database.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.threads.reads.ask(work).await
    }

    /// Writes, all or nothing: an error from `work` takes back what it did.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.threads.writes.ask(work).await
    }

    /// As [`Store::write`], for what a reconciler may have to act on.
    async fn write_intent<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let written = self.write(work).await?;
        self.intents
            .send_modify(|count| *count = count.wrapping_add(1));
        Ok(written)
    }
}
