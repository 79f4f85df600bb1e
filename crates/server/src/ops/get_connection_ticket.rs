//! `GetConnectionTicket`: a ticket with which a user's viewer opens a session.
//!
//! A polling protocol: the first call takes hold of the session for the user and answers a `TaskId`; calls
//! with it answer `Running` until the app has drawn, then `Finished` and a ticket, or `Failed`. Each
//! `Finished` answer has a ticket of its own, made for it: none is kept.
//!
//! In a group that gives out sessions that is one of those granted to the user; in any other an
//! ordinary one, which ends with the user's hold on it.

mod ordinary;

use super::prelude::*;
use super::tagging::STOP_NEW_USERS;
use crate::catalogue::APP_VERSION;
use crate::ticket::{Secret, TICKET_LIFETIME};
use greenroom_model::random::uuid_upper;
use greenroom_store::{
    BoundFilter, Group, GroupFilter, NewTask, NewTicket, PageRequest, StoreError, TagCondition,
    Tagged, TicketTask, Wanted,
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
    /// The policy that the group follows, if any: a connection cannot have another one yet, and must not
    /// silently get more than it was asked with.
    app_policy_id: Option<Text<64>>,
    /// Words for the app's command line, when this call is what launches it.
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
    /// Absent for an ordinary session, which is nothing to come back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_persistent_id: Option<PersistentId>,
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

    /// The hold on a session and each ticket are written; a call that finds neither to be had yet gives nothing out.
    const GIVES_UNWRITTEN: bool = false;

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
    let groups = groups(cx, &req).await?;
    let session = match &req.app_instance_persistent_id {
        Some(asked) => Some(asked.id().cloned().ok_or(NO_SESSION)?),
        None => granted(cx, &req, &groups).await?,
    };
    let opened = match session {
        Some(id) => {
            let group = group_of(cx, &req, &groups, &id).await?;
            let app = app(cx, &req, group)?;
            open(cx, &req, group, Wanted::Session(id), app)
                .await
                .map_err(|error| match error {
                    StoreError::NotFound(_) => NO_SESSION,
                    other => other.into(),
                })?
        }
        None => ordinary::begin(cx, &req, &groups).await?,
    };
    answer(cx, opened).await
}

const NO_SESSION: ApiError = ApiError::Invalid("AppInstancePersistentId");

async fn open(
    cx: &CallContext<'_>,
    req: &Request,
    group: &Group,
    wanted: Wanted,
    app: AppId,
) -> Result<TicketTask, StoreError> {
    let arguments = req.app_start_param.as_ref();
    let task = NewTask {
        id: uuid_upper(cx.entropy).to_lowercase(),
        account: cx.account().clone(),
        group: group.made.id.clone(),
        wanted,
        user: req.end_user_id.clone(),
        app,
        arguments: arguments.map_or_else(String::new, |words| words.as_str().to_owned()),
        binding: BindingId::new(cx.entropy),
        created: cx.now,
    };
    cx.store.open_task(task, cx.spend_nonce()).await
}

/// The group of a persistent session, once the user may connect to that.
async fn group_of<'a>(
    cx: &CallContext<'_>,
    req: &Request,
    groups: &'a [Group],
    id: &PersistentId,
) -> Result<&'a Group, ApiError> {
    let session = cx.store.session(cx.account(), id).await?;
    let session = session.ok_or(NO_SESSION)?;
    let mut groups = groups.iter();
    let group = groups
        .find(|group| group.made.id == session.group)
        .ok_or(NO_SESSION)?;
    if session.desired == Desired::Deleted {
        return Err(NO_SESSION);
    }
    check_policy(req, group)?;
    let carries = |asked: &Ref<AppInstanceId>| asked.id() == Some(&session.row.instance);
    if !req.app_instance_id.as_ref().is_none_or(carries) {
        return Err(ApiError::Invalid("AppInstanceId"));
    }
    let authorized = cx.store.is_authorized(id, &req.end_user_id).await?;
    let instance = Some(vec![session.row.instance]);
    if authorized && !is_kept_out(cx, group, instance, &req.end_user_id).await? {
        Ok(group)
    } else {
        Err(Denied.into())
    }
}

fn check_policy(req: &Request, group: &Group) -> Result<(), ApiError> {
    let policy = group.made.policy.as_ref().map(PolicyId::as_str);
    let follows = |asked: &Text<64>| policy == Some(asked.as_str());
    if req.app_policy_id.as_ref().is_none_or(follows) {
        Ok(())
    } else {
        Err(ApiError::Invalid("AppPolicyId"))
    }
}

/// Whether the group takes nobody new and the user is not in yet: on one of these instances, if any are named.
async fn is_kept_out(
    cx: &CallContext<'_>,
    group: &Group,
    instances: Option<Vec<AppInstanceId>>,
    user: &EndUserId,
) -> Result<bool, ApiError> {
    let stops = TagCondition {
        key: Some(STOP_NEW_USERS.to_owned()),
        value: Some("true".to_owned()),
    };
    let id = Some(vec![group.made.id.as_str().to_owned()]);
    let found = cx.store.tags(cx.account(), Tagged::Group, id, vec![stops]);
    if found.await?.is_empty() {
        return Ok(false);
    }
    let inside = BoundFilter {
        groups: Some(vec![group.made.id.clone()]),
        instances,
        users: Some(vec![user.clone()]),
        apps: None,
    };
    let one = PageRequest { number: 1, size: 1 };
    let inside = cx.store.page_bindings(cx.account(), inside, one).await?;
    Ok(inside.total == 0)
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

/// The persistent session that was granted to the user, when the request names none.
async fn granted(
    cx: &CallContext<'_>,
    req: &Request,
    groups: &[Group],
) -> Result<Option<PersistentId>, ApiError> {
    let by_session = |group: &&Group| group.made.auth_mode.has_persistent_sessions();
    for group in groups.iter().filter(by_session) {
        let granted = cx
            .store
            .session_granted_to(cx.account(), &group.made.id, &req.end_user_id)
            .await?;
        if granted.is_some() {
            return Ok(granted);
        }
    }
    Ok(None)
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
    let lasting = task.auth_mode.has_persistent_sessions();
    Ok(Response {
        app_instance_group_id: task.group,
        app_instance_id: task.instance,
        app_instance_persistent_id: lasting.then_some(task.session),
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
    cx.store.tells("AppInstanceGroupId", task.group.as_str());
    cx.store
        .tells("AppInstancePersistentId", task.session.as_str());
    let secret = Secret::new(cx.entropy);
    let new = NewTicket {
        hash: secret.digest(),
        binding: task.binding.clone(),
        app: task.app.clone(),
        expires: cx.now.after(TICKET_LIFETIME),
    };
    match cx.store.mint_ticket(new, cx.spend_nonce()).await {
        Ok(()) => {
            let server = cx.store.server_of(&task.session).await?;
            let address = server.map(|server| server.address).unwrap_or_default();
            Ok(Some(secret.to_ticket(&address)))
        }
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
