//! The faults the vendor's gateway answers by itself, with their recorded codes, statuses and texts.
//!
//! An operation's own faults are made by whoever knows the operation, with [`Fault::new`].

use crate::params::{ParamError, Problem};
use std::fmt;

/// What every `SignatureDoesNotMatch` text carries before the string the server signed. Older official
/// clients split the message at its first colon and fail when there is none.
const STRING_TO_SIGN: &str = "server string to sign is:";

/// The most characters of a string to sign that are sent back: enough for any request made by a person, and far
/// from turning a large unsigned body into a larger answer.
const MAX_STRING_TO_SIGN: usize = 64 * 1024;

/// A refusal as the caller will see it.
#[derive(Clone, PartialEq)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's code, which clients branch on.
    pub code: String,
    /// The text for people. It may repeat parts of the request: send it, do not log it.
    pub message: String,
    /// How long to wait before trying again, for clients that read `x-acs-retry-after`.
    pub retry_after_ms: Option<u64>,
    /// Who was denied what, in a permission fault. Boxed, because nearly every fault has none.
    pub access_denied_detail: Option<Box<serde_json::Value>>,
}

impl Fault {
    /// A fault with these three and nothing else.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            access_denied_detail: None,
        }
    }

    /// The same fault, saying when to come back.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The same fault, saying who was denied what.
    #[must_use]
    pub fn access_denied_detail(mut self, detail: serde_json::Value) -> Self {
        self.access_denied_detail = Some(Box::new(detail));
        self
    }

    /// A mandatory parameter is not there.
    #[must_use]
    pub fn missing(param: &str) -> Self {
        match speakable(param) {
            Some(name) => Self::new(
                400,
                format!("Missing{name}"),
                format!("{name} is mandatory for this action."),
            ),
            None => Self::new(
                400,
                "MissingParameter",
                "A parameter that is mandatory for processing this request is not supplied.",
            ),
        }
    }

    /// A common parameter (one of the protocol, not of an operation) has a value it cannot have.
    #[must_use]
    pub fn invalid(param: &str) -> Self {
        Self::new(
            400,
            format!("Invalid{param}"),
            format!("Specified parameter {param} is not valid."),
        )
    }

    /// An operation's parameter has a value it cannot have.
    #[must_use]
    pub fn invalid_parameter(param: &str) -> Self {
        match speakable(param) {
            Some(name) => Self::new(
                400,
                format!("InvalidParameter.{name}"),
                format!("The parameter {name} is invalid."),
            ),
            None => Self::malformed("a parameter is invalid"),
        }
    }

    /// The request cannot be read, or is larger than any request may be; `what` says where.
    #[must_use]
    pub fn malformed(what: &str) -> Self {
        Self::new(
            400,
            "InvalidParameter",
            format!("The specified parameter is not valid: {what}."),
        )
    }

    /// There is no such operation in this version, or not at this path.
    #[must_use]
    pub fn no_such_action() -> Self {
        Self::new(
            404,
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
        )
    }

    /// There is no such version.
    #[must_use]
    pub fn no_such_version() -> Self {
        Self::invalid("Version")
    }

    /// An HTTP method other than GET and POST.
    #[must_use]
    pub fn unsupported_method() -> Self {
        Self::new(
            403,
            "UnsupportedHTTPMethod",
            "This http method is not supported.",
        )
    }

    /// The access key is not known.
    #[must_use]
    pub fn access_key_not_found() -> Self {
        Self::new(
            404,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        )
    }

    /// The access key is switched off.
    #[must_use]
    pub fn access_key_inactive() -> Self {
        Self::new(
            400,
            "InvalidAccessKeyId.Inactive",
            "Specified access key is disabled.",
        )
    }

    /// The signature is not the one this request should have.
    #[must_use]
    pub fn signature_does_not_match(string_to_sign: &str) -> Self {
        Self::new(
            400,
            "SignatureDoesNotMatch",
            format!(
                "Specified signature is not matched with our calculation. {STRING_TO_SIGN}{}",
                bounded(string_to_sign)
            ),
        )
    }

    /// The signature leaves out what it has to cover, or its parts are not all there.
    #[must_use]
    pub fn incomplete_signature(string_to_sign: &str) -> Self {
        Self::new(
            400,
            "IncompleteSignature",
            format!(
                "The request signature does not conform to Aliyun standards. {STRING_TO_SIGN}{}",
                bounded(string_to_sign)
            ),
        )
    }

    /// A way of signing that is not spoken here.
    #[must_use]
    pub fn invalid_signature_method() -> Self {
        Self::invalid("SignatureMethod")
    }

    /// The request was made too long ago, or too far ahead.
    #[must_use]
    pub fn time_stamp_expired() -> Self {
        Self::new(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        )
    }

    /// The request's time is not `yyyy-MM-ddTHH:mm:ssZ`.
    #[must_use]
    pub fn time_stamp_format() -> Self {
        Self::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    }

    /// The nonce was used before with this key.
    #[must_use]
    pub fn nonce_used() -> Self {
        Self::new(
            400,
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        )
    }

    /// The temporary credential has run out.
    #[must_use]
    pub fn security_token_expired() -> Self {
        Self::new(
            400,
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )
    }

    /// The security token is not one of ours.
    #[must_use]
    pub fn security_token_malformed() -> Self {
        Self::new(
            400,
            "InvalidSecurityToken.Malformed",
            "Specified SecurityToken is malformed.",
        )
    }

    /// The security token belongs to another key.
    #[must_use]
    pub fn security_token_mismatch() -> Self {
        Self::new(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )
    }

    /// The caller may not do this.
    #[must_use]
    pub fn no_permission() -> Self {
        Self::new(
            403,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        )
    }

    /// The caller asks more often than one caller may.
    #[must_use]
    pub fn throttled_user(retry_after_ms: u64) -> Self {
        Self::new(
            400,
            "Throttling.User",
            "Request was denied due to user flow control.",
        )
        .retry_after_ms(retry_after_ms)
    }

    /// The caller asks for one operation more often than one caller may.
    #[must_use]
    pub fn throttled_api(retry_after_ms: u64) -> Self {
        Self::new(
            400,
            "Throttling.Api",
            "Request was denied due to api flow control.",
        )
        .retry_after_ms(retry_after_ms)
    }

    /// Something is wrong here, and the caller cannot mend it.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            500,
            "InternalError",
            "The request processing has failed due to some unknown error, exception or failure.",
        )
    }

    /// Something is wrong here for the moment. It does not say when to come back: to the newest official clients
    /// whatever says so is throttling.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            503,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        )
    }
}

impl From<&ParamError> for Fault {
    fn from(error: &ParamError) -> Self {
        match error.problem() {
            Problem::Missing => Self::missing(&error.path()),
            Problem::Invalid => Self::invalid_parameter(&error.path()),
        }
    }
}

/// Without the string to sign, which holds the access key and, in v1, the session token.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self.message.split_once(STRING_TO_SIGN) {
            Some((before, _)) => before,
            None => &self.message,
        };
        f.debug_struct("Fault")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &message)
            .field("retry_after_ms", &self.retry_after_ms)
            .field("access_denied_detail", &self.access_denied_detail)
            .finish()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.code)
    }
}

impl std::error::Error for Fault {}

/// A parameter name becomes part of a code only when it looks like one: codes go to logs and metrics.
fn speakable(name: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (!name.is_empty() && name.len() <= 128 && name.bytes().all(plain)).then_some(name)
}

fn bounded(text: &str) -> &str {
    let cut = text.char_indices().nth(MAX_STRING_TO_SIGN);
    cut.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_says_what_was_signed_after_a_colon() {
        let fault = Fault::signature_does_not_match("GET&%2F&a%3Db");
        assert_eq!(fault.status, 400);
        assert_eq!(
            fault.message,
            "Specified signature is not matched with our calculation. \
             server string to sign is:GET&%2F&a%3Db"
        );
    }

    #[test]
    fn what_was_signed_never_shows_in_debug_or_display() {
        let fault = Fault::signature_does_not_match("AccessKeyId%3DLTAI5t");
        assert!(!format!("{fault:?} {fault}").contains("LTAI5t"));
        assert!(format!("{fault:?}").contains("SignatureDoesNotMatch"));
    }

    #[test]
    fn a_huge_string_to_sign_is_cut_between_characters() {
        let fault = Fault::signature_does_not_match(&"文".repeat(100_000));
        assert!(fault.message.chars().count() < MAX_STRING_TO_SIGN + 200);
        assert!(fault.message.ends_with('文'));
    }

    #[test]
    fn only_names_that_look_like_names_become_part_of_a_code() {
        assert_eq!(Fault::missing("AppId").code, "MissingAppId");
        assert_eq!(
            Fault::invalid_parameter("NodePool.NodeAmount").code,
            "InvalidParameter.NodePool.NodeAmount"
        );
        for odd in ["", "a\nb", "文", "<b>", &"a".repeat(129)] {
            assert_eq!(
                Fault::invalid_parameter(odd).code,
                "InvalidParameter",
                "{odd}"
            );
            assert_eq!(Fault::missing(odd).code, "MissingParameter", "{odd}");
        }
    }

    #[test]
    fn throttling_says_when_to_come_back() {
        assert_eq!(Fault::throttled_user(1500).retry_after_ms, Some(1500));
        assert!(Fault::throttled_user(1).code.contains("Throttling"));
    }
}
