//! `ListAuditChain`: the rows of one chain of the audit trail in their order, for whoever verifies it.

use crate::audit::ChainRowView;
use crate::ops::prelude::*;

/// `ListAuditChain`
pub struct ListAuditChain;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// The last row that is known; the next one comes first.
    #[serde(default = "none_yet")]
    after_sequence: Whole<0, { i64::MAX }>,
    #[serde(default = "a_hundred")]
    max_results: Whole<1, 1000>,
    writer: Text<64>,
}

const fn none_yet() -> Whole<0, { i64::MAX }> {
    Whole::of(0)
}

const fn a_hundred() -> Whole<1, 1000> {
    Whole::of(100)
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    events: Vec<ChainRowView>,
}

impl Operation for ListAuditChain {
    const ACTION: &'static str = "ListAuditChain";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        cx.only_for_root().await?;
        let after = req.after_sequence.get().unsigned_abs();
        let size = req.max_results.as_u32();
        let rows = cx
            .store
            .audit_chain(req.writer.as_str(), after, size)
            .await?;
        Ok(Response {
            events: rows.into_iter().map(ChainRowView::from).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::ChainRowView;
    use crate::test_support::{TestServer, golden};
    use greenroom_store::{AuditVerification, Flaw};
    use serde_json::json;

    #[tokio::test]
    async fn rows_are_told_whole_and_fit_as_they_are_told() {
        let server = TestServer::start().await;
        let server = server.with_user("zoe", &["AliyunRAMFullAccess"]).await;
        server
            .call_as("zoe", "CreateUser", json!({"UserName": "max"}))
            .await;
        server
            .call_as(
                "zoe",
                "StopSessions",
                json!({"AppInstancePersistentIds": ["p-1"]}),
            )
            .await;
        server
            .call_as("globex", "CreateGroup", json!({"GroupName": "devs"}))
            .await;

        let first = json!({"Writer": "unnamed", "MaxResults": 2});
        let first = server.ok("ListAuditChain", first).await;
        insta::assert_snapshot!(golden(&first));
        let rest = json!({"Writer": "unnamed", "AfterSequence": 2});
        let rest = server.ok("ListAuditChain", rest).await;
        let rows = [&first["Events"], &rest["Events"]].map(|it| it.as_array().unwrap().clone());

        let key = server.store.checkpoint_verifier().unwrap();
        let mut verification = AuditVerification::new("unnamed", key, None);
        for row in rows.concat() {
            let row: ChainRowView = serde_json::from_value(row).unwrap();
            verification.take(&row.into_row().unwrap()).unwrap();
        }
        assert_eq!(verification.reached(), 3);

        let mut changed = first["Events"][1].clone();
        changed["Outcome"] = json!("OK");
        let mut verification = AuditVerification::new("unnamed", key, None);
        let row: ChainRowView = serde_json::from_value(changed).unwrap();
        let flaw = verification.take(&row.into_row().unwrap()).unwrap_err();
        assert_eq!(flaw.what, Flaw::Changed);
    }

    #[tokio::test]
    async fn a_chain_that_nobody_writes_is_empty() {
        let server = TestServer::start().await;
        let answer = server
            .ok("ListAuditChain", json!({"Writer": "no-one"}))
            .await;
        assert_eq!(answer["Events"], json!([]));
    }
}
