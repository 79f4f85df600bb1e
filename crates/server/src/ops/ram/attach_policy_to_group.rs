//! `AttachPolicyToGroup`: a group's users have a policy from now on.

use crate::identity::attachment::OfGroup;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `AttachPolicyToGroup`
pub struct AttachPolicyToGroup;

impl Operation for AttachPolicyToGroup {
    const ACTION: &'static str = "AttachPolicyToGroup";
    type Request = OfGroup;
    type Response = Done;

    fn validate(cx: &CallContext<'_>, req: &OfGroup) -> Result<(), ApiError> {
        req.check(cx)
    }

    fn access(_: &OfGroup) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &OfGroup) -> Vec<String> {
        req.resources(cx)
    }

    async fn handle(cx: &CallContext<'_>, req: OfGroup) -> Result<Done, ApiError> {
        req.attach(cx).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_group_has_a_policy_once_and_cannot_go_with_it() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess",
            "GroupName": "devs"});
        let code = server.refused("AttachPolicyToGroup", ask.clone()).await;
        assert_eq!(code, "EntityNotExist.Group");
        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        server.ok("AttachPolicyToGroup", ask.clone()).await;
        let code = server.refused("AttachPolicyToGroup", ask.clone()).await;
        assert_eq!(code, "EntityAlreadyExists.Group.Policy");
        let delete = json!({"GroupName": "devs"});
        let code = server.refused("DeleteGroup", delete.clone()).await;
        assert_eq!(code, "DeleteConflict.Group.Policy");
        server.ok("DetachPolicyFromGroup", ask).await;
        server.ok("DeleteGroup", delete).await;
    }
}
