//! RAM roles: identities that are assumed for a time.

use super::{Holder, IdentityError, ROLES, Thing, attachments, id_of, room};
use crate::Store;
use crate::connection::{Connection, Row, all, first, narrow, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, Timestamp};

/// A role to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may assume it: a policy document, opaque here.
    pub trust_policy: String,
    /// For how long it can be assumed at most.
    pub max_session_seconds: u32,
}

/// What is to be different; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `NewRole`")]
pub struct RoleChange {
    pub description: Option<String>,
    pub trust_policy: Option<String>,
    pub max_session_seconds: Option<u32>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamRole {
    /// Everything that was said of it.
    pub made: NewRole,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

pub(super) const ROLE: &str =
    "SELECT r.role_id, r.name, r.description, r.trust_policy, r.max_session_seconds,
         r.created_at, r.updated_at";
const ID: &str = "SELECT role_id FROM ram_roles WHERE account_id = $1 AND name = $2";

pub(super) fn role(row: &dyn Row) -> Result<RamRole> {
    Ok(RamRole {
        made: NewRole {
            id: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            description: row.text(2)?.to_owned(),
            trust_policy: row.text(3)?.to_owned(),
            max_session_seconds: narrow(row.integer(4)?)?,
        },
        created: Timestamp(row.integer(5)?),
        updated: Timestamp(row.integer(6)?),
    })
}

pub(super) fn role_id(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<String> {
    id_of(c, ID, account, name, Thing::Role)
}

fn named(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<Option<RamRole>> {
    let sql = format!("{ROLE} FROM ram_roles r WHERE r.account_id = $1 AND r.name = $2");
    first(c, &sql, values![account, name], role)
}

impl Store {
    /// Makes a role.
    ///
    /// # Errors
    /// The name is taken or there are too many, the nonce was used, or the database could not be written.
    pub async fn create_ram_role(
        &self,
        account: &AccountId,
        new: NewRole,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamRole> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT COUNT(*) FROM ram_roles WHERE account_id = $1";
            room(c, sql, values![&account], ROLES, Thing::Role)?;
            let made = c.execute(
                "INSERT INTO ram_roles (role_id, account_id, name, description, trust_policy,
                     max_session_seconds, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING",
                values![
                    &new.id,
                    &account,
                    &new.name,
                    &new.description,
                    &new.trust_policy,
                    new.max_session_seconds,
                    at
                ],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(Thing::Role).into());
            }
            Ok(RamRole {
                made: new,
                created: at,
                updated: at,
            })
        })
        .await
    }

    /// The role of that name.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_role(&self, account: &AccountId, name: &str) -> Result<Option<RamRole>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| named(c, &account, &name)).await
    }

    /// The account's roles.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_roles(&self, account: &AccountId) -> Result<Vec<RamRole>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = format!("{ROLE} FROM ram_roles r WHERE r.account_id = $1");
            let mut roles = all(c, &sql, values![&account], role)?;
            roles.sort_by(|a, b| a.made.name.cmp(&b.made.name));
            Ok(roles)
        })
        .await
    }

    /// Changes a role; answers it as it is then.
    ///
    /// # Errors
    /// There is no such role, the nonce was used, or the database could not be written.
    pub async fn update_ram_role(
        &self,
        account: &AccountId,
        name: &str,
        change: RoleChange,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamRole> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let old = named(c, &account, &name)?.ok_or(IdentityError::Missing(Thing::Role))?;
            let made = NewRole {
                description: change.description.unwrap_or(old.made.description),
                trust_policy: change.trust_policy.unwrap_or(old.made.trust_policy),
                max_session_seconds: change
                    .max_session_seconds
                    .unwrap_or(old.made.max_session_seconds),
                ..old.made
            };
            c.execute(
                "UPDATE ram_roles SET description = $2, trust_policy = $3, max_session_seconds = $4,
                     updated_at = $5 WHERE role_id = $1",
                values![&made.id, &made.description, &made.trust_policy, made.max_session_seconds, at],
            )?;
            Ok(RamRole { made, created: old.created, updated: at })
        })
        .await
    }

    /// Deletes a role without policies. Credentials that were given out for it are good for nothing from then
    /// on: they name its id, which no other role ever gets.
    ///
    /// # Errors
    /// There is no such role, it has policies, the nonce was used, or the database could not be written.
    pub async fn delete_ram_role(
        &self,
        account: &AccountId,
        name: &str,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let id = role_id(c, &account, &name)?;
            attachments::none_at(c, &account, &Holder::Role(name), &id)?;
            c.execute("DELETE FROM ram_roles WHERE role_id = $1", values![&id])?;
            Ok(())
        })
        .await
    }
}
