//! `UpdateAccessKey`: a user's key, switched on or off.

use crate::identity;
use crate::identity::fields::{AccessKeyId, UserName};
use crate::identity::view::{Done, KeyStatus};
use crate::ops::prelude::*;

/// `UpdateAccessKey`
pub struct UpdateAccessKey;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: Option<UserName>,
    user_access_key_id: AccessKeyId,
    status: KeyStatus,
}

impl Operation for UpdateAccessKey {
    const ACTION: &'static str = "UpdateAccessKey";
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
        let (key, active) = (
            req.user_access_key_id.as_str(),
            req.status == KeyStatus::Active,
        );
        cx.store
            .set_ram_user_key_active(cx.account(), &user, key, active, cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_key_is_switched_off_and_another_user_s_is_not_there() {
        let server = TestServer::start().await;
        for name in ["zoe", "max"] {
            server.ok("CreateUser", json!({"UserName": name})).await;
        }
        let made = server
            .ok("CreateAccessKey", json!({"UserName": "zoe"}))
            .await;
        let of = |user: &str| {
            json!({"UserName": user, "Status": "Inactive",
                "UserAccessKeyId": made["AccessKey"]["AccessKeyId"]})
        };
        let code = server.refused("UpdateAccessKey", of("max")).await;
        assert_eq!(code, "EntityNotExist.User.AccessKey");
        server.ok("UpdateAccessKey", of("zoe")).await;
        let listed = server
            .ok("ListAccessKeys", json!({"UserName": "zoe"}))
            .await;
        assert_eq!(listed["AccessKeys"]["AccessKey"][0]["Status"], "Inactive");
    }
}
