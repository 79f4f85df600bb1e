//! `ForgetServer`: a server that will not come back is no more, and its sessions begin anew on others.

use crate::ops::prelude::*;
use greenroom_store::StoreError;

/// `ForgetServer`
pub struct ForgetServer;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    server_id: Ref<ServerId>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// Sessions that lived there.
    session_count: usize,
}

impl Operation for ForgetServer {
    const ACTION: &'static str = "ForgetServer";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        cx.only_for_root().await?;
        let id = req.server_id.id().ok_or(ApiError::ServerNotFound)?;
        let forgotten = cx.store.forget_server(id, cx.spend_nonce(), cx.now);
        match forgotten.await {
            Ok(session_count) => Ok(Response { session_count }),
            Err(StoreError::NotFound(_)) => Err(ApiError::ServerNotFound),
            Err(StoreError::Conflict(_)) => Err(ApiError::ServerActive),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn the_sessions_of_a_forgotten_server_are_placed_anew_and_their_history_says_why() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let lost = server.lost_server().await;
        let forget = json!({"ServerId": lost.as_str()});
        let answer = server.ok("ForgetServer", forget.clone()).await;
        assert_eq!(answer["SessionCount"], 2);
        let ask = json!({"AppInstancePersistentId": session});
        let events = server.ok("ListSessionEvents", ask).await;
        let told = &events["Events"][0];
        let reason = told["Reason"].as_str().unwrap();
        assert!(reason.contains(lost.as_str()), "{told}");
        assert_eq!(
            server.refused("ForgetServer", forget).await,
            "InvalidServerId.NotFound"
        );
    }

    #[tokio::test]
    async fn a_server_that_is_seen_or_unknown_is_not_forgotten() {
        let server = TestServer::start().await;
        let seen = server.lease().await.server;
        for (id, code) in [
            (seen.as_str(), "OperationDenied.ServerActive"),
            ("srv-none", "InvalidServerId.NotFound"),
            ("no id", "InvalidServerId.NotFound"),
        ] {
            let ask = json!({"ServerId": id});
            assert_eq!(server.refused("ForgetServer", ask).await, code, "{id}");
        }
        let (status, answer) = server
            .call_as("globex", "ForgetServer", json!({"ServerId": seen.as_str()}))
            .await;
        assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
        assert_eq!(server.store.servers().await.unwrap().len(), 1);
    }
}
