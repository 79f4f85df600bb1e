//! `DetachPolicyFromUser`: a user has a policy no longer, unless a group of its still has it.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, UserName};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `DetachPolicyFromUser`
pub struct DetachPolicyFromUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    user_name: UserName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for DetachPolicyFromUser {
    const ACTION: &'static str = "DetachPolicyFromUser";
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
            .detach_ram_policy(cx.account(), policy, holder, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn what_somebody_does_not_have_cannot_be_taken_from_them() {
        let server = TestServer::start().await;
        for (kind, field, name) in [
            ("User", "UserName", "zoe"),
            ("Group", "GroupName", "devs"),
            ("Role", "RoleName", "admin"),
        ] {
            let mut ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess"});
            ask[field] = json!(name);
            let action = format!("DetachPolicyFrom{kind}");
            let code = server.refused(&action, ask.clone()).await;
            assert_eq!(code, format!("EntityNotExist.{kind}"));
            let mut new = json!({field: name});
            if kind == "Role" {
                new["AssumeRolePolicyDocument"] = server.trusting("acme", &["root"]);
            }
            server.ok(&format!("Create{kind}"), new).await;
            let code = server.refused(&action, ask).await;
            assert_eq!(code, format!("EntityNotExist.{kind}.Policy"));
        }
    }
}
