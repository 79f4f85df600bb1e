//! `GetAuditHead`: the last row of each chain of the audit trail, to be kept elsewhere.

use crate::audit::HeadView;
use crate::ops::prelude::*;

/// `GetAuditHead`
pub struct GetAuditHead;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Request {}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    checkpoint_key: String,
    heads: Vec<HeadView>,
}

impl Operation for GetAuditHead {
    const ACTION: &'static str = "GetAuditHead";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        cx.only_for_root().await?;
        let heads = cx.store.audit_heads().await?;
        Ok(Response {
            checkpoint_key: cx.store.checkpoint_verifier()?.to_text(),
            heads: heads.into_iter().map(HeadView::from).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn the_head_is_the_last_row_of_the_chain() {
        let server = TestServer::start().await;
        assert_eq!(
            server.ok("GetAuditHead", json!({})).await["Heads"],
            json!([])
        );
        server.ok("CreateUser", json!({"UserName": "zoe"})).await;
        server.ok("DeleteUser", json!({"UserName": "zoe"})).await;
        let answer = server.ok("GetAuditHead", json!({})).await;
        let last = server.audit().await.remove(1);
        let head = json!({"Writer": last.writer, "Sequence": 2, "Hash": last.hash.to_string()});
        assert_eq!(answer["Heads"], json!([head]));
        let key = server.store.checkpoint_verifier().unwrap();
        assert_eq!(answer["CheckpointKey"], key.to_text());
    }

    #[tokio::test]
    async fn what_all_accounts_do_is_for_the_root_account() {
        let server = TestServer::start().await;
        let server = server.with_user("auditor", &["AdministratorAccess"]).await;
        assert_eq!(
            server.call_as("auditor", "GetAuditHead", json!({})).await.0,
            200
        );
        for (action, ask) in [
            ("GetAuditHead", json!({})),
            ("ListAuditChain", json!({"Writer": "unnamed"})),
        ] {
            let (status, answer) = server.call_as("globex", action, ask).await;
            assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
        }
    }
}
