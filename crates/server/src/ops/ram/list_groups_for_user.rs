//! `ListGroupsForUser`: the groups that a user is in, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::UserName;
use crate::identity::view::UserGroup;
use crate::ops::prelude::*;

/// `ListGroupsForUser`
pub struct ListGroupsForUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    groups: Groups,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    group: Vec<UserGroup>,
}

impl Operation for ListGroupsForUser {
    const ACTION: &'static str = "ListGroupsForUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::user(cx.account(), req.user_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let name = req.user_name.as_str();
        let groups = cx.store.ram_groups_of_user(cx.account(), name).await?;
        let group = groups.into_iter().map(UserGroup::from).collect();
        Ok(Response {
            groups: Groups { group },
        })
    }
}
