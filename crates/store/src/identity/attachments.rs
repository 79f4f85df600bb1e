//! Which policies users, groups and roles have.

use super::groups::{GROUP, group, group_id};
use super::roles::{ROLE, role, role_id};
use super::users::{USER, user, user_id};
use super::{
    ATTACHED, IdentityError, Member, RamGroup, RamRole, RamUser, Thing, free_of, policies, room,
};
use crate::Store;
use crate::connection::{Connection, all, narrow, values};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, Timestamp};
use std::collections::BTreeMap;

/// Who made a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// The account.
    Custom,
    /// The product: the same in every account, and known to the server only.
    System,
}

impl PolicyKind {
    /// The vendor's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Custom => "Custom",
            Self::System => "System",
        }
    }
}

/// A policy, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyName {
    /// Who made it.
    pub kind: PolicyKind,
    /// Its name. That a system policy exists is for the caller to know.
    pub name: String,
}

impl PolicyName {
    /// A policy of the account's own.
    #[must_use]
    pub fn custom(name: &str) -> Self {
        Self {
            kind: PolicyKind::Custom,
            name: name.to_owned(),
        }
    }

    /// A policy of the product.
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self {
            kind: PolicyKind::System,
            name: name.to_owned(),
        }
    }
}

/// Who can have policies, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Holder {
    User(String),
    Group(String),
    Role(String),
}

impl Holder {
    fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Group(_) => "Group",
            Self::Role(_) => "Role",
        }
    }

    fn policy(&self) -> Thing {
        match self {
            Self::User(_) => Thing::UserPolicy,
            Self::Group(_) => Thing::GroupPolicy,
            Self::Role(_) => Thing::RolePolicy,
        }
    }

    fn id(&self, c: &mut dyn Connection, account: &AccountId) -> Result<String> {
        match self {
            Self::User(name) => user_id(c, account, name),
            Self::Group(name) => group_id(c, account, name),
            Self::Role(name) => role_id(c, account, name),
        }
    }
}

/// A policy that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The policy.
    pub policy: PolicyName,
    /// Of a custom one: what it is for and the version in force.
    pub custom: Option<(String, u32)>,
    /// Since when.
    pub since: Timestamp,
}

/// Everybody who has a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each says what it is")]
pub struct Entities {
    pub users: Vec<Member<RamUser>>,
    pub groups: Vec<Member<RamGroup>>,
    pub roles: Vec<Member<RamRole>>,
}

/// Refuses to go on while `holder` has a policy.
pub(super) fn none_at(
    c: &mut dyn Connection,
    account: &AccountId,
    holder: &Holder,
    id: &str,
) -> Result<()> {
    free_of(
        c,
        "SELECT COUNT(*) FROM ram_attachments
         WHERE account_id = $1 AND holder_kind = $2 AND holder_id = $3",
        values![account, holder.kind(), id],
        holder.policy(),
    )
}

pub(super) fn holders(
    c: &mut dyn Connection,
    account: &AccountId,
    policy: &PolicyName,
) -> Result<Entities> {
    let which = "a.account_id = $1 AND a.policy_kind = $2 AND a.policy_name = $3";
    let parameters = values![account, policy.kind.as_str(), &policy.name];
    let users = format!(
        "{USER}, a.attached_at FROM ram_attachments a
         JOIN ram_users u ON u.user_id = a.holder_id WHERE {which} AND a.holder_kind = 'User'"
    );
    let groups = format!(
        "{GROUP}, a.attached_at FROM ram_attachments a
         JOIN ram_groups g ON g.ram_group_id = a.holder_id WHERE {which} AND a.holder_kind = 'Group'"
    );
    let roles = format!(
        "{ROLE}, a.attached_at FROM ram_attachments a
         JOIN ram_roles r ON r.role_id = a.holder_id WHERE {which} AND a.holder_kind = 'Role'"
    );
    let mut found = Entities {
        users: all(c, &users, parameters, |row| {
            Ok(Member {
                it: user(row)?,
                since: Timestamp(row.integer(8)?),
            })
        })?,
        groups: all(c, &groups, parameters, |row| {
            Ok(Member {
                it: group(row)?,
                since: Timestamp(row.integer(5)?),
            })
        })?,
        roles: all(c, &roles, parameters, |row| {
            Ok(Member {
                it: role(row)?,
                since: Timestamp(row.integer(7)?),
            })
        })?,
    };
    found
        .users
        .sort_by(|a, b| a.it.made.name.cmp(&b.it.made.name));
    found.groups.sort_by(|a, b| a.it.name.cmp(&b.it.name));
    found
        .roles
        .sort_by(|a, b| a.it.made.name.cmp(&b.it.made.name));
    Ok(found)
}

impl Store {
    /// Gives somebody a policy.
    ///
    /// # Errors
    /// One of the two does not exist, they have it already or too many, the nonce was used, or the database
    /// could not be written.
    pub async fn attach_ram_policy(
        &self,
        account: &AccountId,
        policy: PolicyName,
        holder: Holder,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let id = holder.id(c, &account)?;
            if policy.kind == PolicyKind::Custom {
                policies::existing(c, &account, &policy.name)?;
            }
            let made = c.execute(
                "INSERT INTO ram_attachments (account_id, holder_kind, holder_id, policy_kind,
                     policy_name, attached_at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                values![
                    &account,
                    holder.kind(),
                    &id,
                    policy.kind.as_str(),
                    &policy.name,
                    at
                ],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(holder.policy()).into());
            }
            // Counted with the new one: whoever has it already is told so, however many there are.
            room(
                c,
                "SELECT COUNT(*) FROM ram_attachments WHERE account_id = $1 AND holder_kind = $2
                     AND holder_id = $3 AND policy_kind = $4",
                values![&account, holder.kind(), &id, policy.kind.as_str()],
                ATTACHED + 1,
                holder.policy(),
            )
        })
        .await
    }

    /// Takes a policy from somebody.
    ///
    /// # Errors
    /// They do not exist or do not have it, the nonce was used, or the database could not be written.
    pub async fn detach_ram_policy(
        &self,
        account: &AccountId,
        policy: PolicyName,
        holder: Holder,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let id = holder.id(c, &account)?;
            let gone = c.execute(
                "DELETE FROM ram_attachments WHERE account_id = $1 AND holder_kind = $2
                     AND holder_id = $3 AND policy_kind = $4 AND policy_name = $5",
                values![
                    &account,
                    holder.kind(),
                    &id,
                    policy.kind.as_str(),
                    &policy.name
                ],
            )?;
            if gone == 0 {
                return Err(IdentityError::Missing(holder.policy()).into());
            }
            Ok(())
        })
        .await
    }

    /// The policies that somebody has, without those of their groups.
    ///
    /// # Errors
    /// They do not exist, or the database could not be read.
    pub async fn ram_policies_of(
        &self,
        account: &AccountId,
        holder: Holder,
    ) -> Result<Vec<Attached>> {
        let account = account.clone();
        self.read(move |c| {
            let id = holder.id(c, &account)?;
            let mut attached = all(
                c,
                "SELECT a.policy_kind, a.policy_name, a.attached_at, p.description, p.default_version
                 FROM ram_attachments a LEFT JOIN ram_policies p ON a.policy_kind = 'Custom'
                     AND p.account_id = a.account_id AND p.name = a.policy_name
                 WHERE a.account_id = $1 AND a.holder_kind = $2 AND a.holder_id = $3",
                values![&account, holder.kind(), &id],
                |row| {
                    let custom = match (row.maybe_text(3)?, row.maybe_integer(4)?) {
                        (Some(text), Some(version)) => Some((text.to_owned(), narrow(version)?)),
                        _ => None,
                    };
                    Ok(Attached {
                        policy: policy_name(row.text(0)?, row.text(1)?)?,
                        custom,
                        since: Timestamp(row.integer(2)?),
                    })
                },
            )?;
            attached.sort_by(|a, b| a.policy.name.cmp(&b.policy.name));
            Ok(attached)
        })
        .await
    }

    /// How many users, groups and roles have each of the product's policies, by name; those that nobody has are
    /// not there.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_system_attachments(
        &self,
        account: &AccountId,
    ) -> Result<BTreeMap<String, u32>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = "SELECT policy_name, COUNT(*) FROM ram_attachments
                       WHERE account_id = $1 AND policy_kind = 'System' GROUP BY policy_name";
            let counted = all(c, sql, values![&account], |row| {
                Ok((row.text(0)?.to_owned(), narrow(row.integer(1)?)?))
            })?;
            Ok(counted.into_iter().collect())
        })
        .await
    }

    /// Everybody who has a policy.
    ///
    /// # Errors
    /// It is the account's own and does not exist, or the database could not be read.
    pub async fn ram_entities_of_policy(
        &self,
        account: &AccountId,
        policy: PolicyName,
    ) -> Result<Entities> {
        let account = account.clone();
        self.read(move |c| {
            if policy.kind == PolicyKind::Custom {
                policies::existing(c, &account, &policy.name)?;
            }
            holders(c, &account, &policy)
        })
        .await
    }
}

pub(super) fn policy_name(kind: &str, name: &str) -> Result<PolicyName> {
    match kind {
        "Custom" => Ok(PolicyName::custom(name)),
        "System" => Ok(PolicyName::system(name)),
        other => Err(StoreError::Corrupt(format!(
            "{other:?} is no kind of policy"
        ))),
    }
}
