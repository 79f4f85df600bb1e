//! `CreateAppInstanceGroup`: makes a delivery group, with its node pool, its slots and, with
//! `AuthMode=Session`, the persistent sessions that they carry. It answers at once; a reconciler makes the
//! sessions real.

use super::prelude::*;
use crate::delivery_group::{
    ChargeResourceMode, Network, NodePool, PeriodUnit, RuntimePolicy, SecurityPolicy,
    SessionTimeout, Settings, StoragePolicy, StrategyType, SubPayType, Terms, UserDefinePolicy,
    VideoPolicy, first_wish, own_policy, room_for, unwritable,
};
use greenroom_store::{GroupSpec, NewSlots};

/// `CreateAppInstanceGroup`
pub struct CreateAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_center_image_id: Text<64>,
    app_instance_group_name: Option<Text<256>>,
    /// Of a shop that is not here, like `ClusterId` and `PromotionId`: kept, without an effect.
    app_package_type: Option<Text<256>>,
    app_policy_id: Option<Text<64>>,
    auth_mode: Option<AuthMode>,
    auto_pay: Option<bool>,
    auto_renew: Option<bool>,
    biz_region_id: Text<64>,
    charge_resource_mode: ChargeResourceMode,
    charge_type: ChargeType,
    cluster_id: Option<Text<64>>,
    network: Option<Network>,
    node_pool: Option<NodePool>,
    period: Whole<1, INT32_MAX>,
    period_unit: PeriodUnit,
    pre_open_app_id: Option<Text<64>>,
    product_type: Product,
    promotion_id: Option<Text<64>>,
    runtime_policy: Option<RuntimePolicy>,
    security_policy: Option<SecurityPolicy>,
    session_timeout: SessionTimeout,
    storage_policy: Option<StoragePolicy>,
    sub_pay_type: Option<SubPayType>,
    user_define_policy: Option<UserDefinePolicy>,
    #[serde(default)]
    user_group_ids: List<Text<64>, 10>,
    /// Says of which kind the users are; there is one kind here, so that it may be left out.
    #[expect(dead_code, reason = "only its form matters")]
    user_info: Option<UserInfo>,
    #[serde(default)]
    users: List<EndUserId, 200>,
    video_policy: Option<VideoPolicy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserInfo {
    #[serde(rename = "Type")]
    #[expect(dead_code, reason = "only its form matters")]
    kind: Option<UserKind>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum UserKind {
    #[serde(alias = "simple")]
    Simple,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    app_instance_group_model: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_instance_group_id: AppInstanceGroupId,
    /// Absent without a `NodePool` in the request: then no nodes were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    node_pool_id: Option<NodePoolId>,
    order_id: String,
}

impl Operation for CreateAppInstanceGroup {
    const ACTION: &'static str = "CreateAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.check_catalogue(cx)?;
        req.terms().check(req.product_type.0)?;
        if let Some(pool) = &req.node_pool {
            pool.check(req.charge_type, cx.now)?;
        }
        if let Some(policy) = &req.video_policy {
            policy.check()?;
        }
        if let Some(policy) = &req.runtime_policy {
            policy.check()?;
        }
        if let Some(policy) = &req.user_define_policy {
            policy.check()?;
        }
        if let Some(network) = &req.network {
            network.check()?;
        }
        // There are no user groups yet, so none can be named.
        if !req.user_group_ids.items().is_empty() {
            return Err(ApiError::Invalid("UserGroupIds"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        // Nothing here runs browsers or phones.
        if req.product_type.0 != ProductType::CloudApp {
            return Err(ApiError::NoStock);
        }
        let (spec, slots, users) = req.into_group(cx)?;
        let answer = Model {
            app_instance_group_id: spec.id.clone(),
            node_pool_id: (!spec.pool.instance_type.is_empty()).then(|| spec.pool.id.clone()),
            order_id: spec.charge.order_id.clone(),
        };
        let fits = room_for(
            cx.catalogue,
            &spec.pool.instance_type,
            spec.pool.node_amount,
        );
        cx.store
            .create_group(spec, slots, users, cx.spend_nonce(), fits)
            .await?;
        Ok(Response {
            app_instance_group_model: answer,
        })
    }
}

impl Request {
    /// What names things of the catalogue names things that are there.
    fn check_catalogue(&self, cx: &CallContext<'_>) -> Result<(), ApiError> {
        // Browsers are made into groups by an operation of their own.
        let id = self.app_center_image_id.as_str();
        let image = cx.catalogue.image_for(ProductType::CloudApp, id);
        let image = image.ok_or(ApiError::Invalid("AppCenterImageId"))?;
        if !cx.catalogue.has_region(self.biz_region_id.as_str()) {
            return Err(ApiError::Invalid("BizRegionId"));
        }
        let has_app = |asked: &Text<64>| {
            image
                .apps
                .iter()
                .any(|app| app.id.as_str() == asked.as_str())
        };
        if !self.pre_open_app_id.as_ref().is_none_or(has_app) {
            return Err(ApiError::Invalid("PreOpenAppId"));
        }
        let has_policy = |asked: &Text<64>| cx.catalogue.has_policy(asked.as_str());
        if !self.app_policy_id.as_ref().is_none_or(has_policy) {
            return Err(ApiError::Invalid("AppPolicyId"));
        }
        Ok(())
    }

    fn terms(&self) -> Terms {
        Terms {
            charge_type: self.charge_type,
            resource_mode: self.charge_resource_mode,
            period: self.period,
            period_unit: self.period_unit,
            sub_pay_type: self.sub_pay_type,
            auto_pay: self.auto_pay.unwrap_or(false),
            auto_renew: self.auto_renew.unwrap_or(false),
        }
    }

    fn into_group(
        self,
        cx: &CallContext<'_>,
    ) -> Result<(GroupSpec, NewSlots, Vec<EndUserId>), ApiError> {
        let id = AppInstanceGroupId::new(cx.entropy);
        cx.store.tells("AppInstanceGroupId", id.as_str());
        let charge = self.terms().order(cx.entropy, cx.now);
        let pool = pool(cx, self.node_pool)?;
        let auth_mode = self.auth_mode.unwrap_or(AuthMode::App);
        let skip_user_check = self
            .security_policy
            .as_ref()
            .and_then(|policy| policy.skip_user_auth_check);
        let named = |asked: &Text<64>| AppId::parse(asked.as_str()).ok();
        let pre_open_app = self.pre_open_app_id.as_ref().and_then(named);
        let settings = Settings {
            browser: None,
            network: self.network,
            runtime_policy: self.runtime_policy,
            security_policy: self.security_policy,
            storage_policy: self.storage_policy,
            user_define_policy: self.user_define_policy,
            video_policy: self.video_policy,
            app_package_type: self.app_package_type,
            cluster_id: self.cluster_id,
            promotion_id: self.promotion_id,
        };
        let image = cx.catalogue.image(self.app_center_image_id.as_str());
        let (desired, open) = first_wish(auth_mode, &settings, pre_open_app.as_ref(), image);
        let slots = NewSlots::new(
            pool.node_amount,
            pool.node_capacity,
            desired,
            open,
            cx.entropy,
        );
        let named = self.app_policy_id.as_ref();
        let policy = match named.and_then(|id| PolicyId::parse(id.as_str()).ok()) {
            Some(named) => Some(named),
            None => own_policy(&id),
        };
        let spec = GroupSpec {
            name: self
                .app_instance_group_name
                .map_or_else(|| id.to_string(), Into::into),
            id,
            account: cx.account().clone(),
            product_type: self.product_type.0,
            auth_mode,
            region: self.biz_region_id.into(),
            image: ImageId::parse(self.app_center_image_id.as_str())
                .map_err(|_| ApiError::Invalid("AppCenterImageId"))?,
            spec_id: SpecId::new(cx.entropy),
            policy,
            pre_open_app,
            session_timeout: self.session_timeout.minutes(),
            skip_user_check: skip_user_check.unwrap_or(false),
            settings: settings.to_json().map_err(unwritable)?,
            charge,
            pool,
            created: cx.now,
        };
        Ok((spec, slots, distinct(self.users.into_items())))
    }
}

/// The pool as the database keeps it; one without a type and nodes stands for none.
fn pool(
    cx: &CallContext<'_>,
    asked: Option<NodePool>,
) -> Result<greenroom_store::NodePool, ApiError> {
    let id = NodePoolId::new(cx.entropy);
    Ok(match asked {
        None => greenroom_store::NodePool {
            id,
            instance_type: String::new(),
            node_amount: 0,
            node_capacity: 0,
            strategy_type: StrategyType::NodeFixed.as_str().to_owned(),
            strategy: "{}".to_owned(),
        },
        Some(asked) => asked.kept(id)?,
    })
}

#[cfg(test)]
mod tests;
