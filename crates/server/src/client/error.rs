//! Why a call came to nothing, in words that say what to do.

use super::{Endpoint, Key, TIME};
use crate::tls::TlsError;
use serde_json::Value;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a server was not asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no endpoint.
    #[error("`{0}` is no endpoint; one is http://127.0.0.1:8080")]
    NoEndpoint(String),
    /// Nobody said where the server is, and the data folder is none that a server used.
    #[error("no server has used the data folder {}; --data-dir names another, and --endpoint or APPSTREAM_ENDPOINT a server elsewhere", .0.display())]
    NoServer(PathBuf),
    /// One of the two variables is missing.
    #[error(
        "{} and {} go together: set both or neither",
        Key::ID_VARIABLE,
        Key::SECRET_VARIABLE
    )]
    HalfKey,
    /// Nobody said with which key to sign, and the data folder has none.
    #[error(
        "no access key: set {} and {}, or name a file with --credentials, or the folder of a server with --data-dir",
        Key::ID_VARIABLE,
        Key::SECRET_VARIABLE
    )]
    NoKey,
    /// The file with the key cannot be read.
    #[error("cannot read an access key from {}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What is to be trusted cannot be read.
    #[error(transparent)]
    Trust(#[from] TlsError),
    /// Nobody listens there.
    #[error(
        "no server answers at {endpoint}; `greenroom serve` starts one, --endpoint names another"
    )]
    Absent {
        /// Where.
        endpoint: Endpoint,
        /// How that showed.
        source: io::Error,
    },
    /// The two do not agree on their encryption.
    #[error(
        "there is no trusted connection to {endpoint}; --ca-file names the certificate to trust"
    )]
    Untrusted {
        /// Where.
        endpoint: Endpoint,
        /// Why not.
        source: io::Error,
    },
    /// The connection broke off, or the answer was too large.
    #[error("the answer of {endpoint} broke off")]
    Broken {
        /// Where.
        endpoint: Endpoint,
        /// How.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There was no answer in time.
    #[error("{endpoint} has not answered within {} s", TIME.as_secs())]
    Slow {
        /// Where.
        endpoint: Endpoint,
    },
    /// What answers speaks another language.
    #[error("what answers at {0} is no greenroom server")]
    Foreign(Endpoint),
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
}

impl ClientError {
    /// The call was one too many: nothing was done, and it may be made again after this.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.throttled,
            _ => None,
        }
    }
}

/// The server's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub action: String,
    /// The fault's code.
    pub code: String,
    /// The server's text for people.
    pub message: String,
    /// By what the server's log knows the call.
    pub request_id: String,
    throttled: Option<Duration>,
    key: String,
}

impl Refusal {
    /// Reads a fault; `None` when it is none of this API's.
    pub(super) fn read(
        action: &str,
        key: &Key,
        body: &Value,
        retry_after: Option<Duration>,
    ) -> Option<Self> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let code = text("Code")?;
        Some(Self {
            action: action.to_owned(),
            throttled: retry_after.filter(|_| code.starts_with("Throttling")),
            message: text("Message")?,
            request_id: text("RequestId")?,
            key: key.to_string(),
            code,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            code,
            message,
            request_id,
            key,
            ..
        } = self;
        match code.as_str() {
            "InvalidAccessKeyId.NotFound" => write!(f, "the server knows no {key}"),
            "InvalidAccessKeyId.Inactive" => write!(f, "the server lets nobody in with {key}"),
            // The text repeats the request, a security token included.
            "SignatureDoesNotMatch" => write!(f, "the server knows another secret of {key}"),
            "InvalidTimeStamp.Expired" => f.write_str(
                "the clocks of this machine and the server's are more than 15 minutes apart",
            ),
            "InvalidAction.NotFound" | "InvalidVersion" => {
                write!(
                    f,
                    "the server has no {action}: it is older than this program"
                )
            }
            "NoPermission" => write!(
                f,
                "{key} may not do {action}: a policy of its user has to allow it (request {request_id})"
            ),
            _ => write!(
                f,
                "{action} was refused: {message} ({code}, request {request_id})"
            ),
        }
    }
}
