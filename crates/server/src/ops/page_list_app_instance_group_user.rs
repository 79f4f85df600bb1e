//! `PageListAppInstanceGroupUser`: the ids of the users who may use a group, or something of it.

use super::prelude::*;
use greenroom_store::PageRequest;

/// `PageListAppInstanceGroupUser`
pub struct PageListAppInstanceGroupUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
    product_type: Product,
}

/// What it answers. There is no count: a page that is not full is the last.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    users: Vec<EndUserId>,
}

impl Operation for PageListAppInstanceGroupUser {
    const ACTION: &'static str = "PageListAppInstanceGroupUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let users = cx
            .store
            .page_user_ids(cx.account(), &group.id, page)
            .await?;
        Ok(Response { users })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    async fn page(server: &TestServer, group: &str, number: u32) -> Value {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": number, "PageSize": 2});
        server.ok("PageListAppInstanceGroupUser", ask).await["Users"].clone()
    }

    #[tokio::test]
    async fn whoever_has_anything_of_a_group_is_listed_once() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        for (session, user) in [(0, "bob"), (1, "bob"), (1, "alice"), (0, "carol")] {
            server.authorize(&group, &sessions[session], user).await;
        }
        assert_eq!(page(&server, &group, 1).await, json!(["alice", "bob"]));
        assert_eq!(page(&server, &group, 2).await, json!(["carol"]));
        assert_eq!(page(&server, &group, 3).await, json!([]));

        let apps = server.create_group(json!({"AuthMode": "App"})).await;
        let whole = json!({"AppInstanceGroupId": apps, "ProductType": "CloudApp", "AuthorizeUserIds": ["bob"]});
        server.ok("AuthorizeInstanceGroup", whole).await;
        let one = json!({"AppInstanceGroupId": apps, "ProductType": "CloudApp", "AppId": "ca-foot",
            "AuthorizeUserIds": ["alice", "bob"]});
        server.ok("AuthorizeUsersForApp", one).await;
        assert_eq!(page(&server, &apps, 1).await, json!(["alice", "bob"]));
    }

    #[tokio::test]
    async fn a_group_that_is_not_the_callers_looks_absent() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let (status, answer) = server
            .call_as("globex", "PageListAppInstanceGroupUser", ask)
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstanceGroup.NotFound"))
        );
    }
}
