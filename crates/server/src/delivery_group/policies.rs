//! The policies that `CreateAppInstanceGroup` takes inline, and that later operations change.

use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, List, Text, Whole};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::IpAddr;

/// Pixels of one side of a session: what a holder can show.
type Side = Whole<64, 8192>;

/// `VideoPolicy`: how the picture is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VideoPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_rate: Option<FrameRate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_resolution_height: Option<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_resolution_width: Option<Side>,
    /// With `webrtc`: which transport carries what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming_mode: Option<StreamingMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_resolution_adaptive: Option<bool>,
    /// `ModifyAppPolicy` alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    visual_quality_strategy: Option<VisualQuality>,
    /// Carry the picture over WebRTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webrtc: Option<bool>,
}

/// `StreamingMode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamingMode {
    /// Everything is video.
    Video,
    /// Tiles, and video where there is motion.
    Mix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VisualQuality {
    Adaptive,
    Smooth,
    Quality,
}

/// `FrameRate`: 30 or 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct FrameRate(i64);

impl<'de> Deserialize<'de> for FrameRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            rate @ (30 | 60) => Ok(Self(rate)),
            _ => Err(serde::de::Error::custom("neither 30 nor 60")),
        }
    }
}

impl VideoPolicy {
    /// The size the group's sessions have before a viewer has one.
    pub(super) fn resolution(&self) -> Option<(u32, u32)> {
        Some((
            self.session_resolution_width?.as_u32(),
            self.session_resolution_height?.as_u32(),
        ))
    }

    /// The rules between its fields.
    ///
    /// # Errors
    /// WebRTC is asked for with the mixed stream, which it does not carry, or a width comes without a height.
    pub fn check(&self) -> Result<(), ApiError> {
        let mixed_webrtc =
            self.webrtc == Some(true) && self.streaming_mode == Some(StreamingMode::Mix);
        let half_a_size =
            self.session_resolution_width.is_some() != self.session_resolution_height.is_some();
        if mixed_webrtc || half_a_size {
            return Err(ApiError::Invalid("VideoPolicy"));
        }
        Ok(())
    }
}

/// `RuntimePolicy`: how sessions run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimePolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    debug_mode: Option<DebugMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_session_per_app: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistent_app_instance_schedule_mode: Option<ScheduleMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_pre_open: Option<Flag>,
    /// `CONSOLE` or `NORMAL`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_type: Option<SessionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_user_generation_mode: Option<UserGeneration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DebugMode {
    On,
    Off,
}

/// Where a session is placed when it comes back; on one machine both mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ScheduleMode {
    Dynamic,
    FixNode,
}

/// `SessionType`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SessionType {
    /// The console's.
    Console,
    /// A session of its own.
    Normal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserGeneration {
    Wyid,
}

/// A boolean that the vendor writes as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Flag {
    True,
    False,
}

impl RuntimePolicy {
    pub(super) fn pre_open(&self) -> bool {
        self.session_pre_open != Some(Flag::False)
    }

    pub(super) fn is_debugged(&self) -> bool {
        self.debug_mode == Some(DebugMode::On)
    }

    /// Has sessions open an app before anybody comes, or not.
    pub fn set_pre_open(&mut self, pre_open: bool) {
        self.session_pre_open = Some(if pre_open { Flag::True } else { Flag::False });
    }

    /// Gives every app a session of its own, or not.
    pub fn set_per_session_per_app(&mut self, each: bool) {
        self.per_session_per_app = Some(each);
    }

    /// The rules between its fields.
    ///
    /// # Errors
    /// Users generated at the first connection are asked for together with sessions that open before it.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.session_user_generation_mode.is_some() && self.pre_open() {
            return Err(ApiError::Invalid("RuntimePolicy"));
        }
        Ok(())
    }
}

/// `SecurityPolicy`: who is let in and what is left behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityPolicy {
    /// The session is reset when its user is unbound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_after_unbind: Option<bool>,
    /// Connecting does not check the user's authorization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_user_auth_check: Option<bool>,
}

/// `StoragePolicy`: where users' files are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StoragePolicy {
    #[serde(default)]
    storage_type_list: List<StorageType, 16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_profile: Option<UserProfile>,
    /// `ModifyAppInstanceGroupAttribute` alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_profile_follow: Option<UserProfileFollow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum StorageType {
    Off,
    Pds,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserProfile {
    /// `ModifyAppInstanceGroupAttribute` alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_system_id: Option<Text<128>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_storage_path: Option<Text<256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_storage_type: Option<RemoteStorageType>,
    /// `CreateBrowserInstanceGroup` alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_profile_size: Option<Whole<1, INT32_MAX>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_profile_switch: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserProfileFollow {
    #[serde(skip_serializing_if = "Option::is_none")]
    file_system_id: Option<Text<128>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_follow_switch: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum RemoteStorageType {
    Nas,
}

/// `UserDefinePolicy`: settings for components that only the vendor has; kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDefinePolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_config: Option<String>,
}

/// The longest `CustomConfig`.
const MAX_CUSTOM_CONFIG: usize = 64 * 1024;

impl UserDefinePolicy {
    /// What its text has to be.
    ///
    /// # Errors
    /// The text is not JSON, or too long.
    pub fn check(&self) -> Result<(), ApiError> {
        let is_json = |text: &String| {
            text.len() <= MAX_CUSTOM_CONFIG
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        };
        match self.custom_config.as_ref().filter(|text| !text.is_empty()) {
            Some(text) if !is_json(text) => Err(ApiError::Invalid("UserDefinePolicy.CustomConfig")),
            _ => Ok(()),
        }
    }
}

/// `Network`: what sessions can reach.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Network {
    /// What may be reached by name, and what may not.
    #[serde(default)]
    pub domain_rules: List<DomainRule, 100>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_expire_minutes: Option<Whole<60, INT32_MAX>>,
    /// The office network the group belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office_site_id: Option<Text<128>>,
    #[serde(default)]
    routes: List<Route, 100>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_type: Option<NetworkStrategy>,
    /// The vendor's switches that the group is behind.
    #[serde(default)]
    pub v_switch_ids: List<Text<64>, 100>,
}

/// An element of `DomainRules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DomainRule {
    domain: Text<253>,
    policy: DomainPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DomainPolicy {
    Allow,
    Block,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Route {
    destination: Text<64>,
    mode: RouteMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum RouteMode {
    Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum NetworkStrategy {
    Mixed,
    Shared,
}

impl Network {
    /// That of a group of which only its place in the vendor's network is asked for.
    #[must_use]
    pub fn of_office(office: Option<Text<128>>, switches: List<Text<64>, 100>) -> Self {
        Self {
            office_site_id: office,
            v_switch_ids: switches,
            ..Self::default()
        }
    }

    /// The rules between its fields.
    ///
    /// # Errors
    /// A route's destination is no CIDR block, or there are routes without the mixed strategy.
    pub fn check(&self) -> Result<(), ApiError> {
        let routes = self.routes.items();
        if !routes.is_empty() && self.strategy_type != Some(NetworkStrategy::Mixed) {
            return Err(ApiError::Invalid("Network.Routes"));
        }
        if !routes
            .iter()
            .all(|route| is_cidr(route.destination.as_str()))
        {
            return Err(ApiError::Invalid("Network.Routes.Destination"));
        }
        Ok(())
    }
}

/// Whether the text is a block of addresses.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|bits| bits <= longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn webrtc_does_not_go_with_the_mixed_stream() {
        for (policy, fits) in [
            (json!({"Webrtc": true, "StreamingMode": "video"}), true),
            (json!({"Webrtc": false, "StreamingMode": "mix"}), true),
            (json!({"Webrtc": true}), true),
            (json!({"Webrtc": true, "StreamingMode": "mix"}), false),
            (
                json!({"SessionResolutionWidth": 1920, "SessionResolutionHeight": 1080}),
                true,
            ),
            (json!({"SessionResolutionWidth": 1920}), false),
        ] {
            let read: VideoPolicy = from_value(policy.clone()).unwrap();
            assert_eq!(read.check().is_ok(), fits, "{policy}");
        }
        for policy in [
            json!({"FrameRate": 59}),
            json!({"SessionResolutionWidth": 63}),
            json!({"StreamingMode": "Mix"}),
        ] {
            assert!(
                from_value::<VideoPolicy>(policy.clone()).is_err(),
                "{policy}"
            );
        }
    }

    #[test]
    fn generated_users_need_sessions_that_wait_for_them() {
        for (policy, fits) in [
            (
                json!({"SessionUserGenerationMode": "wyid", "SessionPreOpen": "false"}),
                true,
            ),
            (
                json!({"SessionUserGenerationMode": "wyid", "SessionPreOpen": "true"}),
                false,
            ),
            (json!({"SessionUserGenerationMode": "wyid"}), false),
            (json!({"SessionPreOpen": "true"}), true),
        ] {
            let read: RuntimePolicy = from_value(policy.clone()).unwrap();
            assert_eq!(read.check().is_ok(), fits, "{policy}");
        }
    }

    #[test]
    fn routes_are_cidr_blocks_of_the_mixed_network() {
        let network = |destination, strategy| json!({"StrategyType": strategy, "Routes": [{"Destination": destination, "Mode": "Shared"}]});
        for (asked, fits) in [
            (network("139.196.0.0/16", "Mixed"), true),
            (network("2001:db8::/32", "Mixed"), true),
            (network("139.196.0.0/16", "Shared"), false),
            (network("139.196.0.0", "Mixed"), false),
            (network("139.196.0.0/33", "Mixed"), false),
            (network("example.com/8", "Mixed"), false),
        ] {
            let read: Network = from_value(asked.clone()).unwrap();
            assert_eq!(read.check().is_ok(), fits, "{asked}");
        }
    }

    #[test]
    fn custom_configuration_is_json_text() {
        for (text, fits) in [("[{\"target\":\"agent\"}]", true), ("", true), ("{", false)] {
            let read = UserDefinePolicy {
                custom_config: Some(text.to_owned()),
            };
            assert_eq!(read.check().is_ok(), fits, "{text}");
        }
    }
}
