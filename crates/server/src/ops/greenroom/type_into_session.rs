//! `TypeIntoSession`: a text is typed into the window of a session that has the focus.

use crate::live;
use crate::ops::prelude::*;
use crate::runtime::{Answer, Question};
use greenroom_session_api::questions::is_typable;

/// `TypeIntoSession`
pub struct TypeIntoSession;

/// What it takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
    text: String,
}

/// It was handed to the app.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for TypeIntoSession {
    const ACTION: &'static str = "TypeIntoSession";
    type Request = Request;
    type Response = Response;

    // Enter and Tab are typed as well, so it is none of the texts of `fields`.
    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.text.is_empty() || !is_typable(&req.text) {
            return Err(ApiError::Invalid("Text"));
        }
        Ok(())
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        match live::ask(
            cx,
            &req.app_instance_persistent_id,
            Question::Type(req.text),
        )
        .await?
        {
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
    async fn a_text_is_typed_and_commands_are_none() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let id = server.run(&session).await;
        let ask = |text: &str| json!({"AppInstancePersistentId": session, "Text": text});
        server.ok("TypeIntoSession", ask("n\u{e9} \n")).await;
        for wrong in ["\u{1b}[A", &"a".repeat(257)] {
            let refused = server.refused("TypeIntoSession", ask(wrong)).await;
            assert_eq!(refused, "InvalidParameter.Text");
        }
        assert_eq!(server.runtime.typed(&id), "n\u{e9} \n");
    }
}
