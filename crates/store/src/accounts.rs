//! Accounts and access keys, their own and their users'.

use crate::connection::{Connection, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::seal::SealingKey;
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

    // The form byte says how the rest is to be read.
    pub(crate) fn to_column(&self, key_id: &str, sealing: Option<&SealingKey>) -> Result<Vec<u8>> {
        let (form, rest) = match sealing {
            Some(sealing) => (SEALED, sealing.seal(&context(key_id), &self.0)?),
            None => (PLAIN, self.0.clone()),
        };
        Ok([&[form], rest.as_slice()].concat())
    }

    pub(crate) fn from_column(
        column: &[u8],
        key_id: &str,
        sealing: Option<&SealingKey>,
    ) -> Result<Self> {
        match column.split_first() {
            Some((&PLAIN, secret)) => Ok(Self(secret.to_vec())),
            Some((&SEALED, sealed)) => sealing
                .and_then(|sealing| sealing.open(&context(key_id), sealed))
                .map(Self)
                .ok_or(StoreError::WrongSealingKey),
            _ => Err(StoreError::Corrupt(
                "a secret has a form this build does not know".to_owned(),
            )),
        }
    }

    pub(crate) fn is_sealed(column: &[u8]) -> bool {
        column.first() == Some(&SEALED)
    }
}

/// "As it is": what a store without a key writes, and the first schema did.
const PLAIN: u8 = 0;
/// Sealed for the access key's id.
const SEALED: u8 = 1;

fn context(key_id: &str) -> String {
    format!("access key {key_id}")
}

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
    /// The user of that account whom it stands for; the account itself when there is none.
    pub user: Option<KeyUser>,
    /// It may be used: neither the key nor its account is switched off.
    pub active: bool,
}

/// The user of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUser {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name, for people.
    pub name: String,
    /// It is the root account.
    pub root: bool,
    /// When it was made.
    pub created: Timestamp,
    /// None of its keys works.
    pub disabled: bool,
}

const KEY: &str =
    "SELECT k.access_key_id, k.secret, k.account_id, a.is_root, k.active, a.disabled_at
    FROM access_keys k JOIN accounts a ON a.account_id = k.account_id";

const USER_KEY: &str =
    "SELECT k.access_key_id, k.secret, u.account_id, a.is_root, k.active, a.disabled_at, u.user_id, u.name
     FROM ram_user_keys k JOIN ram_users u ON u.user_id = k.user_id
     JOIN accounts a ON a.account_id = u.account_id WHERE k.access_key_id = $1";

fn key(row: &dyn Row, sealing: Option<&SealingKey>) -> Result<AccessKey> {
    let id = row.text(0)?;
    let enabled = row.maybe_integer(5)?.is_none();
    Ok(AccessKey {
        id: id.to_owned(),
        secret: Secret::from_column(row.maybe_bytes(1)?.unwrap_or_default(), id, sealing)?,
        account: word(row.text(2)?, AccountId::parse)?,
        root: narrow::<u8>(row.integer(3)?)? != 0,
        user: None,
        active: narrow::<u8>(row.integer(4)?)? != 0 && enabled,
    })
}

fn user_key(row: &dyn Row, sealing: Option<&SealingKey>) -> Result<AccessKey> {
    let user = KeyUser {
        id: row.text(6)?.to_owned(),
        name: row.text(7)?.to_owned(),
    };
    Ok(AccessKey {
        user: Some(user),
        ..key(row, sealing)?
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
        let sealing = self.sealing();
        self.write(move |c| {
            let made = c.execute(
                "INSERT INTO accounts (account_id, name, is_root, created_at) VALUES ($1, 'root', 1, $2)
                 ON CONFLICT DO NOTHING",
                values![&account, at],
            )?;
            if made == 0 {
                return Err(StoreError::Conflict("the root account"));
            }
            add_key(c, &account, &key_id, &secret, sealing.as_deref(), at)
        })
        .await
    }

    /// The root account's key; `None` before the first start.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn root(&self) -> Result<Option<AccessKey>> {
        let sealing = self.sealing();
        self.read(move |c| {
            let sql = format!("{KEY} WHERE a.is_root = 1 AND k.active = 1");
            first(c, &sql, &[], |row| key(row, sealing.as_deref()))
        })
        .await
    }

    /// Whether that is the root account.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn is_root_account(&self, account: &AccountId) -> Result<bool> {
        let account = account.clone();
        self.read(move |c| {
            let sql = "SELECT 1 FROM accounts WHERE account_id = $1 AND is_root = 1";
            let found = first(c, sql, values![&account], |row| row.integer(0))?;
            Ok(found.is_some())
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
        let sealing = self.sealing();
        self.write(move |c| {
            let sql = "SELECT account_id FROM accounts WHERE is_root = 1";
            let account = first(c, sql, &[], |row| word(row.text(0)?, AccountId::parse))?
                .ok_or(StoreError::NotFound("root account"))?;
            c.execute(
                "DELETE FROM access_keys WHERE account_id = $1",
                values![&account],
            )?;
            add_key(c, &account, &key_id, &secret, sealing.as_deref(), at)
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
        let sealing = self.sealing();
        self.write(move |c| {
            let made = c.execute(
                "INSERT INTO accounts (account_id, name, is_root, created_at) VALUES ($1, $2, 0, $3)
                 ON CONFLICT DO NOTHING",
                values![&account, name, at],
            )?;
            if made == 0 {
                return Err(StoreError::Conflict("the account"));
            }
            add_key(c, &account, &key_id, &secret, sealing.as_deref(), at)
        })
        .await
    }

    /// The access key with this id, of an account or of a user, active or not; every signed call asks for one.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn access_key(&self, id: &str) -> Result<Option<AccessKey>> {
        let (key_id, sealing) = (id.to_owned(), self.sealing());
        let read = move |c: &mut dyn Connection| {
            let sql = format!("{KEY} WHERE k.access_key_id = $1");
            let own = first(c, &sql, values![&key_id], |row| {
                key(row, sealing.as_deref())
            })?;
            if own.is_some() {
                return Ok(own);
            }
            first(c, USER_KEY, values![&key_id], |row| {
                user_key(row, sealing.as_deref())
            })
        };
        self.recently(|known| &known.keys, id.to_owned(), read)
            .await
    }

    /// Every account, the root account first, then oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        self.read(|c| {
            let sql = "SELECT account_id, name, is_root, created_at, disabled_at FROM accounts
                       ORDER BY is_root DESC, created_at, account_id";
            all(c, sql, &[], |row| {
                Ok(Account {
                    id: word(row.text(0)?, AccountId::parse)?,
                    name: row.text(1)?.to_owned(),
                    root: narrow::<u8>(row.integer(2)?)? != 0,
                    created: Timestamp(row.integer(3)?),
                    disabled: row.maybe_integer(4)?.is_some(),
                })
            })
        })
        .await
    }

    /// Lets no key of an account work any more, its users' and roles' included; the root account's always do.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such account that is not the root account, or the database
    /// could not be written.
    pub async fn disable_account(&self, account: &AccountId, at: Timestamp) -> Result<()> {
        let account = account.clone();
        self.write(move |c| {
            let sql = "UPDATE accounts SET disabled_at = COALESCE(disabled_at, $2)
                       WHERE account_id = $1 AND is_root = 0";
            match c.execute(sql, values![&account, at])? {
                0 => Err(StoreError::NotFound("account besides the root account")),
                _ => Ok(()),
            }
        })
        .await
    }
}

fn add_key(
    c: &mut dyn Connection,
    account: &AccountId,
    id: &str,
    secret: &Secret,
    sealing: Option<&SealingKey>,
    at: Timestamp,
) -> Result<()> {
    let made = c.execute(
        "INSERT INTO access_keys (access_key_id, account_id, secret, active, created_at)
         VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING",
        values![id, account, secret.to_column(id, sealing)?, at],
    )?;
    if made == 0 {
        return Err(StoreError::Conflict("the access key"));
    }
    Ok(())
}
