//! `GetConnectionTicket`: a ticket with which a user's viewer opens a session.
//!
//! A polling protocol: the first call takes hold of the session for the user and answers a `TaskId`; calls
//! with it answer `Running` until the app has drawn, then `Finished` and a ticket, or `Failed`. Each
//! `Finished` answer has a ticket of its own, made for it: none is kept.

use super::prelude::*;
use crate::catalogue::APP_VERSION;
use crate::ticket::{Secret, TICKET_LIFETIME};
use greenroom_model::random::uuid_upper;
use greenroom_store::{
    Group, GroupFilter, NewTask, NewTicket, PageRequest, Session, StoreError, TicketTask,
};

/// `GetConnectionTicket`
pub struct GetConnectionTicket;

/// What it takes. Only `EndUserId` and `ProductType` count when there is a `TaskId`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// There is one way to a session here, whichever is asked for.
    #[expect(dead_code, reason = "only its form matters")]
    access_type: Option<AccessType>,
    /// Without it the session's own first app is opened: an authorization for a session leaves it open.
    app_id: Option<Text<64>>,
    #[serde(default)]
    app_instance_group_id_list: List<Ref<AppInstanceGroupId>, 100>,
    /// There are no sets of groups, so none can be named.
    app_instance_group_set_id: Option<Text<64>>,
    app_instance_id: Option<Ref<AppInstanceId>>,
    app_instance_persistent_id: Option<Ref<PersistentId>>,
    app_policy_id: Option<Text<64>>,
    app_start_param: Option<Text<1024>>,
    app_version: Option<Text<64>>,
    biz_region_id: Option<Text<64>>,
    end_user_id: EndUserId,
    /// Its meaning is recorded nowhere.
    #[expect(dead_code, reason = "only its form matters")]
    environment_config: Option<Text<4096>>,
    product_type: Product,
    task_id: Option<Text<64>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AccessType {
    Internet,
    Vpc,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    app_instance_group_id: AppInstanceGroupId,
    app_instance_id: AppInstanceId,
    app_instance_persistent_id: PersistentId,
    avatar_id: &'static str,
    biz_region_id: String,
    os_type: &'static str,
    task_id: String,
    task_status: TaskStatus,
    tenant_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
}

impl Operation for GetConnectionTicket {
    const ACTION: &'static str = "GetConnectionTicket";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.task_id.is_some() {
            return Ok(());
        }
        let groups = req.app_instance_group_id_list.items().len();
        let names_one = req.app_instance_persistent_id.is_some() || req.app_instance_id.is_some();
        if names_one && groups == 0 {
            return Err(ApiError::Missing("AppInstanceGroupIdList"));
        }
        let fits = |name, fits: bool| {
            if fits {
                Ok(())
            } else {
                Err(ApiError::Invalid(name))
            }
        };
        fits(
            "AppInstanceGroupIdList",
            req.app_instance_id.is_none() || groups == 1,
        )?;
        fits(
            "AppInstanceGroupSetId",
            req.app_instance_group_set_id.is_none(),
        )?;
        let policy = req.app_policy_id.as_ref();
        fits(
            "AppPolicyId",
            policy.is_none_or(|id| cx.catalogue.has_policy(id.as_str())),
        )?;
        let version = req.app_version.as_ref();
        fits(
            "AppVersion",
            version.is_none_or(|version| version.as_str() == APP_VERSION),
        )?;
        let region = req.biz_region_id.as_ref();
        fits(
            "BizRegionId",
            region.is_none_or(|id| cx.catalogue.has_region(id.as_str())),
        )
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        match &req.task_id {
            None => begin(cx, req).await,
            Some(id) => {
                let task = cx.store.task(cx.account(), id.as_str()).await?;
                let task = task.filter(|task| task.user == req.end_user_id);
                answer(cx, task.ok_or(ApiError::Invalid("TaskId"))?).await
            }
        }
    }
}

async fn begin(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
    let (group, session) = find(cx, &req).await?;
    let app = app(cx, &req, &group)?;
    let task = NewTask {
        id: uuid_upper(cx.entropy).to_lowercase(),
        account: cx.account().clone(),
        group: group.made.id,
        session: session.row.id,
        user: req.end_user_id,
        app,
        arguments: req.app_start_param.map(String::from).unwrap_or_default(),
        binding: BindingId::new(cx.entropy),
        created: cx.now,
    };
    let opened = cx
        .store
        .open_task(task, cx.spend_nonce())
        .await
        .map_err(|error| match error {
            StoreError::NotFound(_) => ApiError::Invalid("AppInstancePersistentId"),
            other => other.into(),
        })?;
    answer(cx, opened).await
}

/// The session the request means, once its user may connect to it.
async fn find(cx: &CallContext<'_>, req: &Request) -> Result<(Group, Session), ApiError> {
    let groups = groups(cx, req).await?;
    let id = match &req.app_instance_persistent_id {
        Some(asked) => asked
            .id()
            .cloned()
            .ok_or(ApiError::Invalid("AppInstancePersistentId"))?,
        None => granted(cx, req, &groups).await?,
    };
    let unknown = || ApiError::Invalid("AppInstancePersistentId");
    let session = cx
        .store
        .session(cx.account(), &id)
        .await?
        .ok_or_else(unknown)?;
    let mut groups = groups.into_iter();
    let group = groups
        .find(|group| group.made.id == session.group)
        .ok_or_else(unknown)?;
    if session.desired == Desired::Deleted {
        return Err(unknown());
    }
    let carries = |asked: &Ref<AppInstanceId>| asked.id() == Some(&session.row.instance);
    if !req.app_instance_id.as_ref().is_none_or(carries) {
        return Err(ApiError::Invalid("AppInstanceId"));
    }
    if cx.store.is_authorized(&id, &req.end_user_id).await? {
        Ok((group, session))
    } else {
        Err(Denied.into())
    }
}

/// The groups that the request allows: those it lists, else all of the account's, of its product type and
/// region.
async fn groups(cx: &CallContext<'_>, req: &Request) -> Result<Vec<Group>, ApiError> {
    let listed = req.app_instance_group_id_list.items();
    let mut found = Vec::new();
    if listed.is_empty() {
        let filter = GroupFilter {
            product_type: Some(req.product_type.0),
            ..GroupFilter::default()
        };
        let all = PageRequest {
            number: 1,
            size: u32::MAX,
        };
        found = cx.store.list_groups(cx.account(), filter, all).await?.items;
    }
    for id in listed {
        found.push(cx.group(id, req.product_type).await?);
    }
    if let Some(region) = &req.biz_region_id {
        found.retain(|group| group.made.region == region.as_str());
    }
    if found.is_empty() {
        Err(ApiError::GroupNotFound)
    } else {
        Ok(found)
    }
}

/// The session that was granted to the user, when the request names none.
async fn granted(
    cx: &CallContext<'_>,
    req: &Request,
    groups: &[Group],
) -> Result<PersistentId, ApiError> {
    for group in groups
        .iter()
        .filter(|group| group.made.auth_mode == AuthMode::Session)
    {
        let granted = cx
            .store
            .session_granted_to(cx.account(), &group.made.id, &req.end_user_id)
            .await?;
        if let Some(session) = granted {
            return Ok(session);
        }
    }
    // Groups that give out apps or themselves need sessions made for the occasion, which nothing here makes.
    if groups
        .iter()
        .all(|group| group.made.auth_mode != AuthMode::Session)
    {
        return Err(ApiError::NoStock);
    }
    Err(Denied.into())
}

/// The app to be open: the one asked for, else the group's own first one.
fn app(cx: &CallContext<'_>, req: &Request, group: &Group) -> Result<AppId, ApiError> {
    let image = cx.catalogue.image(group.made.image.as_str());
    let apps = image.map(|image| image.apps.as_slice()).unwrap_or_default();
    let first = || {
        group
            .made
            .pre_open_app
            .clone()
            .or_else(|| apps.first().map(|app| app.id.clone()))
    };
    let wanted = match &req.app_id {
        Some(asked) => apps
            .iter()
            .find(|app| app.id.as_str() == asked.as_str())
            .map(|app| app.id.clone()),
        None => first(),
    };
    wanted.ok_or(ApiError::Invalid("AppId"))
}

async fn answer(cx: &CallContext<'_>, task: TicketTask) -> Result<Response, ApiError> {
    let group = cx.store.group(cx.account(), &task.group).await?;
    let mut status = task.status;
    let mut ticket = None;
    if status == TaskStatus::Finished {
        ticket = mint(cx, &task).await?;
        // The user's hold on the session has ended since.
        if ticket.is_none() {
            status = TaskStatus::Failed;
        }
    }
    Ok(Response {
        app_instance_group_id: task.group,
        app_instance_id: task.instance,
        app_instance_persistent_id: task.session,
        avatar_id: "default",
        biz_region_id: group.map_or_else(
            || cx.catalogue.default_region().to_owned(),
            |group| group.made.region,
        ),
        os_type: "Linux",
        task_id: task.id,
        task_status: status,
        tenant_id: task.account.as_number(),
        ticket,
    })
}

async fn mint(cx: &CallContext<'_>, task: &TicketTask) -> Result<Option<String>, ApiError> {
    if !cx.store.is_authorized(&task.session, &task.user).await? {
        return Err(Denied.into());
    }
    let secret = Secret::new(cx.entropy);
    let new = NewTicket {
        hash: secret.digest(),
        binding: task.binding.clone(),
        app: task.app.clone(),
        expires: cx.now.after(TICKET_LIFETIME),
    };
    match cx.store.mint_ticket(new, cx.spend_nonce()).await {
        Ok(()) => Ok(Some(secret.to_ticket())),
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use crate::ticket::Secret;
    use greenroom_model::TaskStatus;
    use greenroom_store::Redemption;
    use serde_json::{Value, json};

    /// A group with two sessions, of which alice has the second.
    async fn world() -> (TestServer, String, Vec<String>) {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        server.authorize(&group, &sessions[1], "alice").await;
        (server, group, sessions)
    }

    fn ask(group: &str, session: &str, more: Value) -> Value {
        let mut ask = json!({"ProductType": "CloudApp", "EndUserId": "alice", "AppInstanceGroupIdList": [group],
            "AppInstancePersistentId": session});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    fn poll(first: &Value) -> Value {
        json!({"ProductType": "CloudApp", "EndUserId": "alice", "TaskId": first["TaskId"]})
    }

    #[tokio::test]
    async fn polling_ends_with_a_ticket_that_is_good_once() {
        let (server, group, sessions) = world().await;
        let first = server
            .ok(
                "GetConnectionTicket",
                ask(&group, &sessions[1], json!({"AppId": "ca-foot"})),
            )
            .await;
        insta::assert_snapshot!(golden(&first));
        assert_eq!(
            server.ok("GetConnectionTicket", poll(&first)).await["TaskStatus"],
            "Running"
        );
        let task = first["TaskId"].as_str().unwrap();
        server
            .store
            .finish_task(task, TaskStatus::Finished, "")
            .await
            .unwrap();
        let last = server.ok("GetConnectionTicket", poll(&first)).await;
        assert_eq!(last["TaskStatus"], "Finished");
        let again = server.ok("GetConnectionTicket", poll(&first)).await;
        assert_ne!(
            last["Ticket"], again["Ticket"],
            "each answer has a ticket of its own"
        );
        let digest = Secret::of_ticket(last["Ticket"].as_str().unwrap())
            .unwrap()
            .digest();
        let now = greenroom_model::Clock::now(&*server.clock);
        let redeemed = server
            .store
            .redeem_ticket(digest, [1; 32], now)
            .await
            .unwrap();
        assert!(
            matches!(redeemed, Redemption::Admitted(who) if who.session.as_str() == sessions[1])
        );
        assert_eq!(
            server
                .store
                .redeem_ticket(digest, [2; 32], now)
                .await
                .unwrap(),
            Redemption::Used
        );
    }

    #[tokio::test]
    async fn a_failed_task_says_so_and_has_no_ticket() {
        let (server, group, sessions) = world().await;
        let first = server
            .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
            .await;
        let task = first["TaskId"].as_str().unwrap();
        server
            .store
            .finish_task(task, TaskStatus::Failed, "the app ended")
            .await
            .unwrap();
        let last = server.ok("GetConnectionTicket", poll(&first)).await;
        assert_eq!(
            (&last["TaskStatus"], last.get("Ticket")),
            (&json!("Failed"), None)
        );
    }

    #[tokio::test]
    async fn a_user_without_a_named_session_gets_the_one_granted() {
        let (server, group, sessions) = world().await;
        for ask in [
            json!({"ProductType": "CloudApp", "EndUserId": "alice"}),
            json!({"ProductType": "CloudApp", "EndUserId": "alice", "AppInstanceGroupIdList": [group]}),
        ] {
            let answer = server.ok("GetConnectionTicket", ask).await;
            assert_eq!(answer["AppInstancePersistentId"], json!(sessions[1]));
        }
    }

    #[tokio::test]
    async fn who_is_not_authorized_is_denied_and_authorization_may_be_switched_off() {
        let (server, group, sessions) = world().await;
        let others = ask(&group, &sessions[0], json!({}));
        assert_eq!(
            server.refused("GetConnectionTicket", others).await,
            "NoPermission"
        );
        let nobodys = json!({"ProductType": "CloudApp", "EndUserId": "bob"});
        assert_eq!(
            server.refused("GetConnectionTicket", nobodys).await,
            "NoPermission"
        );
        let open = server
            .create_group(json!({"SecurityPolicy": {"SkipUserAuthCheck": true}}))
            .await;
        let session = server.session_ids(&open).await.remove(0);
        server
            .ok("GetConnectionTicket", ask(&open, &session, json!({})))
            .await;
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named() {
        let (server, group, sessions) = world().await;
        let ordinary = server.create_group(json!({"AuthMode": "App"})).await;
        for (more, code) in [
            (
                json!({"AppInstanceGroupIdList": []}),
                "MissingAppInstanceGroupIdList",
            ),
            (
                json!({"AppInstanceGroupIdList": ["aig-none"]}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                json!({"ProductType": "CloudBrowser"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                json!({"AppInstanceGroupIdList": [ordinary]}),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (
                json!({"AppInstancePersistentId": "p-none"}),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (
                json!({"AppInstancePersistentId": "p-****"}),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (
                json!({"AppInstanceId": "ai-none"}),
                "InvalidParameter.AppInstanceId",
            ),
            (
                json!({"AppInstanceId": "ai-none", "AppInstanceGroupIdList": [group, ordinary]}),
                "InvalidParameter.AppInstanceGroupIdList",
            ),
            (json!({"AppId": "ca-none"}), "InvalidParameter.AppId"),
            (json!({"AppVersion": "9"}), "InvalidParameter.AppVersion"),
            (
                json!({"AppPolicyId": "pg-none"}),
                "InvalidParameter.AppPolicyId",
            ),
            (
                json!({"BizRegionId": "cn-none"}),
                "InvalidParameter.BizRegionId",
            ),
            (
                json!({"AppInstanceGroupSetId": "set-1"}),
                "InvalidParameter.AppInstanceGroupSetId",
            ),
            (json!({"AccessType": "LAN"}), "InvalidParameter.AccessType"),
            (json!({"EndUserId": "a b"}), "InvalidParameter.EndUserId"),
            (json!({"TaskId": "none"}), "InvalidParameter.TaskId"),
        ] {
            let refused = server
                .refused(
                    "GetConnectionTicket",
                    ask(&group, &sessions[1], more.clone()),
                )
                .await;
            assert_eq!(refused, code, "{more}");
        }
        let ordinary = json!({"ProductType": "CloudApp", "EndUserId": "alice", "AppInstanceGroupIdList": [ordinary]});
        assert_eq!(
            server.refused("GetConnectionTicket", ordinary).await,
            "StockError.NoStock"
        );
    }

    #[tokio::test]
    async fn a_task_is_known_to_its_account_and_user_only() {
        let (server, group, sessions) = world().await;
        let first = server
            .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
            .await;
        let mut bobs = poll(&first);
        bobs["EndUserId"] = json!("bob");
        assert_eq!(
            server.refused("GetConnectionTicket", bobs).await,
            "InvalidParameter.TaskId"
        );
        let (status, answer) = server
            .call_as("globex", "GetConnectionTicket", poll(&first))
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidParameter.TaskId"))
        );
    }

    #[tokio::test]
    async fn a_ticket_is_not_made_for_a_user_who_lost_the_authorization() {
        let (server, group, sessions) = world().await;
        let first = server
            .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
            .await;
        let task = first["TaskId"].as_str().unwrap();
        server
            .store
            .finish_task(task, TaskStatus::Finished, "")
            .await
            .unwrap();
        let take = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
            "AppInstancePersistentId": sessions[1], "UnAuthorizeUserIds": ["alice"]});
        server.ok("AuthorizeInstanceGroup", take).await;
        assert_eq!(
            server.refused("GetConnectionTicket", poll(&first)).await,
            "NoPermission"
        );
    }
}
