//! What a user or role may do, as far as the database knows: the policies it has, by itself and by its groups.

use super::attachments::policy_name;
use super::{PolicyName, RamRole, roles};
use crate::Store;
use crate::connection::{Connection, all, first, values};
use crate::error::Result;
use greenroom_model::AccountId;

/// The policies that decide about a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The user's or role's name.
    pub name: String,
    /// The policies; with the document in force for one that the account made.
    pub policies: Vec<(PolicyName, Option<String>)>,
}

/// A role as whoever has assumed it depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub role: RamRole,
    /// Its account may be used.
    pub account_active: bool,
}

const POLICIES: &str = "SELECT a.policy_kind, a.policy_name, v.document
     FROM ram_attachments a
     LEFT JOIN ram_policies p ON a.policy_kind = 'Custom' AND p.account_id = a.account_id
         AND p.name = a.policy_name
     LEFT JOIN ram_policy_versions v ON v.account_id = p.account_id AND v.policy_name = p.name
         AND v.version = p.default_version
     WHERE a.account_id = $1";

fn policies(
    c: &mut dyn Connection,
    account: &AccountId,
    which: &str,
    id: &str,
) -> Result<Vec<(PolicyName, Option<String>)>> {
    let sql = format!("{POLICIES} AND {which}");
    all(c, &sql, values![account, id], |row| {
        let name = policy_name(row.text(0)?, row.text(1)?)?;
        Ok((name, row.maybe_text(2)?.map(str::to_owned)))
    })
}

fn assumed(
    c: &mut dyn Connection,
    which: &str,
    account: &AccountId,
    word: &str,
) -> Result<Option<AssumedRole>> {
    let sql = format!(
        "{}, a.disabled_at FROM ram_roles r JOIN accounts a ON a.account_id = r.account_id
         WHERE r.account_id = $1 AND {which}",
        roles::ROLE
    );
    first(c, &sql, values![account, word], |row| {
        Ok(AssumedRole {
            role: roles::role(row)?,
            account_active: row.maybe_integer(7)?.is_none(),
        })
    })
}

impl Store {
    /// What decides about a user; `None` when it is gone.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_user_permissions(
        &self,
        account: &AccountId,
        user_id: &str,
    ) -> Result<Option<Permissions>> {
        let (account, id) = (account.clone(), user_id.to_owned());
        self.read(move |c| {
            let sql = "SELECT name FROM ram_users WHERE account_id = $1 AND user_id = $2";
            let name = first(c, sql, values![&account, &id], |row| {
                Ok(row.text(0)?.to_owned())
            })?;
            let Some(name) = name else { return Ok(None) };
            let which = "((a.holder_kind = 'User' AND a.holder_id = $2)
                OR (a.holder_kind = 'Group' AND a.holder_id IN
                    (SELECT ram_group_id FROM ram_group_members WHERE user_id = $2)))";
            let policies = policies(c, &account, which, &id)?;
            Ok(Some(Permissions { name, policies }))
        })
        .await
    }

    /// What decides about whoever has assumed a role; `None` when the role is gone.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_role_permissions(
        &self,
        account: &AccountId,
        role_id: &str,
    ) -> Result<Option<Permissions>> {
        let (account, id) = (account.clone(), role_id.to_owned());
        self.read(move |c| {
            let sql = "SELECT name FROM ram_roles WHERE account_id = $1 AND role_id = $2";
            let name = first(c, sql, values![&account, &id], |row| {
                Ok(row.text(0)?.to_owned())
            })?;
            let Some(name) = name else { return Ok(None) };
            let which = "a.holder_kind = 'Role' AND a.holder_id = $2";
            let policies = policies(c, &account, which, &id)?;
            Ok(Some(Permissions { name, policies }))
        })
        .await
    }

    /// The role that temporary credentials were given out for; `None` when it is gone, for no other role ever
    /// gets its id.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn assumed_ram_role(
        &self,
        account: &AccountId,
        role_id: &str,
    ) -> Result<Option<AssumedRole>> {
        let (account, id) = (account.clone(), role_id.to_owned());
        self.read(move |c| assumed(c, "r.role_id = $2", &account, &id))
            .await
    }

    /// The role of that name, which is to be assumed; `None` when there is none.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_role_to_assume(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssumedRole>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| assumed(c, "r.name = $2", &account, &name))
            .await
    }
}
