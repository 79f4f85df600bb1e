//! `Unbind`: parts a user from the sessions held. The authorization stays, so the user may ask for them
//! again; a viewer that is there is shown out at once.

use super::prelude::*;
use crate::delivery_group::Settings;
use greenroom_store::{StoreError, Unbinding};

/// `Unbind`
pub struct Unbind;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    app_instance_id: Option<Ref<AppInstanceId>>,
    /// Without it the user is parted from every session of the group.
    app_instance_persistent_id: Option<Ref<PersistentId>>,
    end_user_id: EndUserId,
    product_type: Product,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for Unbind {
    const ACTION: &'static str = "Unbind";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        let settings = Settings::from_json(&group.settings).unwrap_or_default();
        let what = Unbinding {
            group: group.id,
            user: Some(req.end_user_id),
            session: existing(req.app_instance_persistent_id, "AppInstancePersistentId")?,
            instance: existing(req.app_instance_id, "AppInstanceId")?,
            reset: settings.reset_after_unbind(),
        };
        let reason = "the user was unbound";
        cx.store
            .unbind(cx.account(), what, reason, cx.spend_nonce(), cx.now)
            .await
            .map_err(|error| match error {
                StoreError::NotFound("session") => ApiError::Invalid("AppInstancePersistentId"),
                StoreError::NotFound("instance") => ApiError::Invalid("AppInstanceId"),
                other => ApiError::of_group(other),
            })?;
        Ok(Response {})
    }
}

/// The id, unless a text was given that names nothing.
fn existing<T: Clone>(asked: Option<Ref<T>>, field: &'static str) -> Result<Option<T>, ApiError> {
    let id = |asked: Ref<T>| asked.id().cloned().ok_or(ApiError::Invalid(field));
    asked.map(id).transpose()
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use greenroom_model::{Ask, PersistentId};
    use serde_json::{Value, json};

    fn ask(group: &str, user: &str, more: Value) -> Value {
        let mut ask =
            json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": user});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn holders(server: &TestServer, session: &str) -> Vec<String> {
        let session = PersistentId::parse(session).unwrap();
        let open = server.store.open_bindings(&session).await.unwrap();
        open.iter()
            .map(|held| held.user.as_str().to_owned())
            .collect()
    }

    async fn asked(server: &TestServer, session: &str) -> Option<Ask> {
        let session = PersistentId::parse(session).unwrap();
        let record = server.store.session_record(&session).await.unwrap();
        record.unwrap().asked
    }

    #[tokio::test]
    async fn a_user_is_parted_from_one_session_and_stays_authorized() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        for session in &sessions {
            server.bind(&group, session, "alice").await;
        }
        server.bind(&group, &sessions[0], "bob").await;
        let one = json!({"AppInstancePersistentId": sessions[0]});
        server.ok("Unbind", ask(&group, "alice", one.clone())).await;
        assert_eq!(holders(&server, &sessions[0]).await, ["bob"]);
        assert_eq!(holders(&server, &sessions[1]).await, ["alice"]);
        let listed = server.sessions(&group).await;
        assert_eq!(listed[0]["AuthorizedUsers"], json!(["alice", "bob"]));
        assert_eq!(asked(&server, &sessions[0]).await, None);
        // Nothing to part is as good as parted.
        server.ok("Unbind", ask(&group, "alice", one)).await;
        server.bind(&group, &sessions[0], "alice").await;
        assert_eq!(holders(&server, &sessions[0]).await, ["bob", "alice"]);
    }

    #[tokio::test]
    async fn without_a_session_the_user_is_parted_from_all_of_the_group_and_of_no_other() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let other = server.create_group(json!({})).await;
        let mut sessions = server.session_ids(&group).await;
        sessions.extend(server.session_ids(&other).await);
        for (session, group) in sessions.iter().zip([&group, &group, &other]) {
            server.bind(group, session, "alice").await;
        }
        server.ok("Unbind", ask(&group, "alice", json!({}))).await;
        let mut left = Vec::new();
        for session in &sessions {
            left.push(holders(&server, session).await.len());
        }
        assert_eq!(left, [0, 0, 1]);
    }

    #[tokio::test]
    async fn a_group_that_says_so_resets_a_session_once_its_last_user_is_unbound() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"SecurityPolicy": {"ResetAfterUnbind": true}}))
            .await;
        let session = server.session_ids(&group).await.remove(0);
        for user in ["alice", "bob"] {
            server.bind(&group, &session, user).await;
        }
        server.ok("Unbind", ask(&group, "alice", json!({}))).await;
        assert_eq!(asked(&server, &session).await, None, "bob works in it");
        server.ok("Unbind", ask(&group, "bob", json!({}))).await;
        assert_eq!(asked(&server, &session).await, Some(Ask::Reset));
    }

    #[tokio::test]
    async fn what_is_named_must_exist_and_belong_together_and_nothing_changes_else() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let stranger = server.create_group(json!({})).await;
        let strangers = server.session_ids(&stranger).await.remove(0);
        let listed = server.sessions(&group).await;
        let sessions = server.session_ids(&group).await;
        server.bind(&group, &sessions[0], "alice").await;
        let no_session = "InvalidParameter.AppInstancePersistentId";
        let no_instance = "InvalidParameter.AppInstanceId";
        for (more, code) in [
            (json!({"AppInstancePersistentId": "p-none"}), no_session),
            (json!({"AppInstancePersistentId": "p-****"}), no_session),
            (json!({"AppInstancePersistentId": strangers}), no_session),
            (json!({"AppInstanceId": "ai-none"}), no_instance),
            (json!({"AppInstanceId": "ai-****"}), no_instance),
            (
                json!({"AppInstancePersistentId": sessions[0], "AppInstanceId": listed[1]["AppInstanceId"]}),
                no_instance,
            ),
            (json!({"EndUserId": "a b"}), "InvalidParameter.EndUserId"),
            (
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                json!({"ProductType": "AndroidCloud"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let code_of = server
                .refused("Unbind", ask(&group, "alice", more.clone()))
                .await;
            assert_eq!(code_of, code, "{more}");
        }
        let (status, answer) = server
            .call_as("globex", "Unbind", ask(&group, "alice", json!({})))
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstanceGroup.NotFound"))
        );
        assert_eq!(holders(&server, &sessions[0]).await, ["alice"]);
        let by_instance = json!({"AppInstanceId": listed[0]["AppInstanceId"]});
        server.ok("Unbind", ask(&group, "alice", by_instance)).await;
        assert_eq!(holders(&server, &sessions[0]).await, Vec::<String>::new());
    }
}
