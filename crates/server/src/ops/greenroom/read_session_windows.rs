//! `ReadSessionWindows`: the windows of a session, the highest first.

use crate::live;
use crate::ops::prelude::*;
use crate::runtime::{Answer, Question};

/// `ReadSessionWindows`
pub struct ReadSessionWindows;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
}

/// What it answers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    windows: Vec<Window>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Window {
    active: bool,
    height: u32,
    /// As the program names itself to the compositor; not an app's id.
    program: String,
    title: String,
    width: u32,
    window_id: u64,
}

impl Operation for ReadSessionWindows {
    const ACTION: &'static str = "ReadSessionWindows";
    type Request = Request;
    type Response = Response;

    /// It gives out titles, which tell what its user works on.
    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        match live::ask(cx, &req.app_instance_persistent_id, Question::Windows).await? {
            Answer::Windows(told) => {
                let windows = told.into_iter().map(|it| Window {
                    active: it.active,
                    height: it.height,
                    program: it.app_id,
                    title: it.title,
                    width: it.width,
                    window_id: it.id,
                });
                Ok(Response {
                    windows: windows.collect(),
                })
            }
            other => Err(live::another(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn each_window_is_told() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        server.run(&session).await;
        let ask = json!({"AppInstancePersistentId": session});
        insta::assert_snapshot!(golden(&server.ok("ReadSessionWindows", ask).await));
    }
}
