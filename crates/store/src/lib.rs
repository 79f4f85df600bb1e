//! One [`Store`] over SQLite or PostgreSQL, by one code path.
//!
//! The functions here are transactions that say what they are for, not access to tables: whatever must
//! become true together is one call. They take the time, ids and secrets as arguments. Calls of a tenant
//! take the account as well, so that an operation that forgot to check cannot cross over to another.
//!
//! Three sides use it: operations write intent ([`Store::create_group`], [`Store::ask_sessions`]…) and read
//! pages; reconcilers take what is due ([`Store::sessions_to_act_on`]) and write what they saw, fenced by a
//! generation and a lease ([`Store::record`]); the door redeems tickets ([`Store::redeem_ticket`]).
//!
//! A write is answered once it is on disk. A future that is dropped before its job begins withdraws it;
//! after that the job is carried out whole, heard or not.

mod account_settings;
mod accounts;
mod administer;
mod app_grants;
mod audit;
mod authorized;
mod bindings;
mod blocks;
mod bound;
mod connection;
mod copy;
mod error;
mod grants;
mod groups;
mod history;
mod housekeeping;
mod identity;
mod images;
mod instances;
mod meter;
mod migrate;
mod nodes;
mod nonces;
mod page;
mod placement;
mod postgres;
mod recent;
mod reconcile;
mod removal;
mod resize;
mod seal;
mod servers;
mod sessions;
mod slots;
mod sqlite;
mod tags;
mod tasks;
mod threads;
mod tickets;
mod unbind;
mod url;
mod workers;

pub use accounts::{AccessKey, Account, KeyUser, Secret};
pub use administer::{SessionDetail, SessionScope};
pub use app_grants::{AppGrant, AppGrantFilter, AppUse};
pub use audit::{
    AuditEntry, AuditFilter, AuditFlaw, AuditHead, AuditPage, AuditPlace, AuditPrincipal, AuditRow,
    AuditVerification, CheckpointVerifier, Flaw, Recording, RowHash,
};
pub use authorized::{AuthorizedFilter, AuthorizedUser};
pub use bindings::Binding;
pub use bound::{BoundFilter, BoundRow};
pub use copy::{COPIES, Copying, check_copy};
pub use error::{Result, StoreError};
pub use grants::GrantChange;
pub use groups::{
    Beginning, Charge, Chosen, GrantedFilter, Group, GroupFilter, GroupSpec, NewImage, NextPeriod,
    NodePool, NodesInUse,
};
pub use history::{EVENTS_KEPT, SessionEvent};
pub use identity::{
    AssumedRole, Attached, Entities, Holder, IdentityError, Member, NewPolicy, NewRole, NewUser,
    Permissions, PolicyKind, PolicyName, PolicyVersion, RamGroup, RamPolicy, RamRole, RamUser,
    RoleChange, Thing, UserChange, UserKey,
};
pub use images::{ImageOrder, ImageRefusal, OwnImage};
pub use instances::{Held, InstanceFilter, InstanceRow};
pub use meter::{Calls, Figures};
pub use nodes::Node;
pub use nonces::Nonce;
pub use page::{Page, PageRequest, SharedPage};
pub use placement::{Leave, Shape};
pub use reconcile::{Observation, SessionRecord, SettlingGroup};
pub use removal::{Removal, RemovalRefusal};
pub use resize::{PoolUsage, Resize};
pub use seal::SealingKey;
pub use servers::{Lease, NewServer, Placed, Renewal, ServerRecord, ServerStanding};
pub use sessions::{Session, SessionFilter, SessionRow};
pub use slots::{NewSlot, NewSlots};
pub use tags::{CUSTOM_TAGS, SYSTEM_KEYS, Tag, TagCondition, TagRefusal, Tagged};
pub use tasks::{NewTask, TicketTask, Wanted};
pub use tickets::{Admitted, Digest, NewTicket, Redemption, Resumption};
pub use unbind::Unbinding;
pub use url::{DatabaseUrl, InvalidUrl};

use blocks::{INSTANCES, Positions, SESSIONS};
use connection::Connection;
use greenroom_model::{AccountId, AppInstanceGroupId, ProductType};
use meter::Meter;
use recent::{Moment, Recent, Version};
use sqlite::Watch;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use threads::Threads;
use tokio::sync::{Mutex, watch};

/// The database. Clones share it; the last one to go waits until every write is on disk.
#[derive(Clone)]
pub struct Store {
    threads: Arc<Threads>,
    intents: Arc<watch::Sender<u64>>,
    sealing: Arc<OnceLock<Arc<SealingKey>>>,
    /// The folder for copies of a database that is a file, held by whoever writes one.
    copies: Option<Arc<Mutex<PathBuf>>>,
    /// Whose chain of the audit trail is written.
    writer: Arc<OnceLock<Arc<str>>>,
    /// What is to be recorded with whatever is written by this clone.
    call: Option<Arc<Recording>>,
    known: Arc<Known>,
    /// Of the call that this clone is for.
    moment: Option<Arc<Moment>>,
    meter: Arc<Meter>,
}

/// What was read before and may be used again, each kind under a condition of its own.
struct Known {
    keys: Recent<String, AccessKey>,
    pages: Recent<PageKey, Arc<SharedPage<SessionRow>>>,
    images: Recent<AccountId, Arc<[OwnImage]>>,
    positions: Arc<Positions>,
    instance_positions: Arc<Positions>,
}

/// A page of a group's sessions, as an account asks for it.
type PageKey = (AccountId, AppInstanceGroupId, ProductType, PageRequest);

/// Keys that are kept after they were looked up; each is a few hundred bytes.
const MOST_KEYS: usize = 1_024;

/// Images, and accounts with or without some, that are kept after they were read; each is some kilobytes.
const MOST_IMAGES: usize = 1_024;

/// Sessions and users on the pages that are kept after they were read: some eight megabytes, with what was written
/// of them.
const MOST_ROWS: usize = 10_000;

impl Store {
    /// Opens the database at `path`, makes it when there is none (readable by its owner only), and brings
    /// its schema up to date. Blocks while it does.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`], [`StoreError::Corrupt`] for what is no such database, or the file
    /// cannot be opened or written.
    pub fn open(path: &Path) -> Result<Self> {
        let it = Self::over(sqlite::open(path, readers())?);
        let folder = path.with_file_name(COPIES);
        Ok(Self {
            copies: Some(Arc::new(Mutex::new(folder))),
            ..it
        })
    }

    /// Opens a PostgreSQL database, which has to be there, and brings its schema up to date. Blocks while it
    /// does. Servers on other machines may have it open too.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`], or the database cannot be reached or written.
    pub fn open_url(url: &DatabaseUrl) -> Result<Self> {
        Ok(Self::over(postgres::open(url, readers())?))
    }

    /// A database in memory, gone with its last clone; for tests.
    ///
    /// # Errors
    /// There is no memory or thread for it.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::over(sqlite::in_memory()?))
    }

    /// Changes whenever this process wrote intent that a reconciler may have to act on: a hint to look now
    /// and not at the next sweep. Other replicas' intent does not show.
    #[must_use]
    pub fn intents(&self) -> watch::Receiver<u64> {
        self.intents.subscribe()
    }

    fn over(threads: Threads) -> Self {
        Self {
            threads: Arc::new(threads),
            intents: Arc::new(watch::Sender::new(0)),
            sealing: Arc::default(),
            copies: None,
            writer: Arc::default(),
            call: None,
            moment: None,
            meter: Arc::default(),
            known: Arc::new(Known {
                keys: Recent::new(MOST_KEYS, |_| 1),
                images: Recent::new(MOST_IMAGES, |images| 1 + images.len()),
                pages: Recent::new(MOST_ROWS, |page| {
                    1 + page
                        .items
                        .iter()
                        .map(|row| 1 + row.users.len())
                        .sum::<usize>()
                }),
                positions: Arc::new(Positions::of(SESSIONS)),
                instance_positions: Arc::new(Positions::of(INSTANCES)),
            }),
        }
    }

    /// The key that secrets are sealed with, for a database thread to use.
    fn sealing(&self) -> Option<Arc<SealingKey>> {
        self.sealing.get().cloned()
    }

    /// The same store for the length of one call: the database is asked once whether anything has changed since
    /// something was read before, and again only after this clone has written.
    #[must_use]
    pub fn for_call(&self) -> Self {
        Self {
            moment: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// What the database says of its state, where it can say so at once.
    fn version(&self) -> Option<Version> {
        let ask = || self.threads.watch.as_ref().and_then(Watch::version);
        match &self.moment {
            Some(moment) => moment.version(ask),
            None => ask(),
        }
    }

    /// Reads, seeing one moment of the database.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.meter.reads.time(self.threads.reads.ask(work)).await
    }

    /// As [`Store::read`], unless the same was read before and nothing was written since. What is not there is
    /// looked for each time: anybody may ask for what is not there.
    async fn recently<K: Hash + Eq, V: Clone + Send + 'static>(
        &self,
        recent: impl Fn(&Known) -> &Recent<K, V>,
        key: K,
        work: impl FnOnce(&mut dyn Connection) -> Result<Option<V>> + Send + 'static,
    ) -> Result<Option<V>> {
        let recent = recent(&self.known);
        let Some(version) = self.version() else {
            return self.read(work).await;
        };
        if let Some(answer) = recent.get(version, &key) {
            return Ok(Some(answer));
        }
        let answer = self.read(work).await?;
        if let Some(answer) = &answer {
            recent.put(version, key, answer.clone());
        }
        Ok(answer)
    }

    /// Writes, all or nothing: an error from `work` takes back what it did. A call's first write is recorded
    /// with it.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let written = self.write_recorded(work).await;
        if let Some(moment) = &self.moment {
            moment.passes();
        }
        written
    }

    async fn write_recorded<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(call) = self.call.as_ref().filter(|call| !call.is_written()) else {
            return self.meter.writes.time(self.threads.writes.ask(work)).await;
        };
        let (recording, writer) = (Arc::clone(call), self.writer());
        let recorded = self.threads.writes.ask(move |c| {
            let done = work(c)?;
            audit::append(c, &writer, recording.carried_out())?;
            Ok(done)
        });
        let done = self.meter.writes.time(recorded).await?;
        call.set_written();
        Ok(done)
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

/// How many connections read. More than cores only take turns; fewer than two would let one slow page delay
/// the rest.
fn readers() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    cores.clamp(2, 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection::{first, values};
    use std::sync::mpsc;

    /// Holds the writing thread until the answer is dropped.
    async fn hold(store: &Store) -> mpsc::Sender<()> {
        let (go, wait) = mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let store = store.clone();
        tokio::spawn(async move {
            let hold = store.write(move |_| {
                begun.send(()).unwrap();
                wait.recv().ok();
                Ok(())
            });
            hold.await
        });
        begins.await.unwrap();
        go
    }

    async fn beats(store: &Store) -> i64 {
        let sql = "SELECT value FROM counters WHERE counter = 'heartbeat'";
        let beats = store.read(move |c| first(c, sql, &[], |row| row.integer(0)));
        beats.await.unwrap().unwrap()
    }

    fn beat(c: &mut dyn Connection, by: i64) -> Result<usize> {
        let sql = "UPDATE counters SET value = value + $1 WHERE counter = 'heartbeat'";
        c.execute(sql, values![by])
    }

    #[tokio::test]
    async fn a_write_that_fails_takes_back_itself_and_not_its_neighbours() {
        let store = Store::in_memory().unwrap();
        // The thread is held until the others wait, so that all share one commit.
        let held = hold(&store).await;
        let fails = store.write(|c| {
            beat(c, 10)?;
            Err::<(), _>(StoreError::Conflict("the case"))
        });
        let panics = store.write(|c| -> Result<()> {
            beat(c, 100)?;
            panic!("a defect");
        });
        let succeeds = store.write(|c| beat(c, 1_000));
        let open = async { drop(held) };
        let (fails, panics, succeeds, ()) = tokio::join!(fails, panics, succeeds, open);

        assert!(succeeds.is_ok());
        assert!(matches!(fails, Err(StoreError::Conflict("the case"))));
        assert!(matches!(panics, Err(StoreError::Refused { .. })));
        assert_eq!(beats(&store).await, 1_000);
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_passes_when_there_is_room_again() {
        let store = Store::in_memory().unwrap();
        let set_pages = |pages: u32| {
            store.write(move |c| c.script(&format!("PRAGMA max_page_count = {pages}")))
        };
        // SQLite does not go below what it has: from here on, no page can be added.
        set_pages(1).await.unwrap();
        let fill = || {
            store.write(|c| {
                beat(c, 1)?;
                let sql = "INSERT INTO used_nonces (nonce_hash, expires_at) VALUES ($1, 0)";
                c.execute(sql, values![vec![0_u8; 100_000]])
            })
        };
        let (one, other) = tokio::join!(fill(), fill());
        for full in [&one, &other] {
            assert!(
                full.as_ref().is_err_and(StoreError::is_retryable),
                "{full:?}"
            );
        }
        let cause = format!("{one:?}");
        assert!(cause.contains("is full"), "{cause}");
        assert_eq!(beats(&store).await, 0);
        set_pages(1_000_000).await.unwrap();
        fill().await.unwrap();
        assert_eq!(beats(&store).await, 1);
    }

    #[tokio::test]
    async fn a_call_nobody_waits_for_is_withdrawn_before_it_begins() {
        let store = Store::in_memory().unwrap();
        let held = hold(&store).await;
        tokio::select! {
            biased;
            done = store.write(|c| beat(c, 1)) => panic!("done before its turn: {done:?}"),
            () = std::future::ready(()) => {}
        }
        drop(held);
        assert_eq!(beats(&store).await, 0);
    }

    #[tokio::test]
    async fn too_many_calls_are_refused_and_not_heaped_up() {
        let store = Store::in_memory().unwrap();
        let held = hold(&store).await;
        let mut calls = tokio::task::JoinSet::new();
        let mut refused = 0;
        for _ in 0..workers::LONGEST_QUEUE + 10 {
            let store = store.clone();
            calls.spawn(async move { store.write(|c| beat(c, 1)).await });
        }
        // The ten that are too many are answered while the thread is still held.
        while refused < 10 {
            let answer = calls.join_next().await.unwrap().unwrap();
            assert!(matches!(answer, Err(StoreError::Busy)), "{answer:?}");
            refused += 1;
        }
        drop(held);
        let answers = calls.join_all().await;
        assert_eq!(answers.len(), workers::LONGEST_QUEUE);
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(beats(&store).await, workers::LONGEST_QUEUE as i64);
    }
}
