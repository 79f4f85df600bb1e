//! The name of a role among all roles.

use super::arn;
use super::fields::RoleName;
use crate::ops::fields::Text;
use greenroom_model::AccountId;
use serde::Deserialize;
use serde::de::value::Error as NotOne;
use serde::de::{Deserializer, Error, IntoDeserializer};
use std::fmt;

/// `acs:ram::1234567890123456:role/painter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    /// Whose the role is.
    pub account: AccountId,
    /// Its name.
    pub name: RoleName,
}

impl RoleArn {
    fn parse(text: &str) -> Option<Self> {
        let (account, name) = text.strip_prefix("acs:ram::")?.split_once(":role/")?;
        let name = RoleName::deserialize(IntoDeserializer::<NotOne>::into_deserializer(name));
        Some(Self {
            account: AccountId::parse(account).ok()?,
            name: name.ok()?,
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&arn::role(&self.account, self.name.as_str()))
    }
}

impl<'de> Deserialize<'de> for RoleArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::<128>::deserialize(deserializer)?;
        Self::parse(text.as_str()).ok_or_else(|| D::Error::custom("not the ARN of a role"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_an_account_and_a_role_of_it() {
        let text = "acs:ram::1234567890123456:role/painter";
        assert_eq!(RoleArn::parse(text).unwrap().to_string(), text);
        for other in [
            "painter",
            "acs:ram::1234567890123456:user/painter",
            "acs:ram::123:role/painter",
            "acs:ram:*:1234567890123456:role/painter",
            "acs:ram::1234567890123456:role/",
            "acs:ram::1234567890123456:role/pain ter",
            "acs:ram::1234567890123456:role/a/b",
            "acs:ram::1234567890123456:role/*",
        ] {
            assert_eq!(RoleArn::parse(other), None, "{other}");
        }
    }
}
