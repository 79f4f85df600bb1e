//! `CreateGroup`: a group of users, who have its policies besides their own.

use crate::identity::arn;
use crate::identity::fields::{Comment, GroupName};
use crate::identity::ids::group_id;
use crate::identity::view::Group;
use crate::ops::prelude::*;

/// `CreateGroup`
pub struct CreateGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    group_name: GroupName,
    comments: Option<Comment>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    group: Group,
}

impl Operation for CreateGroup {
    const ACTION: &'static str = "CreateGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::group(cx.account(), req.group_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let made = cx
            .store
            .create_ram_group(
                cx.account(),
                group_id(cx.entropy),
                req.group_name.into(),
                req.comments.map(String::from).unwrap_or_default(),
                cx.spend_nonce(),
                cx.now,
            )
            .await?;
        Ok(Response {
            group: Group::made(made),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_group_is_answered_whole_and_its_name_is_taken_from_then_on() {
        let server = TestServer::start().await;
        let ask = json!({"GroupName": "devs", "Comments": "who write it"});
        let answer = server.ok("CreateGroup", ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(
            server.refused("CreateGroup", ask).await,
            "EntityAlreadyExists.Group"
        );
    }
}
