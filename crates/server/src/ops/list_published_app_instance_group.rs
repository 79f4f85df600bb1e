//! `ListPublishedAppInstanceGroup`: one page of the published groups that deliver apps, newest first.

use super::prelude::*;
use super::published::{self, App, Delivered};
use greenroom_store::Group;

/// `ListPublishedAppInstanceGroup`
pub struct ListPublishedAppInstanceGroup;

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    app_instance_group_models: Vec<Model>,
    page_number: i64,
    page_size: i64,
    total_count: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_center_image_id: ImageId,
    app_instance_group_id: AppInstanceGroupId,
    app_instance_group_name: String,
    app_instance_type: &'static str,
    /// All of them: the filters choose groups.
    apps: Vec<App>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_time: Option<String>,
    gmt_create: String,
    region_id: String,
    status: GroupStatus,
}

impl Operation for ListPublishedAppInstanceGroup {
    const ACTION: &'static str = "ListPublishedAppInstanceGroup";
    type Request = published::Request;
    type Response = Response;

    fn access(_: &Self::Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Self::Request) -> Result<Response, ApiError> {
        let found = req.groups(cx).await?;
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.len(),
            app_instance_group_models: page_of(found, req.page_number, req.page_size)
                .map(|(group, apps)| Model::of(group, apps))
                .collect(),
        })
    }
}

impl Model {
    fn of(group: Group, apps: Vec<Delivered>) -> Self {
        let made = group.made;
        Self {
            app_center_image_id: made.image,
            app_instance_group_id: made.id,
            app_instance_group_name: made.name,
            app_instance_type: "__dynamic__",
            apps: apps.into_iter().map(|it| it.app).collect(),
            expired_time: made.charge.expires.map(|at| at.to_wire()),
            gmt_create: made.created.to_wire(),
            region_id: made.region,
            status: group.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn published_groups_are_listed_whole_and_newest_first() {
        let server = TestServer::start().await;
        for (name, terms) in [
            ("old", json!({})),
            (
                "new",
                json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"}),
            ),
        ] {
            let mut more = terms;
            more["AppInstanceGroupName"] = json!(name);
            let id = server.create_group(more).await;
            server.publish(&id).await;
            server.clock.advance(Duration::from_secs(1));
        }
        server.create_group(json!({})).await;
        let ask = json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10});
        insta::assert_snapshot!(golden(
            &server.ok("ListPublishedAppInstanceGroup", ask).await
        ));
    }

    #[tokio::test]
    async fn a_filter_by_app_chooses_groups_and_leaves_their_apps_whole() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({})).await;
        server.publish(&id).await;
        for (app, expected) in [("ca-foot", 1), ("ca-none", 0)] {
            let ask =
                json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10, "AppId": app});
            let answer = server.ok("ListPublishedAppInstanceGroup", ask).await;
            let groups = answer["AppInstanceGroupModels"].as_array().unwrap();
            assert_eq!(groups.len(), expected, "{answer}");
            for group in groups {
                assert_eq!(group["Apps"].as_array().unwrap().len(), 2);
            }
        }
    }

    #[tokio::test]
    async fn a_group_is_left_out_for_whoever_was_granted_each_of_its_apps_by_itself() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({"AuthMode": "App"})).await;
        server.publish(&group).await;
        let ask = json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10,
            "ExcludeUserId": "alice"});
        for (app, left) in [("ca-foot", 1), ("ca-mousepad", 0)] {
            let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
                "AppId": app, "AuthorizeUserIds": ["alice"]});
            server.ok("AuthorizeUsersForApp", grant).await;
            let answer = server
                .ok("ListPublishedAppInstanceGroup", ask.clone())
                .await;
            assert_eq!(answer["TotalCount"], left, "{app}");
        }
    }
}
