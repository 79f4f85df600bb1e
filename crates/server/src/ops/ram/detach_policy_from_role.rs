//! `DetachPolicyFromRole`: whoever assumes a role has a policy no longer.

use crate::identity::attachment::OfRole;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DetachPolicyFromRole`
pub struct DetachPolicyFromRole;

impl Operation for DetachPolicyFromRole {
    const ACTION: &'static str = "DetachPolicyFromRole";
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
        req.detach(cx).await
    }
}
