//! The fields that requests to RAM have in common.

use crate::access::policy::{Document, MAX_CHARS, Trust};
use crate::error::ApiError;
use crate::ops::fields::{Text, Whole, filled};
use greenroom_store::PolicyKind;
use serde::de::{Deserializer, Error, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Declares the name of a kind of thing: so many letters, digits and some signs. A text that cannot be
/// one is refused where it is read, so that none is made that could not be written into a policy.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $shortest:literal..=$longest:literal, $signs:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
            #[serde(transparent)]
            pub struct $name(Text<$longest>);

            impl $name {
                /// The name.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    self.0.as_str()
                }
            }

            impl From<$name> for String {
                fn from(name: $name) -> Self {
                    name.0.into()
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = Text::deserialize(deserializer)?;
                    let fits = |c: char| c.is_ascii_alphanumeric() || $signs.contains(c);
                    let name = text.as_str();
                    if name.chars().all(fits) && name.chars().count() >= $shortest {
                        Ok(Self(text))
                    } else {
                        Err(D::Error::custom(concat!("not ", $shortest, " or more letters, digits and ", $signs)))
                    }
                }
            }
        )*
    };
}

names! {
    /// `UserName`. Older pages of the vendor have the `@`, newer ones do not.
    UserName: 1..=64, "._-@";
    /// `GroupName`.
    GroupName: 1..=64, "._-";
    /// `RoleName`.
    RoleName: 1..=64, "._-";
    /// `PolicyName`.
    PolicyName: 1..=128, "-";
    /// `RoleSessionName`: what whoever assumes a role calls that.
    RoleSessionName: 2..=64, ".@_-";
    /// `ExternalId`: a word that a role's trust policy may ask for.
    ExternalId: 2..=1224, "+=,.@:/_-";
    /// `UserAccessKeyId`: not a name that anybody chose, but bounded like one.
    AccessKeyId: 1..=128, "._-";
}

/// `Comments`, `DisplayName`.
pub type Comment = Text<128>;

/// `Description`.
pub type Description = Text<1024>;

/// `Email`, `MobilePhone`: kept for people, and used for nothing.
pub type Contact = Text<128>;

/// `MaxSessionDuration`: for how long a role can be assumed at most, in seconds.
pub type SessionSeconds = Whole<3_600, 43_200>;

/// The default of `MaxSessionDuration`.
#[must_use]
pub const fn an_hour() -> SessionSeconds {
    SessionSeconds::of(3_600)
}

/// A policy document as it was written. That it is one is a rule of its own, for it has a code of its own.
#[derive(Debug)]
pub struct PolicyText(String);

impl PolicyText {
    /// Refuses what does not say what may be done.
    ///
    /// # Errors
    /// It does not follow the grammar.
    pub fn check_policy(&self) -> Result<(), ApiError> {
        Document::read(&self.0)?;
        Ok(())
    }

    /// Refuses what does not say who may assume a role.
    ///
    /// # Errors
    /// It does not follow the grammar.
    pub fn check_trust(&self) -> Result<(), ApiError> {
        Trust::read(&self.0)?;
        Ok(())
    }
}

impl From<PolicyText> for String {
    fn from(text: PolicyText) -> Self {
        text.0
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = filled(deserializer)?;
        if text.chars().count() > MAX_CHARS {
            return Err(D::Error::custom(format_args!(
                "more than {MAX_CHARS} characters"
            )));
        }
        Ok(Self(text))
    }
}

/// `Tag` of what is made: it cannot have any, for there is no operation to change or remove them.
#[derive(Debug, Default)]
pub struct NoTags;

impl<'de> Deserialize<'de> for NoTags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TagFilter::deserialize(deserializer)? {
            TagFilter(false) => Ok(Self),
            TagFilter(true) => Err(D::Error::custom("nothing here has tags")),
        }
    }
}

/// `Tag` of a list: nothing here has any, so that a filter finds nothing.
#[derive(Debug, Default)]
pub struct TagFilter(bool);

impl TagFilter {
    /// What of `items` has the tags that are asked for.
    #[must_use]
    pub fn of<T>(&self, items: Vec<T>) -> Vec<T> {
        if self.0 { Vec::new() } else { items }
    }
}

impl<'de> Deserialize<'de> for TagFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tags = Vec::<IgnoredAny>::deserialize(deserializer)?;
        Ok(Self(!tags.is_empty()))
    }
}

/// `AllowConsoleLogin`: there is no console to log on to, so that nobody can be let.
#[derive(Debug)]
pub struct NoConsole;

impl<'de> Deserialize<'de> for NoConsole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            return Err(D::Error::custom("there is no console"));
        }
        Ok(Self)
    }
}

/// `PolicyType`: who made a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyType {
    /// The account.
    Custom,
    /// The product.
    System,
}

impl PolicyType {
    /// The same to the store.
    #[must_use]
    pub fn kind(self) -> PolicyKind {
        match self {
            Self::Custom => PolicyKind::Custom,
            Self::System => PolicyKind::System,
        }
    }
}

impl From<PolicyKind> for PolicyType {
    fn from(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Custom => Self::Custom,
            PolicyKind::System => Self::System,
        }
    }
}

/// `VersionId`: a version of a policy by its number, as in `v2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionId(u32);

impl VersionId {
    /// The one that every policy begins with.
    pub const FIRST: Self = Self(1);

    /// The version of that number.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// The text is no version of any policy.
#[derive(Debug, thiserror::Error)]
#[error("not a version")]
pub struct NotAVersion;

impl TryFrom<String> for VersionId {
    type Error = NotAVersion;

    fn try_from(text: String) -> Result<Self, NotAVersion> {
        let number = text
            .strip_prefix('v')
            .and_then(|digits| digits.parse().ok());
        let version = number.map(Self).ok_or(NotAVersion)?;
        // Written as it is answered, so that one version goes by one name.
        if version.to_string() == text {
            Ok(version)
        } else {
            Err(NotAVersion)
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Serialize for VersionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `Marker`: where the next page begins, as the page before it said: a name, and the kind of thing where names
/// alone do not tell two apart.
pub type Marker = Text<160>;

/// `MaxItems`: how many items a page has at most.
pub type MaxItems = Whole<1, 1000>;

/// The default of `MaxItems`.
#[must_use]
pub const fn hundred_items() -> MaxItems {
    MaxItems::of(100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_name_has_the_characters_that_its_kind_allows() {
        for (name, user, group, policy) in [
            ("zoe", true, true, true),
            ("zoe-2", true, true, true),
            ("zoe.b_c", true, true, false),
            ("zoe@home", true, false, false),
            ("zoë", false, false, false),
            ("z oe", false, false, false),
            ("z/oe", false, false, false),
            ("", false, false, false),
        ] {
            let fits = [
                from_value::<UserName>(json!(name)).is_ok(),
                from_value::<GroupName>(json!(name)).is_ok(),
                from_value::<PolicyName>(json!(name)).is_ok(),
            ];
            assert_eq!(fits, [user, group, policy], "{name:?}");
        }
        assert!(from_value::<UserName>(json!("x".repeat(64))).is_ok());
        assert!(from_value::<UserName>(json!("x".repeat(65))).is_err());
        assert!(from_value::<RoleSessionName>(json!("xx")).is_ok());
        assert!(from_value::<RoleSessionName>(json!("x")).is_err());
    }
}
