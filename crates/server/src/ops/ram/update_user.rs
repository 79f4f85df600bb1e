//! `UpdateUser`: what is said of a user, its name included. What is not given stays.

use crate::identity::arn;
use crate::identity::fields::{Comment, Contact, UserName};
use crate::identity::view::User;
use crate::ops::prelude::*;
use greenroom_store::UserChange;

/// `UpdateUser`
pub struct UpdateUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
    new_user_name: Option<UserName>,
    new_display_name: Option<Comment>,
    new_mobile_phone: Option<Contact>,
    new_email: Option<Contact>,
    new_comments: Option<Comment>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user: User,
}

impl Operation for UpdateUser {
    const ACTION: &'static str = "UpdateUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        let names = std::iter::once(&req.user_name).chain(&req.new_user_name);
        // A new name too, for trust policies may let in whoever has it.
        names
            .map(|name| arn::user(cx.account(), name.as_str()))
            .collect()
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let change = UserChange {
            name: req.new_user_name.map(String::from),
            display_name: req.new_display_name.map(String::from),
            mobile_phone: req.new_mobile_phone.map(String::from),
            email: req.new_email.map(String::from),
            comments: req.new_comments.map(String::from),
        };
        let name = req.user_name.as_str();
        let user = cx
            .store
            .update_ram_user(cx.account(), name, change, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            user: User::kept(user),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn a_renamed_user_keeps_its_id_and_what_was_not_named() {
        let server = TestServer::start().await;
        let ask = json!({"UserName": "zoe", "Comments": "paints", "Email": "zoe@example.com"});
        let made = server.ok("CreateUser", ask).await["User"].clone();
        server.ok("CreateUser", json!({"UserName": "max"})).await;
        server.clock.advance(Duration::from_secs(60));

        let ask = json!({"UserName": "zoe", "NewUserName": "zoe.b", "NewComments": "sculpts"});
        server.ok("UpdateUser", ask).await;
        let user = server.ok("GetUser", json!({"UserName": "zoe.b"})).await["User"].clone();
        assert_eq!(user["UserId"], made["UserId"]);
        assert_eq!(user["Comments"], "sculpts");
        assert_eq!(user["Email"], "zoe@example.com");
        assert_eq!(user["CreateDate"], made["CreateDate"]);
        assert_eq!(user["UpdateDate"], "2026-01-01T00:01:00Z");

        let code = server.refused("GetUser", json!({"UserName": "zoe"})).await;
        assert_eq!(code, "EntityNotExist.User");
        let taken = json!({"UserName": "zoe.b", "NewUserName": "max"});
        assert_eq!(
            server.refused("UpdateUser", taken).await,
            "EntityAlreadyExists.User"
        );
    }
}
