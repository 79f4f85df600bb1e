//! What RAM shows of roles.

use super::time;
use crate::identity::arn;
use greenroom_model::AccountId;
use greenroom_store::RamRole;
use serde::Serialize;

/// A role. Without `RolePrincipalName`: it is a name of the vendor's own domain, by which no role here is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    role_id: String,
    role_name: String,
    arn: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    assume_role_policy_document: Option<String>,
    max_session_duration: u32,
    allow_console_login: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_service_linked_role: Option<bool>,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
}

impl Role {
    /// One that was just made.
    #[must_use]
    pub fn made(account: &AccountId, role: RamRole) -> Self {
        Self {
            update_date: None,
            ..Self::changed(account, role)
        }
    }

    /// One that was just changed.
    #[must_use]
    pub fn changed(account: &AccountId, role: RamRole) -> Self {
        Self {
            is_service_linked_role: None,
            ..Self::kept(account, role)
        }
    }

    /// One of a list.
    #[must_use]
    pub fn listed(account: &AccountId, role: RamRole) -> Self {
        Self {
            assume_role_policy_document: None,
            ..Self::changed(account, role)
        }
    }

    /// One that has been there. Without `LatestDeletionTask`, which only roles of the vendor's services have.
    #[must_use]
    pub fn kept(account: &AccountId, role: RamRole) -> Self {
        Self {
            arn: arn::role(account, &role.made.name),
            role_id: role.made.id,
            role_name: role.made.name,
            description: role.made.description,
            assume_role_policy_document: Some(role.made.trust_policy),
            max_session_duration: role.made.max_session_seconds,
            // There is no console to log on to.
            allow_console_login: false,
            is_service_linked_role: Some(false),
            create_date: time(role.created),
            update_date: Some(time(role.updated)),
        }
    }
}
