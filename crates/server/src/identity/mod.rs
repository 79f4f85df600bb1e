//! RAM as its callers see it: the names they give, the pages they read, the objects they are shown.

pub mod arn;
pub mod attachment;
pub mod fields;
pub mod ids;
pub mod page;
pub mod policy;
pub mod role_arn;
pub mod view;

use crate::access::Principal;
use crate::error::ApiError;
use crate::ops::CallContext;
use fields::UserName;

/// The user whose keys are meant: the one that is named, else the caller. The account itself and a role are
/// no users; the account's own keys are changed on the server's machine only.
///
/// # Errors
/// Nobody is named, and the caller is no user.
pub fn whom(cx: &CallContext<'_>, named: Option<UserName>) -> Result<String, ApiError> {
    match (named, cx.principal) {
        (Some(name), _) => Ok(name.into()),
        (None, Principal::User(user)) => Ok(user.name.clone()),
        (None, Principal::Account(_) | Principal::Role(_)) => Err(ApiError::Missing("UserName")),
    }
}

/// What policies have to allow for a call that is about that user.
#[must_use]
pub fn resources(cx: &CallContext<'_>, named: Option<&UserName>) -> Vec<String> {
    let user = whom(cx, named.cloned());
    // A caller that is no user and names none is told so by the operation; it can do nothing.
    user.map_or_else(|_| Vec::new(), |name| vec![arn::user(cx.account(), &name)])
}

#[cfg(test)]
mod tests;
