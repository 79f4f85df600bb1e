//! `AttachPolicyToGroup`: a group's users have a policy from now on.

use crate::identity::arn;
use crate::identity::fields::{GroupName, PolicyName, PolicyType};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `AttachPolicyToGroup`
pub struct AttachPolicyToGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    group_name: GroupName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for AttachPolicyToGroup {
    const ACTION: &'static str = "AttachPolicyToGroup";
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
            arn::group(cx.account(), req.group_name.as_str()),
        ]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let policy = policy::named(req.policy_type, &req.policy_name)?;
        let holder = Holder::Group(req.group_name.into());
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
