//! `DetachPolicyFromGroup`: a group's users have its policy no longer.

use crate::identity::arn;
use crate::identity::fields::{GroupName, PolicyName, PolicyType};
use crate::identity::policy;
use crate::identity::view::Done;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `DetachPolicyFromGroup`
pub struct DetachPolicyFromGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
    group_name: GroupName,
    resource_group_id: Option<Text<64>>,
}

impl Operation for DetachPolicyFromGroup {
    const ACTION: &'static str = "DetachPolicyFromGroup";
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
            .detach_ram_policy(cx.account(), policy, holder, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}
