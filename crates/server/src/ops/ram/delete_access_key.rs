//! `DeleteAccessKey`: a user's key, which is good for nothing from then on.

use crate::identity;
use crate::identity::fields::{AccessKeyId, UserName};
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeleteAccessKey`
pub struct DeleteAccessKey;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: Option<UserName>,
    user_access_key_id: AccessKeyId,
}

impl Operation for DeleteAccessKey {
    const ACTION: &'static str = "DeleteAccessKey";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        identity::resources(cx, req.user_name.as_ref())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let user = identity::whom(cx, req.user_name)?;
        let key = req.user_access_key_id.as_str();
        cx.store
            .delete_ram_user_key(cx.account(), &user, key, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}
