//! `ListPoliciesForUser`: the policies that a user has itself, without those of its groups, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::UserName;
use crate::identity::view::HeldPolicies;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `ListPoliciesForUser`
pub struct ListPoliciesForUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
}

impl Operation for ListPoliciesForUser {
    const ACTION: &'static str = "ListPoliciesForUser";
    type Request = Request;
    type Response = HeldPolicies;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::user(cx.account(), req.user_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<HeldPolicies, ApiError> {
        let holder = Holder::User(req.user_name.into());
        let attached = cx.store.ram_policies_of(cx.account(), holder).await?;
        Ok(attached.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_users_own_policies_are_listed_and_those_of_its_groups_with_the_group() {
        let server = TestServer::start().await;
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        let pair = json!({"UserName": "zoe", "GroupName": "devs"});
        server.ok("AddUserToGroup", pair).await;
        let ask = json!({"PolicyName": "look", "Description": "who look only",
            "PolicyDocument": statement("Allow", "appstreaming:List*")});
        server.ok("CreatePolicy", ask).await;
        for (kind, name) in [("Custom", "look"), ("System", "AliyunRAMFullAccess")] {
            let ask = json!({"PolicyType": kind, "PolicyName": name, "UserName": "zoe"});
            server.ok("AttachPolicyToUser", ask).await;
        }
        let ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess",
            "GroupName": "devs"});
        server.ok("AttachPolicyToGroup", ask).await;

        let listed = server.ok("ListPoliciesForUser", json!({"UserName": "zoe"}));
        insta::assert_snapshot!(golden(&listed.await));
        let listed = server.ok("ListPoliciesForGroup", json!({"GroupName": "devs"}));
        let listed = listed.await;
        assert_eq!(
            listed["Policies"]["Policy"][0]["PolicyName"],
            "AdministratorAccess"
        );
        assert_eq!(listed["Policies"]["Policy"].as_array().unwrap().len(), 1);
    }
}
