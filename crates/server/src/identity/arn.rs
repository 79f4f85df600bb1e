//! The names of users, groups, roles and policies among those of all accounts: as policies name what a call is
//! about, and as answers show roles.

use super::fields::{PolicyName, PolicyType};
use greenroom_model::AccountId;

/// Everything of a kind, as what a list is about.
const ALL: &str = "*";

/// A user's: `acs:ram::1234567890123456:user/alice`.
#[must_use]
pub fn user(account: &AccountId, name: &str) -> String {
    format!("acs:ram::{account}:user/{name}")
}

/// All users'.
#[must_use]
pub fn users(account: &AccountId) -> String {
    user(account, ALL)
}

/// A group's: `acs:ram::1234567890123456:group/staff`.
#[must_use]
pub fn group(account: &AccountId, name: &str) -> String {
    format!("acs:ram::{account}:group/{name}")
}

/// All groups'.
#[must_use]
pub fn groups(account: &AccountId) -> String {
    group(account, ALL)
}

/// A role's: `acs:ram::1234567890123456:role/admin`.
#[must_use]
pub fn role(account: &AccountId, name: &str) -> String {
    format!("acs:ram::{account}:role/{name}")
}

/// All roles'.
#[must_use]
pub fn roles(account: &AccountId) -> String {
    role(account, ALL)
}

/// A policy's: `acs:ram::1234567890123456:policy/look`; those of the product belong to `system`.
#[must_use]
pub fn policy(account: &AccountId, kind: PolicyType, name: &PolicyName) -> String {
    let name = name.as_str();
    match kind {
        PolicyType::Custom => format!("acs:ram::{account}:policy/{name}"),
        PolicyType::System => format!("acs:ram::system:policy/{name}"),
    }
}

/// All policies', whosever they are.
#[must_use]
pub fn policies(account: &AccountId) -> String {
    format!("acs:ram::{account}:policy/{ALL}")
}
