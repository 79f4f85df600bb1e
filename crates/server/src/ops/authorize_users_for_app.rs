//! `AuthorizeUsersForApp`: lets users have one app of a group that gives out apps, or no longer lets them.

use super::prelude::*;
use greenroom_store::GrantChange;

/// `AuthorizeUsersForApp`
pub struct AuthorizeUsersForApp;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_id: Text<64>,
    app_instance_group_id: Ref<AppInstanceGroupId>,
    #[serde(default)]
    authorize_user_ids: List<EndUserId, 100>,
    product_type: Product,
    #[serde(default)]
    un_authorize_user_ids: List<EndUserId, 100>,
    /// Says of which kind the users are; there is one kind of user here.
    #[expect(dead_code, reason = "only its form matters")]
    user_meta: Option<UserMeta>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for AuthorizeUsersForApp {
    const ACTION: &'static str = "AuthorizeUsersForApp";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        let added = req.authorize_user_ids.items();
        let removed = req.un_authorize_user_ids.items();
        if added.is_empty() && removed.is_empty() {
            return Err(ApiError::Missing("AuthorizeUserIds"));
        }
        if removed.iter().any(|user| added.contains(user)) {
            return Err(ApiError::Invalid("UnAuthorizeUserIds"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        if group.auth_mode != AuthMode::App {
            return Err(ApiError::Invalid("AppInstanceGroupId"));
        }
        let image = cx.catalogue.image(group.image.as_str());
        let apps = image.map(|image| image.apps.as_slice()).unwrap_or_default();
        let mut apps = apps.iter().map(|app| &app.id);
        let app = apps
            .find(|id| id.as_str() == req.app_id.as_str())
            .ok_or(ApiError::AppNotFound)?;
        let change = GrantChange {
            add: distinct(req.authorize_user_ids.into_items()),
            remove: distinct(req.un_authorize_user_ids.into_items()),
        };
        cx.store
            .authorize_app_users(
                cx.account(),
                &group.id,
                app,
                change,
                cx.spend_nonce(),
                cx.now,
            )
            .await
            .map_err(ApiError::of_group)?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    fn ask(group: &str, more: Value) -> Value {
        let mut ask =
            json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppId": "ca-foot"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn users(server: &TestServer, group: &str, app: Value) -> (Vec<String>, Value) {
        let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1, "PageSize": 20});
        ask["AppId"] = app;
        let answer = server.ok("ListAuthorizedUsers", ask).await;
        let users = answer["Users"].as_array().unwrap();
        let names = users
            .iter()
            .map(|user| user["EndUserId"].as_str().unwrap().to_owned());
        (names.collect(), answer["TotalCount"].clone())
    }

    #[tokio::test]
    async fn users_of_one_app_are_added_and_removed_and_keep_their_other_apps() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({"AuthMode": "App"})).await;
        for (app, users) in [
            ("ca-foot", vec!["alice", "bob"]),
            ("ca-mousepad", vec!["alice"]),
        ] {
            let more =
                json!({"AppId": app, "AuthorizeUserIds": users, "UserMeta": {"Type": "simple"}});
            server.ok("AuthorizeUsersForApp", ask(&group, more)).await;
            server.clock.advance(std::time::Duration::from_secs(1));
        }
        let named = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        // A user's records of a page are one entry, and the total counts records.
        let all = users(&server, &group, json!("")).await;
        assert_eq!(all, (named(&["alice", "bob"]), json!(3)));
        let remove =
            json!({"AuthorizeUserIds": ["carol"], "UnAuthorizeUserIds": ["alice", "nobody"]});
        server.ok("AuthorizeUsersForApp", ask(&group, remove)).await;
        let foot = users(&server, &group, json!("ca-foot")).await;
        assert_eq!(foot, (named(&["carol", "bob"]), json!(2)));
        let mousepad = users(&server, &group, json!("ca-mousepad")).await;
        assert_eq!(mousepad, (named(&["alice"]), json!(1)));
        // Whoever has the whole group has each of its apps.
        let whole = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AuthorizeUserIds": ["dave"]});
        server.ok("AuthorizeInstanceGroup", whole).await;
        let mousepad = users(&server, &group, json!("ca-mousepad")).await;
        assert_eq!(mousepad, (named(&["dave", "alice"]), json!(2)));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named_and_nothing_changes() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({"AuthMode": "App"})).await;
        let by_session = server.create_group(json!({})).await;
        let too_many: Vec<String> = (0..101).map(|n| format!("user-{n}")).collect();
        for (more, code) in [
            (json!({}), "MissingAuthorizeUserIds"),
            (
                json!({"AuthorizeUserIds": ["a"], "UnAuthorizeUserIds": ["a"]}),
                "InvalidParameter.UnAuthorizeUserIds",
            ),
            (
                json!({"AuthorizeUserIds": too_many}),
                "InvalidParameter.AuthorizeUserIds",
            ),
            (
                json!({"AuthorizeUserIds": ["a"], "AppId": "ca-none"}),
                "InvalidAppId.NotFound",
            ),
            (
                json!({"AuthorizeUserIds": ["a"], "AppInstanceGroupId": by_session}),
                "InvalidParameter.AppInstanceGroupId",
            ),
            (
                json!({"AuthorizeUserIds": ["a"], "AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let told = server
                .refused("AuthorizeUsersForApp", ask(&group, more.clone()))
                .await;
            assert_eq!(told, code, "{more}");
        }
        assert_eq!(users(&server, &group, json!("")).await, (vec![], json!(0)));
    }
}
