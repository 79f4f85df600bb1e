//! The two secrets of a viewer: the ticket it comes with, and the token it comes back with. The database
//! keeps their digests only.
//!
//! A ticket has the form of the vendor's published sample: base64 of INI-like text. Its reader takes any
//! text that holds the secret in the right place, and looks the digest of the secret up.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use greenroom_model::Entropy;
use greenroom_model::random::base36;
use greenroom_store::Digest;
use sha2::Sha256;
use std::fmt;
use std::time::Duration;

/// How long a ticket is good.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(60);

/// 258 bits.
const SECRET_LENGTH: usize = 50;

/// The longest ticket that is read: longer ones are none of ours.
const MAX_TICKET: usize = 1024;

const FIELD: &str = "GWTokenPart1=";

/// Ours, for whoever opens the player: where there are several servers, a session is at one of them.
const ADDRESS: &str = "GreenroomGateway=";

/// A secret that stands for a right; it does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(base36(entropy, SECRET_LENGTH))
    }

    /// The secret of a ticket; `None` when the text is no ticket.
    #[must_use]
    pub fn of_ticket(ticket: &str) -> Option<Self> {
        if ticket.len() > MAX_TICKET {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(ticket.trim()).ok()?).ok()?;
        let secret = text.lines().find_map(|line| line.strip_prefix(FIELD))?;
        (!secret.is_empty()).then(|| Self(secret.to_owned()))
    }

    /// The secret as a ticket, which names the address where it is good unless that is empty.
    #[must_use]
    pub fn to_ticket(&self, address: &str) -> String {
        let gateway = match address {
            "" => String::new(),
            address => format!("{ADDRESS}{address}\r\n"),
        };
        STANDARD.encode(format!(
            "\r\n[Desktop]\r\nForceTlsType=1\r\n{gateway}{FIELD}{}\r\n",
            self.0
        ))
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        use sha2::Digest as _;
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The secret itself, to be given out as a resume token.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret that somebody shows as a resume token.
    #[must_use]
    pub fn of_resume_token(token: &str) -> Option<Self> {
        (token.len() == SECRET_LENGTH).then(|| Self(token.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_testkit::SeededEntropy;

    #[test]
    fn a_ticket_reads_back_to_the_digest_that_is_kept() {
        let secret = Secret::new(&SeededEntropy::new(1));
        let ticket = secret.to_ticket("");
        assert!(ticket.starts_with("DQpbRGVza3RvcF0N"), "{ticket}");
        assert_eq!(
            Secret::of_ticket(&ticket).map(|read| read.digest()),
            Some(secret.digest())
        );
        let elsewhere = secret.to_ticket("https://two.example");
        let read = Secret::of_ticket(&elsewhere).unwrap();
        assert_eq!(read.digest(), secret.digest());
        let text = STANDARD.decode(elsewhere).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\r\nGreenroomGateway=https://two.example\r\n"));
        let token = Secret::of_resume_token(secret.expose()).unwrap();
        assert_eq!(token.digest(), secret.digest());
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    #[test]
    fn what_is_no_ticket_is_not_read() {
        let other = STANDARD.encode("[Desktop]\r\nGWTokenPart1=\r\n");
        let long = STANDARD.encode(format!("GWTokenPart1={}", "x".repeat(2000)));
        for text in ["", "not base64!", "AAAA", other.as_str(), long.as_str()] {
            assert_eq!(Secret::of_ticket(text), None, "{text}");
        }
        assert_eq!(Secret::of_resume_token("short"), None);
    }
}
