//! `RemoveUserFromGroup`: a user has a group's policies no longer.

use crate::identity::arn;
use crate::identity::fields::{GroupName, UserName};
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `RemoveUserFromGroup`
pub struct RemoveUserFromGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
    group_name: GroupName,
}

impl Operation for RemoveUserFromGroup {
    const ACTION: &'static str = "RemoveUserFromGroup";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![
            arn::user(cx.account(), req.user_name.as_str()),
            arn::group(cx.account(), req.group_name.as_str()),
        ]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let (user, group) = (req.user_name.as_str(), req.group_name.as_str());
        cx.store
            .remove_user_from_ram_group(cx.account(), user, group, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}
