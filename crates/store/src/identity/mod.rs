//! Who may act for an account: RAM users with their keys, groups, roles, policies and what they are attached to.
//!
//! Callers name users, groups and roles by names, which can change; everything here is tied to ids, which
//! cannot. Listings answer everything there is, sorted bytewise by name: the limits below keep them short.

mod attachments;
mod groups;
mod keys;
mod permissions;
mod policies;
mod roles;
mod users;

pub use attachments::{Attached, Entities, Holder, PolicyKind, PolicyName};
pub use groups::{Member, RamGroup};
pub use keys::UserKey;
pub use permissions::{AssumedRole, Permissions};
pub use policies::{NewPolicy, PolicyVersion, RamPolicy};
pub use roles::{NewRole, RamRole, RoleChange};
pub use users::{NewUser, RamUser, UserChange};

use crate::connection::{Connection, Value, first, narrow, values};
use crate::error::Result;
use greenroom_model::AccountId;

/// The most users of an account.
const USERS: u32 = 1_000;
/// The most keys of a user.
const KEYS_OF_USER: u32 = 2;
/// The most groups of an account.
const GROUPS: u32 = 300;
/// The most groups that a user is in.
const GROUPS_OF_USER: u32 = 50;
/// The most roles of an account.
const ROLES: u32 = 1_000;
/// The most policies that an account makes.
const POLICIES: u32 = 1_500;
/// The most versions of a policy.
const VERSIONS: u32 = 5;
/// The most policies of one kind that a user, group or role has.
const ATTACHED: u32 = 20;

/// What RAM's rules are about; the second word is a part of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Thing {
    User,
    UserAccessKey,
    UserGroup,
    UserPolicy,
    Group,
    GroupUser,
    GroupPolicy,
    Role,
    RolePolicy,
    Policy,
    PolicyUser,
    PolicyGroup,
    PolicyRole,
    PolicyVersion,
    PolicyVersionDefault,
}

/// Why RAM's rules forbid a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// There is none of that name in the account.
    #[error("there is no such {0:?}")]
    Missing(Thing),
    /// There is one already.
    #[error("there is such a {0:?} already")]
    Exists(Thing),
    /// It cannot go while it has that.
    #[error("it still has a {0:?}")]
    Held(Thing),
    /// There are as many as there may be.
    #[error("there are too many of {0:?}")]
    Full(Thing),
}

/// The id behind a name; `sql` has account and name as its parameters.
fn id_of(
    c: &mut dyn Connection,
    sql: &str,
    account: &AccountId,
    name: &str,
    thing: Thing,
) -> Result<String> {
    let found = first(c, sql, values![account, name], |row| {
        Ok(row.text(0)?.to_owned())
    })?;
    Ok(found.ok_or(IdentityError::Missing(thing))?)
}

/// How many rows a `SELECT COUNT(*)` counts.
fn count(c: &mut dyn Connection, sql: &str, parameters: &[Value]) -> Result<u32> {
    Ok(first(c, sql, parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0))
}

/// Refuses one more when there are `most` already.
fn room(
    c: &mut dyn Connection,
    sql: &str,
    parameters: &[Value],
    most: u32,
    thing: Thing,
) -> Result<()> {
    if count(c, sql, parameters)? >= most {
        return Err(IdentityError::Full(thing).into());
    }
    Ok(())
}

/// Refuses to go on while anything is counted.
fn free_of(c: &mut dyn Connection, sql: &str, parameters: &[Value], thing: Thing) -> Result<()> {
    if count(c, sql, parameters)? > 0 {
        return Err(IdentityError::Held(thing).into());
    }
    Ok(())
}
