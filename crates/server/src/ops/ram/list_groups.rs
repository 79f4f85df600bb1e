//! `ListGroups`: the account's groups, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::{Marker, MaxItems, hundred_items};
use crate::identity::page::{self, More};
use crate::identity::view::Group;
use crate::ops::prelude::*;
use greenroom_store::RamGroup;

/// `ListGroups`
pub struct ListGroups;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    marker: Option<Marker>,
    #[serde(default = "hundred_items")]
    max_items: MaxItems,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    groups: Groups,
    #[serde(flatten)]
    more: More,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    group: Vec<Group>,
}

impl Operation for ListGroups {
    const ACTION: &'static str = "ListGroups";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, _: &Request) -> Vec<String> {
        vec![arn::groups(cx.account())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let groups = cx.store.ram_groups(cx.account()).await?;
        let name = |group: &RamGroup| group.name.clone();
        let (groups, more) = page::after(groups, name, req.marker.as_ref(), req.max_items);
        let group = groups.into_iter().map(Group::kept).collect();
        Ok(Response {
            groups: Groups { group },
            more,
        })
    }
}
