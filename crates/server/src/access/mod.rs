//! Who may call what. An operation declares its access beside its code, and nothing is reachable without
//! such a declaration; the store's queries take the caller's account as well, so that a mistaken
//! declaration cannot show one account what is another's.

use greenroom_model::AccountId;

/// What an operation does with what it is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only looks.
    Read,
    /// Changes something, or gives something out: its nonce is kept in the database as well.
    Write,
}

/// Who calls, once the signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The account itself, by a key of its own: not limited by policies.
    Account(AccountId),
}

impl Principal {
    /// The account whose things the caller sees.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Account(account) => account,
        }
    }
}

/// The caller may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not allowed")]
pub struct Denied;

/// Whether `principal` may make a call with this access.
///
/// # Errors
/// It may not.
pub fn decide(principal: &Principal, access: Access) -> Result<(), Denied> {
    // No wildcard: a new kind of principal or access is denied by the compiler until somebody decides.
    match (principal, access) {
        (Principal::Account(_), Access::Read | Access::Write) => Ok(()),
    }
}
