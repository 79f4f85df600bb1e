//! Ids: a prefix that says what is named, then 17 characters of `[0-9a-z]`.

use crate::random::{Entropy, base36};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The text is no id of the asked kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotAnId(&'static str);

const RANDOM_LENGTH: usize = 17;
const MAX_LENGTH: usize = 64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal $(| $also:literal)*, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with, unless it says otherwise.
            pub const PREFIX: &'static str = $prefix;

            /// A new id.
            pub fn new(entropy: &dyn Entropy) -> Self {
                Self(format!("{}{}", $prefix, base36(entropy, RANDOM_LENGTH)))
            }

            /// Reads an id: the prefix, then 1 to 60 characters of `[0-9a-z-]`, so that names chosen by an
            /// operator (`img-this-machine`) are ids as well.
            ///
            /// # Errors
            /// The text has another form.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                let rest = text.strip_prefix($prefix)$(.or_else(|| text.strip_prefix($also)))*;
                match rest {
                    Some(rest) if well_formed(rest) && text.len() <= MAX_LENGTH => Ok(Self(text.to_owned())),
                    _ => Err(NotAnId($what)),
                }
            }

            /// The id as it is written on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A delivery group; `big-` begins those that deliver browsers.
    AppInstanceGroupId = "aig-" | "big-", "a delivery group id";
    /// A persistent session: an app somebody left and will come back to.
    PersistentId = "p-", "a persistent session id";
    /// A session slot; it carries a persistent session.
    AppInstanceId = "ai-", "an app instance id";
    /// A node pool (the vendor also says resource group).
    NodePoolId = "rg-", "a node pool id";
    /// A node of a pool.
    NodeId = "i-", "a node id";
    /// An image with apps.
    ImageId = "img-", "an image id";
    /// An app of an image.
    AppId = "ca-", "an app id";
    /// A policy.
    PolicyId = "pg-", "a policy id";
    /// A specification of a delivery group.
    SpecId = "spec-", "a specification id";
    /// A server of the database; ours, never on the vendor's wire.
    ServerId = "srv-", "a server id";
    /// A user's hold on a session from the ticket to the unbinding; ours, never on the vendor's wire.
    BindingId = "bind-", "a binding id";
}

impl AppInstanceGroupId {
    /// A new id of a group that delivers browsers.
    pub fn of_browsers(entropy: &dyn Entropy) -> Self {
        Self(format!("big-{}", base36(entropy, RANDOM_LENGTH)))
    }
}

fn well_formed(rest: &str) -> bool {
    !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-')
}

/// An account (the vendor's AliUid, also tenant id): 16 decimal digits, the first not zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// A new account id.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0_u8; 8];
        entropy.fill(&mut bytes);
        const SPAN: u64 = 9_000_000_000_000_000;
        Self((SPAN / 9 + u64::from_le_bytes(bytes) % SPAN).to_string())
    }

    /// Reads an account id.
    ///
    /// # Errors
    /// The text is not 16 digits, or begins with zero.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit());
        if digits && !text.starts_with('0') {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId("an account id"))
        }
    }

    /// The id as it is written on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the number some answers carry.
    pub fn as_number(&self) -> i64 {
        self.0.parse().unwrap_or_default()
    }
}

impl TryFrom<String> for AccountId {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::parse(&text)
    }
}
impl From<AccountId> for String {
    fn from(id: AccountId) -> String {
        id.0
    }
}
impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An end user: 1 to 64 characters of `[A-Za-z0-9._@-]`, the union of what the vendor's sources show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndUserId(String);

impl EndUserId {
    /// Reads an end user id.
    ///
    /// # Errors
    /// The text is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId("an end user id"))
        }
    }

    /// The id as it is written on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndUserId {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::parse(&text)
    }
}
impl From<EndUserId> for String {
    fn from(id: EndUserId) -> String {
        id.0
    }
}
impl fmt::Display for EndUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn a_new_id_reads_back() {
        let id = AppInstanceGroupId::new(&Zeros);
        assert_eq!(id.as_str(), "aig-00000000000000000");
        assert_eq!(AppInstanceGroupId::parse(id.as_str()), Ok(id));
        let browsers = AppInstanceGroupId::of_browsers(&Zeros);
        assert_eq!(browsers.as_str(), "big-00000000000000000");
        assert_eq!(AppInstanceGroupId::parse(browsers.as_str()), Ok(browsers));
        let account = AccountId::new(&Zeros);
        assert_eq!(AccountId::parse(account.as_str()), Ok(account));
    }

    #[test]
    fn another_kinds_id_is_refused() {
        for text in [
            "p-0",
            "aig-",
            "aig-A",
            "aig-0/..",
            "",
            &format!("aig-{}", "0".repeat(61)),
        ] {
            assert!(AppInstanceGroupId::parse(text).is_err(), "{text}");
        }
        for text in ["", "a b", "ä", &"x".repeat(65)] {
            assert!(EndUserId::parse(text).is_err(), "{text}");
        }
    }
}
