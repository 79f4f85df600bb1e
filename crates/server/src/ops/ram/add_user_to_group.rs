//! `AddUserToGroup`: a user has a group's policies from now on.

use crate::identity::arn;
use crate::identity::fields::{GroupName, UserName};
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `AddUserToGroup`
pub struct AddUserToGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_name: UserName,
    group_name: GroupName,
}

impl Operation for AddUserToGroup {
    const ACTION: &'static str = "AddUserToGroup";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![
            arn::user(cx.account(), req.user_name.as_str()),
            arn::group(cx.account(), req.group_name.as_str()),
        ]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        let (user, group) = (req.user_name.as_str(), req.group_name.as_str());
        cx.store
            .add_user_to_ram_group(cx.account(), user, group, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_membership_is_seen_from_both_sides_until_it_ends() {
        let server = TestServer::start().await;
        let pair = || json!({"UserName": "zoe", "GroupName": "devs"});
        server
            .ok(
                "CreateUser",
                json!({"UserName": "zoe", "DisplayName": "Zoë"}),
            )
            .await;
        let code = server.refused("AddUserToGroup", pair()).await;
        assert_eq!(code, "EntityNotExist.Group");
        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        server.ok("AddUserToGroup", pair()).await;
        let code = server.refused("AddUserToGroup", pair()).await;
        assert_eq!(code, "EntityAlreadyExists.User.Group");

        let users = server
            .ok("ListUsersForGroup", json!({"GroupName": "devs"}))
            .await;
        let member =
            json!({"UserName": "zoe", "DisplayName": "Zoë", "JoinDate": "2026-01-01T00:00:00Z"});
        assert_eq!(users["Users"]["User"], json!([member]));
        let groups = server
            .ok("ListGroupsForUser", json!({"UserName": "zoe"}))
            .await;
        assert_eq!(groups["Groups"]["Group"][0]["GroupName"], "devs");
        let code = server
            .refused("DeleteGroup", json!({"GroupName": "devs"}))
            .await;
        assert_eq!(code, "DeleteConflict.Group.User");

        server.ok("RemoveUserFromGroup", pair()).await;
        let code = server.refused("RemoveUserFromGroup", pair()).await;
        assert_eq!(code, "EntityNotExist.User.Group");
        let groups = server
            .ok("ListGroupsForUser", json!({"UserName": "zoe"}))
            .await;
        assert_eq!(groups["Groups"]["Group"], json!([]));
        server.ok("DeleteGroup", json!({"GroupName": "devs"})).await;
    }
}
