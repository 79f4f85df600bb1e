//! `ResetSessions`: sessions begin anew from their image, without their homes.

use crate::administration::{self, Noted, Sessions};
use crate::ops::prelude::*;

/// `ResetSessions`
pub struct ResetSessions;

impl Operation for ResetSessions {
    const ACTION: &'static str = "ResetSessions";
    type Request = Sessions;
    type Response = Noted;

    fn access(_: &Sessions) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Sessions) -> Result<Noted, ApiError> {
        administration::ask(cx, req, Ask::Reset).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_reset_changes_nothing_about_what_a_session_is_meant_to_be() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        server
            .ok(
                "ResetSessions",
                json!({"AppInstancePersistentIds": [session]}),
            )
            .await;
        let ask = json!({"AppInstancePersistentId": session});
        let seen = server.ok("GetSession", ask).await;
        let seen = &seen["Session"];
        assert_eq!(
            (&seen["PendingAction"], &seen["DesiredStatus"]),
            (&json!("RESET"), &json!("RUNNING"))
        );
    }
}
