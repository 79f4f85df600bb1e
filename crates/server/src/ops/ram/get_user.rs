//! `GetUser`: one user.

use crate::identity::arn;
use crate::identity::fields::UserName;
use crate::identity::view::User;
use crate::ops::prelude::*;
use greenroom_store::{IdentityError, StoreError, Thing};

/// `GetUser`
pub struct GetUser;

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
    user: User,
}

impl Operation for GetUser {
    const ACTION: &'static str = "GetUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::user(cx.account(), req.user_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let found = cx
            .store
            .ram_user(cx.account(), req.user_name.as_str())
            .await?;
        let user = found.ok_or(StoreError::from(IdentityError::Missing(Thing::User)))?;
        Ok(Response {
            user: User::kept(user),
        })
    }
}
