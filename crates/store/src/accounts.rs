//! Accounts and their access keys.

use crate::connection::{Connection, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::{Store, connection::Row};
use greenroom_model::{AccountId, Timestamp};
use std::fmt;

/// The secret half of an access key; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The secret itself, to sign with.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    // The form byte says how the rest is to be read; 0 is "as it is".
    pub(crate) fn to_column(&self) -> Vec<u8> {
        let mut column = Vec::with_capacity(self.0.len() + 1);
        column.push(PLAIN);
        column.extend_from_slice(&self.0);
        column
    }

    fn from_column(column: Option<&[u8]>) -> Result<Self> {
        match column.and_then(<[u8]>::split_first) {
            Some((&PLAIN, secret)) => Ok(Self(secret.to_vec())),
            _ => Err(StoreError::Corrupt(
                "a secret has a form this build does not know".to_owned(),
            )),
        }
    }
}

const PLAIN: u8 = 0;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An access key and whom it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
    /// The account it belongs to.
    pub account: AccountId,
    /// That account is the root account.
    pub root: bool,
    /// It may be used.
    pub active: bool,
}

const KEY: &str = "SELECT k.access_key_id, k.secret, k.account_id, a.is_root, k.active
    FROM access_keys k JOIN accounts a ON a.account_id = k.account_id";

fn key(row: &dyn Row) -> Result<AccessKey> {
    Ok(AccessKey {
        id: row.text(0)?.to_owned(),
        secret: Secret::from_column(row.maybe_bytes(1)?)?,
        account: word(row.text(2)?, AccountId::parse)?,
        root: narrow::<u8>(row.integer(3)?)? != 0,
        active: narrow::<u8>(row.integer(4)?)? != 0,
    })
}

impl Store {
    /// Makes the root account with its first key; [`StoreError::Conflict`] when there is one already.
    ///
    /// # Errors
    /// As said, or the database could not be written.
    pub async fn first_start(
        &self,
        account: AccountId,
        key_id: String,
        secret: Secret,
        at: Timestamp,
    ) -> Result<()> {
        self.write(move |c| {
            let made = c.execute(
                "INSERT INTO accounts (account_id, name, is_root, created_at) VALUES ($1, 'root', 1, $2)
                 ON CONFLICT DO NOTHING",
                values![&account, at],
            )?;
            if made == 0 {
                return Err(StoreError::Conflict("the root account"));
            }
            add_key(c, &account, &key_id, &secret, at)
        })
        .await
    }

    /// The root account's key; `None` before the first start.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn root(&self) -> Result<Option<AccessKey>> {
        self.read(|c| {
            first(
                c,
                &format!("{KEY} WHERE a.is_root = 1 AND k.active = 1"),
                &[],
                key,
            )
        })
        .await
    }

    /// Puts a new key in the place of every key of the root account, from this moment on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] before the first start, [`StoreError::Conflict`] when the id is taken by
    /// another account's key, or the database could not be written.
    pub async fn rotate_root_key(
        &self,
        key_id: String,
        secret: Secret,
        at: Timestamp,
    ) -> Result<()> {
        self.write(move |c| {
            let sql = "SELECT account_id FROM accounts WHERE is_root = 1";
            let account = first(c, sql, &[], |row| word(row.text(0)?, AccountId::parse))?
                .ok_or(StoreError::NotFound("root account"))?;
            c.execute(
                "DELETE FROM access_keys WHERE account_id = $1",
                values![&account],
            )?;
            add_key(c, &account, &key_id, &secret, at)
        })
        .await
    }

    /// Makes an account that is not the root account, with a key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the account or key id is taken, or the database could not be written.
    pub async fn add_account(
        &self,
        account: AccountId,
        name: String,
        key_id: String,
        secret: Secret,
        at: Timestamp,
    ) -> Result<()> {
        self.write(move |c| {
            let made = c.execute(
                "INSERT INTO accounts (account_id, name, is_root, created_at) VALUES ($1, $2, 0, $3)
                 ON CONFLICT DO NOTHING",
                values![&account, name, at],
            )?;
            if made == 0 {
                return Err(StoreError::Conflict("the account"));
            }
            add_key(c, &account, &key_id, &secret, at)
        })
        .await
    }

    /// The access key with this id, used or not; every signed call asks for one.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn access_key(&self, id: &str) -> Result<Option<AccessKey>> {
        let id = id.to_owned();
        self.read(move |c| {
            first(
                c,
                &format!("{KEY} WHERE k.access_key_id = $1"),
                values![id],
                key,
            )
        })
        .await
    }
}

fn add_key(
    c: &mut dyn Connection,
    account: &AccountId,
    id: &str,
    secret: &Secret,
    at: Timestamp,
) -> Result<()> {
    let made = c.execute(
        "INSERT INTO access_keys (access_key_id, account_id, secret, active, created_at)
         VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING",
        values![id, account, secret.to_column(), at],
    )?;
    if made == 0 {
        return Err(StoreError::Conflict("the access key"));
    }
    Ok(())
}
