//! `RaiseSessionWindow`: a window of a session comes above the others and has the focus.

use crate::live;
use crate::ops::prelude::*;
use crate::runtime::{Answer, Question};

/// `RaiseSessionWindow`
pub struct RaiseSessionWindow;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
    window_id: Whole<1, { i64::MAX }>,
}

/// It is done.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for RaiseSessionWindow {
    const ACTION: &'static str = "RaiseSessionWindow";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let raise = Question::Raise(req.window_id.get().unsigned_abs());
        match live::ask(cx, &req.app_instance_persistent_id, raise).await? {
            Answer::Done => Ok(Response {}),
            other => Err(live::another(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_window_is_raised_by_its_id_and_no_other() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        server.run(&session).await;
        let ask = |id| json!({"AppInstancePersistentId": session, "WindowId": id});
        server.ok("RaiseSessionWindow", ask(1)).await;
        let refused = server.refused("RaiseSessionWindow", ask(9)).await;
        assert_eq!(refused, "InvalidWindowId.NotFound");
    }
}
