//! `AttachPolicyToUser`: a user has a policy from now on.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, UserName};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `AttachPolicyToUser`
pub struct AttachPolicyToUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    user_name: UserName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for AttachPolicyToUser {
    const ACTION: &'static str = "AttachPolicyToUser";
    type Request = Request;
    type Response = Done;

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        policy::in_whole_account(cx, req.resource_group_id.as_ref())
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![
            arn::policy(cx.account(), req.policy_type, &req.policy_name),
            arn::user(cx.account(), req.user_name.as_str()),
        ]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let policy = policy::named(req.policy_type, &req.policy_name)?;
        let holder = Holder::User(req.user_name.into());
        cx.store
            .attach_ram_policy(cx.account(), policy, holder, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_policy_is_had_once_by_whom_there_is() {
        let server = TestServer::start().await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        let ask = json!({"PolicyName": "look", "PolicyDocument": statement("Allow", "*")});
        server.ok("CreatePolicy", ask).await;
        let ask = |kind: &str, policy: &str, user: &str| json!({"PolicyType": kind, "PolicyName": policy, "UserName": user});
        for (kind, policy, user, code) in [
            ("Custom", "look", "max", "EntityNotExist.User"),
            ("Custom", "nothing", "zoe", "EntityNotExist.Policy"),
            ("System", "look", "zoe", "EntityNotExist.Policy"),
            (
                "Custom",
                "AdministratorAccess",
                "zoe",
                "EntityNotExist.Policy",
            ),
        ] {
            let refused = server.refused("AttachPolicyToUser", ask(kind, policy, user));
            assert_eq!(refused.await, code, "{kind} {policy} {user}");
        }
        for (kind, policy) in [("Custom", "look"), ("System", "AdministratorAccess")] {
            let ask = ask(kind, policy, "zoe");
            server.ok("AttachPolicyToUser", ask.clone()).await;
            let code = server.refused("AttachPolicyToUser", ask).await;
            assert_eq!(code, "EntityAlreadyExists.User.Policy");
        }
        let code = server.refused("DeleteUser", json!({"UserName": "zoe"}));
        assert_eq!(code.await, "DeleteConflict.User.Policy");
    }

    #[tokio::test]
    async fn a_user_has_twenty_policies_of_a_type_at_most() {
        let server = TestServer::start().await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        for number in 1..=21 {
            let name = format!("look-{number}");
            let ask = json!({"PolicyName": name, "PolicyDocument": statement("Allow", "*")});
            server.ok("CreatePolicy", ask).await;
            let ask = json!({"PolicyType": "Custom", "PolicyName": name, "UserName": "zoe"});
            if number <= 20 {
                server.ok("AttachPolicyToUser", ask).await;
            } else {
                let code = server.refused("AttachPolicyToUser", ask).await;
                assert_eq!(code, "LimitExceeded.User.Policy");
            }
        }
    }

    #[tokio::test]
    async fn there_is_no_resource_group_but_the_whole_account() {
        let server = TestServer::start().await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        let ask = |group: &str| {
            json!({"PolicyType": "System", "PolicyName": "AdministratorAccess",
                "UserName": "zoe", "ResourceGroupId": group})
        };
        for action in ["AttachPolicyToUser", "DetachPolicyFromUser"] {
            let code = server.refused(action, ask("rg-1")).await;
            assert_eq!(code, "InvalidParameter.ResourceGroupId");
            let account = server.account_id("acme").as_str();
            server.ok(action, ask(account)).await;
        }
    }
}
