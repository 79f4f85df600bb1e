//! `ListAccessKeys`: a user's keys, oldest first, without their secrets.

use crate::identity;
use crate::identity::fields::UserName;
use crate::identity::view::Key;
use crate::ops::prelude::*;

/// `ListAccessKeys`
pub struct ListAccessKeys;

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
    access_keys: AccessKeys,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKeys {
    access_key: Vec<Key>,
}

impl Operation for ListAccessKeys {
    const ACTION: &'static str = "ListAccessKeys";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        identity::resources(cx, req.user_name.as_ref())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let user = identity::whom(cx, req.user_name)?;
        let keys = cx.store.ram_user_keys(cx.account(), &user).await?;
        let access_key = keys.into_iter().map(Key::from).collect();
        Ok(Response {
            access_keys: AccessKeys { access_key },
        })
    }
}
