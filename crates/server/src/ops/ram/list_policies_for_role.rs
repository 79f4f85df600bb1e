//! `ListPoliciesForRole`: the policies that a role has, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::RoleName;
use crate::identity::view::HeldPolicies;
use crate::ops::prelude::*;
use greenroom_store::Holder;

/// `ListPoliciesForRole`
pub struct ListPoliciesForRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_name: RoleName,
}

impl Operation for ListPoliciesForRole {
    const ACTION: &'static str = "ListPoliciesForRole";
    type Request = Request;
    type Response = HeldPolicies;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::role(cx.account(), req.role_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<HeldPolicies, ApiError> {
        let holder = Holder::Role(req.role_name.into());
        let attached = cx.store.ram_policies_of(cx.account(), holder).await?;
        Ok(attached.into())
    }
}
