//! `CreateUser`: a user of the account, who may do nothing until a policy says so.

use crate::identity::arn;
use crate::identity::fields::{Comment, Contact, UserName};
use crate::identity::ids::user_id;
use crate::identity::view::User;
use crate::ops::prelude::*;
use greenroom_store::NewUser;

/// `CreateUser`
pub struct CreateUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
    display_name: Option<Comment>,
    mobile_phone: Option<Contact>,
    email: Option<Contact>,
    comments: Option<Comment>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user: User,
}

impl Operation for CreateUser {
    const ACTION: &'static str = "CreateUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::user(cx.account(), req.user_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let text = |text: Option<Comment>| text.map(String::from).unwrap_or_default();
        let new = NewUser {
            id: user_id(cx.entropy),
            name: req.user_name.into(),
            display_name: text(req.display_name),
            mobile_phone: text(req.mobile_phone),
            email: text(req.email),
            comments: text(req.comments),
        };
        cx.store.tells("UserId", &new.id);
        let made = cx
            .store
            .create_ram_user(cx.account(), new, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            user: User::made(made),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_user_is_answered_whole_and_its_name_is_taken_from_then_on() {
        let server = TestServer::start().await;
        let ask = json!({"UserName": "zoe", "DisplayName": "Zoë", "Email": "zoe@example.com",
            "MobilePhone": "86-1868888****", "Comments": "paints"});
        let answer = server.ok("CreateUser", ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(
            server.refused("CreateUser", ask.clone()).await,
            "EntityAlreadyExists.User"
        );
        // A name is taken in its own account only.
        let (status, _) = server.call_as("globex", "CreateUser", ask).await;
        assert_eq!(status, 200);
    }
}
