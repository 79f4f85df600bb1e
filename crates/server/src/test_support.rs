//! A whole API for tests: an in-memory store, a clock that is moved, seeded ids, the real dispatcher, and no
//! socket. Every answer is held against the recorded contract.

use crate::access::system_policy;
use crate::access::token::Temporary;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::data_dir::DATABASE;
use crate::delivery_group::Change;
use crate::dispatch::{Api, Origin};
use crate::http::Site;
use crate::metrics::Census;
use crate::ops::{ApiProduct, OPERATIONS};
use crate::reconcilers::Health;
use crate::runtime::fake::Fake;
use crate::runtime::{Changes, Here, Plan, Runtime, Share};
use greenroom_model::{
    AccountId, Clock, EndUserId, Entropy, GroupStatus, PersistentId, ServerId, TaskStatus,
    Timestamp,
};
use greenroom_rpc::sign::{self, Algorithm, Call, SignedRequest};
use greenroom_session_api::spec::App;
use greenroom_store::{
    AuditRow, Holder, Lease, Leave, NewPolicy, NewRole, NewServer, NewUser, Observation,
    PolicyName, RamRole, SealingKey, Secret, SessionRecord, Shape, Store,
};
use greenroom_testkit::{SeededEntropy, TestClock, contract};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOST: &str = "127.0.0.1:8080";

/// Two apps, a policy, and room for eight of the largest nodes.
const CONFIG: &str = "
    [capacity]
    cpus = 16
    memory_mib = 65536
    overcommit = 4
    [[image.apps]]
    id = 'ca-foot'
    name = 'Terminal'
    argv = ['foot']
    [[image.apps]]
    id = 'ca-mousepad'
    name = 'Text editor'
    argv = ['mousepad']
    [[policies]]
    id = 'pg-shut'
    clipboard = 'off'
";

fn here(runtime: &Arc<Fake>) -> Here {
    Here {
        server: ServerId::parse("srv-test").unwrap(),
        sessions: runtime.clone(),
    }
}

fn catalogue(has_browser: bool) -> Catalogue {
    Catalogue::new(&Config::from_text(CONFIG).unwrap(), has_browser)
}

/// An API with two accounts, `acme` (the root) and `globex`.
pub struct TestServer {
    /// The API.
    pub api: Api,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Its store.
    pub store: Store,
    /// Its sessions, of which none runs before [`Self::run`].
    pub runtime: Arc<Fake>,
    accounts: Vec<TestAccount>,
    calls: AtomicU64,
}

#[derive(Clone)]
struct TestAccount {
    name: &'static str,
    id: AccountId,
    key_id: String,
    secret: String,
    token: Option<String>,
}

impl TestServer {
    /// The key of its secrets.
    pub const SEALED_WITH: [u8; 32] = [7; 32];

    /// A fresh one.
    pub async fn start() -> Self {
        Self::start_on(Store::in_memory().unwrap()).await
    }

    /// A fresh one whose database is a file in the folder.
    pub async fn start_on_disk() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join(DATABASE)).unwrap();
        (Self::start_on(store).await, folder)
    }

    async fn start_on(store: Store) -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(TestClock::default());
        let key = SealingKey::new(&Self::SEALED_WITH, entropy.clone());
        store.unlock(key, clock.now()).await.unwrap();
        let account = |name: &'static str| TestAccount {
            name,
            id: AccountId::new(&*entropy),
            key_id: format!("key-of-{name}"),
            secret: format!("secret-of-{name}"),
            token: None,
        };
        let accounts = vec![account("acme"), account("globex")];
        let (acme, globex) = (&accounts[0], &accounts[1]);
        let secret = |of: &TestAccount| Secret::new(of.secret.as_bytes());
        store
            .first_start(
                acme.id.clone(),
                acme.key_id.clone(),
                secret(acme),
                clock.now(),
            )
            .await
            .unwrap();
        store
            .add_account(
                globex.id.clone(),
                "globex".into(),
                globex.key_id.clone(),
                secret(globex),
                clock.now(),
            )
            .await
            .unwrap();
        Self::over(store, clock, entropy, accounts, 0)
    }

    /// The same API on a machine that has no browser.
    pub fn without_a_browser(self) -> Self {
        self.offering(catalogue(false))
    }

    /// The same API with an image of apps that is a folder, beside that of this machine's.
    pub fn with_image(self, id: &str, apps: &[&str]) -> Self {
        let app = |name: &&str| crate::config::App {
            id: name.to_string().try_into().unwrap(),
            name: name.to_string(),
            argv: vec![name.to_string()],
        };
        let mut catalogue = catalogue(true);
        catalogue.images.push(crate::catalogue::Image {
            id: id.to_owned().try_into().unwrap(),
            name: id.to_owned(),
            product: greenroom_model::ProductType::CloudApp,
            apps: apps.iter().map(app).collect(),
            layers: vec![format!("/srv/{id}").into()],
        });
        self.offering(catalogue)
    }

    fn offering(mut self, catalogue: Catalogue) -> Self {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let entropy = Arc::new(SeededEntropy::new(2));
        let sessions = here(&self.runtime);
        self.api = Api::new(store, Arc::new(catalogue), clock, entropy, sessions);
        self
    }

    fn over(
        store: Store,
        clock: Arc<TestClock>,
        entropy: Arc<dyn Entropy>,
        accounts: Vec<TestAccount>,
        calls: u64,
    ) -> Self {
        let runtime = Arc::new(Fake::new(Changes::default()));
        Self {
            api: Api::new(
                store.clone(),
                Arc::new(catalogue(true)),
                clock.clone(),
                entropy,
                here(&runtime),
            ),
            runtime,
            clock,
            store,
            accounts,
            calls: calls.into(),
        }
    }

    /// The same API behind HTTP.
    pub fn into_site(self) -> Arc<Site> {
        Arc::new(Site {
            api: self.api,
            census: Census::new(self.store.clone(), ServerId::parse("srv-test").unwrap()),
            store: self.store,
            health: Health::default(),
            sessions: Box::new(Vec::new),
            walls: Vec::new(),
            gateway: Arc::default(),
            clock: self.clock,
            draining: AtomicBool::new(false),
            pinged: Mutex::new(None),
        })
    }

    /// Signs as `name` with these from now on.
    pub fn know(
        &mut self,
        name: &'static str,
        account: &AccountId,
        key_id: &str,
        secret: &str,
        token: Option<String>,
    ) {
        self.accounts.push(TestAccount {
            name,
            id: account.clone(),
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            token,
        });
    }

    /// A user of acme's with policies, each a system policy's name or a document.
    pub async fn with_user(self, name: &'static str, policies: &[&str]) -> Self {
        self.with_user_of("acme", name, policies).await
    }

    /// A user of an account with policies.
    pub async fn with_user_of(
        mut self,
        account: &str,
        name: &'static str,
        policies: &[&str],
    ) -> Self {
        let (account, now) = (self.account_id(account).clone(), self.clock.now());
        let new = NewUser {
            id: format!("id-of-{name}"),
            name: name.to_owned(),
            ..NewUser::default()
        };
        self.store
            .create_ram_user(&account, new, None, now)
            .await
            .unwrap();
        let (key, secret) = (format!("key-of-{name}"), format!("secret-of-{name}"));
        let (stored, kept) = (Secret::new(secret.as_bytes()), key.clone());
        let made = self
            .store
            .create_ram_user_key(&account, name, kept, stored, None, now);
        made.await.unwrap();
        self.know(name, &account, &key, &secret, None);
        self.attach(&account, Holder::User(name.to_owned()), name, policies)
            .await;
        self
    }

    /// A role that can be assumed for an hour at most by whom its trust policy says.
    pub async fn add_role(
        &self,
        account: &str,
        name: &str,
        trust_policy: String,
        policies: &[&str],
    ) -> RamRole {
        let (account, now) = (self.account_id(account), self.clock.now());
        let new = NewRole {
            id: format!("id-of-{name}"),
            name: name.to_owned(),
            description: String::new(),
            trust_policy,
            max_session_seconds: 3_600,
        };
        let made = self.store.create_ram_role(account, new, None, now);
        let role = made.await.unwrap();
        self.attach(account, Holder::Role(name.to_owned()), name, policies)
            .await;
        role
    }

    /// A trust policy for whoever has one of these names (`root`, `user/alice`) in an account.
    pub fn trusting(&self, account: &str, names: &[&str]) -> Value {
        let id = self.account_id(account);
        let arns: Vec<_> = names
            .iter()
            .map(|name| format!("acs:ram::{id}:{name}"))
            .collect();
        json!({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": arns}}]})
    }

    /// Has a caller assume a role, and signs as `name` with what it gets from then on; the answer.
    pub async fn assume(&mut self, caller: &str, name: &'static str, ask: Value) -> Value {
        let (status, answer) = self.call_as(caller, "AssumeRole", ask).await;
        assert_eq!(status, 200, "{answer}");
        let arn = answer["AssumedRoleUser"]["Arn"].as_str().unwrap();
        let account = AccountId::parse(arn.split(':').nth(3).unwrap()).unwrap();
        let given = &answer["Credentials"];
        let word = |field: &str| given[field].as_str().unwrap().to_owned();
        let (key, secret) = (word("AccessKeyId"), word("AccessKeySecret"));
        self.know(name, &account, &key, &secret, Some(word("SecurityToken")));
        answer
    }

    /// Somebody who has assumed a role of acme's for a quarter of an hour.
    pub async fn with_role(
        mut self,
        name: &'static str,
        policies: &[&str],
        session: Option<&str>,
    ) -> Self {
        let (acme, now) = (self.account_id("acme").clone(), self.clock.now());
        let trust = self.trusting("acme", &["root"]).to_string();
        let role = self.add_role("acme", name, trust, policies).await;
        let it = Temporary::new(
            acme.clone(),
            role.made.id,
            "session".to_owned(),
            session.map(str::to_owned),
            now.after(Duration::from_secs(900)),
            &SeededEntropy::new(name.bytes().map(u64::from).sum()),
        );
        let token = it.seal(&self.store).unwrap();
        self.know(name, &acme, &it.access_key_id, it.secret(), Some(token));
        self
    }

    async fn attach(&self, account: &AccountId, holder: Holder, name: &str, policies: &[&str]) {
        let now = self.clock.now();
        for (at, policy) in policies.iter().enumerate() {
            let policy = match system_policy(policy) {
                Some(system) => PolicyName::system(system.name),
                None => {
                    let new = NewPolicy {
                        name: format!("{name}-{at}"),
                        description: String::new(),
                        document: (*policy).to_owned(),
                    };
                    let made = self.store.create_ram_policy(account, new, None, now).await;
                    PolicyName::custom(&made.unwrap().name)
                }
            };
            let attached = self
                .store
                .attach_ram_policy(account, policy, holder.clone(), None, now);
            attached.await.unwrap();
        }
    }

    /// Another process over the same database.
    pub fn restarted(&self) -> Self {
        Self::over(
            self.store.clone(),
            self.clock.clone(),
            Arc::new(SeededEntropy::new(2)),
            self.accounts.clone(),
            self.calls.load(Ordering::SeqCst),
        )
    }

    /// Limits its callers by these settings of `[throttling]`.
    pub fn throttle(&mut self, settings: &str) {
        let config = Config::from_text(&format!("[throttling]\n{settings}")).unwrap();
        let fresh = self.restarted().api;
        self.api = fresh.throttled(&config.throttling);
    }

    fn account(&self, name: &str) -> &TestAccount {
        self.accounts
            .iter()
            .find(|account| account.name == name)
            .unwrap()
    }

    /// The id of an account.
    pub fn account_id(&self, name: &str) -> &AccountId {
        &self.account(name).id
    }

    /// The public half of an account's key.
    pub fn key_id(&self, name: &str) -> &str {
        &self.account(name).key_id
    }

    /// The secret half of an account's key.
    pub fn secret(&self, name: &str) -> &str {
        &self.account(name).secret
    }

    /// The security token that goes with it.
    pub fn token(&self, name: &str) -> Option<String> {
        self.account(name).token.clone()
    }

    /// The clock's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock's time as requests say it.
    pub fn date(&self) -> String {
        greenroom_rpc::date::format(self.clock.now().0)
    }

    /// A call, signed by an account.
    pub fn signed(&self, account: &str, action: &str, ask: &Value) -> SignedRequest {
        let newer = |call: &Call<'_>| sign::sign_v3(call, Algorithm::Sha256);
        self.signed_in(newer, account, action, ask)
    }

    /// A call, signed by an account in this way.
    pub fn signed_in(
        &self,
        way: impl Fn(&Call<'_>) -> SignedRequest,
        account: &str,
        action: &str,
        ask: &Value,
    ) -> SignedRequest {
        let params = flatten(ask);
        let form: Vec<(&str, &str)> = params
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let nonce = format!("nonce-{}", self.calls.fetch_add(1, Ordering::SeqCst));
        let account = self.account(account);
        let call = Call {
            method: "POST",
            host: HOST,
            action,
            version: version_of(action),
            query: &[],
            form: &form,
            access_key_id: &account.key_id,
            secret: &account.secret,
            security_token: account.token.as_deref(),
            date: &self.date(),
            nonce: &nonce,
        };
        way(&call)
    }

    /// Calls as an account; answers the HTTP status and the body.
    pub async fn call_as(&self, account: &str, action: &str, ask: Value) -> (u16, Value) {
        let request = self.signed(account, action, &ask);
        self.send(action, &request).await
    }

    /// Calls without any credential.
    pub async fn unsigned(&self, action: &str) -> (u16, Value) {
        let mut request = self.signed("acme", action, &json!({}));
        request.headers.retain(|(name, _)| name != "authorization");
        self.send(action, &request).await
    }

    async fn send(&self, action: &str, request: &SignedRequest) -> (u16, Value) {
        let reply = self.api.call(&request.as_raw(), Origin::default()).await;
        let answer: Value = serde_json::from_str(&reply.body).unwrap();
        if reply.status == 200 {
            assert_eq!(
                contract::check_response(version_of(action), action, &answer),
                Ok(()),
                "{action}: {answer:#}"
            );
        } else {
            for field in ["Code", "Message", "RequestId", "HostId"] {
                assert!(
                    answer[field].is_string(),
                    "{action}: no {field} in {answer}"
                );
            }
        }
        (reply.status, answer)
    }

    /// Calls as the root account, and expects success.
    pub async fn ok(&self, action: &str, ask: Value) -> Value {
        let (status, answer) = self.call_as("acme", action, ask.clone()).await;
        assert_eq!(status, 200, "{action} {ask}: {answer}");
        answer
    }

    /// Calls as the root account, and expects a fault: its code.
    pub async fn refused(&self, action: &str, ask: Value) -> String {
        let (status, answer) = self.call_as("acme", action, ask.clone()).await;
        assert!(
            (400..500).contains(&status),
            "{action} {ask}: {status} {answer}"
        );
        answer["Code"].as_str().unwrap().to_owned()
    }

    /// The audit trail, in its order.
    pub async fn audit(&self) -> Vec<AuditRow> {
        match self.store.audit_heads().await.unwrap().pop() {
            None => Vec::new(),
            Some(head) => self
                .store
                .audit_chain(&head.writer, 0, u32::MAX)
                .await
                .unwrap(),
        }
    }

    /// A group made by [`group_request`]; its id.
    pub async fn create_group(&self, more: Value) -> String {
        let answer = self.ok("CreateAppInstanceGroup", group_request(more)).await;
        answer["AppInstanceGroupModel"]["AppInstanceGroupId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A group of browsers made by [`browser_request`]; its id.
    pub async fn create_browser_group(&self, more: Value) -> String {
        let ask = browser_request(more);
        let answer = self.ok("CreateBrowserInstanceGroup", ask).await;
        answer["BrowserInstanceGroupModel"]["BrowserInstanceGroupId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A group `office` with two persistent sessions.
    pub async fn create_group_of_two(&self) -> String {
        let pool = json!({"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 1, "NodeCapacity": 2});
        self.create_group(json!({"AppInstanceGroupName": "office", "NodePool": pool}))
            .await
    }

    /// A group in debug mode with that image and one session, which lives on this server; their ids.
    pub async fn imaged_group(&self, image: &str) -> (String, String) {
        let more = json!({"AppInstanceGroupName": "imaged", "AppCenterImageId": image,
            "RuntimePolicy": {"DebugMode": "ON"}});
        let group = self.create_group(more).await;
        self.place().await;
        let session = self.session_ids(&group).await.remove(0);
        (group, session)
    }

    /// Has this server take in every session that lives nowhere yet.
    pub async fn place(&self) {
        self.lease().await;
    }

    /// Has the images that were ordered made, with the app `ca-made`, as the reconciler does.
    pub async fn make_images(&self) {
        let server = self.lease().await.server;
        for image in self.store.images_to_act_on(&server).await.unwrap() {
            let apps = r#"[{"id":"ca-made","name":"Made","argv":["made"]}]"#.to_owned();
            let made = self
                .store
                .image_made(&image.made.id, apps, 4096, self.now());
            made.await.unwrap();
        }
    }

    /// Has a group published, as the reconciler does once its sessions have settled.
    pub async fn publish(&self, group: &str) {
        let group = group.to_owned().try_into().unwrap();
        let published = self
            .store
            .set_group_status(&group, GroupStatus::Published, "");
        assert!(published.await.unwrap());
    }

    /// Has a group get so many nodes beside its own, as scaling does.
    pub async fn scale(&self, group: &str, nodes: u32) {
        let id = group.to_owned().try_into().unwrap();
        let group = self.store.group(self.account_id("acme"), &id).await;
        let group = group.unwrap().unwrap();
        let change = Change {
            group: &group,
            to: Shape {
                scaling: nodes,
                ..group.shape()
            },
            leave: Leave::Any,
            bought: Vec::new(),
            strategy: None,
            order: None,
            author: "scaling".to_owned(),
        };
        let catalogue = catalogue(true);
        let entropy = SeededEntropy::new(u64::from(nodes) + 100);
        let done = change.carry_out(&self.store, &catalogue, &entropy, None, self.now());
        done.await.unwrap();
    }

    /// The first session of such a group.
    pub async fn session_of_two(&self) -> String {
        let group = self.create_group_of_two().await;
        self.session_ids(&group).await.remove(0)
    }

    /// Has a session run here, with a terminal in it.
    pub async fn run(&self, session: &str) -> PersistentId {
        let persistent_id = PersistentId::parse(session).unwrap();
        let terminal = App {
            app_id: "ca-foot".into(),
            argv: vec!["foot".into()],
            env: Vec::new(),
        };
        let plan = Plan {
            persistent_id: persistent_id.clone(),
            apps: vec![terminal],
            width: 1280,
            height: 800,
            share: Share::SMALL,
            files: Vec::new(),
            image: None,
        };
        self.runtime.start(&plan).await.unwrap();
        persistent_id
    }

    /// The group's persistent sessions as they are listed.
    pub async fn sessions(&self, group: &str) -> Vec<Value> {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageSize": 100});
        let answer = self.ok("ListPersistentAppInstances", ask).await;
        answer["PersistentAppInstanceModels"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Their ids.
    pub async fn session_ids(&self, group: &str) -> Vec<String> {
        let id = |session: &Value| {
            session["AppInstancePersistentId"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        self.sessions(group).await.iter().map(id).collect()
    }

    /// The server on which all sessions live.
    pub async fn lease(&self) -> Lease {
        let server = NewServer {
            id: ServerId::parse("srv-test").unwrap(),
            address: String::new(),
            processors: 8,
        };
        let lease = self.store.join(server, Duration::from_secs(3600)).await;
        let (lease, now) = (lease.unwrap(), self.now());
        let placed = self.store.place_sessions(&lease, now, now, 1_000);
        placed.await.unwrap();
        lease
    }

    /// Another server, with the sessions that live nowhere yet, which was taken for lost by a third.
    pub async fn lost_server(&self) -> ServerId {
        let join = |id: &str, lasts| {
            let server = NewServer {
                id: ServerId::parse(id).unwrap(),
                address: String::new(),
                processors: 1_000,
            };
            self.store.join(server, lasts)
        };
        let lost = join("srv-lost", Duration::ZERO).await.unwrap();
        let now = self.now();
        let placed = self.store.place_sessions(&lost, now, now, 1_000);
        placed.await.unwrap();
        let judge = join("srv-judge", Duration::from_secs(3600)).await.unwrap();
        let look = || self.store.take_for_lost(&judge, Duration::ZERO);
        while look().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        lost.server
    }

    /// Ends a ticket task as that server does.
    pub async fn end_task(&self, task: &str, status: TaskStatus, reason: &str) {
        let lease = self.lease().await;
        let ended = self.store.finish_task(&lease, task, status, reason);
        assert!(ended.await.unwrap(), "{task} waits");
    }

    /// Writes what that server would see of a session.
    pub async fn observe(&self, record: &SessionRecord, seen: Observation) {
        let (lease, generation) = (self.lease().await, record.generation);
        let written = self.store.record(&lease, &record.id, generation, seen);
        written.await.unwrap();
    }

    /// Lets a user connect to a session.
    pub async fn authorize(&self, group: &str, session: &str, user: &str) {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": session,
            "AuthorizeUserIds": [user]});
        self.ok("AuthorizeInstanceGroup", ask).await;
    }

    /// Gives a user a session, which the user takes hold of, a second before whatever comes next.
    pub async fn bind(&self, group: &str, session: &str, user: &str) {
        self.authorize(group, session, user).await;
        let ask = json!({"ProductType": "CloudApp", "EndUserId": user,
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session});
        self.ok("GetConnectionTicket", ask).await;
        self.clock.advance(Duration::from_secs(1));
    }

    /// The users granted a whole group.
    pub async fn group_users(&self, group: &str) -> Vec<String> {
        let group = group.to_owned().try_into().unwrap();
        let users = self
            .store
            .group_users(self.account_id("acme"), &group)
            .await
            .unwrap();
        users
            .iter()
            .map(EndUserId::as_str)
            .map(str::to_owned)
            .collect()
    }
}

/// The version that an action belongs to; the first product's for one that is not built.
fn version_of(action: &str) -> &'static str {
    let built = OPERATIONS.iter().find(|entry| entry.action == action);
    built
        .map_or(ApiProduct::APP_STREAM_CENTER, |entry| *entry.product)
        .version
}

/// A request that makes a group of browsers with one session, changed by `more`.
pub fn browser_request(more: Value) -> Value {
    changed(
        json!({"BizRegionId": "cn-shanghai", "CloudBrowserName": "browsers"}),
        more,
    )
}

fn changed(mut ask: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    ask.as_object_mut().unwrap().extend(more);
    ask
}

/// A request that makes a group with one session, changed by `more`.
pub fn group_request(more: Value) -> Value {
    let ask = json!({
        "AppCenterImageId": "img-this-machine",
        "AuthMode": "Session",
        "BizRegionId": "cn-shanghai",
        "ChargeResourceMode": "Node",
        "ChargeType": "PostPaid",
        "NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 1},
        "Period": 1,
        "PeriodUnit": "Month",
        "ProductType": "CloudApp",
        "SessionTimeout": 15
    });
    changed(ask, more)
}

/// Parameters as the official clients flatten them: lists by number, objects as JSON text.
pub fn flatten(ask: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut params = Vec::new();
    for (name, value) in ask.as_object().unwrap() {
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let name = format!("{name}.{}", at + 1);
                    match item {
                        Value::Object(fields) => {
                            params.extend(
                                fields
                                    .iter()
                                    .map(|(key, value)| (format!("{name}.{key}"), text(value))),
                            );
                        }
                        other => params.push((name, text(other))),
                    }
                }
            }
            other => params.push((name.clone(), text(other))),
        }
    }
    params
}

/// A policy of one statement about everything.
pub fn statement(effect: &str, action: &str) -> String {
    json!({"Version": "1", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})
        .to_string()
}

/// An answer as a golden file keeps it: whole, but for the id of the request.
pub fn golden(answer: &Value) -> String {
    let mut answer = answer.clone();
    if let Some(id) = answer.get_mut("RequestId") {
        *id = json!("[id]");
    }
    format!("{answer:#}")
}
