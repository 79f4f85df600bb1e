//! What of a delivery group changes after it was made: the fields that are given, and no others.

use super::{Settings, unreadable, unwritable};
use crate::error::ApiError;
use greenroom_store::GroupSpec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Changes the settings of a group; made for the transaction in which a group changes.
///
/// # Errors
/// `change` refuses, or the database holds settings that this build did not write.
pub fn change_settings(
    group: &mut GroupSpec,
    change: impl FnOnce(&mut Settings) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let mut settings = Settings::from_json(&group.settings).map_err(unreadable)?;
    change(&mut settings)?;
    group.settings = settings.to_json().map_err(unwritable)?;
    Ok(())
}

/// What is kept, with what is given in its place: member by member where there are members. An empty list
/// is as good as none: the official clients write one where nothing was set.
///
/// # Errors
/// Never in practice: both are plain data.
pub fn merged<T: Serialize + DeserializeOwned>(kept: Option<&T>, given: &T) -> Result<T, ApiError> {
    let mut whole = serde_json::to_value(kept).map_err(unwritable)?;
    lay_over(&mut whole, serde_json::to_value(given).map_err(unwritable)?);
    serde_json::from_value(whole).map_err(unreadable)
}

fn lay_over(kept: &mut Value, given: Value) {
    match (kept, given) {
        (Value::Object(kept), Value::Object(given)) => {
            for (name, value) in given {
                lay_over(kept.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(_), Value::Array(given)) if given.is_empty() => {}
        (kept, given) => *kept = given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery_group::StoragePolicy;
    use serde_json::json;

    #[test]
    fn what_is_given_replaces_what_is_kept_and_nothing_else() {
        let read = |value: &Value| serde_json::from_value::<StoragePolicy>(value.clone()).unwrap();
        let kept = json!({"StorageTypeList": ["PDS"],
            "UserProfile": {"RemoteStoragePath": "/home", "UserProfileSwitch": true}});
        let given = json!({"StorageTypeList": [], "UserProfile": {"UserProfileSwitch": false}});
        let expected = json!({"StorageTypeList": ["PDS"],
            "UserProfile": {"RemoteStoragePath": "/home", "UserProfileSwitch": false}});
        let changed = merged(Some(&read(&kept)), &read(&given)).unwrap();
        assert_eq!(changed, read(&expected));
        assert_eq!(merged(None, &read(&given)).unwrap(), read(&given));
    }
}
