//! `GetPolicyVersion`: what one version of a policy says.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, VersionId};
use crate::identity::policy;
use crate::identity::view::Version;
use crate::ops::prelude::*;

/// `GetPolicyVersion`
pub struct GetPolicyVersion;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    version_id: Ref<VersionId>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    policy_version: Version,
}

impl Operation for GetPolicyVersion {
    const ACTION: &'static str = "GetPolicyVersion";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(cx.account(), req.policy_type, &req.policy_name)]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let versions = policy::versions(cx, req.policy_type, &req.policy_name).await?;
        let wanted = |version: &Version| Some(version.id()) == req.version_id.id();
        let found = versions.into_iter().find(wanted);
        Ok(Response {
            policy_version: found.ok_or_else(policy::version_missing)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_version_is_answered_whether_it_is_in_force_or_not() {
        let server = TestServer::start().await;
        for (action, effect) in [("CreatePolicy", "Allow"), ("CreatePolicyVersion", "Deny")] {
            let ask = json!({"PolicyName": "look", "PolicyDocument": statement(effect, "*")});
            server.ok(action, ask).await;
        }
        let ask = |kind: &str, name: &str, version: &str| json!({"PolicyType": kind, "PolicyName": name, "VersionId": version});
        let answer = server
            .ok("GetPolicyVersion", ask("Custom", "look", "v2"))
            .await;
        insta::assert_snapshot!(golden(&answer));
        let system = ask("System", "AdministratorAccess", "v1");
        let answer = server.ok("GetPolicyVersion", system).await;
        assert_eq!(answer["PolicyVersion"]["IsDefaultVersion"], true);

        for (kind, name, version, code) in [
            ("Custom", "look", "v3", "EntityNotExist.Policy.Version"),
            ("Custom", "look", "2", "EntityNotExist.Policy.Version"),
            ("Custom", "look", "v02", "EntityNotExist.Policy.Version"),
            ("Custom", "look", "v+2", "EntityNotExist.Policy.Version"),
            (
                "System",
                "AdministratorAccess",
                "v2",
                "EntityNotExist.Policy.Version",
            ),
            ("Custom", "nothing", "v1", "EntityNotExist.Policy"),
            ("System", "look", "v1", "EntityNotExist.Policy"),
        ] {
            let refused = server.refused("GetPolicyVersion", ask(kind, name, version));
            assert_eq!(refused.await, code, "{kind} {name} {version}");
        }
    }
}
