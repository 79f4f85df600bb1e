//! What RAM shows of what it keeps. Some answers leave out what others show: that is left `None` here.

mod entities;
mod policy;
mod role;

pub use entities::{HoldingGroup, HoldingRole, HoldingUser};
pub use policy::{HeldPolicies, HeldPolicy, Policy, Version};
pub use role::Role;

use greenroom_model::Timestamp;
use greenroom_store::{Member, RamGroup, RamUser, UserKey};
use serde::Serialize;

/// An answer that is nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Done {}

/// A time as these products write it.
#[must_use]
pub fn time(at: Timestamp) -> String {
    greenroom_rpc::date::format(at.0)
}

/// A user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    user_id: String,
    user_name: String,
    display_name: String,
    mobile_phone: String,
    email: String,
    comments: String,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
}

impl User {
    /// One that was just made.
    #[must_use]
    pub fn made(user: RamUser) -> Self {
        Self {
            update_date: None,
            ..Self::kept(user)
        }
    }

    /// One that has been there.
    #[must_use]
    pub fn kept(user: RamUser) -> Self {
        Self {
            user_id: user.made.id,
            user_name: user.made.name,
            display_name: user.made.display_name,
            mobile_phone: user.made.mobile_phone,
            email: user.made.email,
            comments: user.made.comments,
            create_date: time(user.created),
            update_date: Some(time(user.updated)),
        }
    }
}

/// A user of a group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupUser {
    user_name: String,
    display_name: String,
    join_date: String,
}

impl From<Member<RamUser>> for GroupUser {
    fn from(member: Member<RamUser>) -> Self {
        Self {
            user_name: member.it.made.name,
            display_name: member.it.made.display_name,
            join_date: time(member.since),
        }
    }
}

/// A group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
    group_id: String,
    group_name: String,
    comments: String,
    create_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
}

impl Group {
    /// One that was just made.
    #[must_use]
    pub fn made(group: RamGroup) -> Self {
        Self {
            update_date: None,
            ..Self::kept(group)
        }
    }

    /// One that has been there.
    #[must_use]
    pub fn kept(group: RamGroup) -> Self {
        Self {
            group_id: group.id,
            group_name: group.name,
            comments: group.comments,
            create_date: time(group.created),
            update_date: Some(time(group.updated)),
        }
    }
}

/// A group of a user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserGroup {
    group_id: String,
    group_name: String,
    comments: String,
    join_date: String,
}

impl From<Member<RamGroup>> for UserGroup {
    fn from(member: Member<RamGroup>) -> Self {
        Self {
            group_id: member.it.id,
            group_name: member.it.name,
            comments: member.it.comments,
            join_date: time(member.since),
        }
    }
}

/// An access key, without its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Key {
    access_key_id: String,
    status: KeyStatus,
    create_date: String,
}

impl From<UserKey> for Key {
    fn from(key: UserKey) -> Self {
        Self {
            access_key_id: key.id,
            status: KeyStatus::of(key.active),
            create_date: time(key.created),
        }
    }
}

/// `Status` of an access key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum KeyStatus {
    /// It may be used.
    Active,
    /// It may not.
    Inactive,
}

impl KeyStatus {
    /// The word.
    #[must_use]
    pub fn of(active: bool) -> Self {
        if active { Self::Active } else { Self::Inactive }
    }
}
