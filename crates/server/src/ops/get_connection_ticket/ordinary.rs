//! Ordinary sessions: in groups that give out apps or themselves, whoever may come in gets a session that is free.

use super::{Request, app, check_policy, is_kept_out, open};
use crate::ops::prelude::*;
use greenroom_store::{Group, InstanceFilter, PageRequest, StoreError, TicketTask, Wanted};

/// Opens a task in the first of the groups that lets the user in and has a session for them: the one that they
/// hold already, else one that is free.
///
/// # Errors
/// No group does; the fault is that of the group that came the furthest.
pub(super) async fn begin(
    cx: &CallContext<'_>,
    req: &Request,
    groups: &[Group],
) -> Result<TicketTask, ApiError> {
    let ordinary = |group: &&Group| !group.made.auth_mode.has_persistent_sessions();
    let mut furthest = None;
    for group in groups.iter().filter(ordinary) {
        match begin_in(cx, req, group).await {
            Err(ApiError::NoStock) => furthest = Some(ApiError::NoStock),
            Err(refused @ (ApiError::Denied(_) | ApiError::Invalid(_))) => {
                furthest = furthest.or(Some(refused));
            }
            done => return done,
        }
    }
    Err(furthest.unwrap_or_else(|| Denied.into()))
}

async fn begin_in(
    cx: &CallContext<'_>,
    req: &Request,
    group: &Group,
) -> Result<TicketTask, ApiError> {
    check_policy(req, group)?;
    let app = app(cx, req, group)?;
    let user = &req.end_user_id;
    let allowed = cx.store.may_open(&group.made.id, user, &app).await?;
    if !allowed || is_kept_out(cx, group, None, user).await? {
        return Err(Denied.into());
    }
    let wanted = Wanted::Ordinary(instance(cx, req, group).await?);
    open(cx, req, group, wanted, app)
        .await
        .map_err(|error| match error {
            StoreError::NoRoom => ApiError::NoStock,
            other => other.into(),
        })
}

/// The instance that the request names, if it names one, which must be the group's.
async fn instance(
    cx: &CallContext<'_>,
    req: &Request,
    group: &Group,
) -> Result<Option<AppInstanceId>, ApiError> {
    let Some(asked) = &req.app_instance_id else {
        return Ok(None);
    };
    let id = asked.id().ok_or(ApiError::Invalid("AppInstanceId"))?;
    let named = InstanceFilter {
        ids: Some(vec![id.clone()]),
        ..InstanceFilter::default()
    };
    let one = PageRequest { number: 1, size: 1 };
    let (account, group) = (cx.account(), &group.made.id);
    let found = cx.store.page_instances(account, group, named, one).await?;
    if found.is_some_and(|page| page.total > 0) {
        Ok(Some(id.clone()))
    } else {
        Err(ApiError::Invalid("AppInstanceId"))
    }
}
