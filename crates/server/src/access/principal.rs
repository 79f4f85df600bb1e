//! Who calls.

use greenroom_model::AccountId;

/// Who calls, once the signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The account itself, by a key of its own: not limited by policies.
    Account(AccountId),
    /// A RAM user of an account.
    User(User),
    /// Somebody who has assumed a role for a time.
    Role(RoleSession),
}

/// A RAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A role that was assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSession {
    /// Whose the role is.
    pub account: AccountId,
    /// The role's id.
    pub role_id: String,
    /// The role's name.
    pub role: String,
    /// What whoever assumed it called this session.
    pub session: String,
}

impl Principal {
    /// The account whose things the caller sees.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Account(account) => account,
            Self::User(user) => &user.account,
            Self::Role(role) => &role.account,
        }
    }

    /// The caller's name among all callers: `acs:ram::1234567890123456:user/alice`.
    #[must_use]
    pub fn arn(&self) -> String {
        match self {
            Self::Account(account) => format!("acs:ram::{account}:root"),
            Self::User(user) => format!("acs:ram::{}:user/{}", user.account, user.name),
            Self::Role(it) => format!(
                "acs:ram::{}:assumed-role/{}/{}",
                it.account, it.role, it.session
            ),
        }
    }

    /// As whom a role's trust policy may name the caller: itself, and its account.
    #[must_use]
    pub fn trusted_as(&self) -> Vec<String> {
        let itself = match self {
            Self::Account(_) | Self::User(_) => self.arn(),
            Self::Role(it) => format!("acs:ram::{}:role/{}", it.account, it.role),
        };
        vec![format!("acs:ram::{}:root", self.account()), itself]
    }

    /// The caller's kind, in the words of a denial and of the audit trail; an account is never denied.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "Account",
            Self::User(_) => "SubUser",
            Self::Role(_) => "AssumedRoleUser",
        }
    }

    /// The caller's name, in the words of a denial.
    pub(super) fn denied_name(&self) -> String {
        match self {
            Self::Account(account) => account.to_string(),
            Self::User(user) => user.id.clone(),
            Self::Role(it) => format!("{}:{}", it.role, it.session),
        }
    }
}
