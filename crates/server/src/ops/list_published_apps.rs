//! `ListPublishedApps`: one page of the apps of all published groups, one record for each group and app.

use super::prelude::*;
use super::published::{self, App};

/// `ListPublishedApps`
pub struct ListPublishedApps;

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
    app_instance_group_id: AppInstanceGroupId,
    app_instance_group_name: String,
    /// Users who were granted the app by itself.
    authorized_user_count: u64,
    #[serde(flatten)]
    app: App,
}

impl Operation for ListPublishedApps {
    const ACTION: &'static str = "ListPublishedApps";
    type Request = published::Request;
    type Response = Response;

    fn access(_: &Self::Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Self::Request) -> Result<Response, ApiError> {
        let mut found = Vec::new();
        for (group, apps) in req.groups(cx).await? {
            let wanted = apps
                .into_iter()
                .filter(|it| req.wants(&it.app) && !it.granted.granted);
            found.extend(wanted.map(|it| Model {
                app_instance_group_id: group.made.id.clone(),
                app_instance_group_name: group.made.name.clone(),
                authorized_user_count: it.granted.users,
                app: it.app,
            }));
        }
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.len(),
            apps: page_of(found, req.page_number, req.page_size).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    /// Two published groups, `old` before `new`, and one that is being deployed.
    async fn published() -> (TestServer, String) {
        let server = TestServer::start().await;
        let mut ids = Vec::new();
        for name in ["old", "new"] {
            let id = server
                .create_group(json!({"AppInstanceGroupName": name}))
                .await;
            server.publish(&id).await;
            server.clock.advance(Duration::from_secs(1));
            ids.push(id);
        }
        server
            .create_group(json!({"AppInstanceGroupName": "deploying"}))
            .await;
        (server, ids.remove(0))
    }

    fn ask(more: &Value) -> Value {
        let mut ask = json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    #[tokio::test]
    async fn the_apps_of_published_groups_are_listed_whole_newest_group_first() {
        let (server, _) = published().await;
        insta::assert_snapshot!(golden(
            &server.ok("ListPublishedApps", ask(&json!({}))).await
        ));
    }

    #[tokio::test]
    async fn the_list_is_narrowed_and_paged() {
        let (server, old) = published().await;
        for (more, expected, total) in [
            (
                json!({"AppName": "Text"}),
                vec!["new ca-mousepad", "old ca-mousepad"],
                2,
            ),
            (
                json!({"AppId": "ca-foot"}),
                vec!["new ca-foot", "old ca-foot"],
                2,
            ),
            (
                json!({"AppInstanceGroupId": old, "AppId": "ca-foot"}),
                vec!["old ca-foot"],
                1,
            ),
            (
                json!({"AppInstanceGroupId": "aig-9ciijz60n4xsv****"}),
                vec![],
                0,
            ),
            (
                json!({"AppInstanceGroupName": "ne", "PageSize": 1, "PageNumber": 2}),
                vec!["new ca-mousepad"],
                2,
            ),
            (
                json!({"ExcludeUserId": "alice", "AppId": "ca-foot"}),
                vec!["new ca-foot", "old ca-foot"],
                2,
            ),
            (json!({"ProductType": "WuyingServer"}), vec![], 0),
            (json!({"AppId": "ca-none"}), vec![], 0),
        ] {
            let answer = server.ok("ListPublishedApps", ask(&more)).await;
            let found: Vec<String> = answer["Apps"]
                .as_array()
                .unwrap()
                .iter()
                .map(|app| {
                    let text = |name: &str| app[name].as_str().unwrap();
                    format!("{} {}", text("AppInstanceGroupName"), text("AppId"))
                })
                .collect();
            assert_eq!(found, expected, "{more}");
            assert_eq!(answer["TotalCount"], total, "{more}");
        }
    }

    #[tokio::test]
    async fn single_grants_are_counted_and_leave_out_for_whom_they_were_made() {
        let server = TestServer::start().await;
        let by_app = json!({"AuthMode": "App", "Users": ["carol"]});
        let group = server.create_group(by_app).await;
        server.publish(&group).await;
        for user in ["alice", "bob"] {
            let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
                "AppId": "ca-foot", "AuthorizeUserIds": [user]});
            server.ok("AuthorizeUsersForApp", grant).await;
        }
        let listed = async |more: Value| {
            let answer = server.ok("ListPublishedApps", ask(&more)).await;
            let apps = answer["Apps"].as_array().unwrap();
            let shown = apps.iter().map(|app| {
                format!(
                    "{} {}",
                    app["AppId"].as_str().unwrap(),
                    app["AuthorizedUserCount"]
                )
            });
            shown.collect::<Vec<_>>()
        };
        let everything = ["ca-foot 2", "ca-mousepad 0"];
        assert_eq!(listed(json!({})).await, everything);
        assert_eq!(listed(json!({"ExcludeUserId": "carol"})).await, everything);
        assert_eq!(
            listed(json!({"ExcludeUserId": "bob"})).await,
            ["ca-mousepad 0"]
        );
    }
}
