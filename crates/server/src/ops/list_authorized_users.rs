//! `ListAuthorizedUsers`: who may connect to a group, whoever was authorized last first.

use super::prelude::*;
use greenroom_store::{AuthorizedFilter, Group, PageRequest};

/// `ListAuthorizedUsers`
pub struct ListAuthorizedUsers;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// Whoever is granted a group or a session is granted all of its apps.
    app_id: Option<Text<64>>,
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// There are no sets of groups, so none is found.
    app_instance_group_set_id: Option<Text<64>>,
    app_instance_persistent_id: Option<Ref<PersistentId>>,
    end_user_id: Option<Ref<EndUserId>>,
    page_number: PageNumber,
    page_size: PageSize,
    product_type: Text<64>,
    /// A part of the user's id.
    user_id_fuzzy: Option<Text<64>>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    users: Vec<User>,
}

/// A user. There is neither `Email` nor `Phone`: nothing is known of users but their ids.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    account_type: &'static str,
    /// The filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<Text<64>>,
    app_instance_group_id: AppInstanceGroupId,
    /// Absent where the group does not give out sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_persistent_ids: Option<Vec<PersistentId>>,
    auth_mode: AuthMode,
    end_user_id: EndUserId,
    /// Whether the filter was absent.
    is_auth_all_apps: &'static str,
}

impl Operation for ListAuthorizedUsers {
    const ACTION: &'static str = "ListAuthorizedUsers";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        let set = req.app_instance_group_set_id.is_some();
        if set == req.app_instance_group_id.is_some() {
            return Err(ApiError::GroupXorSet);
        }
        if set && req.app_id.is_some() {
            return Err(ApiError::Invalid("AppId"));
        }
        if set && req.app_instance_persistent_id.is_some() {
            return Err(ApiError::Invalid("AppInstancePersistentId"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = find(cx, &req).await?.made;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let image = cx.catalogue.image(group.image.as_str());
        let apps = image.map(|image| image.apps.as_slice()).unwrap_or_default();
        let has = |asked: &Text<64>| apps.iter().any(|app| app.id.as_str() == asked.as_str());
        let filter = match req.filter() {
            Some(filter) if req.app_id.as_ref().is_none_or(has) => Some(filter),
            _ => None,
        };
        let (users, total) = match filter {
            None => (Vec::new(), 0),
            Some(filter) => {
                let found = cx
                    .store
                    .page_authorized_users(cx.account(), &group.id, group.auth_mode, filter, page)
                    .await?;
                (found.items, found.total)
            }
        };
        let by_session = group.auth_mode == AuthMode::Session;
        let users = users.into_iter().map(|found| User {
            account_type: "simple",
            app_id: req.app_id.clone(),
            app_instance_group_id: group.id.clone(),
            app_instance_persistent_ids: by_session.then_some(found.sessions),
            auth_mode: group.auth_mode,
            end_user_id: found.user,
            is_auth_all_apps: if req.app_id.is_none() {
                "true"
            } else {
                "false"
            },
        });
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: total,
            users: users.collect(),
        })
    }
}

async fn find(cx: &CallContext<'_>, req: &Request) -> Result<Group, ApiError> {
    let asked = req.product_type.as_str();
    let recorded = AnyProduct::parse(asked).ok_or(ApiError::NoSuchProduct)?;
    let Some(id) = &req.app_instance_group_id else {
        return Err(ApiError::GroupSetNotFound);
    };
    let not_found = || match recorded.0 {
        Some(ProductType::CloudBrowser) => ApiError::BrowserGroupNotFound,
        _ => ApiError::GroupItemNotFound,
    };
    let product = recorded.0.ok_or_else(not_found)?;
    match cx.group(id, Product(product)).await {
        Err(ApiError::GroupNotFound) => Err(not_found()),
        other => other,
    }
}

impl Request {
    /// What the database is to look for; `None` when nothing can be found.
    fn filter(&self) -> Option<AuthorizedFilter> {
        Some(AuthorizedFilter {
            user: named_one(self.end_user_id.as_ref())?,
            id_contains: self.user_id_fuzzy.clone().map(Into::into),
            session: named_one(self.app_instance_persistent_id.as_ref())?,
            app: match &self.app_id {
                Some(asked) => Some(AppId::parse(asked.as_str()).ok()?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn ask(group: &str, more: Value) -> Value {
        let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1, "PageSize": 20});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    fn users(answer: &Value) -> Vec<&str> {
        let users = answer["Users"].as_array().unwrap();
        users
            .iter()
            .map(|user| user["EndUserId"].as_str().unwrap())
            .collect()
    }

    /// Alice has both sessions of the group, bob the second; alice's second was the last to be given.
    async fn office(server: &TestServer) -> (String, Vec<String>) {
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        for (session, user) in [(0, "alice"), (1, "bob"), (1, "alice")] {
            server.authorize(&group, &sessions[session], user).await;
            server.clock.advance(Duration::from_secs(1));
        }
        (group, sessions)
    }

    #[tokio::test]
    async fn users_of_sessions_are_listed_whole_and_newest_first() {
        let server = TestServer::start().await;
        let (group, _) = office(&server).await;
        let answer = server
            .ok("ListAuthorizedUsers", ask(&group, json!({})))
            .await;
        assert_eq!(users(&answer), ["alice", "bob"]);
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_each_user_still_shows_all_sessions() {
        let server = TestServer::start().await;
        let (group, sessions) = office(&server).await;
        for (more, expected) in [
            (
                json!({"AppInstancePersistentId": sessions[1]}),
                vec!["alice", "bob"],
            ),
            (
                json!({"AppInstancePersistentId": sessions[0]}),
                vec!["alice"],
            ),
            (json!({"AppInstancePersistentId": "p-****"}), vec![]),
            (json!({"EndUserId": "bob"}), vec!["bob"]),
            (json!({"EndUserId": "no one"}), vec![]),
            (json!({"UserIdFuzzy": "li"}), vec!["alice"]),
            (json!({"UserIdFuzzy": "li", "EndUserId": "bob"}), vec![]),
            (json!({"UserIdFuzzy": "%"}), vec![]),
            (json!({"AppId": "ca-foot"}), vec!["alice", "bob"]),
            (json!({"AppId": "ca-none"}), vec![]),
        ] {
            let answer = server
                .ok("ListAuthorizedUsers", ask(&group, more.clone()))
                .await;
            assert_eq!(users(&answer), expected, "{more}");
            assert_eq!(answer["TotalCount"], expected.len(), "{more}");
            if expected.first() == Some(&"alice") {
                assert_eq!(
                    answer["Users"][0]["AppInstancePersistentIds"],
                    json!(sessions)
                );
            }
        }
        for (page, expected) in [(1, vec!["alice"]), (2, vec!["bob"]), (3, vec![])] {
            let more = json!({"PageNumber": page, "PageSize": 1});
            let answer = server.ok("ListAuthorizedUsers", ask(&group, more)).await;
            assert_eq!(
                (users(&answer), &answer["TotalCount"]),
                (expected, &json!(2))
            );
        }
    }

    #[tokio::test]
    async fn users_of_a_whole_group_are_listed_without_sessions() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({"AuthMode": "App"})).await;
        let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AuthorizeUserIds": ["bob", "alice"]});
        server.ok("AuthorizeInstanceGroup", grant).await;
        let with_app = json!({"AppId": "ca-foot"});
        let answer = server
            .ok("ListAuthorizedUsers", ask(&group, with_app))
            .await;
        assert_eq!(users(&answer), ["alice", "bob"]);
        insta::assert_snapshot!(golden(&answer["Users"][0]));
        let by_session = json!({"AppInstancePersistentId": "p-1"});
        let none = server
            .ok("ListAuthorizedUsers", ask(&group, by_session))
            .await;
        assert_eq!(none["TotalCount"], 0);
    }

    #[tokio::test]
    async fn what_does_not_fit_has_the_codes_that_are_recorded_for_it() {
        let server = TestServer::start().await;
        let (group, sessions) = office(&server).await;
        let either = "InvalidParameter.AppInstanceGroupId/AppInstanceGroupSetId";
        let in_set = |more: Value| {
            let mut ask = json!({"AppInstanceGroupId": "", "AppInstanceGroupSetId": "set-1"});
            ask.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            ask
        };
        for (more, code) in [
            (json!({"AppInstanceGroupId": ""}), either),
            (json!({"AppInstanceGroupSetId": "set-1"}), either),
            (
                in_set(json!({"AppId": "ca-foot"})),
                "InvalidParameter.AppId",
            ),
            (
                in_set(json!({"AppInstancePersistentId": sessions[0]})),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (in_set(json!({})), "InvalidAppInstanceGroupSet.NotFound"),
            (json!({"ProductType": "CloudToaster"}), "ProductTypeInvalid"),
            (
                json!({"ProductType": "WuyingServer"}),
                "InvalidAppInstanceGroupSpecItem.NotFound",
            ),
            (
                json!({"ProductType": "CloudBrowser"}),
                "InvalidBrowserInstanceGroup.NotFound",
            ),
            (
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroupSpecItem.NotFound",
            ),
            (json!({"PageSize": ""}), "MissingPageSize"),
        ] {
            let told = server
                .refused("ListAuthorizedUsers", ask(&group, more.clone()))
                .await;
            assert_eq!(told, code, "{more}");
        }
    }
}
