//! `ListPolicyVersions`: the versions of a policy, oldest first.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType};
use crate::identity::policy;
use crate::identity::view::Version;
use crate::ops::prelude::*;

/// `ListPolicyVersions`
pub struct ListPolicyVersions;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    policy_versions: PolicyVersions,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyVersions {
    policy_version: Vec<Version>,
}

impl Operation for ListPolicyVersions {
    const ACTION: &'static str = "ListPolicyVersions";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(cx.account(), req.policy_type, &req.policy_name)]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let policy_version = policy::versions(cx, req.policy_type, &req.policy_name).await?;
        Ok(Response {
            policy_versions: PolicyVersions { policy_version },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_system_policy_has_one_version() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess"});
        let answer = server.ok("ListPolicyVersions", ask).await;
        insta::assert_snapshot!(golden(&answer));
    }
}
