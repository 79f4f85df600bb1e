//! `StopSessions`: the processes of sessions are ended; the homes stay.

use crate::administration::{self, Noted, Sessions};
use crate::ops::prelude::*;

/// `StopSessions`
pub struct StopSessions;

impl Operation for StopSessions {
    const ACTION: &'static str = "StopSessions";
    type Request = Sessions;
    type Response = Noted;

    fn access(_: &Sessions) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Sessions) -> Result<Noted, ApiError> {
        administration::ask(cx, req, Ask::Stop).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    async fn desired(server: &TestServer, session: &str) -> Value {
        let ask = json!({"AppInstancePersistentId": session});
        let seen = server.ok("GetSession", ask).await;
        seen["Session"]["DesiredStatus"].clone()
    }

    fn stop(ids: &[&str]) -> Value {
        json!({"AppInstancePersistentIds": ids})
    }

    #[tokio::test]
    async fn all_the_sessions_named_are_meant_to_be_stopped() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let ids = server.session_ids(&group).await;
        server
            .ok("StopSessions", stop(&[&ids[0], &ids[1], &ids[0]]))
            .await;
        for id in &ids {
            assert_eq!(desired(&server, id).await, "STOPPED");
        }
    }

    #[tokio::test]
    async fn one_session_that_is_not_there_or_is_being_deleted_spares_the_others() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        for stranger in ["p-none", "p-0cc7s3mw2fg4j****"] {
            assert_eq!(
                server
                    .refused("StopSessions", stop(&[&session, stranger]))
                    .await,
                "InvalidAppInstancePersistentId.NotFound"
            );
        }
        let going = server.create_group(json!({})).await;
        let gone = server.session_ids(&going).await.remove(0);
        let ask = json!({"AppInstanceGroupId": going, "ProductType": "CloudApp"});
        server.ok("DeleteAppInstanceGroup", ask).await;
        assert_eq!(
            server
                .refused("StopSessions", stop(&[&session, &gone]))
                .await,
            "OperationDenied.Deleting"
        );
        assert_eq!(desired(&server, &session).await, "RUNNING");
    }

    #[tokio::test]
    async fn another_accounts_session_looks_absent() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let (status, answer) = server
            .call_as("globex", "StopSessions", stop(&[&session]))
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstancePersistentId.NotFound"))
        );
        assert_eq!(desired(&server, &session).await, "RUNNING");
    }
}
