//! `ListAppsByAppInstanceGroupId`: one page of the apps that a group delivers.

use super::prelude::*;
use super::published;

/// `ListAppsByAppInstanceGroupId`
pub struct ListAppsByAppInstanceGroupId;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    page_number: PageNumber,
    page_size: PageSize,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    apps: Vec<Model>,
    page_number: i64,
    page_size: i64,
    total_count: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    #[serde(flatten)]
    app: published::App,
    /// Users who were granted the app by itself.
    authorized_user_count: u64,
}

impl Operation for ListAppsByAppInstanceGroupId {
    const ACTION: &'static str = "ListAppsByAppInstanceGroupId";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        let uses = cx
            .store
            .app_uses(cx.account(), Some(&group.made.id), None)
            .await?;
        let apps = published::apps(cx.catalogue, &group, &uses);
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: apps.len(),
            apps: page_of(apps, req.page_number, req.page_size)
                .map(|it| Model {
                    app: it.app,
                    authorized_user_count: it.granted.users,
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_groups_apps_are_listed_whole() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({"AuthMode": "App"})).await;
        let grant = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp",
            "AppId": "ca-mousepad", "AuthorizeUserIds": ["alice", "bob"]});
        server.ok("AuthorizeUsersForApp", grant).await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp", "PageNumber": 1,
            "PageSize": 10});
        insta::assert_snapshot!(golden(
            &server.ok("ListAppsByAppInstanceGroupId", ask).await
        ));
    }

    #[tokio::test]
    async fn the_product_type_is_the_groups_own_and_pages_are_cut() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({})).await;
        let ask = |product: &str| json!({"AppInstanceGroupId": id, "ProductType": product, "PageNumber": 2, "PageSize": 1});
        assert_eq!(
            server
                .refused("ListAppsByAppInstanceGroupId", ask("CloudBrowser"))
                .await,
            "InvalidAppInstanceGroup.NotFound"
        );
        let answer = server
            .ok("ListAppsByAppInstanceGroupId", ask("CloudApp"))
            .await;
        assert_eq!(answer["TotalCount"], 2);
        assert_eq!(answer["Apps"][0]["AppId"], "ca-mousepad");
    }
}
