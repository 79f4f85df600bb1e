//! `LookAtSession`: what is to be seen in a session now, whether anybody watches it or not.

use crate::live;
use crate::ops::prelude::*;
use crate::picture;
use crate::runtime::{Answer, Question};
use base64::prelude::{BASE64_STANDARD, Engine};

/// `LookAtSession`
pub struct LookAtSession;

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
    height: u32,
    /// A PNG file in base64.
    image: String,
    width: u32,
}

impl Operation for LookAtSession {
    const ACTION: &'static str = "LookAtSession";
    type Request = Request;
    type Response = Response;

    /// It gives out what its user has on the screen, and so is no mere reading.
    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        match live::ask(cx, &req.app_instance_persistent_id, Question::Look).await? {
            Answer::Picture(it) => {
                let (width, height) = (it.width, it.height);
                let file = picture::png(it).await?;
                Ok(Response {
                    height,
                    image: BASE64_STANDARD.encode(file),
                    width,
                })
            }
            other => Err(live::another(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde_json::json;

    #[tokio::test]
    async fn what_is_to_be_seen_is_answered_as_a_png_and_is_on_record() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let ask = json!({"AppInstancePersistentId": session});
        let absent = server.refused("LookAtSession", ask.clone()).await;
        assert_eq!(absent, "OperationDenied.Status");
        server.run(&session).await;
        let answer = server.ok("LookAtSession", ask).await;
        assert_eq!(
            (&answer["Width"], &answer["Height"]),
            (&json!(2), &json!(1))
        );
        let image = answer["Image"].as_str().unwrap();
        let image = BASE64_STANDARD.decode(image).unwrap();
        assert!(image.starts_with(b"\x89PNG\r\n"));
    }

    #[tokio::test]
    async fn a_holder_that_is_silent_is_not_waited_for_in_vain() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let id = server.run(&session).await;
        server.runtime.freeze(&id, true);
        let ask = json!({"AppInstancePersistentId": session});
        let (status, answer) = server.call_as("acme", "LookAtSession", ask).await;
        assert_eq!(
            (status, &answer["Code"]),
            (503, &json!("ServiceUnavailable"))
        );
    }
}
