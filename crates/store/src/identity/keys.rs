//! Access keys of users. Their secrets are shown once, by whoever makes them; nothing here answers one.

use super::users::user_id;
use super::{IdentityError, KEYS_OF_USER, Thing, count, room};
use crate::connection::{all, narrow, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use crate::{Secret, Store, StoreError};
use greenroom_model::{AccountId, Timestamp};

/// A key of a user, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    /// The public half.
    pub id: String,
    /// It may be used.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl Store {
    /// Gives a user a key.
    ///
    /// # Errors
    /// There is no such user, it has two already, [`StoreError::Conflict`] when the id is taken, the nonce was
    /// used, or the database could not be written.
    pub async fn create_ram_user_key(
        &self,
        account: &AccountId,
        user: &str,
        key_id: String,
        secret: Secret,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<UserKey> {
        let (account, user, sealing) = (account.clone(), user.to_owned(), self.sealing());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let user = user_id(c, &account, &user)?;
            let sql = "SELECT COUNT(*) FROM ram_user_keys WHERE user_id = $1";
            room(c, sql, values![&user], KEYS_OF_USER, Thing::UserAccessKey)?;
            // The two kinds of keys share one space of ids, for each stands for one caller.
            let sql = "SELECT COUNT(*) FROM access_keys WHERE access_key_id = $1";
            let taken = count(c, sql, values![&key_id])? > 0;
            let column = secret.to_column(&key_id, sealing.as_deref())?;
            let made = c.execute(
                "INSERT INTO ram_user_keys (access_key_id, user_id, secret, active, created_at)
                 VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING",
                values![&key_id, &user, column, at],
            )?;
            if taken || made == 0 {
                return Err(StoreError::Conflict("the access key"));
            }
            Ok(UserKey {
                id: key_id,
                active: true,
                created: at,
            })
        })
        .await
    }

    /// A user's keys, oldest first.
    ///
    /// # Errors
    /// There is no such user, or the database could not be read.
    pub async fn ram_user_keys(&self, account: &AccountId, user: &str) -> Result<Vec<UserKey>> {
        let (account, user) = (account.clone(), user.to_owned());
        self.read(move |c| {
            let user = user_id(c, &account, &user)?;
            let mut keys = all(
                c,
                "SELECT access_key_id, active, created_at FROM ram_user_keys WHERE user_id = $1",
                values![&user],
                |row| {
                    Ok(UserKey {
                        id: row.text(0)?.to_owned(),
                        active: narrow::<u8>(row.integer(1)?)? != 0,
                        created: Timestamp(row.integer(2)?),
                    })
                },
            )?;
            keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
            Ok(keys)
        })
        .await
    }

    /// Switches a key on or off.
    ///
    /// # Errors
    /// There is no such user or key, the nonce was used, or the database could not be written.
    pub async fn set_ram_user_key_active(
        &self,
        account: &AccountId,
        user: &str,
        key_id: &str,
        active: bool,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let sql = "UPDATE ram_user_keys SET active = $3 WHERE user_id = $1 AND access_key_id = $2";
        let (account, user, key_id) = (account.clone(), user.to_owned(), key_id.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let user = user_id(c, &account, &user)?;
            found(c.execute(sql, values![&user, &key_id, active])?)
        })
        .await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// There is no such user or key, the nonce was used, or the database could not be written.
    pub async fn delete_ram_user_key(
        &self,
        account: &AccountId,
        user: &str,
        key_id: &str,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let sql = "DELETE FROM ram_user_keys WHERE user_id = $1 AND access_key_id = $2";
        let (account, user, key_id) = (account.clone(), user.to_owned(), key_id.to_owned());
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let user = user_id(c, &account, &user)?;
            found(c.execute(sql, values![&user, &key_id])?)
        })
        .await
    }
}

fn found(changed: usize) -> Result<()> {
    if changed == 0 {
        return Err(IdentityError::Missing(Thing::UserAccessKey).into());
    }
    Ok(())
}
