//! `DeleteUser`: a user who has no keys, groups and policies any more.

use crate::identity::arn;
use crate::identity::fields::UserName;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeleteUser`
pub struct DeleteUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
}

impl Operation for DeleteUser {
    const ACTION: &'static str = "DeleteUser";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::user(cx.account(), req.user_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        cx.store
            .delete_ram_user(cx.account(), req.user_name.as_str(), cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_user_goes_after_its_keys_and_groups() {
        let server = TestServer::start().await;
        let zoe = || json!({"UserName": "zoe"});
        let membership = || json!({"UserName": "zoe", "GroupName": "devs"});
        server.ok("CreateUser", zoe()).await;
        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        server.ok("AddUserToGroup", membership()).await;
        let key = server.ok("CreateAccessKey", zoe()).await;
        let key = json!({"UserName": "zoe", "UserAccessKeyId": key["AccessKey"]["AccessKeyId"]});

        assert_eq!(
            server.refused("DeleteUser", zoe()).await,
            "DeleteConflict.User.AccessKey"
        );
        server.ok("DeleteAccessKey", key).await;
        assert_eq!(
            server.refused("DeleteUser", zoe()).await,
            "DeleteConflict.User.Group"
        );
        server.ok("RemoveUserFromGroup", membership()).await;
        server.ok("DeleteUser", zoe()).await;
        assert_eq!(
            server.refused("DeleteUser", zoe()).await,
            "EntityNotExist.User"
        );
    }
}
