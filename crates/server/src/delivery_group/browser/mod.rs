//! What a group that delivers browsers has beside other groups, in the vendor's words. A new group's settings are
//! the change of empty ones, so that what may be asked for at first may be asked for later.

mod address;
mod config;
mod managed;
mod network;
mod numbered;
mod policy;
mod switches;
mod view;

pub use config::BrowserConfig;
pub use network::BrowserNetwork;
pub use policy::{BrowserPolicy, Timer, lasting};
pub use view::{BrowserGroupModel, Detail};

use super::change::merged;
use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, Text, Whole};
use greenroom_model::random::base36;
use greenroom_model::{Entropy, PolicyId};
use serde::{Deserialize, Serialize};

/// Characters of an id of an element of a list, after its prefix.
const ID_LENGTH: usize = 17;

/// What is kept of a browser group and no column of the database is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrowserSettings {
    /// `AuthNotificationEnabled`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_notification_enabled: Option<bool>,
    /// `BrowserConfig`
    #[serde(default)]
    pub browser_config: BrowserConfig,
    /// `InstanceType`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<Text<64>>,
    /// `MaxAmount`: users in a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Whole<1, INT32_MAX>>,
    /// `Network`, except what other groups have as well.
    #[serde(default)]
    pub network: BrowserNetwork,
    /// `Policy`, except how long a hold outlasts its viewer, which is the group's session timeout.
    #[serde(default)]
    pub policy: BrowserPolicy,
}

impl BrowserSettings {
    /// What the browser opens when it starts.
    #[must_use]
    pub fn homepage(&self) -> Option<&str> {
        Some(self.browser_config.homepage.as_ref()?.as_str())
    }
}

/// What is asked of the settings of a browser group; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct BrowserChange {
    /// `AuthNotificationEnabled`
    pub auth_notification_enabled: Option<bool>,
    /// `BrowserConfig`
    pub browser_config: Option<BrowserConfig>,
    /// `MaxAmount`
    pub max_amount: Option<Whole<1, INT32_MAX>>,
    /// `Network`
    pub network: Option<BrowserNetwork>,
    /// `Policy`
    pub policy: Option<BrowserPolicy>,
}

impl BrowserChange {
    /// The rules that hold whatever the group is like.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn check(&self) -> Result<(), ApiError> {
        if let Some(config) = &self.browser_config {
            config.check()?;
        }
        if let Some(network) = &self.network {
            network.check()?;
        }
        match &self.policy {
            Some(policy) => policy.check(),
            None => Ok(()),
        }
    }

    /// Ids for whatever may be new in it, without their prefixes.
    #[must_use]
    pub fn new_ids(&self, entropy: &dyn Entropy) -> Vec<String> {
        let bookmarks = self
            .browser_config
            .as_ref()
            .map(|it| it.bookmarks.items().len());
        let urls = self
            .network
            .as_ref()
            .map(|it| it.restricted_urls.items().len());
        let new = bookmarks.unwrap_or(0) + urls.unwrap_or(0);
        (0..new).map(|_| base36(entropy, ID_LENGTH)).collect()
    }

    /// Makes it, of a group that follows this policy, with those ids.
    ///
    /// # Errors
    /// It names what the group does not have, or the group would have too much of something.
    pub fn make(
        &self,
        kept: &mut BrowserSettings,
        own: Option<&PolicyId>,
        ids: &[String],
    ) -> Result<(), ApiError> {
        let notify = self.auth_notification_enabled;
        kept.auth_notification_enabled = notify.or(kept.auth_notification_enabled);
        kept.max_amount = self.max_amount.or(kept.max_amount);
        let mut ids = ids.iter();
        if let Some(given) = &self.browser_config {
            kept.browser_config.change(given, &mut ids)?;
        }
        if let Some(given) = &self.network {
            kept.network.change(given, &mut ids)?;
        }
        if let Some(given) = &self.policy {
            given.check_id(own)?;
            let policy = kept.policy.with_rules_of(given)?;
            kept.policy = merged(Some(&policy), &given.without_rules())?;
        }
        Ok(())
    }
}
