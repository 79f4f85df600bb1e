//! Signatures: what was signed, and whether the signature is the one it should have.

pub(crate) mod v1;
pub(crate) mod v3;

use crate::fault::Fault;
use std::fmt;
use subtle::ConstantTimeEq;

/// How far a request's time may lie from the server's, either way.
pub const TIME_TOLERANCE_MS: i64 = 15 * 60 * 1000;

/// A signed request's claim: made by this key, at this time, with this nonce.
pub struct Signed {
    /// The access key the request says it was signed with.
    pub access_key_id: String,
    /// The token that goes with a temporary access key.
    pub security_token: Option<String>,
    /// The client's one-time word.
    pub nonce: String,
    /// When the client made the request, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    method: Method,
    /// The texts the client may have signed, the likeliest first: clients differ in details.
    strings_to_sign: Vec<String>,
    /// False when the body is not the one whose hash was signed.
    body_is_intact: bool,
    signature: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    V1,
    V3(v3::Algorithm),
}

impl Signed {
    /// Whether the request was signed with `secret`.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch`, with the text that should have been signed.
    pub fn verify(&self, secret: &str) -> Result<(), Fault> {
        let matches = self.strings_to_sign.iter().any(|text| {
            let expected = match self.method {
                Method::V1 => v1::signature(secret, text),
                Method::V3(algorithm) => algorithm.hmac(secret.as_bytes(), text.as_bytes()),
            };
            expected.as_bytes().ct_eq(self.signature.as_bytes()).into()
        });
        if matches && self.body_is_intact {
            Ok(())
        } else {
            Err(Fault::signature_does_not_match(self.string_to_sign()))
        }
    }

    /// Whether the request was made within [`TIME_TOLERANCE_MS`] of `now_ms`.
    ///
    /// # Errors
    /// `InvalidTimeStamp.Expired`.
    pub fn check_time(&self, now_ms: i64) -> Result<(), Fault> {
        if now_ms.abs_diff(self.timestamp_ms) <= TIME_TOLERANCE_MS.unsigned_abs() {
            Ok(())
        } else {
            Err(Fault::time_stamp_expired())
        }
    }

    /// The text this request's signature has to be made over. It holds the access key and, in v1, the
    /// security token: not for logs.
    #[must_use]
    pub fn string_to_sign(&self) -> &str {
        self.strings_to_sign.first().map_or("", String::as_str)
    }
}

/// Without the token, the signature and what was signed.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("method", &self.method)
            .field("timestamp_ms", &self.timestamp_ms)
            .finish_non_exhaustive()
    }
}
