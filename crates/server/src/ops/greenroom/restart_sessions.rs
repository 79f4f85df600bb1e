//! `RestartSessions`: the processes of sessions are ended and started again; the homes stay.

use crate::administration::{self, Noted, Sessions};
use crate::ops::prelude::*;

/// `RestartSessions`
pub struct RestartSessions;

impl Operation for RestartSessions {
    const ACTION: &'static str = "RestartSessions";
    type Request = Sessions;
    type Response = Noted;

    fn access(_: &Sessions) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Sessions) -> Result<Noted, ApiError> {
        administration::ask(cx, req, Ask::Restart).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_session_that_is_restarted_is_meant_to_run() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        server
            .ok(
                "RestartSessions",
                json!({"AppInstancePersistentIds": [session]}),
            )
            .await;
        let ask = json!({"AppInstancePersistentId": session});
        let seen = server.ok("GetSession", ask).await;
        let seen = &seen["Session"];
        assert_eq!(
            (&seen["PendingAction"], &seen["DesiredStatus"]),
            (&json!("RESTART"), &json!("RUNNING"))
        );
    }
}
