//! Calls the API as an integrator does: signed requests over HTTP to the only endpoint there is.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use greenroom_rpc::date;
use greenroom_rpc::sign::{Algorithm, Call, sign_v3};
use serde_json::Value;

use crate::failure::{Context, Result, bail};
use crate::http::{self, Ask};

const VERSION: &str = "2021-09-01";

/// An access key.
#[derive(Clone)]
pub struct Keys {
    /// The half that everybody may see.
    pub id: String,
    /// The half that signs.
    pub secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The API of one server, seen by one account.
pub struct Api {
    address: SocketAddr,
    keys: Keys,
}

impl Api {
    /// Nothing is sent before the first call.
    pub fn new(address: SocketAddr, keys: Keys) -> Self {
        Self { address, keys }
    }

    /// Calls an operation with its parameters in the form body; a fault becomes a failure that names its code.
    pub fn call(&self, action: &str, form: &[(&str, &str)]) -> Result<Value> {
        let (host, nonce) = (self.address.to_string(), nonce());
        let now = i64::try_from(since_1970().as_millis()).context(|| "reading the clock".into())?;
        let signed = sign_v3(
            &Call {
                method: "POST",
                host: &host,
                action,
                version: VERSION,
                query: &[],
                form,
                access_key_id: &self.keys.id,
                secret: &self.keys.secret,
                security_token: None,
                date: &date::format(now),
                nonce: &nonce,
            },
            Algorithm::Sha256,
        );
        let target = if signed.query.is_empty() {
            "/".into()
        } else {
            format!("/?{}", signed.query)
        };
        let ask = Ask {
            method: "POST",
            target: &target,
            headers: &signed.headers,
            body: &signed.body,
        };
        let answer = http::send(self.address, &ask)?;
        let text = String::from_utf8_lossy(&answer.body);
        let value: Value = serde_json::from_str(&text)
            .context(|| format!("reading {action}'s answer `{text}`"))?;
        if answer.status != 200 {
            let part = |name: &str| value[name].as_str().unwrap_or("?").to_owned();
            bail!(
                "{action} was refused with {} {}: {}",
                answer.status,
                part("Code"),
                part("Message")
            );
        }
        Ok(value)
    }
}

/// A word no other call of this or another run uses. It must be new, not unguessable.
fn nonce() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!(
        "xtask-{}-{}-{call}",
        std::process::id(),
        since_1970().as_nanos()
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature carries the real time, and this program has no other use for a clock"
)]
fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_calls_share_a_nonce() {
        assert_ne!(nonce(), nonce());
    }

    #[test]
    fn a_secret_is_not_printed_by_accident() {
        let keys = Keys {
            id: "public".into(),
            secret: "hidden".into(),
        };
        assert!(!format!("{keys:?}").contains("hidden"));
    }
}
