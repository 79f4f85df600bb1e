//! `CreateAccessKey`: a key of a user. Its secret is in this answer and in no later one.

use crate::identity;
use crate::identity::fields::UserName;
use crate::identity::ids::{NewKey, Shown};
use crate::identity::view::Key;
use crate::ops::prelude::*;

/// `CreateAccessKey`
pub struct CreateAccessKey;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: Option<UserName>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    access_key: Made,
}

/// The key, this once with its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    #[serde(flatten)]
    key: Key,
    access_key_secret: Shown,
}

impl Operation for CreateAccessKey {
    const ACTION: &'static str = "CreateAccessKey";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        identity::resources(cx, req.user_name.as_ref())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let user = identity::whom(cx, req.user_name)?;
        let new = NewKey::random(cx.entropy);
        cx.store.tells("UserAccessKeyId", &new.id);
        let made = cx
            .store
            .create_ram_user_key(
                cx.account(),
                &user,
                new.id.clone(),
                new.secret.to_store(),
                cx.spend_nonce(),
                cx.now,
            )
            .await?;
        Ok(Response {
            access_key: Made {
                key: made.into(),
                access_key_secret: new.secret,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_user_has_two_keys_and_a_secret_is_answered_once() {
        let server = TestServer::start().await;
        let zoe = || json!({"UserName": "zoe"});
        server.ok("CreateUser", zoe()).await;
        let made = server.ok("CreateAccessKey", zoe()).await["AccessKey"].clone();
        assert!(made["AccessKeyId"].as_str().unwrap().starts_with("LTAI"));
        assert_eq!(made["Status"], "Active");
        let secret = made["AccessKeySecret"].as_str().unwrap();
        let listed = server.ok("ListAccessKeys", zoe()).await;
        assert!(!listed.to_string().contains(secret), "{listed}");

        server.ok("CreateAccessKey", zoe()).await;
        let code = server.refused("CreateAccessKey", zoe()).await;
        assert_eq!(code, "LimitExceeded.User.AccessKey");
    }

    #[tokio::test]
    async fn the_account_itself_names_whom_the_key_is_for() {
        let server = TestServer::start().await;
        let code = server.refused("CreateAccessKey", json!({})).await;
        assert_eq!(code, "MissingUserName");
    }
}
