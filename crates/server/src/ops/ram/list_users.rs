//! `ListUsers`: the account's users, in the order of their names.

use crate::identity::arn;
use crate::identity::fields::{Marker, MaxItems, hundred_items};
use crate::identity::page::{self, More};
use crate::identity::view::User;
use crate::ops::prelude::*;
use greenroom_store::RamUser;

/// `ListUsers`
pub struct ListUsers;

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
    users: Users,
    #[serde(flatten)]
    more: More,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    user: Vec<User>,
}

impl Operation for ListUsers {
    const ACTION: &'static str = "ListUsers";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, _: &Request) -> Vec<String> {
        vec![arn::users(cx.account())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let users = cx.store.ram_users(cx.account()).await?;
        let name = |user: &RamUser| user.made.name.clone();
        let (users, more) = page::after(users, name, req.marker.as_ref(), req.max_items);
        let user = users.into_iter().map(User::kept).collect();
        Ok(Response {
            users: Users { user },
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn users_are_read_page_by_page() {
        let server = TestServer::start().await;
        for name in ["max", "zoe", "ada"] {
            server.ok("CreateUser", json!({"UserName": name})).await;
        }
        let mut names = Vec::new();
        let mut ask = json!({"MaxItems": 2});
        loop {
            let answer = server.ok("ListUsers", ask.clone()).await;
            let users = answer["Users"]["User"].as_array().unwrap();
            assert!(users.len() <= 2);
            names.extend(users.iter().map(|user| user["UserName"].clone()));
            if answer["IsTruncated"] == json!(false) {
                break;
            }
            ask["Marker"] = answer["Marker"].clone();
        }
        assert_eq!(names, ["ada", "max", "zoe"]);
    }
}
