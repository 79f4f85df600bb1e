//! `ModifyAppPolicy`: changes how the picture is sent in the groups that follow a policy. What is not given
//! stays. A session takes it over when it next starts.
//!
//! A group that names no policy has one of its own; the operator's policies say nothing about pictures, so
//! that these settings are kept with each group of the account that follows one.

use super::prelude::*;
use crate::delivery_group::{VideoPolicy, change_settings, merged};
use greenroom_store::{Chosen, StoreError};

/// `ModifyAppPolicy`
pub struct ModifyAppPolicy;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_policy_id: Ref<PolicyId>,
    product_type: Product,
    video_policy: Option<VideoPolicy>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for ModifyAppPolicy {
    const ACTION: &'static str = "ModifyAppPolicy";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let unknown = ApiError::Invalid("AppPolicyId");
        let policy = req.app_policy_id.id().ok_or(unknown)?.clone();
        let video = req.video_policy.unwrap_or_default();
        cx.store
            .change_groups(
                cx.account(),
                req.product_type.0,
                Chosen::Followers(policy),
                cx.spend_nonce(),
                cx.now,
                move |group| {
                    change_settings(group, |settings| {
                        let changed = merged(settings.video_policy.as_ref(), &video)?;
                        changed.check()?;
                        settings.video_policy = Some(changed);
                        Ok(())
                    })
                },
            )
            .await
            .map_err(|error| match error {
                StoreError::NotFound(_) => ApiError::Invalid("AppPolicyId"),
                other => other.into(),
            })??;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    fn ask(policy: &str, video: &Value) -> Value {
        json!({"AppPolicyId": policy, "ProductType": "CloudApp", "VideoPolicy": video})
    }

    async fn policy_of(server: &TestServer, group: &str) -> String {
        let get = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let shown = server.ok("GetAppInstanceGroup", get).await;
        let id = &shown["AppInstanceGroupModels"]["AppPolicyId"];
        id.as_str().unwrap().to_owned()
    }

    async fn video(server: &TestServer, group: &str) -> Value {
        let id = group.to_owned().try_into().unwrap();
        let account = server.account_id("acme");
        let group = server.store.group(account, &id).await.unwrap().unwrap();
        let settings: Value = serde_json::from_str(&group.made.settings).unwrap();
        settings["VideoPolicy"].clone()
    }

    #[tokio::test]
    async fn the_given_settings_change_in_every_group_that_follows_the_policy() {
        let server = TestServer::start().await;
        let shut =
            json!({"AppPolicyId": "pg-shut", "VideoPolicy": {"FrameRate": 30, "Webrtc": false}});
        let (one, other) = (
            server.create_group(shut.clone()).await,
            server.create_group(shut).await,
        );
        let alone = server.create_group(json!({})).await;
        let change = json!({"FrameRate": 60, "VisualQualityStrategy": "smooth"});
        server.ok("ModifyAppPolicy", ask("pg-shut", &change)).await;
        let expected = json!({"FrameRate": 60, "VisualQualityStrategy": "smooth", "Webrtc": false});
        assert_eq!(video(&server, &one).await, expected);
        assert_eq!(video(&server, &other).await, expected);
        assert_eq!(video(&server, &alone).await, Value::Null);

        let own = policy_of(&server, &alone).await;
        let size = json!({"SessionResolutionWidth": 1920, "SessionResolutionHeight": 1080});
        server.ok("ModifyAppPolicy", ask(&own, &size)).await;
        assert_eq!(video(&server, &alone).await, size);
        assert_eq!(video(&server, &one).await, expected);
    }

    #[tokio::test]
    async fn settings_must_fit_those_that_stay_and_nothing_changes_else() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"VideoPolicy": {"StreamingMode": "mix"}}))
            .await;
        let own = policy_of(&server, &group).await;
        for (policy, change, code) in [
            (
                own.as_str(),
                json!({"Webrtc": true}),
                "InvalidParameter.VideoPolicy",
            ),
            (
                &own,
                json!({"SessionResolutionWidth": 1920}),
                "InvalidParameter.VideoPolicy",
            ),
            (
                &own,
                json!({"FrameRate": 59}),
                "InvalidParameter.VideoPolicy.FrameRate",
            ),
            (
                "pg-shut",
                json!({"FrameRate": 60}),
                "InvalidParameter.AppPolicyId",
            ),
            (
                "pg-****",
                json!({"FrameRate": 60}),
                "InvalidParameter.AppPolicyId",
            ),
        ] {
            let refused = server
                .refused("ModifyAppPolicy", ask(policy, &change))
                .await;
            assert_eq!(refused, code, "{policy} {change}");
        }
        let theirs = ask(&own, &json!({"FrameRate": 60}));
        let (status, answer) = server.call_as("globex", "ModifyAppPolicy", theirs).await;
        let unknown = Some("InvalidParameter.AppPolicyId");
        assert_eq!((status, answer["Code"].as_str()), (400, unknown));
        let expected = json!({"StreamingMode": "mix"});
        assert_eq!(video(&server, &group).await, expected);
    }
}
