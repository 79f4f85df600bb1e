//! A small world for tests: a store in memory, a runtime without processes, and a clock that is moved.

use super::Progress;
use super::bindings::Bindings;
use super::blueprint::Blueprint;
use super::capacity::{Capacity, Supply};
use super::groups::Groups;
use super::membership::Membership;
use super::sessions::{Rules, Sessions};
use crate::catalogue::{Catalogue, LOCAL_IMAGE};
use crate::config::Config;
use crate::runtime::Changes;
use crate::runtime::fake::Fake;
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceStatus, Ask, AuthMode, BindingId, ChargeType,
    Clock, Desired, EndUserId, Entropy, ImageId, NodePoolId, PersistentId, PersistentStatus,
    ProductType, ServerId, SpecId,
};
use greenroom_store::{
    Charge, GrantChange, GroupSpec, NewServer, NewSlots, NewTask, NodePool, PageRequest, Removal,
    Secret, SessionRecord, Store, StoreError, TicketTask, Unbinding, Wanted,
};
use greenroom_testkit::{SeededEntropy, TestClock};
use std::sync::Arc;
use std::time::Duration;

/// The apps of the image, the first being the one that is opened by itself.
pub const FIRST_APP: &str = "ca-first";
/// The other one.
pub const OTHER_APP: &str = "ca-other";

/// Everything a reconciler works on, and the reconcilers.
pub struct World {
    pub store: Store,
    pub clock: Arc<TestClock>,
    pub fake: Arc<Fake>,
    pub catalogue: Arc<Catalogue>,
    pub entropy: Arc<SeededEntropy>,
    pub account: AccountId,
    pub changes: Changes,
    pub membership: Membership,
    sessions: Sessions<Fake>,
    groups: tokio::sync::Mutex<Groups>,
    capacity: tokio::sync::Mutex<Capacity>,
    bindings: Bindings,
}

impl World {
    /// A world with an account and nothing else.
    pub async fn new() -> Self {
        let store = Store::in_memory().unwrap();
        let clock = Arc::new(TestClock::default());
        let account = AccountId::parse("1234567890123456").unwrap();
        let secret = Secret::new("secret");
        store
            .first_start(account.clone(), "key".into(), secret, clock.now())
            .await
            .unwrap();
        let changes = Changes::default();
        let fake = Arc::new(Fake::new(changes.clone()));
        let server = NewServer {
            id: ServerId::parse("srv-world").unwrap(),
            address: String::new(),
            processors: 64,
        };
        let lasts = Duration::from_secs(3600);
        let membership = Membership::join(store.clone(), server, lasts);
        let membership = membership.await.unwrap();
        Self::over(store, clock, fake, changes, account, membership)
    }

    /// What another server finds: the same database and the same holders.
    pub fn restarted(self) -> Self {
        Self::over(
            self.store,
            self.clock,
            self.fake,
            self.changes,
            self.account,
            self.membership,
        )
    }

    fn over(
        store: Store,
        clock: Arc<TestClock>,
        fake: Arc<Fake>,
        changes: Changes,
        account: AccountId,
        membership: Membership,
    ) -> Self {
        let config = Config::from_text(&format!(
            "[capacity]\ncpus = 8\nmemory_mib = 65536\novercommit = 4\n
             [[image.apps]]\nid = '{FIRST_APP}'\nname = 'First'\nargv = ['first']\n
             [[image.apps]]\nid = '{OTHER_APP}'\nname = 'Other'\nargv = ['other']"
        ))
        .unwrap();
        let catalogue = Arc::new(Catalogue::from_config(&config));
        let sessions = Sessions::new(
            store.clone(),
            Arc::clone(&fake),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Blueprint::new(Arc::clone(&catalogue)),
            super::rules(&config),
            membership.clone(),
        );
        let kept = Duration::from_secs(24 * 3600);
        let entropy = Arc::new(SeededEntropy::new(1));
        Self {
            groups: tokio::sync::Mutex::new(Groups::new(
                store.clone(),
                Arc::clone(&clock) as Arc<dyn Clock>,
                kept,
            )),
            bindings: Bindings::new(store.clone(), Arc::clone(&clock) as Arc<dyn Clock>),
            capacity: tokio::sync::Mutex::new(Capacity::new(
                store.clone(),
                Arc::clone(&clock) as Arc<dyn Clock>,
                Supply {
                    catalogue: Arc::clone(&catalogue),
                    entropy: Arc::clone(&entropy) as Arc<dyn Entropy>,
                },
            )),
            entropy,
            store,
            clock,
            fake,
            catalogue,
            account,
            changes,
            membership,
            sessions,
        }
    }

    /// What new nodes are made from.
    pub fn supply(&self) -> Supply {
        Supply {
            catalogue: Arc::clone(&self.catalogue),
            entropy: Arc::clone(&self.entropy) as Arc<dyn Entropy>,
        }
    }

    /// The times the reconcilers go by.
    pub fn rules(&self) -> Rules {
        super::rules(&Config::default())
    }

    /// A group of `count` sessions, recorded and not looked at yet.
    pub async fn group(&self, count: u32) -> (AppInstanceGroupId, Vec<PersistentId>) {
        self.group_that_is(count, Desired::Running).await
    }

    /// As [`World::group`], with sessions that are to be up or not to begin with.
    pub async fn group_that_is(
        &self,
        count: u32,
        desired: Desired,
    ) -> (AppInstanceGroupId, Vec<PersistentId>) {
        let entropy = &*self.entropy;
        let id = AppInstanceGroupId::new(entropy);
        let open = match desired {
            Desired::Running => vec![app(FIRST_APP)],
            Desired::Stopped | Desired::Deleted => Vec::new(),
        };
        let slots = NewSlots::new(count, 1, desired, open, entropy);
        let ids = slots
            .slots
            .iter()
            .map(|slot| slot.session.clone())
            .collect();
        self.store
            .create_group(
                self.spec(id.clone(), count),
                slots,
                Vec::new(),
                None,
                |_| true,
            )
            .await
            .unwrap();
        (id, ids)
    }

    /// A group that gives out itself, with so many slots, recorded and not looked at yet; and their sessions.
    pub async fn ordinary_group(&self, slots: u32) -> (AppInstanceGroupId, Vec<PersistentId>) {
        let entropy = &*self.entropy;
        let id = AppInstanceGroupId::new(entropy);
        let new = NewSlots::new(slots, 1, Desired::Stopped, Vec::new(), entropy);
        let sessions = new.slots.iter().map(|slot| slot.session.clone());
        let sessions = sessions.collect();
        let spec = GroupSpec {
            auth_mode: AuthMode::AppInstanceGroup,
            ..self.spec(id.clone(), slots)
        };
        self.store
            .create_group(spec, new, Vec::new(), None, |_| true)
            .await
            .unwrap();
        (id, sessions)
    }

    /// A group of one session that is up.
    pub async fn running(&self) -> PersistentId {
        let session = self.group(1).await.1.remove(0);
        self.settle().await;
        assert_eq!(self.status(&session).await, PersistentStatus::Running);
        session
    }

    /// Lets every reconciler work until none has anything to do.
    pub async fn settle(&self) {
        for _ in 0..100 {
            self.place().await;
            let due = self
                .store
                .sessions_to_act_on(self.membership.id(), self.clock.now(), 100)
                .await
                .unwrap();
            let mut ids = self.changes.take();
            ids.extend(due.into_iter().map(|record| record.id));
            if ids.is_empty() {
                self.bindings.pass().await.unwrap();
                self.groups.lock().await.pass().await.unwrap();
                while self.capacity.lock().await.pass().await.unwrap() == Progress::More {}
                self.place().await;
                if self
                    .store
                    .next_due(self.membership.id())
                    .await
                    .unwrap()
                    .is_none_or(|due| due > self.clock.now())
                {
                    return;
                }
            }
            for id in ids {
                self.sessions.pass(&id).await.unwrap();
            }
        }
        panic!("the world does not come to rest");
    }

    /// Takes in every session that lives nowhere yet.
    async fn place(&self) {
        let (lease, now) = (self.membership.lease().unwrap(), self.clock.now());
        let placed = self.store.place_sessions(&lease, now, now, 1_000);
        placed.await.unwrap();
    }

    /// One pass over a session, whatever woke it.
    pub async fn pass(&self, session: &PersistentId) {
        self.place().await;
        self.sessions.pass(session).await.unwrap();
    }

    /// Lets time pass, and everything that comes with it happen.
    pub async fn wait(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }

    /// All that is known of a session.
    pub async fn record(&self, session: &PersistentId) -> SessionRecord {
        self.store.session_record(session).await.unwrap().unwrap()
    }

    /// A session's status.
    pub async fn status(&self, session: &PersistentId) -> PersistentStatus {
        self.record(session).await.status
    }

    /// The status of the app instance that carries a session.
    pub async fn instance(&self, session: &PersistentId) -> AppInstanceStatus {
        self.record(session).await.instance_status
    }

    /// Asks for something and lets it happen.
    pub async fn ask(&self, session: &PersistentId, ask: Ask) {
        self.store
            .ask_sessions(
                &self.account,
                std::slice::from_ref(session),
                ask,
                "root",
                None,
                self.clock.now(),
            )
            .await
            .unwrap();
        self.settle().await;
    }

    /// The statuses a session went through, oldest first.
    pub async fn past(&self, session: &PersistentId) -> String {
        let page = PageRequest {
            number: 1,
            size: 200,
        };
        let found = self
            .store
            .session_events(&self.account, session, page)
            .await
            .unwrap()
            .unwrap();
        let changes = found.items.iter().rev();
        let changes = changes.filter(|event| event.before != event.status);
        let changes: Vec<_> = changes
            .map(|event| format!("{}>{}", event.before, event.status))
            .collect();
        changes.join(" ")
    }

    /// Authorizes alice for a session.
    pub async fn authorize(&self, session: &PersistentId) {
        let group = self.record(session).await.group;
        let change = GrantChange {
            add: vec![alice()],
            remove: Vec::new(),
        };
        self.store
            .authorize_session_users(
                &self.account,
                &group,
                session,
                change,
                None,
                self.clock.now(),
            )
            .await
            .unwrap();
    }

    /// Alice asks for an app of a session; nothing happens yet.
    pub async fn open_task(&self, session: &PersistentId, wanted: &str) -> TicketTask {
        let group = self.record(session).await.group;
        let session = Wanted::Session(session.clone());
        let task = self.task_for("alice", &group, session, wanted);
        self.store.open_task(task, None).await.unwrap()
    }

    /// A user asks for an app of a group that gives out itself; nothing happens yet. `None`: no session is free.
    pub async fn come(
        &self,
        user: &str,
        group: &AppInstanceGroupId,
        wanted: &str,
    ) -> Option<TicketTask> {
        let task = self.task_for(user, group, Wanted::Ordinary(None), wanted);
        match self.store.open_task(task, None).await {
            Ok(task) => Some(task),
            Err(StoreError::NoRoom) => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn task_for(
        &self,
        user: &str,
        group: &AppInstanceGroupId,
        session: Wanted,
        wanted: &str,
    ) -> NewTask {
        NewTask {
            id: greenroom_model::random::uuid_upper(&*self.entropy),
            account: self.account.clone(),
            group: group.clone(),
            wanted: session,
            user: EndUserId::parse(user).unwrap(),
            app: app(wanted),
            arguments: String::new(),
            binding: BindingId::new(&*self.entropy),
            created: self.clock.now(),
        }
    }

    /// Has the app instance that carries a session deleted; answers whether it is to go.
    pub async fn remove(&self, session: &PersistentId) -> bool {
        let record = self.record(session).await;
        let removal = Removal {
            account: self.account.clone(),
            group: record.group,
            instances: vec![record.instance.to_string()],
            own_stay: false,
            author: "root".to_owned(),
        };
        let now = self.clock.now();
        let refused = self.store.remove_instances(removal, None, now).await;
        refused.unwrap().is_empty()
    }

    /// A user lets go of what they hold in a group; nothing happens yet.
    pub async fn unbind(&self, user: &str, group: &AppInstanceGroupId) {
        let what = Unbinding {
            group: group.clone(),
            user: Some(EndUserId::parse(user).unwrap()),
            session: None,
            instance: None,
            reset: false,
        };
        let (account, now) = (&self.account, self.clock.now());
        let ended = self.store.unbind(account, what, "unbound", None, now).await;
        assert!(!ended.unwrap().is_empty());
    }

    /// How a task stands.
    pub async fn task(&self, task: &TicketTask) -> TicketTask {
        self.store
            .task(&self.account, &task.id)
            .await
            .unwrap()
            .unwrap()
    }

    /// What a group of so many nodes of one session each is made of.
    pub fn spec(&self, id: AppInstanceGroupId, nodes: u32) -> GroupSpec {
        GroupSpec {
            name: id.as_str().to_owned(),
            id,
            account: self.account.clone(),
            product_type: ProductType::CloudApp,
            auth_mode: AuthMode::Session,
            region: "cn-shanghai".into(),
            image: ImageId::parse(LOCAL_IMAGE).unwrap(),
            spec_id: SpecId::new(&*self.entropy),
            policy: None,
            pre_open_app: None,
            session_timeout: 15,
            skip_user_check: false,
            settings: "{}".into(),
            charge: Charge {
                charge_type: ChargeType::PostPaid,
                resource_mode: "Node".into(),
                sub_pay_type: None,
                period: 1,
                period_unit: "Month".into(),
                auto_pay: false,
                auto_renew: false,
                order_id: "1".into(),
                expires: None,
            },
            pool: NodePool {
                id: NodePoolId::new(&*self.entropy),
                instance_type: "appstreaming.general.2c4g".into(),
                node_amount: nodes,
                node_capacity: 1,
                strategy_type: "NODE_FIXED".into(),
                strategy: "{}".into(),
            },
            created: self.clock.now(),
        }
    }
}

/// An app's id.
pub fn app(id: &str) -> AppId {
    AppId::parse(id).unwrap()
}

/// The user of every test.
pub fn alice() -> EndUserId {
    EndUserId::parse("alice").unwrap()
}
