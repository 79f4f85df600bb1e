//! `ListAuthorizedAppInstanceGroupByUser`: the groups that were granted to a user as a whole, those granted
//! last first.

use super::prelude::*;
use crate::catalogue::{APP_VERSION, Catalogue};
use greenroom_store::{GrantedFilter, Group, PageRequest};

/// `ListAuthorizedAppInstanceGroupByUser`
pub struct ListAuthorizedAppInstanceGroupByUser;

/// What it takes. What is mandatory is optional in its form, because other codes than usual are recorded
/// for what is missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_id: Option<Text<64>>,
    /// A part of the group's id.
    app_instance_group_id: Option<Text<64>>,
    /// A part of the group's name.
    app_instance_group_name: Option<Text<256>>,
    /// A part of the name of an app of the group.
    app_name: Option<Text<256>>,
    end_user_id: Option<Ref<EndUserId>>,
    page_number: PageNumber,
    page_size: PageSize,
    product_type: Option<Text<64>>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    app_instance_group_models: Vec<Model>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_center_image_id: ImageId,
    app_instance_group_id: AppInstanceGroupId,
    app_instance_group_name: String,
    app_instance_type: &'static str,
    apps: Vec<App>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_time: Option<String>,
    gmt_create: String,
    region_id: String,
    status: GroupStatus,
}

/// An app. There is no `AppIcon`: apps here have none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct App {
    app_id: AppId,
    app_name: String,
    app_version: &'static str,
    app_version_name: &'static str,
}

impl Operation for ListAuthorizedAppInstanceGroupByUser {
    const ACTION: &'static str = "ListAuthorizedAppInstanceGroupByUser";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.product()?;
        match &req.end_user_id {
            None => Err(ApiError::Invalid("UserId")),
            Some(_) => Ok(()),
        }
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let user = req.end_user_id.as_ref().and_then(Ref::id);
        let (groups, total) = match (req.product()?.0, user) {
            (Some(product), Some(user)) => {
                let filter = req.filter(cx.catalogue);
                let found = cx
                    .store
                    .page_groups_granted_to(cx.account(), product, user, filter, page)
                    .await?;
                (found.items, found.total)
            }
            _ => (Vec::new(), 0),
        };
        let models = groups.into_iter().map(|group| model(cx.catalogue, group));
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: total,
            app_instance_group_models: models.collect(),
        })
    }
}

impl Request {
    fn product(&self) -> Result<AnyProduct, ApiError> {
        let asked = self.product_type.as_ref().map(Text::as_str);
        asked
            .and_then(AnyProduct::parse)
            .ok_or(ApiError::Invalid("ProductType"))
    }

    fn filter(&self, catalogue: &Catalogue) -> GrantedFilter {
        // A group without any app is left out.
        let wanted = |app: &crate::config::App| {
            let id = self.app_id.as_ref();
            let name = self.app_name.as_ref();
            id.is_none_or(|id| app.id.as_str() == id.as_str())
                && name.is_none_or(|part| app.name.contains(part.as_str()))
        };
        let images = catalogue.images.iter();
        GrantedFilter {
            id_contains: self.app_instance_group_id.clone().map(Into::into),
            name_contains: self.app_instance_group_name.clone().map(Into::into),
            images: images
                .filter(|image| image.apps.iter().any(wanted))
                .map(|image| image.id.clone())
                .collect(),
        }
    }
}

fn model(catalogue: &Catalogue, group: Group) -> Model {
    let made = group.made;
    let image = catalogue.image(made.image.as_str());
    let apps = image.map(|image| image.apps.as_slice()).unwrap_or_default();
    let apps = apps.iter().map(|app| App {
        app_id: app.id.clone(),
        app_name: app.name.clone(),
        app_version: APP_VERSION,
        app_version_name: "Installed",
    });
    Model {
        apps: apps.collect(),
        app_center_image_id: made.image,
        app_instance_group_id: made.id,
        app_instance_group_name: made.name,
        app_instance_type: "__dynamic__",
        expired_time: made.charge.expires.map(|at| at.to_wire()),
        gmt_create: made.created.to_wire(),
        region_id: made.region,
        status: group.status,
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    const ACTION: &str = "ListAuthorizedAppInstanceGroupByUser";

    fn ask(more: Value) -> Value {
        let mut ask = json!({"ProductType": "CloudApp", "EndUserId": "alice", "PageNumber": 1, "PageSize": 20});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    /// Alice has two groups as a whole, and of the third an app only.
    async fn groups(server: &TestServer) -> Vec<String> {
        let mut groups = Vec::new();
        for (name, mode) in [
            ("office", "AppInstanceGroup"),
            ("studio", "App"),
            ("atelier", "App"),
        ] {
            let group = json!({"AuthMode": mode, "AppInstanceGroupName": name});
            groups.push(server.create_group(group).await);
        }
        for group in &groups[..2] {
            let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AuthorizeUserIds": ["alice"]});
            server.ok("AuthorizeInstanceGroup", grant).await;
            server.clock.advance(Duration::from_secs(1));
        }
        let grant = json!({"AppInstanceGroupId": groups[2], "ProductType": "CloudApp", "AppId": "ca-foot",
            "AuthorizeUserIds": ["alice"]});
        server.ok("AuthorizeUsersForApp", grant).await;
        groups
    }

    fn names(answer: &Value) -> Vec<&str> {
        let models = answer["AppInstanceGroupModels"].as_array().unwrap();
        models
            .iter()
            .map(|model| model["AppInstanceGroupName"].as_str().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn groups_of_a_user_are_listed_whole_and_newest_first() {
        let server = TestServer::start().await;
        groups(&server).await;
        let answer = server.ok(ACTION, ask(json!({}))).await;
        assert_eq!(names(&answer), ["studio", "office"]);
        insta::assert_snapshot!(golden(&answer));
        let (_, others) = server.call_as("globex", ACTION, ask(json!({}))).await;
        assert_eq!(others["TotalCount"], 0);
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let server = TestServer::start().await;
        let groups = groups(&server).await;
        let part = groups[0].trim_start_matches("aig-");
        for (more, expected, total) in [
            (json!({"AppInstanceGroupId": part}), vec!["office"], 1),
            (json!({"AppInstanceGroupName": "tud"}), vec!["studio"], 1),
            (json!({"AppId": "ca-foot"}), vec!["studio", "office"], 2),
            (json!({"AppId": "ca-none"}), vec![], 0),
            (json!({"AppName": "editor"}), vec!["studio", "office"], 2),
            (json!({"AppName": "editor", "AppId": "ca-foot"}), vec![], 0),
            (json!({"EndUserId": "nobody"}), vec![], 0),
            (json!({"EndUserId": "no one"}), vec![], 0),
            (json!({"ProductType": "WuyingServer"}), vec![], 0),
            (json!({"ProductType": "CloudBrowser"}), vec![], 0),
            (json!({"PageSize": 1, "PageNumber": 2}), vec!["office"], 2),
        ] {
            let answer = server.ok(ACTION, ask(more.clone())).await;
            assert_eq!(names(&answer), expected, "{more}");
            assert_eq!(answer["TotalCount"], total, "{more}");
        }
    }

    #[tokio::test]
    async fn what_is_missing_has_the_codes_that_are_recorded_for_it() {
        let server = TestServer::start().await;
        for (more, code) in [
            (json!({"ProductType": ""}), "InvalidParameter.ProductType"),
            (
                json!({"ProductType": "CloudToaster"}),
                "InvalidParameter.ProductType",
            ),
            (json!({"EndUserId": ""}), "InvalidParameter.UserId"),
            (json!({"PageSize": ""}), "MissingPageSize"),
        ] {
            assert_eq!(
                server.refused(ACTION, ask(more.clone())).await,
                code,
                "{more}"
            );
        }
    }
}
