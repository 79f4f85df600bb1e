//! What the tag operations have in common: the form of keys and values, and which of them may be set.

use super::fields::Text;
use super::operation::CallContext;
use crate::error::ApiError;
use greenroom_store::{SYSTEM_KEYS, Tag, Tagged};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// The key of a group that takes no users who do not hold a session of it already.
pub const STOP_NEW_USERS: &str = "System/Scheduler/STOP_NEW_USER_CONNECTION";

/// The service's own keys; their values are `true` and `false`.
const SYSTEM_TAGS: [&str; 2] = ["System/Scheduler/GRAYSCALE", STOP_NEW_USERS];

/// A tag to be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewTag {
    key: Text<128>,
    value: TagValue,
}

/// A value: at most 256 characters, and it may be empty.
#[derive(Debug, Clone)]
struct TagValue(String);

impl<'de> Deserialize<'de> for TagValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > 256 || text.chars().any(char::is_control) {
            return Err(D::Error::custom("not a text of at most 256 characters"));
        }
        Ok(Self(text))
    }
}

/// A tag as it is answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownTag {
    key: String,
    scope: Scope,
    /// Absent where only the key was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl ShownTag {
    /// Of which only the key is known.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self {
            scope: Scope::of(key),
            key: key.to_owned(),
            value: None,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

/// Whose a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Scope {
    /// The account's.
    Custom,
    /// The service's.
    System,
}

impl Scope {
    /// Whose a key is.
    #[must_use]
    pub fn of(key: &str) -> Self {
        if key.starts_with(SYSTEM_KEYS) {
            Self::System
        } else {
            Self::Custom
        }
    }
}

impl From<Tag> for ShownTag {
    fn from(tag: Tag) -> Self {
        Self {
            scope: Scope::of(&tag.key),
            key: tag.key,
            value: Some(tag.value),
        }
    }
}

/// The tags as they were asked for.
#[must_use]
pub fn shown(tags: &[NewTag]) -> Vec<ShownTag> {
    let shown = tags.iter().map(|tag| ShownTag {
        value: Some(tag.value.0.clone()),
        ..ShownTag::of_key(tag.key.as_str())
    });
    shown.collect()
}

/// `ResourceType` of the older operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum CloudKind {
    /// Delivery groups.
    AppInstanceGroupId,
    /// Apps of the images on offer.
    AppId,
    /// The images on offer.
    CenterImageId,
    /// The account itself, which is not named.
    AliUid,
    /// The vendor's own numbers for users: users here have none, so none is there.
    WyId,
}

impl CloudKind {
    /// What the database calls it, if there can be any.
    #[must_use]
    pub fn tagged(self) -> Option<Tagged> {
        match self {
            Self::AppInstanceGroupId => Some(Tagged::Group),
            Self::AppId => Some(Tagged::App),
            Self::CenterImageId => Some(Tagged::Image),
            Self::AliUid => Some(Tagged::Account),
            Self::WyId => None,
        }
    }

    /// Things are named, except the account.
    ///
    /// # Errors
    /// It is the other way round.
    pub fn check_ids(self, named: &[Text<64>]) -> Result<(), ApiError> {
        match (self, named.is_empty()) {
            (Self::AliUid, false) => Err(ApiError::Invalid("ResourceIds")),
            (Self::AliUid, true) | (_, false) => Ok(()),
            (_, true) => Err(ApiError::Missing("ResourceIds")),
        }
    }

    /// The things named that are there, and those that are not. Groups are looked for in the transaction
    /// that is about them, so all of them count as there.
    #[must_use]
    pub fn sort(self, cx: &CallContext<'_>, named: &[Text<64>]) -> (Vec<String>, Vec<String>) {
        let named = ids(named);
        let images = &cx.catalogue.images;
        match self {
            Self::AliUid => (vec![cx.account().as_str().to_owned()], Vec::new()),
            Self::AppInstanceGroupId => (named, Vec::new()),
            Self::WyId => (Vec::new(), named),
            Self::CenterImageId => named
                .into_iter()
                .partition(|id| images.iter().any(|image| image.id.as_str() == id)),
            Self::AppId => named.into_iter().partition(|id| {
                let mut apps = images.iter().flat_map(|image| &image.apps);
                apps.any(|app| app.id.as_str() == id)
            }),
        }
    }
}

/// A thing that could not be tagged or untagged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failed {
    code: &'static str,
    message: &'static str,
    resource_id: String,
    resource_type: CloudKind,
    tags: Vec<ShownTag>,
}

impl Failed {
    /// For this reason.
    #[must_use]
    pub fn new(id: String, kind: CloudKind, why: Reason, tags: Vec<ShownTag>) -> Self {
        Self {
            code: why.0,
            message: why.1,
            resource_id: id,
            resource_type: kind,
            tags,
        }
    }
}

/// A code and its message.
pub type Reason = (&'static str, &'static str);

/// A key is there twice.
pub const DUPLICATED: Reason = ("TAG_KEY_DUPLICATED", "Duplicate tag keys exist.");
/// The thing to be tagged does not exist.
pub const NOT_TAGGED_UNKNOWN: Reason = ("TAG_RESOURCE_FAILED", "The resource is not found.");
/// The thing would have too many tags.
pub const NOT_TAGGED_TOO_MANY: Reason = (
    "TAG_RESOURCE_FAILED",
    "A resource has at most 20 custom tags.",
);
/// The thing to be untagged does not exist.
pub const NOT_UNTAGGED: Reason = ("UNTAG_RESOURCE_FAILED", "Failed to untag resource.");

/// The tags, if all of them may be set and no key is there twice.
///
/// # Errors
/// The recorded code for what is wrong.
pub fn settable(tags: &[NewTag]) -> Result<Vec<Tag>, ApiError> {
    let mut keys = std::collections::BTreeSet::new();
    for tag in tags {
        let (key, value) = (tag.key.as_str(), tag.value.0.as_str());
        if !keys.insert(key) {
            return Err(ApiError::TagTwice);
        }
        if Scope::of(key) == Scope::System {
            check_system_key(key, ApiError::SystemTagUnknown)?;
            if !["true", "false"].contains(&value) {
                return Err(ApiError::TagValueInvalid);
            }
        }
        if ["aliyun", "acs:"].iter().any(|of| key.starts_with(of)) || has_address(key) {
            return Err(ApiError::TagKeyInvalid);
        }
        if has_address(value) {
            return Err(ApiError::TagValueInvalid);
        }
    }
    Ok(tags
        .iter()
        .map(|tag| Tag {
            key: tag.key.as_str().to_owned(),
            value: tag.value.0.clone(),
        })
        .collect())
}

/// Lets a key of the account's own pass, and of the service's those that there are.
///
/// # Errors
/// `otherwise`
pub fn check_system_key(key: &str, otherwise: ApiError) -> Result<(), ApiError> {
    if Scope::of(key) == Scope::Custom || SYSTEM_TAGS.contains(&key) {
        Ok(())
    } else {
        Err(otherwise)
    }
}

/// `ResourceType` of the newer operations: there is one, in upper or lower case.
///
/// # Errors
/// Another one is asked for.
pub fn check_resource_type(asked: &Text<64>) -> Result<(), ApiError> {
    if asked.as_str().eq_ignore_ascii_case("APPINSTANCEGROUP") {
        Ok(())
    } else {
        Err(ApiError::ResourceTypeInvalid)
    }
}

/// The texts, without those named twice.
#[must_use]
pub fn ids<const MAX: usize>(named: &[Text<MAX>]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut ids: Vec<String> = named.iter().map(|id| id.as_str().to_owned()).collect();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

fn has_address(text: &str) -> bool {
    text.contains("http://") || text.contains("https://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn keys_and_values_have_the_codes_that_are_recorded_for_them() {
        let code = |tags: &[(&str, &str)]| {
            let tags = tags
                .iter()
                .map(|(key, value)| json!({"Key": key, "Value": value}));
            let tags: Vec<NewTag> = tags.map(|tag| from_value(tag).unwrap()).collect();
            match settable(&tags) {
                Ok(_) => "OK".to_owned(),
                Err(error) => greenroom_rpc::Fault::from(&error).code,
            }
        };
        for (tags, expected) in [
            (vec![("team", "design"), ("Team", "")], "OK"),
            (vec![("System/Scheduler/GRAYSCALE", "true")], "OK"),
            (vec![("team", "a"), ("team", "b")], "InvalidTag.Duplicated"),
            (
                vec![("System/Scheduler/GRAYSCALE", "maybe")],
                "InvalidTagPolicy.ValueInvalid",
            ),
            (
                vec![("System/Other", "true")],
                "InvalidTag.SystemTagKeyInvalid",
            ),
            (vec![("aliyunteam", "a")], "InvalidTagPolicy.KeyInvalid"),
            (vec![("acs:team", "a")], "InvalidTagPolicy.KeyInvalid"),
            (vec![("see http://a", "a")], "InvalidTagPolicy.KeyInvalid"),
            (
                vec![("team", "see https://a")],
                "InvalidTagPolicy.ValueInvalid",
            ),
        ] {
            assert_eq!(code(&tags), expected, "{tags:?}");
        }
        assert!(from_value::<NewTag>(json!({"Key": "a", "Value": "x".repeat(257)})).is_err());
        assert!(from_value::<NewTag>(json!({"Key": "a"})).is_err());
    }
}
