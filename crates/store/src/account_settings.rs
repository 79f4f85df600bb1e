//! What an account has set for itself.

use crate::Store;
use crate::connection::{first, values};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::AccountId;

impl Store {
    /// Whether the account wants to be reminded of groups that expire; `None` when it never said.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn expire_remind(&self, account: &AccountId) -> Result<Option<bool>> {
        let account = account.clone();
        self.read(move |c| {
            let sql = "SELECT expire_remind FROM account_settings WHERE account_id = $1";
            first(c, sql, values![&account], |row| Ok(row.integer(0)? != 0))
        })
        .await
    }

    /// Writes down whether the account wants to be reminded; `None` leaves it as it is.
    ///
    /// # Errors
    /// [`StoreError::NonceReplayed`](crate::StoreError::NonceReplayed), or the database could not be
    /// written.
    pub async fn set_expire_remind(
        &self,
        account: &AccountId,
        remind: Option<bool>,
        nonce: Option<Nonce>,
    ) -> Result<()> {
        let account = account.clone();
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let Some(remind) = remind else {
                return Ok(());
            };
            c.execute(
                "INSERT INTO account_settings (account_id, expire_remind) VALUES ($1, $2)
                 ON CONFLICT (account_id) DO UPDATE SET expire_remind = $2",
                values![&account, remind],
            )?;
            Ok(())
        })
        .await
    }
}
