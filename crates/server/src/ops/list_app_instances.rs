//! `ListAppInstances`: one page of a delivery group's app instances, and who uses them.

use super::prelude::*;
use greenroom_store::{Held, InstanceFilter, InstanceRow, PageRequest};

/// `ListAppInstances`
pub struct ListAppInstances;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    app_instance_id: Option<Ref<AppInstanceId>>,
    #[serde(default)]
    app_instance_id_list: List<Ref<AppInstanceId>, 100>,
    #[serde(default)]
    include_deleted: bool,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
    #[serde(default)]
    status: List<Status, 100>,
    #[serde(default)]
    user_id_list: List<Ref<EndUserId>, 100>,
}

/// The statuses to filter by: all but `DELETED`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Init,
    Starting,
    Closing,
    Closed,
    Running,
    Idle,
    Bound,
    Unavailable,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    app_instance_models: Vec<Model>,
}

/// An app instance. It has no network interface of its own, so there is none to name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_instance_group_id: AppInstanceGroupId,
    app_instance_id: AppInstanceId,
    /// Absent while nobody holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bind_info: Option<BindInfo>,
    charge_type: ChargeType,
    gmt_create: String,
    gmt_modified: String,
    /// Empty: a group's network does not reach its instances.
    main_eth_public_ip: &'static str,
    node_id: NodeId,
    /// Absent unless it is `RUNNING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_status: Option<&'static str>,
    status: AppInstanceStatus,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BindInfo {
    end_user_id: EndUserId,
    /// Seconds.
    usage_duration: u64,
}

impl Operation for ListAppInstances {
    const ACTION: &'static str = "ListAppInstances";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.include_deleted && req.app_instance_id_list.items().is_empty() {
            return Err(ApiError::Missing("AppInstanceIdList"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req
            .app_instance_group_id
            .id()
            .ok_or(ApiError::GroupNotFound)?;
        let group = cx.store.group(cx.account(), id).await?;
        let group = group.ok_or(ApiError::GroupNotFound)?.made;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let found = cx
            .store
            .page_instances(cx.account(), id, req.filter(), page)
            .await?
            .ok_or(ApiError::GroupNotFound)?;
        let models = found.items.into_iter().map(|row| {
            let connected = row.held.as_ref().is_some_and(|held| held.connected);
            Model {
                app_instance_group_id: id.clone(),
                session_status: session_status(&row, connected),
                app_instance_id: row.id,
                bind_info: row.held.map(|held| BindInfo::of(held, cx.now)),
                charge_type: group.charge.charge_type,
                gmt_create: row.created.to_wire(),
                gmt_modified: row.changed.to_wire(),
                main_eth_public_ip: "",
                node_id: row.node,
                status: row.status,
            }
        });
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.total,
            app_instance_models: models.collect(),
        })
    }
}

impl Request {
    fn filter(&self) -> InstanceFilter {
        let mut ids = named(&self.app_instance_id_list);
        if let Some(one) = &self.app_instance_id {
            // Both filters have to be met.
            let also = |id: &&AppInstanceId| ids.as_ref().is_none_or(|ids| ids.contains(id));
            ids = Some(one.id().filter(also).cloned().into_iter().collect());
        }
        let statuses = self.status.items();
        InstanceFilter {
            ids,
            statuses: (!statuses.is_empty())
                .then(|| statuses.iter().map(|status| status.of_ours()).collect()),
            users: named(&self.user_id_list),
            deleted: self.include_deleted,
        }
    }
}

impl Status {
    fn of_ours(self) -> AppInstanceStatus {
        match self {
            Self::Init => AppInstanceStatus::Init,
            Self::Starting => AppInstanceStatus::Starting,
            Self::Closing => AppInstanceStatus::Closing,
            Self::Closed => AppInstanceStatus::Closed,
            Self::Running => AppInstanceStatus::Running,
            Self::Idle => AppInstanceStatus::Idle,
            Self::Bound => AppInstanceStatus::Bound,
            Self::Unavailable => AppInstanceStatus::Unavailable,
        }
    }
}

impl BindInfo {
    fn of(held: Held, now: Timestamp) -> Self {
        Self {
            usage_duration: now.since(held.since).as_secs(),
            end_user_id: held.user,
        }
    }
}

fn session_status(row: &InstanceRow, connected: bool) -> Option<&'static str> {
    let runs = row.status == AppInstanceStatus::Running;
    runs.then_some(if connected { "connect" } else { "disconnect" })
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use greenroom_model::{AppInstanceStatus, PersistentId, PersistentStatus};
    use greenroom_store::Observation;
    use serde_json::{Value, json};

    fn ask(group: &str, more: Value) -> Value {
        let mut ask = json!({ "AppInstanceGroupId": group });
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    fn ids(answer: &Value) -> Vec<String> {
        let models = answer["AppInstanceModels"].as_array().unwrap();
        models
            .iter()
            .map(|model| model["AppInstanceId"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn hold(server: &TestServer, group: &str, session: &str, user: &str) {
        server.authorize(group, session, user).await;
        let ask = json!({"ProductType": "CloudApp", "EndUserId": user,
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session});
        server.ok("GetConnectionTicket", ask).await;
    }

    /// Records what a reconciler would see of a session.
    async fn observe(server: &TestServer, session: &str, instance: AppInstanceStatus) {
        let session = PersistentId::parse(session).unwrap();
        let record = server
            .store
            .session_record(&session)
            .await
            .unwrap()
            .unwrap();
        let seen = Observation {
            status: PersistentStatus::Running,
            status_reason: String::new(),
            instance_status: instance,
            asked: None,
            failures: 0,
            home_lost: false,
            handle: None,
            opened_apps: record.opened_apps.clone(),
            wake_at: None,
            at: greenroom_model::Clock::now(&*server.clock),
            by: "test".into(),
        };
        server.observe(&record, seen).await;
    }

    #[tokio::test]
    async fn instances_are_listed_whole_with_who_holds_them() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        hold(&server, &group, &sessions[0], "alice").await;
        server.clock.advance(std::time::Duration::from_secs(90));
        observe(&server, &sessions[0], AppInstanceStatus::Running).await;
        let answer = server.ok("ListAppInstances", ask(&group, json!({}))).await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn a_session_is_connected_while_any_of_its_users_is_there() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let session = server.session_ids(&group).await.remove(0);
        for user in ["alice", "bob"] {
            hold(&server, &group, &session, user).await;
        }
        observe(&server, &session, AppInstanceStatus::Running).await;
        let id = PersistentId::parse(&session).unwrap();
        let held = server.store.open_bindings(&id).await.unwrap();
        let bobs = held
            .iter()
            .find(|held| held.user.as_str() == "bob")
            .unwrap();
        let seen = async || {
            let answer = server.ok("ListAppInstances", ask(&group, json!({}))).await;
            let model = &answer["AppInstanceModels"][0];
            (
                model["SessionStatus"].as_str().unwrap().to_owned(),
                model["BindInfo"]["EndUserId"].as_str().unwrap().to_owned(),
            )
        };
        assert_eq!(seen().await.0, "disconnect");
        server.store.connected(&bobs.id).await.unwrap();
        assert_eq!(seen().await, ("connect".into(), "bob".into()));
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let server = TestServer::start().await;
        let pool = json!({"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 3});
        let group = server.create_group(json!({"NodePool": pool})).await;
        let listed = server.sessions(&group).await;
        let session = |at: usize| listed[at]["AppInstancePersistentId"].as_str().unwrap();
        let instance = |at: usize| listed[at]["AppInstanceId"].as_str().unwrap().to_owned();
        hold(&server, &group, session(1), "alice").await;
        observe(&server, session(1), AppInstanceStatus::Bound).await;
        observe(&server, session(2), AppInstanceStatus::Deleted).await;
        for (more, expected, total) in [
            (json!({}), vec![instance(0), instance(1)], 2),
            (
                json!({"AppInstanceIdList": [instance(1), instance(2), "ai-****"]}),
                vec![instance(1)],
                1,
            ),
            (
                json!({"AppInstanceIdList": [instance(1), instance(2)], "IncludeDeleted": true}),
                vec![instance(1), instance(2)],
                2,
            ),
            (json!({"AppInstanceId": instance(0)}), vec![instance(0)], 1),
            (
                json!({"AppInstanceId": instance(0), "AppInstanceIdList": [instance(1)]}),
                vec![],
                0,
            ),
            (json!({"AppInstanceId": "no-id"}), vec![], 0),
            (
                json!({"Status": ["BOUND", "RUNNING"]}),
                vec![instance(1)],
                1,
            ),
            (json!({"Status": ["CLOSED"]}), vec![], 0),
            (
                json!({"UserIdList": ["alice", "bob"]}),
                vec![instance(1)],
                1,
            ),
            (json!({"UserIdList": ["bob"]}), vec![], 0),
            (
                json!({"PageSize": 1, "PageNumber": 2}),
                vec![instance(1)],
                2,
            ),
            (json!({"PageSize": 1, "PageNumber": 3}), vec![], 2),
        ] {
            let answer = server
                .ok("ListAppInstances", ask(&group, more.clone()))
                .await;
            assert_eq!(ids(&answer), expected, "{more}");
            assert_eq!(answer["TotalCount"], total, "{more}");
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        for (more, code) in [
            (json!({"IncludeDeleted": true}), "MissingAppInstanceIdList"),
            (json!({"Status": ["DELETED"]}), "InvalidParameter.Status"),
            (
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let told = server
                .refused("ListAppInstances", ask(&group, more.clone()))
                .await;
            assert_eq!(told, code, "{more}");
        }
        let (_, answer) = server
            .call_as("globex", "ListAppInstances", ask(&group, json!({})))
            .await;
        assert_eq!(answer["Code"], "InvalidAppInstanceGroup.NotFound");
    }
}
