//! `DetachPolicyFromRole`: whoever assumes a role has a policy no longer.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType, RoleName};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `DetachPolicyFromRole`
pub struct DetachPolicyFromRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    role_name: RoleName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for DetachPolicyFromRole {
    const ACTION: &'static str = "DetachPolicyFromRole";
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
            .detach_ram_policy(cx.account(), policy, holder, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}
