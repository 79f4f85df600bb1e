//! `DeletePolicy`: a policy that nobody has any more, with its versions or when only one of them is left.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType};
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeletePolicy`
pub struct DeletePolicy;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_name: PolicyName,
    #[serde(default)]
    cascading_delete: bool,
}

impl Operation for DeletePolicy {
    const ACTION: &'static str = "DeletePolicy";
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
        let (name, all) = (req.policy_name.as_str(), req.cascading_delete);
        cx.store
            .delete_ram_policy(cx.account(), name, all, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_policy_goes_after_those_who_have_it_and_its_versions() {
        let server = TestServer::start().await;
        let look = || json!({"PolicyName": "look"});
        let document = statement("Allow", "appstreaming:List*");
        let ask = json!({"PolicyName": "look", "PolicyDocument": document});
        server.ok("CreatePolicy", ask.clone()).await;
        server.ok("CreatePolicyVersion", ask).await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        let role = json!({"RoleName": "admin",
            "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
        server.ok("CreateRole", role).await;

        let holders = [("User", "zoe"), ("Group", "devs"), ("Role", "admin")];
        for (kind, name) in holders {
            let mut ask = json!({"PolicyType": "Custom", "PolicyName": "look"});
            ask[format!("{kind}Name")] = json!(name);
            server.ok(&format!("AttachPolicyTo{kind}"), ask).await;
        }
        for (kind, name) in holders {
            let code = server.refused("DeletePolicy", look()).await;
            assert_eq!(code, format!("DeleteConflict.Policy.{kind}"));
            let mut ask = json!({"PolicyType": "Custom", "PolicyName": "look"});
            ask[format!("{kind}Name")] = json!(name);
            server.ok(&format!("DetachPolicyFrom{kind}"), ask).await;
        }
        let code = server.refused("DeletePolicy", look()).await;
        assert_eq!(code, "DeleteConflict.Policy.Version");
        let all = json!({"PolicyName": "look", "CascadingDelete": true});
        server.ok("DeletePolicy", all.clone()).await;
        let code = server.refused("DeletePolicy", all).await;
        assert_eq!(code, "EntityNotExist.Policy");
    }
}
