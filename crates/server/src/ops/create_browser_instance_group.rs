//! `CreateBrowserInstanceGroup`: makes a group that delivers browsers: one persistent session for each slot,
//! with the browser open. It answers at once; a reconciler makes the sessions real.

use super::prelude::*;
use super::tagging::{NewTag, settable};
use crate::catalogue::{BROWSER_IMAGE, Image, NODE_TYPES};
use crate::delivery_group::{
    BrowserChange, BrowserConfig, BrowserNetwork, BrowserPolicy, BrowserSettings, Network,
    NodePool, PeriodUnit, SecurityPolicy, SessionTimeout, Settings, StoragePolicy, StrategyType,
    Timer, first_wish, lasting, order_by_users, own_policy, room_for, unwritable,
};
use greenroom_store::{Beginning, GroupSpec, NewSlots};

/// `CreateBrowserInstanceGroup`
pub struct CreateBrowserInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// Of a shop that is not here, like `PromotionId`: kept, without an effect.
    app_package_type: Option<Text<256>>,
    auth_notification_enabled: Option<bool>,
    auto_pay: Option<bool>,
    auto_renew: Option<bool>,
    biz_region_id: Text<64>,
    browser_config: Option<BrowserConfig>,
    #[expect(dead_code, reason = "has one word")]
    charge_resource_mode: Option<ChargeResourceMode>,
    #[expect(dead_code, reason = "has one word")]
    charge_type: Option<ChargeKind>,
    cloud_browser_name: Text<256>,
    image_id: Option<Text<64>>,
    /// Its words are recorded nowhere: kept, without an effect.
    instance_type: Option<Text<64>>,
    max_amount: Option<Whole<1, INT32_MAX>>,
    network: Option<BrowserNetwork>,
    node_pool: Option<Pool>,
    /// The record knows Windows only. What runs here is said in every answer.
    #[expect(dead_code, reason = "only its form matters")]
    os_type: Option<OsType>,
    period: Option<Whole<1, INT32_MAX>>,
    period_unit: Option<PeriodUnit>,
    policy: Option<BrowserPolicy>,
    promotion_id: Option<Text<64>>,
    security_policy: Option<SecurityPolicy>,
    storage_policy: Option<StoragePolicy>,
    #[expect(dead_code, reason = "has one word")]
    sub_pay_type: Option<SubPayType>,
    #[serde(default)]
    tag: List<NewTag, 20>,
    #[serde(default)]
    timers: List<Timer, 1>,
    #[serde(default)]
    user_group_ids: List<Text<64>, 10>,
    #[expect(dead_code, reason = "only its form matters")]
    user_info: Option<UserMeta>,
    #[serde(default)]
    users: List<User, 200>,
}

/// Browsers are paid for by use, session by session, as many as have users in a month.
#[derive(Debug, Clone, Copy, Deserialize)]
enum ChargeResourceMode {
    AppInstance,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum ChargeKind {
    PostPaid,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SubPayType {
    Mau,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OsType {
    Linux,
    Windows,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pool {
    node_amount: Option<Whole<1, 100>>,
    node_instance_type: Option<Text<64>>,
    strategy_type: Option<StrategyType>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    end_user_id: EndUserId,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    browser_instance_group_model: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    browser_instance_group_id: AppInstanceGroupId,
    order_id: String,
}

impl Operation for CreateBrowserInstanceGroup {
    const ACTION: &'static str = "CreateBrowserInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if !cx.catalogue.has_region(req.biz_region_id.as_str()) {
            return Err(ApiError::Invalid("BizRegionId"));
        }
        let is_the_browsers = |id: &Text<64>| id.as_str() == BROWSER_IMAGE;
        if !req.image_id.as_ref().is_none_or(is_the_browsers) {
            return Err(ApiError::Invalid("ImageId"));
        }
        if req
            .period_unit
            .is_some_and(|unit| unit != PeriodUnit::Month)
        {
            return Err(ApiError::Invalid("PeriodUnit"));
        }
        if req.period.is_some_and(|period| period.get() != 1) {
            return Err(ApiError::Invalid("Period"));
        }
        // There are no user groups yet, so none can be named.
        if !req.user_group_ids.items().is_empty() {
            return Err(ApiError::Invalid("UserGroupIds"));
        }
        let strategy = req.node_pool.as_ref().and_then(|pool| pool.strategy_type);
        // The others need what the record has no fields for; `ModifyNodePoolAttribute` takes them.
        if strategy.is_some_and(|strategy| strategy != StrategyType::NodeFixed) {
            return Err(ApiError::Invalid("NodePool.StrategyType"));
        }
        let pool = req.pool();
        pool.check(ChargeType::PostPaid, cx.now)?;
        if (pool.nodes() as usize) < req.users().len() {
            return Err(ApiError::Invalid("NodePool.NodeAmount"));
        }
        settable(req.tag.items())?;
        lasting(req.policy.as_ref(), &req.timers)?;
        req.asked().check()
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let image = cx.catalogue.image(BROWSER_IMAGE);
        let image = image.ok_or(ApiError::NoStock)?;
        let beginning = Beginning {
            session_users: req.users(),
            tags: settable(req.tag.items())?,
            ..Beginning::default()
        };
        let (spec, slots) = req.into_group(cx, image)?;
        let answer = Model {
            browser_instance_group_id: spec.id.clone(),
            order_id: spec.charge.order_id.clone(),
        };
        let pool = &spec.pool;
        let fits = room_for(cx.catalogue, &pool.instance_type, pool.node_amount);
        cx.store
            .create_group(spec, slots, beginning, cx.spend_nonce(), fits)
            .await?;
        Ok(Response {
            browser_instance_group_model: answer,
        })
    }
}

impl Request {
    fn users(&self) -> Vec<EndUserId> {
        let users = self.users.items().iter();
        distinct(users.map(|user| user.end_user_id.clone()).collect())
    }

    /// The pool: where nothing is said a small node for each user, and one if there is none.
    fn pool(&self) -> NodePool {
        let asked = self.node_pool.as_ref();
        let amount = asked.and_then(|pool| pool.node_amount);
        let smallest = || Text::of(NODE_TYPES.first()?.id.to_owned());
        NodePool {
            node_amount: amount.or_else(|| Some(Whole::clamped(self.users().len() as i64))),
            node_instance_type: asked
                .and_then(|pool| pool.node_instance_type.clone())
                .or_else(smallest),
            ..NodePool::default()
        }
    }

    fn asked(&self) -> BrowserChange {
        BrowserChange {
            auth_notification_enabled: self.auth_notification_enabled,
            browser_config: self.browser_config.clone(),
            max_amount: self.max_amount,
            network: self.network.clone(),
            policy: self.policy.clone(),
        }
    }

    fn into_group(
        self,
        cx: &CallContext<'_>,
        image: &Image,
    ) -> Result<(GroupSpec, NewSlots), ApiError> {
        let id = AppInstanceGroupId::of_browsers(cx.entropy);
        let policy = own_policy(&id);
        let pool = self.pool().kept(NodePoolId::new(cx.entropy))?;
        let timeout = lasting(self.policy.as_ref(), &self.timers)?;
        let mut browser = BrowserSettings {
            instance_type: self.instance_type.clone(),
            ..BrowserSettings::default()
        };
        let asked = self.asked();
        let ids = asked.new_ids(cx.entropy);
        asked.make(&mut browser, policy.as_ref(), &ids)?;
        let skip_user_check = self
            .security_policy
            .as_ref()
            .and_then(|policy| policy.skip_user_auth_check);
        let network = self
            .network
            .map(|network| Network::of_office(network.office_site_id, network.v_switch_ids));
        let settings = Settings {
            browser: Some(browser),
            network,
            security_policy: self.security_policy,
            storage_policy: self.storage_policy,
            app_package_type: self.app_package_type,
            promotion_id: self.promotion_id,
            ..Settings::default()
        };
        let auth_mode = AuthMode::Session;
        let (desired, open) = first_wish(auth_mode, &settings, None, Some(image));
        let (nodes, capacity) = (pool.node_amount, pool.node_capacity);
        let slots = NewSlots::new(nodes, capacity, desired, open, cx.entropy);
        let (auto_pay, auto_renew) = (self.auto_pay, self.auto_renew);
        let spec = GroupSpec {
            id,
            account: cx.account().clone(),
            name: self.cloud_browser_name.into(),
            product_type: ProductType::CloudBrowser,
            auth_mode,
            region: self.biz_region_id.into(),
            image: image.id.clone(),
            spec_id: SpecId::new(cx.entropy),
            policy,
            pre_open_app: None,
            session_timeout: timeout.unwrap_or(SessionTimeout::USUAL).minutes(),
            skip_user_check: skip_user_check.unwrap_or(false),
            settings: settings.to_json().map_err(unwritable)?,
            charge: order_by_users(
                auto_pay.unwrap_or(false),
                auto_renew.unwrap_or(false),
                cx.entropy,
            ),
            pool,
            created: cx.now,
        };
        Ok((spec, slots))
    }
}

#[cfg(test)]
mod tests;
