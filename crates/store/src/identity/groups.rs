//! RAM groups and who is in them.

use super::users::{USER, user, user_id};
use super::{
    GROUPS, GROUPS_OF_USER, Holder, IdentityError, RamUser, Thing, attachments, free_of, id_of,
    room,
};
use crate::Store;
use crate::connection::{Connection, Row, all, first, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, Timestamp};

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub comments: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// What belongs together, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<T> {
    /// The user or group.
    pub it: T,
    /// Since when.
    pub since: Timestamp,
}

pub(super) const GROUP: &str =
    "SELECT g.ram_group_id, g.name, g.comments, g.created_at, g.updated_at";
const ID: &str = "SELECT ram_group_id FROM ram_groups WHERE account_id = $1 AND name = $2";

pub(super) fn group(row: &dyn Row) -> Result<RamGroup> {
    Ok(RamGroup {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        comments: row.text(2)?.to_owned(),
        created: Timestamp(row.integer(3)?),
        updated: Timestamp(row.integer(4)?),
    })
}

pub(super) fn group_id(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<String> {
    id_of(c, ID, account, name, Thing::Group)
}

fn named(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<Option<RamGroup>> {
    let sql = format!("{GROUP} FROM ram_groups g WHERE g.account_id = $1 AND g.name = $2");
    first(c, &sql, values![account, name], group)
}

impl Store {
    /// Makes a group.
    ///
    /// # Errors
    /// The name is taken or there are too many, the nonce was used, or the database could not be written.
    pub async fn create_ram_group(
        &self,
        account: &AccountId,
        id: String,
        name: String,
        comments: String,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamGroup> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT COUNT(*) FROM ram_groups WHERE account_id = $1";
            room(c, sql, values![&account], GROUPS, Thing::Group)?;
            let made = c.execute(
                "INSERT INTO ram_groups (ram_group_id, account_id, name, comments, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
                values![&id, &account, &name, &comments, at],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(Thing::Group).into());
            }
            Ok(RamGroup { id, name, comments, created: at, updated: at })
        })
        .await
    }

    /// The group of that name.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_group(&self, account: &AccountId, name: &str) -> Result<Option<RamGroup>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| named(c, &account, &name)).await
    }

    /// The account's groups.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_groups(&self, account: &AccountId) -> Result<Vec<RamGroup>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = format!("{GROUP} FROM ram_groups g WHERE g.account_id = $1");
            let mut groups = all(c, &sql, values![&account], group)?;
            groups.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(groups)
        })
        .await
    }

    /// Renames a group or changes what is said of it; answers it as it is then.
    ///
    /// # Errors
    /// There is no such group, the new name is taken, the nonce was used, or the database could not be written.
    pub async fn update_ram_group(
        &self,
        account: &AccountId,
        name: &str,
        new_name: Option<String>,
        comments: Option<String>,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamGroup> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let old = named(c, &account, &name)?.ok_or(IdentityError::Missing(Thing::Group))?;
            let new = RamGroup {
                name: new_name.unwrap_or_else(|| old.name.clone()),
                comments: comments.unwrap_or(old.comments),
                updated: at,
                ..old
            };
            if new.name != name && named(c, &account, &new.name)?.is_some() {
                return Err(IdentityError::Exists(Thing::Group).into());
            }
            c.execute(
                "UPDATE ram_groups SET name = $2, comments = $3, updated_at = $4
                 WHERE ram_group_id = $1",
                values![&new.id, &new.name, &new.comments, at],
            )?;
            Ok(new)
        })
        .await
    }

    /// Deletes a group without users and policies.
    ///
    /// # Errors
    /// There is no such group, it has one of those, the nonce was used, or the database could not be written.
    pub async fn delete_ram_group(
        &self,
        account: &AccountId,
        name: &str,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let id = group_id(c, &account, &name)?;
            let users = "SELECT COUNT(*) FROM ram_group_members WHERE ram_group_id = $1";
            free_of(c, users, values![&id], Thing::GroupUser)?;
            attachments::none_at(c, &account, &Holder::Group(name), &id)?;
            let sql = "DELETE FROM ram_groups WHERE ram_group_id = $1";
            c.execute(sql, values![&id])?;
            Ok(())
        })
        .await
    }

    /// Puts a user into a group.
    ///
    /// # Errors
    /// One of the two does not exist, the user is in it already or in too many, the nonce was used, or the
    /// database could not be written.
    pub async fn add_user_to_ram_group(
        &self,
        account: &AccountId,
        user: &str,
        group: &str,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, user, group) = (account.clone(), user.to_owned(), group.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let user = user_id(c, &account, &user)?;
            let group = group_id(c, &account, &group)?;
            let sql = "SELECT COUNT(*) FROM ram_group_members WHERE user_id = $1";
            room(c, sql, values![&user], GROUPS_OF_USER, Thing::UserGroup)?;
            let made = c.execute(
                "INSERT INTO ram_group_members (ram_group_id, user_id, joined_at) VALUES ($1, $2, $3)
                 ON CONFLICT DO NOTHING",
                values![&group, &user, at],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(Thing::UserGroup).into());
            }
            Ok(())
        })
        .await
    }

    /// Takes a user out of a group.
    ///
    /// # Errors
    /// One of the two does not exist, the user is not in it, the nonce was used, or the database could not be
    /// written.
    pub async fn remove_user_from_ram_group(
        &self,
        account: &AccountId,
        user: &str,
        group: &str,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, user, group) = (account.clone(), user.to_owned(), group.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let user = user_id(c, &account, &user)?;
            let group = group_id(c, &account, &group)?;
            let gone = c.execute(
                "DELETE FROM ram_group_members WHERE ram_group_id = $1 AND user_id = $2",
                values![&group, &user],
            )?;
            if gone == 0 {
                return Err(IdentityError::Missing(Thing::UserGroup).into());
            }
            Ok(())
        })
        .await
    }

    /// The groups that a user is in.
    ///
    /// # Errors
    /// There is no such user, or the database could not be read.
    pub async fn ram_groups_of_user(
        &self,
        account: &AccountId,
        user: &str,
    ) -> Result<Vec<Member<RamGroup>>> {
        let (account, user) = (account.clone(), user.to_owned());
        self.read(move |c| {
            let id = user_id(c, &account, &user)?;
            let sql = format!(
                "{GROUP}, m.joined_at FROM ram_group_members m
                 JOIN ram_groups g ON g.ram_group_id = m.ram_group_id WHERE m.user_id = $1"
            );
            let mut groups = all(c, &sql, values![&id], |row| {
                let since = Timestamp(row.integer(5)?);
                Ok(Member {
                    it: group(row)?,
                    since,
                })
            })?;
            groups.sort_by(|a, b| a.it.name.cmp(&b.it.name));
            Ok(groups)
        })
        .await
    }

    /// The users in a group.
    ///
    /// # Errors
    /// There is no such group, or the database could not be read.
    pub async fn ram_users_of_group(
        &self,
        account: &AccountId,
        group: &str,
    ) -> Result<Vec<Member<RamUser>>> {
        let (account, group) = (account.clone(), group.to_owned());
        self.read(move |c| {
            let id = group_id(c, &account, &group)?;
            let sql = format!(
                "{USER}, m.joined_at FROM ram_group_members m
                 JOIN ram_users u ON u.user_id = m.user_id WHERE m.ram_group_id = $1"
            );
            let mut users = all(c, &sql, values![&id], |row| {
                let since = Timestamp(row.integer(8)?);
                Ok(Member {
                    it: user(row)?,
                    since,
                })
            })?;
            users.sort_by(|a, b| a.it.made.name.cmp(&b.it.made.name));
            Ok(users)
        })
        .await
    }
}
