//! `SetDefaultPolicyVersion`: puts a version in force, for everybody who has the policy, from the next call on.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, VersionId};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `SetDefaultPolicyVersion`
pub struct SetDefaultPolicyVersion;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_name: PolicyName,
    version_id: Ref<VersionId>,
}

impl Operation for SetDefaultPolicyVersion {
    const ACTION: &'static str = "SetDefaultPolicyVersion";
    type Request = Request;
    type Response = Done;

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

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let version = req.version_id.id().ok_or_else(policy::version_missing)?;
        let (name, number) = (req.policy_name.as_str(), version.number());
        cx.store
            .set_default_ram_policy_version(cx.account(), name, number, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, statement};
    use serde_json::json;

    #[tokio::test]
    async fn the_version_in_force_decides() {
        let server = TestServer::start().await.with_user("zoe", &[]).await;
        for (action, effect) in [("CreatePolicy", "Allow"), ("CreatePolicyVersion", "Deny")] {
            let ask = json!({"PolicyName": "all", "PolicyDocument": statement(effect, "*")});
            server.ok(action, ask).await;
        }
        let ask = json!({"PolicyType": "Custom", "PolicyName": "all", "UserName": "zoe"});
        server.ok("AttachPolicyToUser", ask).await;
        for (version, status) in [("v1", 200), ("v2", 403), ("v1", 200)] {
            let ask = json!({"PolicyName": "all", "VersionId": version});
            server.ok("SetDefaultPolicyVersion", ask).await;
            let (seen, _) = server.call_as("zoe", "ListRegions", json!({})).await;
            assert_eq!(seen, status, "{version}");
        }
        let ask = json!({"PolicyName": "all", "VersionId": "v3"});
        let code = server.refused("SetDefaultPolicyVersion", ask).await;
        assert_eq!(code, "EntityNotExist.Policy.Version");
    }
}
