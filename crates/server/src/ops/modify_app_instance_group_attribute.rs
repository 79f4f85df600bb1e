//! `ModifyAppInstanceGroupAttribute`: decides anew about a delivery group. What is not given stays.
//!
//! Who may connect, what is reset and how long a hold outlives its viewer count from the next moment at which
//! that is asked: a viewer who may no longer be in is shown out at once, a hold that is running out keeps
//! its time. What sessions open by themselves counts for those that are made, or start with nothing open,
//! after it. A session keeps the name that it was made with.

use super::prelude::*;
use crate::catalogue::Catalogue;
use crate::delivery_group::{
    DomainRule, SecurityPolicy, SessionTimeout, StoragePolicy, change_settings, merged,
};
use greenroom_store::{Chosen, GroupSpec};

/// `ModifyAppInstanceGroupAttribute`
pub struct ModifyAppInstanceGroupAttribute;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    app_instance_group_name: Option<Text<256>>,
    network: Option<Network>,
    node_pool: Option<NodePool>,
    per_session_per_app: Option<bool>,
    pre_open_app_id: Option<Text<64>>,
    pre_open_mode: Option<PreOpenMode>,
    product_type: Product,
    security_policy: Option<SecurityPolicy>,
    session_timeout: Option<SessionTimeout>,
    storage_policy: Option<StoragePolicy>,
}

/// `Network`: has one member only, so that whoever gives it gives that.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    #[serde(default)]
    domain_rules: List<DomainRule, 100>,
}

/// `NodePool`: the group's own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NodePool {
    node_capacity: Option<Whole<1, INT32_MAX>>,
    node_pool_id: Option<Text<64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PreOpenMode {
    SingleApp,
    Off,
}

/// What it answers: nothing but the `RequestId`. `Code` and `Message` are recorded with a failure's words, and
/// a failure is a fault.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for ModifyAppInstanceGroupAttribute {
    const ACTION: &'static str = "ModifyAppInstanceGroupAttribute";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.pre_open_mode == Some(PreOpenMode::SingleApp) && req.pre_open_app_id.is_none() {
            return Err(ApiError::Missing("PreOpenAppId"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        req.check(&group, cx.catalogue)?;
        let product = req.product_type.0;
        let chosen = Chosen::Group(group.id);
        cx.store
            .change_groups(
                cx.account(),
                product,
                chosen,
                cx.spend_nonce(),
                cx.now,
                move |group| req.change(group),
            )
            .await
            .map_err(ApiError::of_group)??;
        Ok(Response {})
    }
}

impl Request {
    /// What is named is there, as far as that never changes of a group.
    fn check(&self, group: &GroupSpec, catalogue: &Catalogue) -> Result<(), ApiError> {
        let image = catalogue.image(group.image.as_str());
        let has_app = |asked: &Text<64>| {
            let mut apps = image.iter().flat_map(|image| &image.apps);
            apps.any(|app| app.id.as_str() == asked.as_str())
        };
        if !self.pre_open_app_id.as_ref().is_none_or(has_app) {
            return Err(ApiError::Invalid("PreOpenAppId"));
        }
        if let Some(pool) = &self.node_pool {
            pool.check(&group.pool)?;
        }
        Ok(())
    }

    fn change(&self, group: &mut GroupSpec) -> Result<(), ApiError> {
        if let Some(name) = &self.app_instance_group_name {
            group.name = name.as_str().to_owned();
        }
        if let Some(timeout) = self.session_timeout {
            group.session_timeout = timeout.minutes();
        }
        if let Some(app) = &self.pre_open_app_id {
            group.pre_open_app = AppId::parse(app.as_str()).ok();
        }
        if let Some(policy) = &self.security_policy {
            let skip = policy.skip_user_auth_check;
            group.skip_user_check = skip.unwrap_or(group.skip_user_check);
        }
        change_settings(group, |settings| {
            if let Some(network) = &self.network {
                let kept = settings.network.get_or_insert_default();
                kept.domain_rules = network.domain_rules.clone();
            }
            if let Some(policy) = &self.security_policy {
                let kept = settings.security_policy.as_ref();
                settings.security_policy = Some(merged(kept, policy)?);
            }
            if let Some(policy) = &self.storage_policy {
                let kept = settings.storage_policy.as_ref();
                settings.storage_policy = Some(merged(kept, policy)?);
            }
            if let Some(each) = self.per_session_per_app {
                let kept = settings.runtime_policy.get_or_insert_default();
                kept.set_per_session_per_app(each);
            }
            if let Some(mode) = self.pre_open_mode {
                let kept = settings.runtime_policy.get_or_insert_default();
                kept.set_pre_open(mode == PreOpenMode::SingleApp);
                kept.check().map_err(|_| ApiError::Invalid("PreOpenMode"))?;
            }
            Ok(())
        })
    }
}

impl NodePool {
    fn check(&self, pool: &greenroom_store::NodePool) -> Result<(), ApiError> {
        let its = |asked: &Text<64>| asked.as_str() == pool.id.as_str();
        if !self.node_pool_id.as_ref().is_none_or(its) {
            return Err(ApiError::Invalid("NodePool.NodePoolId"));
        }
        let kept = |asked: &Whole<1, INT32_MAX>| asked.as_u32() == pool.node_capacity;
        if !self.node_capacity.as_ref().is_none_or(kept) {
            return Err(ApiError::Invalid("NodePool.NodeCapacity"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(group: &str, more: &Value) -> Value {
        let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn modify(server: &TestServer, group: &str, more: Value) {
        let action = "ModifyAppInstanceGroupAttribute";
        server.ok(action, ask(group, &more)).await;
    }

    /// What is kept of a group and answered nowhere.
    async fn kept(server: &TestServer, group: &str) -> (Value, Option<String>) {
        let id = group.to_owned().try_into().unwrap();
        let account = server.account_id("acme");
        let made = server
            .store
            .group(account, &id)
            .await
            .unwrap()
            .unwrap()
            .made;
        let app = made.pre_open_app.map(String::from);
        (serde_json::from_str(&made.settings).unwrap(), app)
    }

    #[tokio::test]
    async fn the_given_fields_change_and_the_sessions_names_do_not() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"AppInstanceGroupName": "office",
                "Network": {"OfficeSiteId": "site", "DomainRules": [{"Domain": "a.example", "Policy": "allow"}]},
                "StoragePolicy": {"StorageTypeList": ["PDS"]},
                "RuntimePolicy": {"SessionType": "NORMAL"},
                "SecurityPolicy": {"ResetAfterUnbind": true}}))
            .await;
        modify(
            &server,
            &group,
            json!({"AppInstanceGroupName": "studio", "SessionTimeout": -1,
            "Network": {"DomainRules": [{"Domain": "b.example", "Policy": "block"}]},
            "SecurityPolicy": {"SkipUserAuthCheck": true}}),
        )
        .await;
        modify(&server, &group, json!({"PerSessionPerApp": true, "PreOpenMode": "SINGLE_APP",
            "PreOpenAppId": "ca-mousepad",
            "StoragePolicy": {"StorageTypeList": [], "UserProfileFollow": {"ProfileFollowSwitch": true}}}))
        .await;
        let shown = server
            .ok("GetAppInstanceGroup", ask(&group, &json!({})))
            .await;
        insta::assert_snapshot!(golden(&shown));
        let (settings, app) = kept(&server, &group).await;
        insta::assert_snapshot!(golden(&settings));
        assert_eq!(app.as_deref(), Some("ca-mousepad"));
        let sessions = server.sessions(&group).await;
        assert_eq!(sessions[0]["AppInstancePersistentName"], "office-1");

        modify(
            &server,
            &group,
            json!({"PreOpenMode": "OFF", "Network": {"DomainRules": []}}),
        )
        .await;
        let (settings, _) = kept(&server, &group).await;
        assert_eq!(settings["RuntimePolicy"]["SessionPreOpen"], "false");
        assert_eq!(settings["Network"]["DomainRules"], json!([]));
    }

    #[tokio::test]
    async fn the_timeout_counts_from_the_next_leaving() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let session = server.session_ids(&group).await.remove(0);
        let expiry = async |server: &TestServer| {
            let session = session.clone().try_into().unwrap();
            let open = server.store.open_bindings(&session).await.unwrap();
            let (held, now) = (open[0].expires_at.unwrap(), server.now());
            held.since(now).as_secs().div_ceil(60)
        };
        server.bind(&group, &session, "alice").await;
        modify(&server, &group, json!({"SessionTimeout": 100})).await;
        assert_eq!(expiry(&server).await, 15, "her time runs already");
        let unbind = json!({"EndUserId": "alice"});
        server.ok("Unbind", ask(&group, &unbind)).await;
        server.bind(&group, &session, "alice").await;
        assert_eq!(expiry(&server).await, 100);
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_and_nothing_changes() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"AppInstanceGroupName": "office", "RuntimePolicy":
                {"SessionPreOpen": "false", "SessionUserGenerationMode": "wyid"}}))
            .await;
        let before = server
            .ok("GetAppInstanceGroup", ask(&group, &json!({})))
            .await;
        let kept_before = kept(&server, &group).await;
        for (more, code) in [
            (json!({"PreOpenMode": "SINGLE_APP"}), "MissingPreOpenAppId"),
            (
                json!({"PreOpenMode": "SINGLE_APP", "PreOpenAppId": "ca-foot"}),
                "InvalidParameter.PreOpenMode",
            ),
            (
                json!({"PreOpenAppId": "ca-none"}),
                "InvalidParameter.PreOpenAppId",
            ),
            (
                json!({"SessionTimeout": 2}),
                "InvalidParameter.SessionTimeout",
            ),
            (
                json!({"NodePool": {"NodePoolId": "rg-other"}}),
                "InvalidParameter.NodePool.NodePoolId",
            ),
            (
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                json!({"ProductType": "AndroidCloud"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let mut with_a_name = more.clone();
            with_a_name["AppInstanceGroupName"] = json!("studio");
            let asked = ask(&group, &with_a_name);
            let refused = server
                .refused("ModifyAppInstanceGroupAttribute", asked)
                .await;
            assert_eq!(refused, code, "{more}");
        }
        let mut after = server
            .ok("GetAppInstanceGroup", ask(&group, &json!({})))
            .await;
        after["RequestId"] = before["RequestId"].clone();
        assert_eq!(after, before);
        assert_eq!(kept(&server, &group).await, kept_before);
    }
}
