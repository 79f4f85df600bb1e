//! `CreateAppInstanceGroup`: makes a delivery group, with its node pool, its slots and, with
//! `AuthMode=Session`, the persistent sessions that they carry. It answers at once; a reconciler makes the
//! sessions real.

use super::prelude::*;
use crate::catalogue::{self, Budget};
use crate::delivery_group::{
    ChargeResourceMode, Network, NodePool, PeriodUnit, RuntimePolicy, SecurityPolicy, Settings,
    StoragePolicy, StrategyType, SubPayType, Terms, UserDefinePolicy, VideoPolicy,
};
use greenroom_store::{GroupSpec, NewSlots, NodesInUse};

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
    session_timeout: Whole<-1, 300>,
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
        // -1: never; else 3 minutes or more.
        if matches!(req.session_timeout.get(), 0..=2) {
            return Err(ApiError::Invalid("SessionTimeout"));
        }
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
        let wanted = budget_of(&spec.pool.instance_type, spec.pool.node_amount.into());
        let whole = cx.catalogue.budget;
        let fits = move |in_use: &[NodesInUse]| {
            in_use
                .iter()
                .map(taken)
                .fold(wanted, Budget::plus)
                .fits(whole)
        };
        cx.store
            .create_group(spec, slots, users, cx.spend_nonce(), fits)
            .await?;
        Ok(Response {
            app_instance_group_model: answer,
        })
    }
}

fn taken(nodes: &NodesInUse) -> Budget {
    budget_of(&nodes.instance_type, nodes.nodes)
}

fn budget_of(instance_type: &str, nodes: u64) -> Budget {
    catalogue::node_type(instance_type)
        .map_or_else(Budget::default, |node| Budget::of_nodes(node, nodes))
}

impl Request {
    /// What names things of the catalogue names things that are there.
    fn check_catalogue(&self, cx: &CallContext<'_>) -> Result<(), ApiError> {
        let image = cx.catalogue.image(self.app_center_image_id.as_str());
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
        let first_app = || {
            cx.catalogue
                .image(self.app_center_image_id.as_str())?
                .apps
                .first()
        };
        let opened = pre_open_app
            .clone()
            .or_else(|| first_app().map(|app| app.id.clone()));
        // Sessions that wait for their user open what the user asks for, and nothing beside it.
        let open = opened.filter(|_| settings.pre_open());
        let slots = NewSlots::new(
            pool.node_amount,
            pool.node_capacity,
            auth_mode == AuthMode::Session,
            if settings.pre_open() {
                Desired::Running
            } else {
                Desired::Stopped
            },
            open.into_iter().collect(),
            cx.entropy,
        );
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
            policy: self
                .app_policy_id
                .and_then(|id| PolicyId::parse(id.as_str()).ok()),
            pre_open_app,
            session_timeout: self.session_timeout.as_i32(),
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
        Some(asked) => greenroom_store::NodePool {
            id,
            instance_type: asked.node_instance_type.as_str().to_owned(),
            node_amount: asked.nodes(),
            node_capacity: asked.node_capacity.as_u32(),
            strategy_type: asked.strategy_type.as_str().to_owned(),
            strategy: serde_json::to_string(&asked).map_err(unwritable)?,
        },
    })
}

fn unwritable(source: serde_json::Error) -> ApiError {
    ApiError::Internal {
        step: "a group's settings cannot be written as JSON",
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, group_request};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn the_answer_names_group_pool_and_order() {
        let server = TestServer::start().await;
        let answer = server
            .ok("CreateAppInstanceGroup", group_request(json!({})))
            .await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn a_group_for_sessions_gets_one_for_each_slot() {
        let server = TestServer::start().await;
        let id = server
            .create_group(json!({"AppInstanceGroupName": "office", "NodePool":
                {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 2, "NodeCapacity": 2}}))
            .await;
        let sessions = server.sessions(&id).await;
        let names: Vec<_> = sessions
            .iter()
            .map(|s| s["AppInstancePersistentName"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["office-1", "office-2", "office-3", "office-4"]);
        for session in &sessions {
            assert_eq!(session["AppInstancePersistentStatus"], "PENDING");
        }
    }

    #[tokio::test]
    async fn other_groups_have_none_and_a_group_without_a_name_is_named_by_its_id() {
        let server = TestServer::start().await;
        for mode in ["App", "AppInstanceGroup"] {
            let id = server
                .create_group(json!({"AuthMode": mode, "AppInstanceGroupName": ""}))
                .await;
            assert_eq!(server.sessions(&id).await, [] as [Value; 0]);
            let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
            let group = server.ok("GetAppInstanceGroup", ask).await;
            assert_eq!(
                group["AppInstanceGroupModels"]["AppInstanceGroupName"],
                json!(id)
            );
        }
    }

    #[tokio::test]
    async fn the_mandatory_fields_alone_make_a_group_without_nodes() {
        let server = TestServer::start().await;
        let mut ask = group_request(json!({}));
        for optional in ["AuthMode", "NodePool", "AppInstanceGroupName"] {
            ask.as_object_mut().unwrap().remove(optional);
        }
        let answer = server.ok("CreateAppInstanceGroup", ask).await;
        let model = &answer["AppInstanceGroupModel"];
        assert_eq!(model.get("NodePoolId"), None);
        let ask =
            json!({"AppInstanceGroupId": model["AppInstanceGroupId"], "ProductType": "CloudApp"});
        let group = server.ok("GetAppInstanceGroup", ask).await;
        assert_eq!(group["AppInstanceGroupModels"]["NodePool"], json!([]));
        assert_eq!(group["AppInstanceGroupModels"]["AuthMode"], "App");
    }

    #[tokio::test]
    async fn rules_between_fields_are_named_in_the_fault_and_nothing_is_made() {
        let server = TestServer::start().await;
        for (more, code) in [
            (
                json!({"AppCenterImageId": "img-other"}),
                "InvalidParameter.AppCenterImageId",
            ),
            (
                json!({"BizRegionId": "cn-hangzhou"}),
                "InvalidParameter.BizRegionId",
            ),
            (
                json!({"PreOpenAppId": "ca-other"}),
                "InvalidParameter.PreOpenAppId",
            ),
            (
                json!({"AppPolicyId": "pg-other"}),
                "InvalidParameter.AppPolicyId",
            ),
            (
                json!({"SessionTimeout": 2}),
                "InvalidParameter.SessionTimeout",
            ),
            (
                json!({"SessionTimeout": 0}),
                "InvalidParameter.SessionTimeout",
            ),
            (
                json!({"SessionTimeout": -2}),
                "InvalidParameter.SessionTimeout",
            ),
            (
                json!({"SessionTimeout": 301}),
                "InvalidParameter.SessionTimeout",
            ),
            (json!({"Period": 2}), "InvalidParameter.Period"),
            (json!({"PeriodUnit": "Week"}), "InvalidParameter.PeriodUnit"),
            (
                json!({"PeriodUnit": "month"}),
                "InvalidParameter.PeriodUnit",
            ),
            (
                json!({"ChargeType": "PrePaid", "Period": 4}),
                "InvalidParameter.Period",
            ),
            (
                json!({"ChargeType": "PrePaid", "PeriodUnit": "Week", "Period": 2}),
                "InvalidParameter.Period",
            ),
            (
                json!({"SubPayType": "prePaid"}),
                "InvalidParameter.SubPayType",
            ),
            (
                json!({"SubPayType": "monthPackage"}),
                "InvalidParameter.SubPayType",
            ),
            (
                json!({"VideoPolicy": {"Webrtc": true, "StreamingMode": "mix"}}),
                "InvalidParameter.VideoPolicy",
            ),
            (
                json!({"VideoPolicy": "{\"Webrtc\": 1}"}),
                "InvalidParameter.VideoPolicy.Webrtc",
            ),
            (
                json!({"VideoPolicy": "not json"}),
                "InvalidParameter.VideoPolicy",
            ),
            (
                json!({"RuntimePolicy": {"SessionUserGenerationMode": "wyid"}}),
                "InvalidParameter.RuntimePolicy",
            ),
            (
                json!({"UserDefinePolicy": {"CustomConfig": "{"}}),
                "InvalidParameter.UserDefinePolicy.CustomConfig",
            ),
            (
                json!({"UserGroupIds": ["ug-1"]}),
                "InvalidParameter.UserGroupIds",
            ),
            (json!({"Users": ["a b"]}), "InvalidParameter.Users"),
            (
                json!({"NodePool": {"NodeAmount": 1}}),
                "MissingNodePool.NodeInstanceType",
            ),
            (
                json!({"NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 1, "NodeCapacity": 2}}),
                "InvalidParameter.NodePool.NodeCapacity",
            ),
            (
                json!({"NodePool": {"NodeInstanceType": "appstreaming.general.8c16g", "NodeAmount": 100}}),
                "StockError.NoStock",
            ),
            (
                json!({"NodePool": {"NodeInstanceType": "appstreaming.vgpu.8c16g.4g", "NodeAmount": 1}}),
                "StockError.NoStock",
            ),
            (json!({"ProductType": "CloudBrowser"}), "StockError.NoStock"),
            (json!({"ProductType": "AndroidCloud"}), "StockError.NoStock"),
            (
                json!({"ProductType": "Cloud"}),
                "InvalidParameter.ProductType",
            ),
        ] {
            let refused = server
                .refused("CreateAppInstanceGroup", group_request(more.clone()))
                .await;
            assert_eq!(refused, code, "{more}");
        }
        for product in ["CloudApp", "CloudBrowser", "AndroidCloud"] {
            let listed = server
                .ok("ListAppInstanceGroup", json!({"ProductType": product}))
                .await;
            assert_eq!(listed["TotalCount"], 0, "{product}");
        }
    }

    #[tokio::test]
    async fn every_way_of_paying_is_kept_and_a_prepaid_group_says_when_it_ends() {
        let server = TestServer::start().await;
        let id = server
            .create_group(json!({"ChargeType": "PrePaid", "PeriodUnit": "Week", "SubPayType": "prePaid", "AutoPay": true}))
            .await;
        let group = server
            .ok(
                "GetAppInstanceGroup",
                json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"}),
            )
            .await;
        let model = &group["AppInstanceGroupModels"];
        assert_eq!(model["ChargeType"], "PrePaid");
        assert_eq!(model["ExpiredTime"], "2026-01-08T00:00:00.000+00:00");
    }

    #[tokio::test]
    async fn capacity_is_taken_by_groups_and_given_back_by_none() {
        let server = TestServer::start().await;
        // The test's machine holds 64 processors' worth of nodes.
        let pool = |amount: u32| json!({"NodePool": {"NodeInstanceType": "appstreaming.general.8c16g", "NodeAmount": amount}});
        server.create_group(pool(5)).await;
        assert_eq!(
            server
                .refused("CreateAppInstanceGroup", group_request(pool(4)))
                .await,
            "StockError.NoStock"
        );
        server.create_group(pool(3)).await;
        assert_eq!(
            server
                .refused("CreateAppInstanceGroup", group_request(pool(1)))
                .await,
            "StockError.NoStock"
        );
    }

    #[tokio::test]
    async fn users_named_at_the_start_are_authorized_and_sessions_may_wait_for_them() {
        let server = TestServer::start().await;
        let id = server
            .create_group(
                json!({"Users": ["bob", "alice", "bob"], "UserInfo": {"Type": "Simple"},
                "RuntimePolicy": {"SessionPreOpen": "false", "SessionUserGenerationMode": "wyid"}}),
            )
            .await;
        assert_eq!(server.group_users(&id).await, ["alice", "bob"]);
    }
}
