//! `GetPolicy`: one policy, with the version in force.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType};
use crate::identity::policy;
use crate::identity::view::{Policy, Version};
use crate::ops::prelude::*;

/// `GetPolicy`
pub struct GetPolicy;

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
    policy: Policy,
    default_policy_version: Version,
}

impl Operation for GetPolicy {
    const ACTION: &'static str = "GetPolicy";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(cx.account(), req.policy_type, &req.policy_name)]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        match req.policy_type {
            PolicyType::Custom => {
                let name = req.policy_name.as_str();
                let found = cx.store.ram_policy(cx.account(), name).await?;
                let found = found.ok_or_else(policy::missing)?;
                Ok(Response {
                    default_policy_version: found.in_force.clone().into(),
                    policy: Policy::custom(found),
                })
            }
            PolicyType::System => {
                let found = policy::system(&req.policy_name)?;
                let held = cx.store.ram_system_attachments(cx.account()).await?;
                let held = held.get(found.name).copied().unwrap_or(0);
                Ok(Response {
                    default_policy_version: found.into(),
                    policy: Policy::system(found, held),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_policy_of_either_type_is_answered_with_the_version_in_force() {
        let server = TestServer::start().await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        let ask = json!({"PolicyName": "look",
            "PolicyDocument": statement("Allow", "appstreaming:List*")});
        server.ok("CreatePolicy", ask).await;
        for (kind, name) in [
            ("Custom", "look"),
            ("System", "AliyunAppStreamingReadOnlyAccess"),
        ] {
            let ask = json!({"PolicyType": kind, "PolicyName": name, "UserName": "zoe"});
            server.ok("AttachPolicyToUser", ask).await;
            let ask = json!({"PolicyType": kind, "PolicyName": name});
            let answer = server.ok("GetPolicy", ask).await;
            insta::assert_snapshot!(kind, golden(&answer));
        }
        for (kind, name) in [("System", "look"), ("Custom", "AdministratorAccess")] {
            let ask = json!({"PolicyType": kind, "PolicyName": name});
            let code = server.refused("GetPolicy", ask).await;
            assert_eq!(code, "EntityNotExist.Policy");
        }
    }
}
