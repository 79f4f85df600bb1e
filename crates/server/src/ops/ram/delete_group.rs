//! `DeleteGroup`: a group that has no users and policies any more.

use crate::identity::arn;
use crate::identity::fields::GroupName;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeleteGroup`
pub struct DeleteGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
}

impl Operation for DeleteGroup {
    const ACTION: &'static str = "DeleteGroup";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::group(cx.account(), req.group_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        cx.store
            .delete_ram_group(cx.account(), req.group_name.as_str(), cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}
