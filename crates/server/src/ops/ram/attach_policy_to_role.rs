//! `AttachPolicyToRole`: whoever assumes a role has a policy from now on.

use crate::identity::attachment::OfRole;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `AttachPolicyToRole`
pub struct AttachPolicyToRole;

impl Operation for AttachPolicyToRole {
    const ACTION: &'static str = "AttachPolicyToRole";
    type Request = OfRole;
    type Response = Done;

    fn validate(cx: &CallContext<'_>, req: &OfRole) -> Result<(), ApiError> {
        req.check(cx)
    }

    fn access(_: &OfRole) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &OfRole) -> Vec<String> {
        req.resources(cx)
    }

    async fn handle(cx: &CallContext<'_>, req: OfRole) -> Result<Done, ApiError> {
        req.attach(cx).await
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
