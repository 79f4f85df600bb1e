//! The names of an account's users, groups, roles and policies among those of all accounts.

use greenroom_model::AccountId;

/// A role's: `acs:ram::1234567890123456:role/admin`.
#[must_use]
pub fn role(account: &AccountId, name: &str) -> String {
    format!("acs:ram::{account}:role/{name}")
}
