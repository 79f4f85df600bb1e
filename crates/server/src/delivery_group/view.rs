//! A delivery group as `GetAppInstanceGroup` and `ListAppInstanceGroup` both show it.

use super::{NodePool, Settings, unreadable};
use crate::catalogue::{self, APP_VERSION, Catalogue};
use crate::error::ApiError;
use crate::ops::ShownTag;
use greenroom_model::{
    AppId, AppInstanceGroupId, AuthMode, ChargeType, GroupStatus, ImageId, NodePoolId, PolicyId,
    ProductType, SpecId,
};
use greenroom_store::Group;
use serde::Serialize;

/// What both operations answer of a group.
///
/// Absent on purpose: `AppInstanceTypeName` and the `Reserve…` fields describe groups sold by session, and
/// groups here are sold by node; `OtaInfo.TaskId` would name a running update, and there is none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupModel {
    access_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u32>,
    app_center_image_id: ImageId,
    app_instance_group_id: AppInstanceGroupId,
    app_instance_group_name: String,
    app_instance_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_policy_id: Option<PolicyId>,
    apps: Vec<App>,
    auth_mode: AuthMode,
    charge_resource_mode: String,
    charge_type: ChargeType,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_time: Option<String>,
    gmt_create: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount: Option<u32>,
    node_pool: Vec<Pool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    office_site_id: Option<String>,
    os_type: &'static str,
    ota_info: OtaInfo,
    product_type: ProductType,
    region_id: String,
    resource_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_down_after_idle_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_step: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_usage_threshold: Option<super::node_pool::Percent>,
    /// A string in answers, a number in requests.
    session_timeout: String,
    skip_user_auth_check: bool,
    spec_id: SpecId,
    status: GroupStatus,
    support_user_group_mixed_auth: bool,
    tags: Vec<ShownTag>,
    user_group_auth_mode: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct App {
    app_id: AppId,
    app_name: String,
    app_version: &'static str,
    app_version_name: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OtaInfo {
    /// Empty: nothing newer.
    new_ota_version: &'static str,
    ota_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pool {
    amount: u32,
    node_amount: u32,
    node_capacity: u32,
    node_instance_type: String,
    node_pool_id: NodePoolId,
    node_type_name: String,
    node_used: u32,
    scaling_node_amount: u32,
    scaling_node_used: u32,
    /// The rest as it was asked for.
    #[serde(flatten)]
    strategy: Strategy,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Strategy {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_idle_app_instance_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_scaling_amount: Option<i64>,
    recurrence_schedules: Vec<super::schedule::Recurrence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_down_after_idle_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_step: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_usage_threshold: Option<super::node_pool::Percent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_disable_date: Option<super::schedule::Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_enable_date: Option<super::schedule::Day>,
    strategy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_up: Option<bool>,
}

impl GroupModel {
    /// The group as it is, with the names that the catalogue has for what it is made of.
    ///
    /// # Errors
    /// The database holds settings that this build did not write.
    pub fn of(group: &Group, tags: Vec<ShownTag>, catalogue: &Catalogue) -> Result<Self, ApiError> {
        let made = &group.made;
        let settings = Settings::from_json(&made.settings).map_err(unreadable)?;
        let pool = match made.pool.instance_type.as_str() {
            "" => None,
            _ => Some(serde_json::from_str::<NodePool>(&made.pool.strategy).map_err(unreadable)?),
        };
        let nodes = pool.as_ref().map(|_| made.pool.node_amount);
        let scaling = pool
            .as_ref()
            .and_then(|pool| pool.max_scaling_amount)
            .map_or(0, |n| n.as_u32());
        Ok(Self {
            access_type: "INTERNET",
            amount: nodes,
            app_center_image_id: made.image.clone(),
            app_instance_group_id: made.id.clone(),
            app_instance_group_name: made.name.clone(),
            app_instance_type: "__dynamic__",
            app_policy_id: made.policy.clone(),
            apps: apps(catalogue, &made.image),
            auth_mode: made.auth_mode,
            charge_resource_mode: made.charge.resource_mode.clone(),
            charge_type: made.charge.charge_type,
            expired_time: made.charge.expires.map(|at| at.to_wire()),
            gmt_create: made.created.to_wire(),
            max_amount: nodes.map(|nodes| nodes.saturating_add(scaling)),
            min_amount: nodes,
            office_site_id: settings
                .network
                .and_then(|network| network.office_site_id)
                .map(Into::into),
            os_type: "Linux",
            ota_info: OtaInfo {
                new_ota_version: "",
                ota_version: env!("CARGO_PKG_VERSION"),
            },
            product_type: made.product_type,
            region_id: made.region.clone(),
            resource_status: resource_status(group.status),
            scaling_down_after_idle_minutes: pool
                .as_ref()
                .and_then(|p| p.scaling_down_after_idle_minutes)
                .map(|n| n.get()),
            scaling_step: pool.as_ref().and_then(|p| p.scaling_step).map(|n| n.get()),
            scaling_usage_threshold: pool.as_ref().and_then(|p| p.scaling_usage_threshold),
            session_timeout: made.session_timeout.to_string(),
            skip_user_auth_check: made.skip_user_check,
            spec_id: made.spec_id.clone(),
            status: group.status,
            support_user_group_mixed_auth: true,
            tags,
            user_group_auth_mode: "Mixed",
            node_pool: pool.map(|pool| Pool::of(group, pool)).into_iter().collect(),
        })
    }
}

impl Pool {
    fn of(group: &Group, pool: NodePool) -> Self {
        let made = &group.made.pool;
        let nodes = made.node_amount;
        // Persistent sessions hold their slots for as long as they exist.
        let used = |nodes| match group.made.auth_mode {
            AuthMode::Session => nodes,
            AuthMode::App | AuthMode::AppInstanceGroup => 0,
        };
        Self {
            amount: nodes,
            node_amount: nodes,
            node_capacity: made.node_capacity,
            node_type_name: catalogue::node_type(&made.instance_type)
                .map_or_else(String::new, |node| node.name(false)),
            node_instance_type: made.instance_type.clone(),
            node_pool_id: made.id.clone(),
            node_used: used(nodes),
            scaling_node_amount: group.scaling_nodes,
            scaling_node_used: used(group.scaling_nodes),
            strategy: Strategy {
                max_idle_app_instance_amount: pool.max_idle_app_instance_amount.map(|n| n.get()),
                max_scaling_amount: pool.max_scaling_amount.map(|n| n.get()),
                recurrence_schedules: pool.recurrence_schedules.into_items(),
                scaling_down_after_idle_minutes: pool
                    .scaling_down_after_idle_minutes
                    .map(|n| n.get()),
                scaling_step: pool.scaling_step.map(|n| n.get()),
                scaling_usage_threshold: pool.scaling_usage_threshold,
                strategy_disable_date: pool.strategy_disable_date,
                strategy_enable_date: pool.strategy_enable_date,
                strategy_type: pool.strategy_type.as_str(),
                warm_up: pool.warm_up,
            },
        }
    }
}

fn apps(catalogue: &Catalogue, image: &ImageId) -> Vec<App> {
    let apps = catalogue
        .image(image.as_str())
        .map(|image| image.apps.as_slice())
        .unwrap_or_default();
    let shown = apps.iter().map(|app| App {
        app_id: app.id.clone(),
        app_name: app.name.clone(),
        app_version: APP_VERSION,
        app_version_name: "Installed",
    });
    shown.collect()
}

fn resource_status(status: GroupStatus) -> &'static str {
    match status {
        GroupStatus::Deploying => "CREATING",
        GroupStatus::Published => "AVAILABLE",
        GroupStatus::Failed => "UNAVAILABLE",
        GroupStatus::Deleting => "RELEASED",
    }
}
