//! `ListUsersForGroup`: the users of a group, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::{GroupName, Marker, MaxItems, hundred_items};
use crate::identity::page::{self, More};
use crate::identity::view::GroupUser;
use crate::ops::prelude::*;
use greenroom_store::{Member, RamUser};

/// `ListUsersForGroup`
pub struct ListUsersForGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
    marker: Option<Marker>,
    #[serde(default = "hundred_items")]
    max_items: MaxItems,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    users: Users,
    #[serde(flatten)]
    more: More,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    user: Vec<GroupUser>,
}

impl Operation for ListUsersForGroup {
    const ACTION: &'static str = "ListUsersForGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::group(cx.account(), req.group_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let name = req.group_name.as_str();
        let users = cx.store.ram_users_of_group(cx.account(), name).await?;
        let name = |member: &Member<RamUser>| member.it.made.name.clone();
        let (users, more) = page::after(users, name, req.marker.as_ref(), req.max_items);
        let user = users.into_iter().map(GroupUser::from).collect();
        Ok(Response {
            users: Users { user },
            more,
        })
    }
}
