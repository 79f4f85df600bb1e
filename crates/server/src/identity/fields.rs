//! The fields that requests to RAM have in common.

use crate::ops::fields::{Text, Whole};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

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

/// `Marker`: where the next page begins, as the page before it said.
pub type Marker = Text<128>;

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
