//! Nonces of calls that changed something: written with the change, so that neither a restart nor another
//! replica carries the same call out twice.

use crate::Store;
use crate::connection::{Connection, values};
use crate::error::{Result, StoreError};
use greenroom_model::Timestamp;

/// The nonce of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// A hash over everything that makes a nonce the same nonce: whose it is, and the nonce itself.
    pub hash: [u8; 32],
    /// From when on the call would be refused for its age anyway, and the nonce can be forgotten.
    pub expires: Timestamp,
}

/// Spends the nonce within the caller's transaction.
pub(crate) fn spend(c: &mut dyn Connection, nonce: Option<&Nonce>) -> Result<()> {
    let Some(nonce) = nonce else {
        return Ok(());
    };
    let fresh = c.execute(
        "INSERT INTO used_nonces (nonce_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        values![nonce.hash.as_slice(), nonce.expires],
    )?;
    if fresh == 0 {
        return Err(StoreError::NonceReplayed);
    }
    Ok(())
}

impl Store {
    /// Spends the nonce of a call that gives something out and has nothing else to write.
    ///
    /// # Errors
    /// The nonce was used, or the database could not be written.
    pub async fn spend_nonce(&self, nonce: Nonce) -> Result<()> {
        self.write(move |c| spend(c, Some(&nonce))).await
    }
}
