//! What the operations of product `greenroom` share: how a session is shown to an administrator, and how
//! something is asked of sessions.

use crate::error::ApiError;
use crate::ops::CallContext;
use crate::ops::fields::{List, Ref};
use greenroom_model::{
    AppId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, Ask, Desired, EndUserId,
    PersistentId, PersistentStatus, ProductType,
};
use greenroom_store::{SessionDetail, StoreError};
use serde::{Deserialize, Serialize};

/// A session as an administrator is shown it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionView {
    app_instance_group_id: AppInstanceGroupId,
    app_instance_id: AppInstanceId,
    app_instance_persistent_id: PersistentId,
    app_instance_persistent_name: String,
    app_instance_persistent_status: PersistentStatus,
    app_instance_status: AppInstanceStatus,
    authorized_users: Vec<EndUserId>,
    desired_status: Desired,
    failures: u32,
    gmt_create: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gmt_observed: Option<String>,
    gmt_status: String,
    opened_apps: Vec<AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_action: Option<Ask>,
    product_type: ProductType,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_reason: String,
}

impl From<SessionDetail> for SessionView {
    fn from(it: SessionDetail) -> Self {
        Self {
            app_instance_group_id: it.group,
            app_instance_id: it.row.instance,
            app_instance_persistent_id: it.row.id,
            app_instance_persistent_name: it.row.name,
            app_instance_persistent_status: it.row.status,
            app_instance_status: it.row.instance_status,
            authorized_users: it.row.users,
            desired_status: it.desired,
            failures: it.failures,
            gmt_create: it.row.created.to_wire(),
            gmt_observed: it.observed_at.map(|at| at.to_wire()),
            gmt_status: it.status_since.to_wire(),
            opened_apps: it.opened_apps,
            pending_action: it.asked,
            product_type: it.product_type,
            status_reason: it.status_reason,
        }
    }
}

/// Which sessions something is asked of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sessions {
    app_instance_persistent_ids: List<Ref<PersistentId>, 100>,
}

/// Nothing is answered beyond that it was written down: what becomes of it is seen at the sessions.
#[derive(Debug, Serialize)]
pub struct Noted {}

/// Writes down what the caller asks of sessions: of all of them or, when that cannot be, of none.
///
/// # Errors
/// One of them does not exist for the caller or is being deleted, or the database failed.
pub async fn ask(cx: &CallContext<'_>, of: Sessions, wish: Ask) -> Result<Noted, ApiError> {
    let ids = of.app_instance_persistent_ids.into_items();
    let ids: Option<Vec<PersistentId>> = ids.iter().map(|it| it.id().cloned()).collect();
    let ids = ids.ok_or(ApiError::SessionNotFound)?;
    let caller = cx.principal.arn();
    cx.store
        .ask_sessions(cx.account(), &ids, wish, &caller, cx.spend_nonce(), cx.now)
        .await
        .map_err(|error| match error {
            StoreError::NotFound(_) => ApiError::SessionNotFound,
            StoreError::Conflict(_) => ApiError::SessionEnding,
            other => other.into(),
        })?;
    Ok(Noted {})
}
