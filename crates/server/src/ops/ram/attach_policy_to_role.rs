//! `AttachPolicyToRole`: whoever assumes a role has a policy from now on.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, RoleName};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `AttachPolicyToRole`
pub struct AttachPolicyToRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    role_name: RoleName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for AttachPolicyToRole {
    const ACTION: &'static str = "AttachPolicyToRole";
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
            arn::role(cx.account(), req.role_name.as_str()),
        ]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let policy = policy::named(req.policy_type, &req.policy_name)?;
        let holder = Holder::Role(req.role_name.into());
        cx.store
            .attach_ram_policy(cx.account(), policy, holder, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_role_has_a_policy_once_and_cannot_go_with_it() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess",
            "RoleName": "admin"});
        let code = server.refused("AttachPolicyToRole", ask.clone()).await;
        assert_eq!(code, "EntityNotExist.Role");
        let role = json!({"RoleName": "admin",
            "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
        server.ok("CreateRole", role).await;
        server.ok("AttachPolicyToRole", ask.clone()).await;
        let code = server.refused("AttachPolicyToRole", ask.clone()).await;
        assert_eq!(code, "EntityAlreadyExists.Role.Policy");
        let delete = json!({"RoleName": "admin"});
        let code = server.refused("DeleteRole", delete.clone()).await;
        assert_eq!(code, "DeleteConflict.Role.Policy");
        server.ok("DetachPolicyFromRole", ask).await;
        server.ok("DeleteRole", delete).await;
    }
}
