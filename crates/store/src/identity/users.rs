//! RAM users.

use super::{IdentityError, Thing, USERS, attachments, free_of, id_of, room};
use crate::connection::{Connection, Row, all, first, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use crate::{Store, identity::Holder};
use greenroom_model::{AccountId, Timestamp};

/// A user to be made. What is not said is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vendor's own fields")]
pub struct NewUser {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub mobile_phone: String,
    pub email: String,
    pub comments: String,
}

/// What is to be different; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vendor's own fields")]
pub struct UserChange {
    pub name: Option<String>,
    pub display_name: Option<String>,
    pub mobile_phone: Option<String>,
    pub email: Option<String>,
    pub comments: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamUser {
    /// Everything that was said of it.
    pub made: NewUser,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

pub(super) const USER: &str =
    "SELECT u.user_id, u.name, u.display_name, u.mobile_phone, u.email, u.comments,
         u.created_at, u.updated_at";
const ID: &str = "SELECT user_id FROM ram_users WHERE account_id = $1 AND name = $2";

pub(super) fn user(row: &dyn Row) -> Result<RamUser> {
    Ok(RamUser {
        made: NewUser {
            id: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            display_name: row.text(2)?.to_owned(),
            mobile_phone: row.text(3)?.to_owned(),
            email: row.text(4)?.to_owned(),
            comments: row.text(5)?.to_owned(),
        },
        created: Timestamp(row.integer(6)?),
        updated: Timestamp(row.integer(7)?),
    })
}

pub(super) fn user_id(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<String> {
    id_of(c, ID, account, name, Thing::User)
}

fn named(c: &mut dyn Connection, account: &AccountId, name: &str) -> Result<Option<RamUser>> {
    let sql = format!("{USER} FROM ram_users u WHERE u.account_id = $1 AND u.name = $2");
    first(c, &sql, values![account, name], user)
}

impl Store {
    /// Makes a user.
    ///
    /// # Errors
    /// The name is taken or there are too many ([`IdentityError`]), [`crate::StoreError::NonceReplayed`], or the
    /// database could not be written.
    pub async fn create_ram_user(
        &self,
        account: &AccountId,
        new: NewUser,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamUser> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT COUNT(*) FROM ram_users WHERE account_id = $1";
            room(c, sql, values![&account], USERS, Thing::User)?;
            let made = c.execute(
                "INSERT INTO ram_users (user_id, account_id, name, display_name, mobile_phone, email,
                     comments, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING",
                values![
                    &new.id, &account, &new.name, &new.display_name, &new.mobile_phone, &new.email,
                    &new.comments, at
                ],
            )?;
            if made == 0 {
                return Err(IdentityError::Exists(Thing::User).into());
            }
            Ok(RamUser { made: new, created: at, updated: at })
        })
        .await
    }

    /// The user of that name.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_user(&self, account: &AccountId, name: &str) -> Result<Option<RamUser>> {
        let (account, name) = (account.clone(), name.to_owned());
        self.read(move |c| named(c, &account, &name)).await
    }

    /// The user of that id; for a caller who names nobody and means itself.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_user_by_id(&self, account: &AccountId, id: &str) -> Result<Option<RamUser>> {
        let (account, id) = (account.clone(), id.to_owned());
        self.read(move |c| {
            let sql = format!("{USER} FROM ram_users u WHERE u.account_id = $1 AND u.user_id = $2");
            first(c, &sql, values![&account, id], user)
        })
        .await
    }

    /// The account's users.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn ram_users(&self, account: &AccountId) -> Result<Vec<RamUser>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = format!("{USER} FROM ram_users u WHERE u.account_id = $1");
            let mut users = all(c, &sql, values![&account], user)?;
            users.sort_by(|a, b| a.made.name.cmp(&b.made.name));
            Ok(users)
        })
        .await
    }

    /// Changes a user; answers it as it is then.
    ///
    /// # Errors
    /// There is no such user, the new name is taken, the nonce was used, or the database could not be written.
    pub async fn update_ram_user(
        &self,
        account: &AccountId,
        name: &str,
        change: UserChange,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<RamUser> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let mut user = named(c, &account, &name)?.ok_or(IdentityError::Missing(Thing::User))?;
            let wanted = change.name.unwrap_or_else(|| name.clone());
            if wanted != name && named(c, &account, &wanted)?.is_some() {
                return Err(IdentityError::Exists(Thing::User).into());
            }
            let made = &mut user.made;
            made.name = wanted;
            for (field, new) in [
                (&mut made.display_name, change.display_name),
                (&mut made.mobile_phone, change.mobile_phone),
                (&mut made.email, change.email),
                (&mut made.comments, change.comments),
            ] {
                if let Some(new) = new {
                    *field = new;
                }
            }
            c.execute(
                "UPDATE ram_users SET name = $2, display_name = $3, mobile_phone = $4, email = $5,
                     comments = $6, updated_at = $7 WHERE user_id = $1",
                values![
                    &made.id,
                    &made.name,
                    &made.display_name,
                    &made.mobile_phone,
                    &made.email,
                    &made.comments,
                    at
                ],
            )?;
            user.updated = at;
            Ok(user)
        })
        .await
    }

    /// Deletes a user who has no keys, groups and policies any more.
    ///
    /// # Errors
    /// There is no such user, it has one of those, the nonce was used, or the database could not be written.
    pub async fn delete_ram_user(
        &self,
        account: &AccountId,
        name: &str,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let (account, name) = (account.clone(), name.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let id = user_id(c, &account, &name)?;
            let keys = "SELECT COUNT(*) FROM ram_user_keys WHERE user_id = $1";
            free_of(c, keys, values![&id], Thing::UserAccessKey)?;
            let groups = "SELECT COUNT(*) FROM ram_group_members WHERE user_id = $1";
            free_of(c, groups, values![&id], Thing::UserGroup)?;
            attachments::none_at(c, &account, &Holder::User(name), &id)?;
            c.execute("DELETE FROM ram_users WHERE user_id = $1", values![&id])?;
            Ok(())
        })
        .await
    }
}
