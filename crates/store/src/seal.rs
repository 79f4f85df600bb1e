//! Secrets at rest: sealed with a key that is not in the database, so that a copy of the database alone gives
//! nobody a key to sign with.
//!
//! A sealed text is the nonce, then what XChaCha20-Poly1305 makes of the secret. Its context is authenticated
//! with it: what was sealed for one access key does not open as another's.

use crate::audit::CheckpointKey;
use crate::connection::{Connection, Value, all, first, values};
use crate::error::{Result, StoreError};
use crate::{Secret, Store};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use greenroom_model::{Entropy, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// Long enough that random ones never meet.
const NONCE: usize = 24;

/// The key, and where its nonces come from. Nothing of it shows in `Debug`.
pub struct SealingKey {
    cipher: XChaCha20Poly1305,
    fingerprint: [u8; 32],
    checkpoints: CheckpointKey,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

impl SealingKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32], entropy: Arc<dyn Entropy>) -> Self {
        let mut fingerprint = Sha256::new();
        fingerprint.update(b"greenroom sealing key\0");
        fingerprint.update(bytes);
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*bytes)),
            fingerprint: fingerprint.finalize().into(),
            checkpoints: CheckpointKey::of(bytes),
            entropy,
        }
    }

    /// The key that comes from this one and signs checkpoints of the audit trail.
    pub(crate) fn checkpoints(&self) -> &CheckpointKey {
        &self.checkpoints
    }

    pub(crate) fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let payload = Payload {
            msg: secret,
            aad: context.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Corrupt("a secret is too long to be sealed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None` for what was not sealed with this key for this context.
    pub(crate) fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: context.as_bytes(),
        };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

impl Store {
    /// Whether secrets of this database are sealed already, and only their key will do.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn is_sealed(&self) -> Result<bool> {
        self.read(|c| Ok(fingerprint(c)?.is_some())).await
    }

    /// Seals with `key` from now on, and seals every secret that is not sealed yet. Clones made before know the
    /// key as well.
    ///
    /// # Errors
    /// [`StoreError::WrongSealingKey`] when the secrets are sealed with another key, or the database could not
    /// be written.
    pub async fn unlock(&self, key: SealingKey, at: Timestamp) -> Result<()> {
        let key = Arc::new(key);
        let shared = Arc::clone(&key);
        self.write(move |c| {
            check(c, &key)?;
            if fingerprint(c)?.is_none() {
                let sql = "INSERT INTO sealing_key (fingerprint, created_at) VALUES ($1, $2)";
                c.execute(sql, values![key.fingerprint.as_slice(), at])?;
            }
            for table in ["access_keys", "ram_user_keys"] {
                seal_all(c, table, &key)?;
            }
            Ok(())
        })
        .await?;
        // A second call came with the same key, or it would have been refused.
        drop(self.sealing.set(shared));
        Ok(())
    }

    /// Seals what is to be given out and recognised when it comes back.
    ///
    /// # Errors
    /// There is no key yet.
    pub fn seal(&self, context: &str, text: &[u8]) -> Result<Vec<u8>> {
        let key = self.sealing.get().ok_or(StoreError::WrongSealingKey)?;
        key.seal(context, text)
    }

    /// What was sealed for this context; `None` for anything else.
    #[must_use]
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.sealing.get()?.open(context, sealed)
    }
}

/// Fails unless the secrets are sealed with this key, or not yet with any.
pub(crate) fn check(c: &mut dyn Connection, key: &SealingKey) -> Result<()> {
    match fingerprint(c)? {
        Some(found) if found != key.fingerprint => Err(StoreError::WrongSealingKey),
        _ => Ok(()),
    }
}

fn fingerprint(c: &mut dyn Connection) -> Result<Option<Vec<u8>>> {
    let found = first(c, "SELECT fingerprint FROM sealing_key", &[], |row| {
        Ok(row.maybe_bytes(0)?.map(<[u8]>::to_vec))
    })?;
    Ok(found.flatten())
}

fn seal_all(c: &mut dyn Connection, table: &str, key: &SealingKey) -> Result<()> {
    let sql = format!("SELECT access_key_id, secret FROM {table}");
    let columns = all(c, &sql, &[], |row| {
        let column = row.maybe_bytes(1)?.unwrap_or_default().to_vec();
        Ok((row.text(0)?.to_owned(), column))
    })?;
    let sql = format!("UPDATE {table} SET secret = $2 WHERE access_key_id = $1");
    for (id, column) in columns {
        if !Secret::is_sealed(&column) {
            let sealed = Secret::from_column(&column, &id, None)?.to_column(&id, Some(key))?;
            c.execute(&sql, &[Value::from(id), Value::from(sealed)])?;
        }
    }
    Ok(())
}
