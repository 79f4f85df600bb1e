//! What the cases share: a store with an account, and things to put into it, in one line each.

use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceStatus, AuthMode, BindingId, ChargeType,
    Desired, EndUserId, Entropy, ImageId, NodePoolId, PersistentId, PersistentStatus, ProductType,
    ServerId, SpecId, Timestamp,
};
use greenroom_store::{
    AuditEntry, AuditPrincipal, Charge, GroupSpec, Lease, NewServer, NewSlots, NewTask, NodePool,
    Nonce, Observation, Page, PageRequest, Result, Secret, SessionFilter, SessionRecord,
    SessionRow, Store, TicketTask, Unbinding, Wanted,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The moment most cases begin at.
pub const START: Timestamp = Timestamp(1_700_000_000_000);

/// A lease that outlasts every case.
pub const LASTS: Duration = Duration::from_secs(3600);

/// Randomness that is the same at every run.
pub struct Seeded(AtomicU64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn next(&self) -> u64 {
        // splitmix64: every seed gives a well-mixed sequence.
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&self, limit: u64) -> u64 {
        self.next() % limit
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A folder that goes with its value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "store-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("greenroom.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A store with two accounts, and a server on which all sessions live.
pub struct World {
    pub store: Store,
    pub lease: Lease,
    pub random: Seeded,
    pub acme: AccountId,
    pub globex: AccountId,
}

impl World {
    pub async fn new(store: Store) -> Self {
        let world = Self::over(store, 7).await;
        for (account, name) in [(&world.acme, "acme"), (&world.globex, "globex")] {
            let (key, secret) = (format!("key-{name}"), Secret::new(name));
            world
                .store
                .add_account(account.clone(), name.to_owned(), key, secret, START)
                .await
                .unwrap();
        }
        world
    }

    /// A world whose accounts are not in the store.
    pub async fn over(store: Store, seed: u64) -> Self {
        let random = Seeded::new(seed);
        let lease = store.join(server(&format!("srv-{seed}")), LASTS).await;
        Self {
            store,
            lease: lease.unwrap(),
            acme: AccountId::new(&random),
            globex: AccountId::new(&random),
            random,
        }
    }

    /// What a group `aig-<name>` of acme's with sessions is made of.
    pub fn spec(&self, name: &str) -> GroupSpec {
        GroupSpec {
            id: AppInstanceGroupId::parse(&format!("aig-{name}")).unwrap(),
            account: self.acme.clone(),
            name: name.to_owned(),
            product_type: ProductType::CloudApp,
            auth_mode: AuthMode::Session,
            region: "cn-shanghai".to_owned(),
            image: ImageId::parse("img-this-machine").unwrap(),
            spec_id: SpecId::new(&self.random),
            policy: None,
            pre_open_app: Some(AppId::parse("ca-foot").unwrap()),
            session_timeout: 15,
            skip_user_check: false,
            settings: r#"{"VideoPolicy":{"FrameRate":60}}"#.to_owned(),
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
                id: NodePoolId::new(&self.random),
                instance_type: "appstreaming.general.4c8g".to_owned(),
                node_amount: 1,
                node_capacity: 2,
                strategy_type: "NODE_FIXED".to_owned(),
                strategy: "{}".to_owned(),
            },
            created: START,
        }
    }

    /// Slots of one node, with sessions that are to run.
    pub fn slots(&self, count: u32) -> NewSlots {
        let open = vec![AppId::parse("ca-foot").unwrap()];
        NewSlots::new(1, count, Desired::Running, open, &self.random)
    }

    /// A group `aig-<name>` of acme's with so many sessions.
    pub async fn with_group(&self, name: &str, sessions: u32) -> AppInstanceGroupId {
        self.with_spec(self.spec(name), sessions).await
    }

    pub async fn with_spec(&self, spec: GroupSpec, sessions: u32) -> AppInstanceGroupId {
        let id = spec.id.clone();
        let slots = self.slots(sessions);
        self.store
            .create_group(spec, slots, Vec::new(), None, |_| true)
            .await
            .unwrap();
        self.place().await;
        id
    }

    /// Takes in every session that lives nowhere yet.
    pub async fn place(&self) {
        let long_due = Timestamp(i64::MAX);
        let placed = self
            .store
            .place_sessions(&self.lease, long_due, long_due, 10_000);
        placed.await.unwrap();
    }

    /// Records what the world's server saw of a session.
    pub async fn record(&self, before: &SessionRecord, seen: Observation) -> Result<i64> {
        let generation = before.generation;
        self.store
            .record(&self.lease, &before.id, generation, seen)
            .await
    }

    /// A page of acme's group.
    pub async fn page(
        &self,
        group: &AppInstanceGroupId,
        number: u32,
        size: u32,
    ) -> Page<SessionRow> {
        let page = self
            .store
            .page_sessions(
                &self.acme,
                group,
                ProductType::CloudApp,
                SessionFilter::All,
                PageRequest { number, size },
            )
            .await
            .unwrap();
        Page::clone(&page.expect("the group is there"))
    }

    pub async fn ids(&self, group: &AppInstanceGroupId) -> Vec<PersistentId> {
        let page = self.page(group, 1, 100).await;
        page.items.into_iter().map(|row| row.id).collect()
    }

    pub async fn session(&self, id: &PersistentId) -> SessionRecord {
        self.store
            .session_record(id)
            .await
            .unwrap()
            .expect("the session is there")
    }

    /// Records the session's status as a reconciler that looked just now would.
    pub async fn observe(&self, id: &PersistentId, status: PersistentStatus, at: Timestamp) {
        let record = self.session(id).await;
        let seen = seen(&record, status, at);
        self.record(&record, seen).await.unwrap();
    }

    /// Opens a task for `user` to come into the session.
    pub async fn open_task(
        &self,
        group: &AppInstanceGroupId,
        session: &PersistentId,
        name: &str,
        at: Timestamp,
    ) -> TicketTask {
        let new = self.task(group, session, name, at);
        self.store.open_task(new, None).await.unwrap()
    }

    /// Ends what alice holds in the group; answers which bindings that were.
    pub async fn unbind_alice(&self, group: &AppInstanceGroupId, at: Timestamp) -> Vec<BindingId> {
        let what = Unbinding {
            group: group.clone(),
            user: Some(user("alice")),
            session: None,
            instance: None,
            reset: false,
        };
        let ended = self.store.unbind(&self.acme, what, "unbound", None, at);
        ended.await.unwrap().into_iter().map(|it| it.id).collect()
    }

    pub fn task(
        &self,
        group: &AppInstanceGroupId,
        session: &PersistentId,
        name: &str,
        at: Timestamp,
    ) -> NewTask {
        NewTask {
            id: format!("task-{}", self.random.next()),
            account: self.acme.clone(),
            group: group.clone(),
            wanted: Wanted::Session(session.clone()),
            user: user(name),
            app: AppId::parse("ca-foot").unwrap(),
            arguments: String::new(),
            binding: BindingId::new(&self.random),
            created: at,
        }
    }
}

/// An observation that changes the status only.
pub fn seen(record: &SessionRecord, status: PersistentStatus, at: Timestamp) -> Observation {
    let runs = status == PersistentStatus::Running;
    Observation {
        status,
        status_reason: String::new(),
        instance_status: match status {
            PersistentStatus::Running => AppInstanceStatus::Running,
            PersistentStatus::Deleted => AppInstanceStatus::Deleted,
            _ => AppInstanceStatus::Idle,
        },
        asked: None,
        failures: record.failures,
        home_lost: false,
        handle: runs.then(|| b"pid 42".to_vec()),
        opened_apps: record.opened_apps.clone(),
        wake_at: None,
        at,
        by: "the suite".to_owned(),
    }
}

/// A server that joins.
pub fn server(id: &str) -> NewServer {
    NewServer {
        id: ServerId::parse(id).unwrap(),
        address: format!("https://{id}.example"),
        processors: 8,
    }
}

pub fn user(name: &str) -> EndUserId {
    EndUserId::parse(name).unwrap()
}

pub fn nonce(number: u8) -> Option<Nonce> {
    Some(Nonce {
        hash: [number; 32],
        expires: after(900),
    })
}

/// Something to be recorded.
pub fn entry() -> AuditEntry {
    AuditEntry {
        at: START,
        account: None,
        principal: AuditPrincipal {
            kind: "SubUser".to_owned(),
            id: "2001".to_owned(),
            name: "zoe".to_owned(),
        },
        access_key_id: "key-of-zoe".to_owned(),
        product: "appstream-center".to_owned(),
        version: "2021-09-01".to_owned(),
        action: "CreateAppInstanceGroup".to_owned(),
        outcome: "OK".to_owned(),
        request_id: "R".to_owned(),
        address: "192.0.2.7".to_owned(),
        subject: String::new(),
        count: 1,
    }
}

/// So many seconds after the start.
pub fn after(seconds: i64) -> Timestamp {
    Timestamp(START.0 + seconds * 1000)
}
