//! Policies as requests name them: by type and name, and their versions by number.

use super::fields::{PolicyName, PolicyType};
use super::view::Version;
use crate::access::{SystemPolicy, system_policy};
use crate::error::ApiError;
use crate::ops::CallContext;
use crate::ops::fields::Text;
use greenroom_store::{IdentityError, StoreError, Thing};

/// The fault for a policy that is not there.
#[must_use]
pub fn missing() -> ApiError {
    StoreError::from(IdentityError::Missing(Thing::Policy)).into()
}

/// The fault for a version that a policy does not have.
#[must_use]
pub fn version_missing() -> ApiError {
    StoreError::from(IdentityError::Missing(Thing::PolicyVersion)).into()
}

/// The system policy of that name.
///
/// # Errors
/// There is none.
pub fn system(name: &PolicyName) -> Result<&'static SystemPolicy, ApiError> {
    system_policy(name.as_str()).ok_or_else(missing)
}

/// The policy that is named, as the store knows it. That one of the account's own exists is for the store to
/// find out, in the transaction that uses it.
///
/// # Errors
/// There is no such system policy.
pub fn named(kind: PolicyType, name: &PolicyName) -> Result<greenroom_store::PolicyName, ApiError> {
    if kind == PolicyType::System {
        system(name)?;
    }
    Ok(greenroom_store::PolicyName {
        kind: kind.kind(),
        name: name.as_str().to_owned(),
    })
}

/// The versions of the policy that is named, oldest first.
///
/// # Errors
/// There is no such policy, or the database failed.
pub async fn versions(
    cx: &CallContext<'_>,
    kind: PolicyType,
    name: &PolicyName,
) -> Result<Vec<Version>, ApiError> {
    if kind == PolicyType::System {
        return Ok(vec![system(name)?.into()]);
    }
    let kept = cx.store.ram_policy_versions(cx.account(), name.as_str());
    Ok(kept.await?.into_iter().map(Version::from).collect())
}

/// Refuses a resource group: there are none, and a policy counts in the whole account, whose id may be given for
/// that.
///
/// # Errors
/// Another one is named.
pub fn in_whole_account(cx: &CallContext<'_>, group: Option<&Text<64>>) -> Result<(), ApiError> {
    match group {
        Some(group) if group.as_str() != cx.account().as_str() => {
            Err(ApiError::Invalid("ResourceGroupId"))
        }
        _ => Ok(()),
    }
}
