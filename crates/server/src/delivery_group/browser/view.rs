//! A browser group as `GetBrowserInstanceGroup` and `ListBrowserInstanceGroup` both show it.

use super::config::Bookmark;
use super::network::{AccessRestriction, RestrictedUrl};
use super::policy::BrowserPolicy;
use crate::delivery_group::{Settings, unreadable};
use crate::error::ApiError;
use crate::ops::fields::Text;
use greenroom_model::{AppInstanceGroupId, ChargeType, GroupStatus, ImageId, PolicyId};
use greenroom_store::Group;
use serde::Serialize;

/// What both operations answer of a group.
///
/// Absent on purpose: `DefaultAccessUrl`, a page of the vendor's; `Duration`, `ExpiredTime` and `Tier`, which
/// groups paid by their users do not have; `BrowserInstanceGroupSetId`, as there are no sets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrowserGroupModel {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_notification_enabled: Option<bool>,
    authorized_user_info: AuthorizedUserInfo,
    biz_region_id: String,
    browser_config: Config,
    browser_instance_group_id: AppInstanceGroupId,
    browser_instance_group_name: String,
    charge_type: ChargeType,
    gmt_create: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    image_id: ImageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<Text<64>>,
    network: Network,
    os_type: &'static str,
    policy: Policy,
    status: GroupStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_pay_type: Option<String>,
    support_user_group_mixed_auth: bool,
    timers: [Timer; 1],
    user_group_auth_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_limit: Option<UserLimit>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AuthorizedUserInfo {
    total_count: u64,
    /// There are no user groups.
    total_user_group_count: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmarks: Option<Vec<Bookmark>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_param: Option<Text<1024>>,
    /// A string in answers, a boolean in requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies_sync: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    access_restriction: AccessRestriction,
    #[serde(skip_serializing_if = "Option::is_none")]
    office_site_id: Option<Text<128>>,
    #[serde(rename = "RestrictedURLs", skip_serializing_if = "Option::is_none")]
    restricted_urls: Option<Vec<RestrictedUrl>>,
    v_switch_ids: Vec<Text<64>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    #[serde(flatten)]
    policy: BrowserPolicy,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<MorePolicy>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MorePolicy {
    disconnect_keep_session: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_keep_session_time: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_id: Option<PolicyId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Timer {
    interval: i32,
    timer_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserLimit {
    user_quota: i64,
}

/// How much of a group is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Whole,
    /// What a listing shows.
    Short,
}

impl BrowserGroupModel {
    /// The group as it is, which so many users may use.
    ///
    /// # Errors
    /// The database holds settings that this build did not write.
    pub fn of(group: &Group, users: u64, detail: Detail) -> Result<Self, ApiError> {
        let made = &group.made;
        let settings = Settings::from_json(&made.settings).map_err(unreadable)?;
        let office = settings.network.unwrap_or_default();
        let browser = settings.browser.unwrap_or_default();
        let homepage = browser.homepage().map(str::to_owned);
        let config = &browser.browser_config;
        let whole = detail == Detail::Whole;
        Ok(Self {
            auth_notification_enabled: browser.auth_notification_enabled,
            authorized_user_info: AuthorizedUserInfo {
                total_count: users,
                total_user_group_count: 0,
            },
            biz_region_id: made.region.clone(),
            browser_config: Config {
                bookmarks: whole.then(|| config.bookmarks.items().to_vec()),
                browser_param: config.browser_param.clone(),
                cookies_sync: config.cookies_sync.map(|sync| sync.to_string()),
                homepage: homepage.clone(),
            },
            browser_instance_group_id: made.id.clone(),
            browser_instance_group_name: made.name.clone(),
            charge_type: made.charge.charge_type,
            gmt_create: made.created.to_wire(),
            homepage,
            image_id: made.image.clone(),
            network: Network {
                access_restriction: browser
                    .network
                    .access_restriction
                    .unwrap_or(AccessRestriction::AllowAll),
                office_site_id: office.office_site_id,
                restricted_urls: whole.then(|| browser.network.restricted_urls.items().to_vec()),
                v_switch_ids: office.v_switch_ids.into_items(),
            },
            os_type: "Linux",
            policy: Policy {
                policy: if whole {
                    browser.policy
                } else {
                    browser.policy.in_short()
                },
                more: whole.then(|| MorePolicy::of(group)),
            },
            status: group.status,
            sub_pay_type: made.charge.sub_pay_type.clone(),
            support_user_group_mixed_auth: true,
            timers: [Timer {
                interval: made.session_timeout,
                timer_type: "SESSION_TIMEOUT",
            }],
            user_group_auth_mode: "Mixed",
            user_limit: browser.max_amount.map(|most| UserLimit {
                user_quota: most.get(),
            }),
            instance_type: browser.instance_type,
        })
    }
}

impl MorePolicy {
    fn of(group: &Group) -> Self {
        let timeout = group.made.session_timeout;
        let ends = timeout >= 0;
        Self {
            disconnect_keep_session: if ends { "customTime" } else { "persistent" },
            disconnect_keep_session_time: ends.then_some(timeout),
            policy_id: group.made.policy.clone(),
        }
    }
}
