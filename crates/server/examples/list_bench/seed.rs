//! Rows, written through the store into a database that a server can start on.

use crate::progress::{Progress, Writes, wait};
use crate::{GROUP, Result, SERVER, open_store};
use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceStatus, AuthMode, ChargeType, Clock, Desired,
    EndUserId, GroupStatus, ImageId, NodePoolId, PersistentId, PersistentStatus, ProductType,
    ServerId, SpecId, Timestamp,
};
use greenroom_server::data_dir::DataDir;
use greenroom_server::system::SystemClock;
use greenroom_server::{root, secrets};
use greenroom_store::{
    Charge, GrantChange, GroupSpec, Lease, NewServer, NewSlots, NodePool, Observation, PageRequest,
    SessionFilter, SessionRow, Store,
};
use greenroom_testkit::SeededEntropy;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Rows that one look at the group takes.
const AT_ONCE: u32 = 100;

/// How far ahead of the clock the sessions are made. None is due before it, so no reconciler starts a million
/// processes.
const AHEAD: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long nobody takes the server that the sessions live on for lost: longer than any run.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// Makes a group of so many sessions, each granted to a user of its own.
pub fn fill(folder: &Path, sessions: u32) -> Result {
    runtime()?.block_on(async {
        let world = World::open(folder).await?;
        world.create(sessions).await?;
        world.grant().await
    })
}

/// Deletes a tenth of the sessions, chosen at random.
pub fn thin(folder: &Path) -> Result {
    runtime()?.block_on(async { World::open(folder).await?.delete_a_tenth().await })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
}

struct World {
    store: Store,
    lease: Lease,
    account: AccountId,
    group: AppInstanceGroupId,
    entropy: Arc<SeededEntropy>,
    made: Timestamp,
    // For as long as it is written to, no server may use it.
    _data: DataDir,
}

impl World {
    async fn open(folder: &Path) -> Result<Self> {
        let entropy = Arc::new(SeededEntropy::new(1));
        let now = SystemClock.now();
        let data = DataDir::open(folder)?;
        let store = open_store(folder)?;
        secrets::unlock(&store, &data, entropy.clone(), now).await?;
        root::establish(&store, &data, None, &*entropy, now).await?;
        let root = store.root().await?.ok_or("there is no root account")?;
        Ok(Self {
            lease: join(&store).await?,
            store,
            account: root.account,
            group: AppInstanceGroupId::parse(GROUP)?,
            entropy,
            made: now.after(AHEAD),
            _data: data,
        })
    }

    async fn create(&self, sessions: u32) -> Result {
        let desired = Desired::Running;
        let slots = NewSlots::new(1, sessions, desired, Vec::new(), &*self.entropy);
        let spec = self.spec(sessions);
        let due = self.made;
        wait("creating the group in one transaction", async {
            let no_users = Vec::new();
            let made = self
                .store
                .create_group(spec, slots, no_users, None, |_| true);
            Ok(made.await?)
        })
        .await?;
        self.store
            .set_group_status(&self.group, GroupStatus::Published, "")
            .await?;
        wait("placing its sessions in one transaction", async {
            let placed = self.store.place_sessions(&self.lease, due, due, sessions);
            match placed.await?.taken {
                taken if taken == sessions => Ok(()),
                taken => Err(format!("{taken} of {sessions} sessions were placed").into()),
            }
        })
        .await
    }

    fn spec(&self, sessions: u32) -> GroupSpec {
        GroupSpec {
            id: self.group.clone(),
            account: self.account.clone(),
            name: "office".to_owned(),
            product_type: ProductType::CloudApp,
            auth_mode: AuthMode::Session,
            region: "cn-shanghai".to_owned(),
            image: ImageId::new(&*self.entropy),
            spec_id: SpecId::new(&*self.entropy),
            policy: None,
            pre_open_app: None,
            session_timeout: 15,
            skip_user_check: false,
            settings: "{}".to_owned(),
            charge: Charge {
                charge_type: ChargeType::PostPaid,
                resource_mode: "Node".to_owned(),
                sub_pay_type: None,
                period: 1,
                period_unit: "Month".to_owned(),
                auto_pay: false,
                auto_renew: false,
                order_id: "1".to_owned(),
                expires: None,
            },
            pool: NodePool {
                id: NodePoolId::new(&*self.entropy),
                instance_type: "appstreaming.general.4c8g".to_owned(),
                node_amount: 1,
                node_capacity: sessions,
                strategy_type: "NODE_FIXED".to_owned(),
                strategy: "{}".to_owned(),
            },
            created: self.made,
        }
    }

    async fn grant(&self) -> Result {
        let mut writes = Writes::new("granting sessions to their users");
        let mut user = 0;
        for number in 1.. {
            let rows = self.rows(number).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                user += 1;
                let change = GrantChange {
                    add: vec![EndUserId::parse(&format!("user-{user}@example.com"))?],
                    remove: Vec::new(),
                };
                let (store, account, group, at) = (
                    self.store.clone(),
                    self.account.clone(),
                    self.group.clone(),
                    self.made,
                );
                let grant = async move {
                    let id = &row.id;
                    store
                        .authorize_session_users(&account, &group, id, change, None, at)
                        .await?;
                    Ok(())
                };
                writes.begin(grant).await?;
            }
        }
        writes.end().await
    }

    async fn delete_a_tenth(&self) -> Result {
        let mut doomed = Vec::new();
        for number in 1.. {
            let rows = self.rows(number).await?;
            if rows.is_empty() {
                break;
            }
            let chosen = rows.into_iter().filter(|_| self.entropy.below(10) == 0);
            doomed.extend(chosen.map(|row| row.id));
        }
        let mut writes = Writes::new("deleting sessions");
        for id in doomed {
            let (store, lease, at) = (self.store.clone(), self.lease.clone(), self.made);
            let status = PersistentStatus::Deleted;
            let delete = async move { see(&store, &lease, &id, status, at).await };
            writes.begin(delete).await?;
        }
        writes.end().await?;
        let after = self.made.after(Duration::from_secs(1));
        let mut purged = Progress::new("purging what was deleted, by calls");
        while self.store.purge_deleted(after, after).await? {
            purged.one_more();
        }
        purged.end();
        Ok(())
    }

    async fn rows(&self, number: u32) -> Result<Vec<SessionRow>> {
        let (kind, size) = (ProductType::CloudApp, AT_ONCE);
        let page = PageRequest { number, size };
        let all = SessionFilter::All;
        let found = self
            .store
            .page_sessions(&self.account, &self.group, kind, all, page)
            .await?;
        Ok(found.ok_or("there is no such group")?.items.clone())
    }
}

/// Joins as the server that the sessions live on, so that the one which is measured leaves them alone.
pub async fn join(store: &Store) -> Result<Lease> {
    let server = NewServer {
        id: ServerId::parse(SERVER)?,
        address: String::new(),
        processors: 1,
    };
    Ok(store.join(server, LEASE).await?)
}

/// Writes a status as a reconciler would that has seen it; nothing is due afterwards.
pub async fn see(
    store: &Store,
    by: &Lease,
    id: &PersistentId,
    status: PersistentStatus,
    at: Timestamp,
) -> Result {
    let Some(record) = store.session_record(id).await? else {
        return Ok(());
    };
    let seen = Observation {
        status,
        status_reason: String::new(),
        instance_status: AppInstanceStatus::Idle,
        asked: None,
        failures: 0,
        home_lost: false,
        handle: None,
        opened_apps: record.opened_apps,
        wake_at: None,
        at,
        by: "bench".to_owned(),
    };
    store.record(by, id, record.generation, seen).await?;
    Ok(())
}
