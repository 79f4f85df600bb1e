//! `ListPoliciesForGroup`: the policies that a group has, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::GroupName;
use crate::identity::view::HeldPolicies;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `ListPoliciesForGroup`
pub struct ListPoliciesForGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
}

impl Operation for ListPoliciesForGroup {
    const ACTION: &'static str = "ListPoliciesForGroup";
    type Request = Request;
    type Response = HeldPolicies;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::group(cx.account(), req.group_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<HeldPolicies, ApiError> {
        let holder = Holder::Group(req.group_name.into());
        let attached = cx.store.ram_policies_of(cx.account(), holder).await?;
        Ok(attached.into())
    }
}
