//! `ModifyBrowserInstanceGroup`: decides anew about a group that delivers browsers. What is not given stays.
//!
//! What its users may do reaches browsers that run within seconds. Switches and the page that is opened count from
//! a browser's next start; how long a hold outlasts its viewer, from the next viewer that leaves.

use super::prelude::*;
use crate::delivery_group::{
    BrowserChange, BrowserConfig, BrowserNetwork, BrowserPolicy, StoragePolicy, Timer,
    change_settings, lasting, merged,
};
use greenroom_store::{Chosen, GroupSpec, StoreError};

/// `ModifyBrowserInstanceGroup`
pub struct ModifyBrowserInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    auth_notification_enabled: Option<bool>,
    browser_config: Option<BrowserConfig>,
    browser_instance_group_id: Ref<AppInstanceGroupId>,
    cloud_browser_name: Option<Text<256>>,
    max_amount: Option<Whole<1, INT32_MAX>>,
    network: Option<BrowserNetwork>,
    policy: Option<BrowserPolicy>,
    storage_policy: Option<StoragePolicy>,
    #[serde(default)]
    timers: List<Timer, 1>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for ModifyBrowserInstanceGroup {
    const ACTION: &'static str = "ModifyBrowserInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        lasting(req.policy.as_ref(), &req.timers)?;
        req.asked().check()
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx.browser_group(&req.browser_instance_group_id).await?;
        let asked = req.asked();
        let ids = asked.new_ids(cx.entropy);
        cx.store
            .change_groups(
                cx.account(),
                ProductType::CloudBrowser,
                Chosen::Group(group.made.id),
                cx.spend_nonce(),
                cx.now,
                move |group| req.change(&asked, &ids, group),
            )
            .await
            .map_err(|error| match error {
                StoreError::NotFound(_) => ApiError::BrowserGroupNotFound,
                other => other.into(),
            })??;
        Ok(Response {})
    }
}

impl Request {
    fn asked(&self) -> BrowserChange {
        BrowserChange {
            auth_notification_enabled: self.auth_notification_enabled,
            browser_config: self.browser_config.clone(),
            max_amount: self.max_amount,
            network: self.network.clone(),
            policy: self.policy.clone(),
        }
    }

    fn change(
        &self,
        asked: &BrowserChange,
        ids: &[String],
        group: &mut GroupSpec,
    ) -> Result<(), ApiError> {
        if let Some(name) = &self.cloud_browser_name {
            group.name = name.as_str().to_owned();
        }
        if let Some(timeout) = lasting(self.policy.as_ref(), &self.timers)? {
            group.session_timeout = timeout.minutes();
        }
        let own = group.policy.clone();
        change_settings(group, |settings| {
            let browser = settings.browser.get_or_insert_default();
            asked.make(browser, own.as_ref(), ids)?;
            if let Some(policy) = &self.storage_policy {
                let kept = settings.storage_policy.as_ref();
                settings.storage_policy = Some(merged(kept, policy)?);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
