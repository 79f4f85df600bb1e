//! `AuthorizeInstanceGroup`: lets users connect to a group or to one of its persistent sessions, or no
//! longer lets them.

use super::prelude::*;
use greenroom_store::{GrantChange, StoreError};

/// `AuthorizeInstanceGroup`
pub struct AuthorizeInstanceGroup;

/// What it takes. Where the sources disagree the wider bound holds: 200 users.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// There are no sets of groups, so none can be named.
    app_instance_group_set_id: Option<Text<64>>,
    app_instance_persistent_id: Option<Ref<PersistentId>>,
    /// There are no user groups yet: none can be named, and taking something from one changes nothing.
    #[serde(default)]
    authorize_user_group_ids: List<Text<64>, 20>,
    #[serde(default)]
    authorize_user_ids: List<EndUserId, 200>,
    #[expect(dead_code, reason = "only its form matters")]
    avatar_id: Option<Avatar>,
    product_type: Product,
    #[serde(default)]
    #[expect(dead_code, reason = "only its form matters")]
    un_authorize_user_group_ids: List<Text<64>, 20>,
    #[serde(default)]
    un_authorize_user_ids: List<EndUserId, 200>,
    /// Says of which kind the users are; there is one kind of user here.
    #[expect(dead_code, reason = "only its form matters")]
    user_meta: Option<UserMeta>,
}

/// The only avatar a user has; several would let one user hold several sessions of a group.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Avatar {
    Default,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for AuthorizeInstanceGroup {
    const ACTION: &'static str = "AuthorizeInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.app_instance_group_set_id.is_some() {
            return Err(ApiError::Invalid("AppInstanceGroupSetId"));
        }
        if !req.authorize_user_group_ids.items().is_empty() {
            return Err(ApiError::Invalid("AuthorizeUserGroupIds"));
        }
        let added = req.authorize_user_ids.items();
        if req
            .un_authorize_user_ids
            .items()
            .iter()
            .any(|user| added.contains(user))
        {
            return Err(ApiError::Invalid("UnAuthorizeUserIds"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req
            .app_instance_group_id
            .ok_or(ApiError::Missing("AppInstanceGroupId"))?;
        let group = cx.group(&id, req.product_type).await?.made;
        let change = GrantChange {
            add: distinct(req.authorize_user_ids.into_items()),
            remove: distinct(req.un_authorize_user_ids.into_items()),
        };
        let unknown_session = || ApiError::Invalid("AppInstancePersistentId");
        match (group.auth_mode, req.app_instance_persistent_id) {
            (AuthMode::Session, None) => return Err(ApiError::Missing("AppInstancePersistentId")),
            (AuthMode::App | AuthMode::AppInstanceGroup, Some(_)) => return Err(unknown_session()),
            (AuthMode::App | AuthMode::AppInstanceGroup, None) => {
                cx.store
                    .authorize_group_users(
                        cx.account(),
                        &group.id,
                        change,
                        cx.spend_nonce(),
                        cx.now,
                    )
                    .await
                    .map_err(ApiError::of_group)?;
            }
            (AuthMode::Session, Some(session)) => {
                let session = session.id().ok_or_else(unknown_session)?;
                cx.store
                    .authorize_session_users(
                        cx.account(),
                        &group.id,
                        session,
                        change,
                        cx.spend_nonce(),
                        cx.now,
                    )
                    .await
                    .map_err(|error| match error {
                        StoreError::NotFound(_) => unknown_session(),
                        other => other.into(),
                    })?;
            }
        }
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    async fn users(server: &TestServer, group: &str) -> Vec<Value> {
        server
            .sessions(group)
            .await
            .iter()
            .map(|session| session["AuthorizedUsers"].clone())
            .collect()
    }

    #[tokio::test]
    async fn users_of_one_session_are_added_and_removed_and_listed_sorted() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let ask = |change: Value| {
            let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": session});
            ask.as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            ask
        };
        let add = json!({"AuthorizeUserIds": ["zoe", "alice", "Bob", "alice"], "UserMeta": {"Type": "simple"}});
        server.ok("AuthorizeInstanceGroup", ask(add)).await;
        assert_eq!(
            users(&server, &group).await,
            [json!(["Bob", "alice", "zoe"]), json!([])]
        );
        let swap = json!({"AuthorizeUserIds": ["carol"], "UnAuthorizeUserIds": ["zoe", "nobody"], "AvatarId": "default"});
        server.ok("AuthorizeInstanceGroup", ask(swap)).await;
        assert_eq!(
            users(&server, &group).await,
            [json!(["Bob", "alice", "carol"]), json!([])]
        );
    }

    #[tokio::test]
    async fn users_of_a_whole_group_need_no_session() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"AuthMode": "AppInstanceGroup"}))
            .await;
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AuthorizeUserIds": ["bob", "alice"]});
        server.ok("AuthorizeInstanceGroup", ask).await;
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "UnAuthorizeUserIds": ["bob"],
            "UnAuthorizeUserGroupIds": ["ug-1"]});
        server.ok("AuthorizeInstanceGroup", ask).await;
        assert_eq!(server.group_users(&group).await, ["alice"]);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named_and_nothing_changes() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let whole = server.create_group(json!({"AuthMode": "App"})).await;
        let too_many: Vec<String> = (0..201).map(|n| format!("user-{n}")).collect();
        let too_many_groups: Vec<String> = (0..21).map(|n| format!("ug-{n}")).collect();
        for (ask, code) in [
            (json!({}), "MissingAppInstanceGroupId"),
            (
                json!({"AppInstanceGroupId": group}),
                "MissingAppInstancePersistentId",
            ),
            (
                json!({"AppInstanceGroupSetId": "set-1"}),
                "InvalidParameter.AppInstanceGroupSetId",
            ),
            (
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                json!({"AppInstanceGroupId": group, "AppInstancePersistentId": "p-none"}),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (
                json!({"AppInstanceGroupId": whole, "AppInstancePersistentId": session}),
                "InvalidParameter.AppInstancePersistentId",
            ),
            (
                json!({"AuthorizeUserIds": ["a b"]}),
                "InvalidParameter.AuthorizeUserIds",
            ),
            (
                json!({"AuthorizeUserIds": too_many}),
                "InvalidParameter.AuthorizeUserIds",
            ),
            (
                json!({"UnAuthorizeUserGroupIds": too_many_groups}),
                "InvalidParameter.UnAuthorizeUserGroupIds",
            ),
            (
                json!({"AuthorizeUserIds": ["x"], "UnAuthorizeUserIds": ["x"]}),
                "InvalidParameter.UnAuthorizeUserIds",
            ),
            (
                json!({"AuthorizeUserGroupIds": ["ug-1"]}),
                "InvalidParameter.AuthorizeUserGroupIds",
            ),
            (json!({"AvatarId": "second"}), "InvalidParameter.AvatarId"),
            (
                json!({"UserMeta": {"Type": "ldap"}}),
                "InvalidParameter.UserMeta.Type",
            ),
        ] {
            let mut whole_ask = json!({"ProductType": "CloudApp"});
            whole_ask
                .as_object_mut()
                .unwrap()
                .extend(ask.as_object().unwrap().clone());
            assert_eq!(
                server.refused("AuthorizeInstanceGroup", whole_ask).await,
                code,
                "{ask}"
            );
        }
        assert_eq!(users(&server, &group).await, [json!([]), json!([])]);
    }

    #[tokio::test]
    async fn another_account_cannot_reach_the_session() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": session,
            "AuthorizeUserIds": ["mallory"]});
        let (status, answer) = server
            .call_as("globex", "AuthorizeInstanceGroup", ask)
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstanceGroup.NotFound"))
        );
        assert_eq!(users(&server, &group).await, [json!([]), json!([])]);
    }
}
