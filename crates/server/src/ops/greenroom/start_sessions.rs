//! `StartSessions`: sessions are to run, with the apps that were open in them.

use crate::administration::{self, Noted, Sessions};
use crate::ops::prelude::*;

/// `StartSessions`
pub struct StartSessions;

impl Operation for StartSessions {
    const ACTION: &'static str = "StartSessions";
    type Request = Sessions;
    type Response = Noted;

    fn access(_: &Sessions) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Sessions) -> Result<Noted, ApiError> {
        administration::ask(cx, req, Ask::Start).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn what_is_asked_is_pending_until_somebody_acts_on_it() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        server
            .ok(
                "StartSessions",
                json!({"AppInstancePersistentIds": [session]}),
            )
            .await;
        let ask = json!({"AppInstancePersistentId": session});
        let seen = server.ok("GetSession", ask).await;
        let seen = &seen["Session"];
        assert_eq!(
            (&seen["PendingAction"], &seen["DesiredStatus"]),
            (&json!("START"), &json!("RUNNING"))
        );
    }
}
