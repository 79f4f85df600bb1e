//! `ListRoles`: the account's roles, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::{Marker, MaxItems, TagFilter, hundred_items};
use crate::identity::page::{self, More};
use crate::identity::view::Role;
use crate::ops::prelude::*;
use greenroom_store::RamRole;

/// `ListRoles`
pub struct ListRoles;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    marker: Option<Marker>,
    #[serde(default = "hundred_items")]
    max_items: MaxItems,
    #[serde(default)]
    tag: TagFilter,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    roles: Roles,
    #[serde(flatten)]
    more: More,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Roles {
    role: Vec<Role>,
}

impl Operation for ListRoles {
    const ACTION: &'static str = "ListRoles";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, _: &Request) -> Vec<String> {
        vec![arn::roles(cx.account())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let roles = req.tag.of(cx.store.ram_roles(cx.account()).await?);
        let name = |role: &RamRole| role.made.name.clone();
        let (roles, more) = page::after(roles, name, req.marker.as_ref(), req.max_items);
        let shown = roles
            .into_iter()
            .map(|role| Role::listed(cx.account(), role));
        Ok(Response {
            roles: Roles {
                role: shown.collect(),
            },
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn roles_are_read_page_by_page_and_by_a_tag_not_at_all() {
        let server = TestServer::start().await;
        for name in ["crew", "admin"] {
            let ask = json!({"RoleName": name,
                "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
            server.ok("CreateRole", ask).await;
        }
        let first = server.ok("ListRoles", json!({"MaxItems": 1})).await;
        insta::assert_snapshot!(golden(&first));
        let ask = json!({"Marker": first["Marker"]});
        let rest = server.ok("ListRoles", ask).await;
        assert_eq!(rest["Roles"]["Role"][0]["RoleName"], "crew");
        assert_eq!(rest["IsTruncated"], false);
        let none = server
            .ok("ListRoles", json!({"Tag": [{"Key": "team"}]}))
            .await;
        assert_eq!(none["Roles"]["Role"], json!([]));
    }
}
