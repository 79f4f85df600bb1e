//! A delivery group as its creator describes it and as the answers show it.

mod browser;
mod change;
mod charge;
mod node_pool;
mod policies;
mod scaling;
mod schedule;
mod size;
mod view;

pub use browser::{
    BrowserChange, BrowserConfig, BrowserGroupModel, BrowserNetwork, BrowserPolicy,
    BrowserSettings, Detail, Timer, lasting,
};
pub use change::{change_settings, merged};
pub use charge::{
    ChargeResourceMode, PaidTime, PeriodUnit, Price, Rule, SubPayType, Terms, order_by_users,
    order_id,
};
pub use node_pool::{Names, NodePool, StrategyType, node_type_on_offer};
pub use policies::{
    DomainRule, Network, RuntimePolicy, SecurityPolicy, SessionType, StoragePolicy, StreamingMode,
    UserDefinePolicy, VideoPolicy,
};
pub use scaling::{Usage, decide, idle_before};
pub use size::{Change, first_wish, room_for};
pub use view::GroupModel;

use crate::error::ApiError;
use crate::ops::fields::{Text, Whole};
use greenroom_model::{AppInstanceGroupId, PolicyId};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// What the creator of a group asked for and no column of the database is for; kept as JSON beside it, in
/// the vendor's own words, so that a later operation can answer it as it was asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settings {
    /// What only a group that delivers browsers has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserSettings>,
    /// `Network`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// `RuntimePolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_policy: Option<RuntimePolicy>,
    /// `SecurityPolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<SecurityPolicy>,
    /// `StoragePolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_policy: Option<StoragePolicy>,
    /// `UserDefinePolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_define_policy: Option<UserDefinePolicy>,
    /// `VideoPolicy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_policy: Option<VideoPolicy>,
    /// `AppPackageType`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_package_type: Option<Text<256>>,
    /// `ClusterId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<Text<64>>,
    /// `PromotionId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion_id: Option<Text<64>>,
}

impl Settings {
    /// Reads back what the database kept.
    ///
    /// # Errors
    /// It is not what [`Settings::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The form that the database keeps.
    ///
    /// # Errors
    /// Never in practice: every part is plain data.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The size of a session of the group, in pixels, before any viewer has one.
    #[must_use]
    pub fn resolution(&self) -> (u32, u32) {
        self.video_policy
            .as_ref()
            .and_then(VideoPolicy::resolution)
            .unwrap_or(DEFAULT_RESOLUTION)
    }

    /// Whether sessions open an app before anybody comes.
    #[must_use]
    pub fn pre_open(&self) -> bool {
        self.runtime_policy
            .as_ref()
            .is_none_or(RuntimePolicy::pre_open)
    }

    /// Whether a session is reset once its last user has been unbound.
    #[must_use]
    pub fn reset_after_unbind(&self) -> bool {
        let policy = self.security_policy.as_ref();
        policy.and_then(|policy| policy.reset_after_unbind) == Some(true)
    }

    /// Whether images may be made of it (`RuntimePolicy.DebugMode`).
    pub fn is_debugged(&self) -> bool {
        let policy = self.runtime_policy.as_ref();
        policy.is_some_and(RuntimePolicy::is_debugged)
    }
}

/// `SessionTimeout`: minutes that a binding outlives its viewer: 3 to 300, or -1 for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimeout(i32);

impl SessionTimeout {
    /// A binding does not end for want of a viewer.
    pub const NEVER: Self = Self(-1);
    /// Where nothing is said.
    pub const USUAL: Self = Self(15);

    /// The number.
    #[must_use]
    pub const fn minutes(self) -> i32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for SessionTimeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Whole::<-1, 300>::deserialize(deserializer)?.as_i32() {
            0..=2 => Err(D::Error::custom("neither -1 nor 3 to 300")),
            minutes => Ok(Self(minutes)),
        }
    }
}

/// The policy of a group that names none: one of its own, told by the same characters.
#[must_use]
pub fn own_policy(group: &AppInstanceGroupId) -> Option<PolicyId> {
    let (_, rest) = group.as_str().split_once('-')?;
    PolicyId::parse(&format!("{}{rest}", PolicyId::PREFIX)).ok()
}

/// The fault for settings that this build did not write.
pub fn unreadable(source: serde_json::Error) -> ApiError {
    ApiError::Internal {
        step: "a group's settings in the database cannot be read",
        source: source.into(),
    }
}

/// The fault for settings that do not write.
pub fn unwritable(source: serde_json::Error) -> ApiError {
    ApiError::Internal {
        step: "a group's settings cannot be written as JSON",
        source: source.into(),
    }
}

/// The size of a session whose group names none.
const DEFAULT_RESOLUTION: (u32, u32) = (1280, 800);
