//! Temporary credentials: everything about them is in the security token, sealed with the key of this
//! installation, so that giving them out writes nothing and every replica knows them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use greenroom_model::random::base36;
use greenroom_model::{AccountId, Entropy, Timestamp};
use greenroom_rpc::Fault;
use greenroom_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every temporary key begins with.
pub const PREFIX: &str = "STS.";

const CONTEXT: &str = "security token 1";

/// Temporary credentials of a role. The secret does not show in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temporary {
    /// The public half of the key.
    pub access_key_id: String,
    secret: String,
    /// Whose the role is.
    pub account: AccountId,
    /// The role's id: a role made later under the same name is another one.
    pub role_id: String,
    /// What whoever assumed it called this session.
    pub session: String,
    /// What narrows the role: a policy document.
    pub policy: Option<String>,
    /// When they end.
    pub expires: Timestamp,
}

impl fmt::Debug for Temporary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Temporary")
            .field("access_key_id", &self.access_key_id)
            .field("account", &self.account)
            .field("role_id", &self.role_id)
            .field("session", &self.session)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Temporary {
    /// New credentials.
    #[must_use]
    pub fn new(
        account: AccountId,
        role_id: String,
        session: String,
        policy: Option<String>,
        expires: Timestamp,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            access_key_id: format!("{PREFIX}{}", base36(entropy, 24)),
            secret: base36(entropy, 40),
            account,
            role_id,
            session,
            policy,
            expires,
        }
    }

    /// The secret half of the key, to be shown once and to be signed with.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The security token that goes with the key.
    ///
    /// # Errors
    /// There is nothing to seal it with.
    pub fn seal(&self, store: &Store) -> Result<String, StoreError> {
        let text = serde_json::to_vec(self).map_err(|source| StoreError::Refused {
            step: "writing a security token",
            source: source.into(),
        })?;
        Ok(BASE64_STANDARD.encode(store.seal(CONTEXT, &text)?))
    }

    /// The credentials of a token that came with a key, as far as they are good at all.
    ///
    /// # Errors
    /// The token is none of this installation's, or another key's.
    pub fn open(store: &Store, token: &str, access_key_id: &str) -> Result<Self, Fault> {
        let sealed = BASE64_STANDARD.decode(token).ok();
        let text = sealed.and_then(|sealed| store.unseal(CONTEXT, &sealed));
        let it: Option<Self> = text.and_then(|text| serde_json::from_slice(&text).ok());
        let it = it.ok_or_else(Fault::security_token_malformed)?;
        if it.access_key_id != access_key_id {
            return Err(Fault::security_token_mismatch());
        }
        Ok(it)
    }
}
