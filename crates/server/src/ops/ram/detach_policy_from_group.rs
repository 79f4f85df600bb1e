//! `DetachPolicyFromGroup`: a group's users have its policy no longer.

use crate::identity::attachment::OfGroup;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DetachPolicyFromGroup`
pub struct DetachPolicyFromGroup;

impl Operation for DetachPolicyFromGroup {
    const ACTION: &'static str = "DetachPolicyFromGroup";
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
        req.detach(cx).await
    }
}
