//! `LogOffAllSessionsInAppInstanceGroup`: parts everybody from the sessions of a group at once, as their
//! timeout would one by one. Viewers are shown out; authorizations stay, and persistent sessions run on.

use super::prelude::*;
use crate::delivery_group::Settings;
use greenroom_store::Unbinding;

/// `LogOffAllSessionsInAppInstanceGroup`
pub struct LogOffAllSessionsInAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    product_type: Product,
}

/// What it answers: nothing but the `RequestId`. `Code` and `Message` are recorded with a failure's words, and
/// a failure is a fault.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for LogOffAllSessionsInAppInstanceGroup {
    const ACTION: &'static str = "LogOffAllSessionsInAppInstanceGroup";
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
        let everything = Unbinding {
            group: group.id,
            user: None,
            session: None,
            instance: None,
            reset: settings.reset_after_unbind(),
        };
        let reason = "everybody was logged off";
        cx.store
            .unbind(cx.account(), everything, reason, cx.spend_nonce(), cx.now)
            .await
            .map_err(ApiError::of_group)?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use greenroom_model::{Ask, PersistentId};
    use serde_json::{Value, json};

    fn ask(group: &str) -> Value {
        json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"})
    }

    async fn holders(server: &TestServer, session: &str) -> usize {
        let session = PersistentId::parse(session).unwrap();
        server.store.open_bindings(&session).await.unwrap().len()
    }

    async fn asked(server: &TestServer, session: &str) -> Option<Ask> {
        let session = PersistentId::parse(session).unwrap();
        let record = server.store.session_record(&session).await.unwrap();
        record.unwrap().asked
    }

    #[tokio::test]
    async fn everybody_is_parted_from_the_group_and_from_no_other() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        let other = server.create_group(json!({})).await;
        let elsewhere = server.session_ids(&other).await.remove(0);
        for (user, group, session) in [
            ("alice", &group, &sessions[0]),
            ("bob", &group, &sessions[0]),
            ("alice", &group, &sessions[1]),
            ("alice", &other, &elsewhere),
        ] {
            server.bind(group, session, user).await;
        }
        server
            .ok("LogOffAllSessionsInAppInstanceGroup", ask(&group))
            .await;
        assert_eq!(holders(&server, &sessions[0]).await, 0);
        assert_eq!(holders(&server, &sessions[1]).await, 0);
        assert_eq!(holders(&server, &elsewhere).await, 1);
        assert_eq!(asked(&server, &sessions[0]).await, None, "it runs on");
        let listed = server.sessions(&group).await;
        assert_eq!(listed[0]["AuthorizedUsers"], json!(["alice", "bob"]));
        // Nobody is there to be logged off, which is as good.
        server
            .ok("LogOffAllSessionsInAppInstanceGroup", ask(&group))
            .await;
    }

    #[tokio::test]
    async fn sessions_are_reset_where_the_group_says_so() {
        let server = TestServer::start().await;
        let group = server
            .create_group(json!({"SecurityPolicy": {"ResetAfterUnbind": true}}))
            .await;
        let session = server.session_ids(&group).await.remove(0);
        for user in ["alice", "bob"] {
            server.bind(&group, &session, user).await;
        }
        server
            .ok("LogOffAllSessionsInAppInstanceGroup", ask(&group))
            .await;
        assert_eq!(asked(&server, &session).await, Some(Ask::Reset));
    }

    #[tokio::test]
    async fn a_group_that_is_not_the_callers_is_not_found_and_nobody_leaves_it() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let session = server.session_ids(&group).await.remove(0);
        server.bind(&group, &session, "alice").await;
        let not_found = "InvalidAppInstanceGroup.NotFound";
        let action = "LogOffAllSessionsInAppInstanceGroup";
        let (status, answer) = server.call_as("globex", action, ask(&group)).await;
        assert_eq!((status, answer["Code"].as_str()), (400, Some(not_found)));
        assert_eq!(server.refused(action, ask("aig-****")).await, not_found);
        assert_eq!(holders(&server, &session).await, 1);
    }
}
