//! `DeletePolicyVersion`: a version that is not in force.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, VersionId};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeletePolicyVersion`
pub struct DeletePolicyVersion;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_name: PolicyName,
    version_id: Ref<VersionId>,
}

impl Operation for DeletePolicyVersion {
    const ACTION: &'static str = "DeletePolicyVersion";
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
            .delete_ram_policy_version(cx.account(), name, number, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, statement};
    use serde_json::json;

    #[tokio::test]
    async fn the_version_in_force_stays() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyName": "look", "PolicyDocument": statement("Allow", "*")});
        server.ok("CreatePolicy", ask.clone()).await;
        server.ok("CreatePolicyVersion", ask).await;
        let of = |version: &str| json!({"PolicyName": "look", "VersionId": version});
        let code = server.refused("DeletePolicyVersion", of("v1")).await;
        assert_eq!(code, "DeleteConflict.Policy.Version.Default");
        server.ok("DeletePolicyVersion", of("v2")).await;
        for version in ["v2", "2"] {
            let code = server.refused("DeletePolicyVersion", of(version)).await;
            assert_eq!(code, "EntityNotExist.Policy.Version");
        }
    }
}
