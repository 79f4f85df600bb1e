//! `CreatePolicyVersion`: what a policy is to say, in force at once or when it is made the default.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyText, PolicyType};
use crate::identity::view::Version;
use crate::ops::prelude::*;

/// `CreatePolicyVersion`
pub struct CreatePolicyVersion;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_name: PolicyName,
    policy_document: PolicyText,
    #[serde(default)]
    set_as_default: bool,
    #[serde(default)]
    rotate_strategy: RotateStrategy,
}

/// What happens when there are as many versions as there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum RotateStrategy {
    /// The new one is refused.
    #[default]
    None,
    /// The oldest one that is not in force gives way.
    DeleteOldestNonDefaultVersionWhenLimitExceeded,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    policy_version: Version,
}

impl Operation for CreatePolicyVersion {
    const ACTION: &'static str = "CreatePolicyVersion";
    type Request = Request;
    type Response = Response;

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.policy_document.check_policy()
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(
            cx.account(),
            PolicyType::Custom,
            &req.policy_name,
        )]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let strategy = RotateStrategy::DeleteOldestNonDefaultVersionWhenLimitExceeded;
        let made = cx
            .store
            .create_ram_policy_version(
                cx.account(),
                req.policy_name.as_str(),
                req.policy_document.into(),
                req.set_as_default,
                req.rotate_strategy == strategy,
                cx.spend_nonce(),
                cx.now,
            )
            .await?;
        Ok(Response {
            policy_version: made.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::{Value, json};

    async fn versions(server: &TestServer) -> Vec<(String, bool)> {
        let ask = json!({"PolicyType": "Custom", "PolicyName": "look"});
        let answer = server.ok("ListPolicyVersions", ask).await;
        let version = |it: &Value| {
            let id = it["VersionId"].as_str().unwrap().to_owned();
            (id, it["IsDefaultVersion"].as_bool().unwrap())
        };
        let listed = answer["PolicyVersions"]["PolicyVersion"].as_array();
        listed.unwrap().iter().map(version).collect()
    }

    #[tokio::test]
    async fn a_policy_has_five_versions_and_the_oldest_gives_way_when_asked_to() {
        let server = TestServer::start().await;
        let ask = |more: Value| {
            let mut ask = json!({"PolicyName": "look", "PolicyDocument": statement("Allow", "*")});
            ask.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            ask
        };
        let code = server.refused("CreatePolicyVersion", ask(json!({}))).await;
        assert_eq!(code, "EntityNotExist.Policy");
        server.ok("CreatePolicy", ask(json!({}))).await;
        let answer = server
            .ok("CreatePolicyVersion", ask(json!({"SetAsDefault": true})))
            .await;
        insta::assert_snapshot!(golden(&answer));
        for _ in 0..3 {
            server.ok("CreatePolicyVersion", ask(json!({}))).await;
        }
        for strategy in [json!({}), json!({"RotateStrategy": "None"})] {
            let code = server.refused("CreatePolicyVersion", ask(strategy)).await;
            assert_eq!(code, "LimitExceeded.Policy.Version");
        }
        let rotate = json!({"RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded"});
        for _ in 0..2 {
            server.ok("CreatePolicyVersion", ask(rotate.clone())).await;
        }
        let kept = [
            ("v2", true),
            ("v4", false),
            ("v5", false),
            ("v6", false),
            ("v7", false),
        ];
        assert_eq!(
            versions(&server).await,
            kept.map(|(id, yes)| (id.to_owned(), yes))
        );

        let malformed = ask(json!({"PolicyDocument": "{}"}));
        let code = server.refused("CreatePolicyVersion", malformed).await;
        assert_eq!(code, "MalformedPolicyDocument");
    }
}
