//! `AttachPolicyToUser`: a user has a policy from now on.

use crate::identity::attachment::OfUser;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `AttachPolicyToUser`
pub struct AttachPolicyToUser;

impl Operation for AttachPolicyToUser {
    const ACTION: &'static str = "AttachPolicyToUser";
    type Request = OfUser;
    type Response = Done;

    fn validate(cx: &CallContext<'_>, req: &OfUser) -> Result<(), ApiError> {
        req.check(cx)
    }

    fn access(_: &OfUser) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &OfUser) -> Vec<String> {
        req.resources(cx)
    }

    async fn handle(cx: &CallContext<'_>, req: OfUser) -> Result<Done, ApiError> {
        req.attach(cx).await
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
