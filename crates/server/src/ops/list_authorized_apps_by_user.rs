//! `ListAuthorizedAppsByUser`: the single apps that were granted to a user, those granted last first.

use super::prelude::*;
use crate::catalogue::APP_VERSION;
use greenroom_store::{AppGrant, AppGrantFilter, PageRequest};

/// `ListAuthorizedAppsByUser`
pub struct ListAuthorizedAppsByUser;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_id: Option<Ref<AppId>>,
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// A part of the group's name.
    app_instance_group_name: Option<Text<256>>,
    /// A part of the app's name.
    app_name: Option<Text<256>>,
    end_user_id: EndUserId,
    page_number: PageNumber,
    page_size: PageSize,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    apps: Vec<Model>,
}

/// An app of a group. There is no `AppIcon`: apps here have none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_id: AppId,
    app_instance_group_id: AppInstanceGroupId,
    app_instance_group_name: String,
    /// Absent when the image no longer has the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    app_version: &'static str,
    app_version_name: &'static str,
    authorized_user_count: u64,
}

impl Operation for ListAuthorizedAppsByUser {
    const ACTION: &'static str = "ListAuthorizedAppsByUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        if !cx.store.has_user(cx.account(), &req.end_user_id).await? {
            return Err(ApiError::UserNotFound);
        }
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let (grants, total) = match req.filter(cx) {
            None => (Vec::new(), 0),
            Some(filter) => {
                let found = cx
                    .store
                    .page_app_grants(
                        cx.account(),
                        req.product_type.0,
                        &req.end_user_id,
                        filter,
                        page,
                    )
                    .await?;
                (found.items, found.total)
            }
        };
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: total,
            apps: grants.into_iter().map(|grant| model(cx, grant)).collect(),
        })
    }
}

impl Request {
    /// What the database is to look for; `None` when nothing can be found.
    fn filter(&self, cx: &CallContext<'_>) -> Option<AppGrantFilter> {
        let mut apps = match &self.app_id {
            None => None,
            Some(asked) => Some(vec![asked.id()?.clone()]),
        };
        if let Some(part) = &self.app_name {
            let named = cx.catalogue.images.iter().flat_map(|image| &image.apps);
            let mut named: Vec<AppId> = named
                .filter(|app| app.name.contains(part.as_str()))
                .map(|app| app.id.clone())
                .collect();
            named.retain(|id| apps.as_ref().is_none_or(|apps| apps.contains(id)));
            apps = Some(named);
        }
        Some(AppGrantFilter {
            apps,
            group: named_one(self.app_instance_group_id.as_ref())?,
            group_name_contains: self.app_instance_group_name.clone().map(Into::into),
        })
    }
}

fn model(cx: &CallContext<'_>, grant: AppGrant) -> Model {
    let image = cx.catalogue.image(grant.image.as_str());
    let app = image.and_then(|image| image.app(&grant.app));
    Model {
        app_name: app.map(|app| app.name.clone()),
        app_id: grant.app,
        app_instance_group_id: grant.group,
        app_instance_group_name: grant.group_name,
        app_version: APP_VERSION,
        app_version_name: "Installed",
        authorized_user_count: grant.users,
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn ask(more: Value) -> Value {
        let mut ask = json!({"ProductType": "CloudApp", "EndUserId": "alice", "PageNumber": 1, "PageSize": 20});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    /// Alice has the terminal of two groups and the editor of the second, which bob has too.
    async fn two_groups(server: &TestServer) -> Vec<String> {
        let mut groups = Vec::new();
        for name in ["office", "studio"] {
            groups.push(
                server
                    .create_group(json!({"AuthMode": "App", "AppInstanceGroupName": name}))
                    .await,
            );
        }
        for (group, app, users) in [
            (0, "ca-foot", vec!["alice"]),
            (1, "ca-foot", vec!["alice"]),
            (1, "ca-mousepad", vec!["alice", "bob"]),
        ] {
            let grant = json!({"AppInstanceGroupId": groups[group], "ProductType": "CloudApp", "AppId": app,
                "AuthorizeUserIds": users});
            server.ok("AuthorizeUsersForApp", grant).await;
            server.clock.advance(Duration::from_secs(1));
        }
        groups
    }

    fn apps(answer: &Value) -> Vec<String> {
        let apps = answer["Apps"].as_array().unwrap();
        apps.iter()
            .map(|app| {
                let text = |name: &str| app[name].as_str().unwrap();
                format!("{} {}", text("AppInstanceGroupName"), text("AppId"))
            })
            .collect()
    }

    #[tokio::test]
    async fn a_users_apps_are_listed_whole_and_newest_first() {
        let server = TestServer::start().await;
        two_groups(&server).await;
        let answer = server.ok("ListAuthorizedAppsByUser", ask(json!({}))).await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let server = TestServer::start().await;
        let groups = two_groups(&server).await;
        let (mousepad, studio, office) = ("studio ca-mousepad", "studio ca-foot", "office ca-foot");
        for (more, expected, total) in [
            (json!({"AppId": "ca-foot"}), vec![studio, office], 2),
            (json!({"AppId": "no id"}), vec![], 0),
            (json!({"AppName": "Term"}), vec![studio, office], 2),
            (
                json!({"AppName": "Term", "AppId": "ca-mousepad"}),
                vec![],
                0,
            ),
            (json!({"AppInstanceGroupId": groups[0]}), vec![office], 1),
            (json!({"AppInstanceGroupId": "aig-****"}), vec![], 0),
            (
                json!({"AppInstanceGroupName": "tud"}),
                vec![mousepad, studio],
                2,
            ),
            (json!({"EndUserId": "bob"}), vec![mousepad], 1),
            (json!({"ProductType": "AndroidCloud"}), vec![], 0),
            (json!({"PageSize": 2, "PageNumber": 2}), vec![office], 3),
        ] {
            let answer = server
                .ok("ListAuthorizedAppsByUser", ask(more.clone()))
                .await;
            assert_eq!(apps(&answer), expected, "{more}");
            assert_eq!(answer["TotalCount"], total, "{more}");
        }
        let deleted = json!({"AppInstanceGroupId": groups[1], "ProductType": "CloudApp"});
        server.ok("DeleteAppInstanceGroup", deleted).await;
        let answer = server.ok("ListAuthorizedAppsByUser", ask(json!({}))).await;
        assert_eq!(apps(&answer), [office]);
    }

    #[tokio::test]
    async fn a_user_whom_the_account_never_named_is_not_found() {
        let server = TestServer::start().await;
        two_groups(&server).await;
        let nobody = ask(json!({"EndUserId": "nobody"}));
        let told = server.refused("ListAuthorizedAppsByUser", nobody).await;
        assert_eq!(told, "User.NotFound");
        let (status, answer) = server
            .call_as("globex", "ListAuthorizedAppsByUser", ask(json!({})))
            .await;
        assert_eq!((status, &answer["Code"]), (400, &json!("User.NotFound")));
    }
}
