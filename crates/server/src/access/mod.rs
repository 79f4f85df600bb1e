//! Who may call what. An operation declares its access beside its code, and nothing is reachable without
//! such a declaration; the store's queries take the caller's account as well, so that a mistaken
//! declaration cannot show one account what is another's.
//!
//! An account's own key may do everything in the account. A user of it may do what its policies and those of
//! its groups allow; an assumed role what its policies allow, and its session's policy if it has one.

mod authority;
pub mod policy;
mod principal;
mod system;
pub mod token;

pub use authority::{Authority, Denial, unreadable};
pub use principal::{Principal, RoleSession, User};
pub use system::{SYSTEM_POLICIES, SystemPolicy, system_policy};

/// What an operation does with what it is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Answers every caller, whatever policies say, and with nothing but what the caller is.
    Anyone,
    /// Only looks.
    Read,
    /// Changes something, or gives something out: its nonce is kept in the database as well.
    Write,
}

/// The caller, or the user that a call is about, may not do this to that one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not allowed")]
pub struct Denied;

#[cfg(test)]
mod tests;
