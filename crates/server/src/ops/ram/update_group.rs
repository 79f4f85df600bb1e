//! `UpdateGroup`: what is said of a group, its name included. What is not given stays.

use crate::identity::arn;
use crate::identity::fields::{Comment, GroupName};
use crate::identity::view::Group;
use crate::ops::prelude::*;

/// `UpdateGroup`
pub struct UpdateGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
    new_group_name: Option<GroupName>,
    new_comments: Option<Comment>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    group: Group,
}

impl Operation for UpdateGroup {
    const ACTION: &'static str = "UpdateGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        // A new name too, for it may be one that policies keep for others.
        let names = std::iter::once(&req.group_name).chain(&req.new_group_name);
        names
            .map(|name| arn::group(cx.account(), name.as_str()))
            .collect()
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .store
            .update_ram_group(
                cx.account(),
                req.group_name.as_str(),
                req.new_group_name.map(String::from),
                req.new_comments.map(String::from),
                cx.spend_nonce(),
                cx.now,
            )
            .await?;
        Ok(Response {
            group: Group::kept(group),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn a_renamed_group_keeps_its_users_and_policies() {
        let server = TestServer::start().await.with_user("zoe", &[]).await;
        let ask = json!({"GroupName": "devs", "Comments": "who write it"});
        server.ok("CreateGroup", ask).await;
        let ask = json!({"UserName": "zoe", "GroupName": "devs"});
        server.ok("AddUserToGroup", ask).await;
        let ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess",
            "GroupName": "devs"});
        server.ok("AttachPolicyToGroup", ask).await;
        server.clock.advance(Duration::from_secs(60));

        let ask = json!({"GroupName": "devs", "NewGroupName": "crew"});
        let answer = server.ok("UpdateGroup", ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        let code = server.refused("UpdateGroup", ask).await;
        assert_eq!(code, "EntityNotExist.Group");
        let users = server.ok("ListUsersForGroup", json!({"GroupName": "crew"}));
        assert_eq!(users.await["Users"]["User"][0]["UserName"], "zoe");
        let (status, _) = server.call_as("zoe", "ListRegions", json!({})).await;
        assert_eq!(status, 200);

        server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
        let taken = json!({"GroupName": "devs", "NewGroupName": "crew"});
        assert_eq!(
            server.refused("UpdateGroup", taken).await,
            "EntityAlreadyExists.Group"
        );
    }
}
