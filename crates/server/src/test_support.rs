//! A whole API for tests: an in-memory store, a clock that is moved, seeded ids, the real dispatcher, and no
//! socket. Every answer is held against the recorded contract.

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::dispatch::Api;
use crate::ops::{ApiProduct, OPERATIONS};
use greenroom_model::{AccountId, Clock, EndUserId, Entropy, GroupStatus};
use greenroom_rpc::sign::{self, Algorithm, Call, SignedRequest};
use greenroom_store::{Secret, Store};
use greenroom_testkit::{SeededEntropy, TestClock, contract};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// An API with two accounts, `acme` (the root) and `globex`.
pub struct TestServer {
    /// The API.
    pub api: Api,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Its store.
    pub store: Store,
    accounts: Vec<TestAccount>,
    calls: AtomicU64,
}

#[derive(Clone)]
struct TestAccount {
    name: &'static str,
    id: AccountId,
    key_id: String,
    secret: String,
}

impl TestServer {
    /// A fresh one.
    pub async fn start() -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(TestClock::default());
        let store = Store::in_memory().unwrap();
        let account = |name: &'static str| TestAccount {
            name,
            id: AccountId::new(&*entropy),
            key_id: format!("key-of-{name}"),
            secret: format!("secret-of-{name}"),
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

    fn over(
        store: Store,
        clock: Arc<TestClock>,
        entropy: Arc<dyn Entropy>,
        accounts: Vec<TestAccount>,
        calls: u64,
    ) -> Self {
        let catalogue = Catalogue::from_config(&Config::from_text(CONFIG).unwrap());
        Self {
            api: Api::new(store.clone(), Arc::new(catalogue), clock.clone(), entropy),
            clock,
            store,
            accounts,
            calls: calls.into(),
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

    /// The clock's time as requests say it.
    pub fn date(&self) -> String {
        greenroom_rpc::date::format(self.clock.now().0)
    }

    /// A call, signed by an account.
    pub fn signed(&self, account: &str, action: &str, ask: &Value) -> SignedRequest {
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
            security_token: None,
            date: &self.date(),
            nonce: &nonce,
        };
        sign::sign_v3(&call, Algorithm::Sha256)
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
        let reply = self.api.call(&request.as_raw()).await;
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

    /// A group made by [`group_request`]; its id.
    pub async fn create_group(&self, more: Value) -> String {
        let answer = self.ok("CreateAppInstanceGroup", group_request(more)).await;
        answer["AppInstanceGroupModel"]["AppInstanceGroupId"]
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

    /// Has a group published, as the reconciler does once its sessions have settled.
    pub async fn publish(&self, group: &str) {
        let group = group.to_owned().try_into().unwrap();
        let published = self
            .store
            .set_group_status(&group, GroupStatus::Published, "");
        assert!(published.await.unwrap());
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

    /// Lets a user connect to a session.
    pub async fn authorize(&self, group: &str, session: &str, user: &str) {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": session,
            "AuthorizeUserIds": [user]});
        self.ok("AuthorizeInstanceGroup", ask).await;
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

/// A request that makes a group with one session, changed by `more`.
pub fn group_request(more: Value) -> Value {
    let mut ask = json!({
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
    ask.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ask
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

/// An answer as a golden file keeps it: whole, but for the id of the request.
pub fn golden(answer: &Value) -> String {
    let mut answer = answer.clone();
    if let Some(id) = answer.get_mut("RequestId") {
        *id = json!("[id]");
    }
    format!("{answer:#}")
}
