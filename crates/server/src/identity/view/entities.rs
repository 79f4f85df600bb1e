//! What RAM shows of those who have a policy.

use super::time;
use crate::identity::arn;
use greenroom_model::AccountId;
use greenroom_store::{Member, RamGroup, RamRole, RamUser};
use serde::Serialize;

/// A user who has a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HoldingUser {
    user_id: String,
    user_name: String,
    display_name: String,
    attach_date: String,
}

impl From<Member<RamUser>> for HoldingUser {
    fn from(holder: Member<RamUser>) -> Self {
        Self {
            user_id: holder.it.made.id,
            user_name: holder.it.made.name,
            display_name: holder.it.made.display_name,
            attach_date: time(holder.since),
        }
    }
}

/// A group that has a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HoldingGroup {
    group_name: String,
    comments: String,
    attach_date: String,
}

impl From<Member<RamGroup>> for HoldingGroup {
    fn from(holder: Member<RamGroup>) -> Self {
        Self {
            group_name: holder.it.name,
            comments: holder.it.comments,
            attach_date: time(holder.since),
        }
    }
}

/// A role that has a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HoldingRole {
    role_id: String,
    role_name: String,
    arn: String,
    description: String,
    attach_date: String,
}

impl HoldingRole {
    /// One of the account's.
    #[must_use]
    pub fn of(account: &AccountId, holder: Member<RamRole>) -> Self {
        Self {
            arn: arn::role(account, &holder.it.made.name),
            role_id: holder.it.made.id,
            role_name: holder.it.made.name,
            description: holder.it.made.description,
            attach_date: time(holder.since),
        }
    }
}
