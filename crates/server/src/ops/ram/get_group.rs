//! `GetGroup`: one group.

use crate::identity::arn;
use crate::identity::fields::GroupName;
use crate::identity::view::Group;
use crate::ops::prelude::*;
use greenroom_store::{IdentityError, StoreError, Thing};

/// `GetGroup`
pub struct GetGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    group: Group,
}

impl Operation for GetGroup {
    const ACTION: &'static str = "GetGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::group(cx.account(), req.group_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let found = cx
            .store
            .ram_group(cx.account(), req.group_name.as_str())
            .await?;
        let group = found.ok_or(StoreError::from(IdentityError::Missing(Thing::Group)))?;
        Ok(Response {
            group: Group::kept(group),
        })
    }
}
