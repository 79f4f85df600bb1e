//! `ListAuditEvents`: what was done in the account, the latest first.

use crate::audit::EventView;
use crate::ops::prelude::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greenroom_store::{AuditFilter, AuditPlace};

/// `ListAuditEvents`
pub struct ListAuditEvents;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// What happened before this.
    end_time: Option<Text<20>>,
    event_name: Option<Text<64>>,
    #[serde(default = "page_of_20")]
    max_results: PageSize,
    next_token: Option<Text<512>>,
    outcome: Option<Text<128>>,
    /// Somebody's id or name.
    principal: Option<Text<128>>,
    /// What happened at this or later.
    start_time: Option<Text<20>>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    events: Vec<EventView>,
    max_results: i64,
    /// Absent on the last page. A page may be short, even empty, and not the last: few of many rows fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListAuditEvents {
    const ACTION: &'static str = "ListAuditEvents";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let filter = AuditFilter {
            from: time(req.start_time.as_ref(), "StartTime")?,
            until: time(req.end_time.as_ref(), "EndTime")?,
            action: req.event_name.map(String::from),
            outcome: req.outcome.map(String::from),
            principal: req.principal.map(String::from),
        };
        let place = match &req.next_token {
            None => None,
            Some(token) => Some(read(cx, token.as_str()).ok_or(ApiError::Invalid("NextToken"))?),
        };
        let size = req.max_results.as_u32();
        let page = cx
            .store
            .audit_events(cx.account(), filter, place, size)
            .await?;
        let entries = page.rows.into_iter().map(|row| row.entry);
        Ok(Response {
            events: entries.map(EventView::from).collect(),
            max_results: req.max_results.get(),
            next_token: page.next.map(|place| write(cx, &place)).transpose()?,
        })
    }
}

fn time(text: Option<&Text<20>>, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
    let read =
        |text: &Text<20>| Timestamp::from_request(text.as_str()).ok_or(ApiError::Invalid(name));
    text.map(read).transpose()
}

/// What tokens are sealed for: a place says how much others do, and is nobody's to make up.
fn context(cx: &CallContext<'_>) -> String {
    format!("a place in the audit trail of {}", cx.account())
}

fn write(cx: &CallContext<'_>, place: &AuditPlace) -> Result<String, ApiError> {
    let text = format!("{} {} {}", place.at.0, place.sequence, place.writer);
    let sealed = cx.store.seal(&context(cx), text.as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn read(cx: &CallContext<'_>, token: &str) -> Option<AuditPlace> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let text = cx.store.unseal(&context(cx), &sealed)?;
    let mut words = std::str::from_utf8(&text).ok()?.splitn(3, ' ');
    Some(AuditPlace {
        at: Timestamp(words.next()?.parse().ok()?),
        sequence: words.next()?.parse().ok()?,
        writer: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};
    use std::time::Duration;

    /// What the requests of all pages named, without what was made.
    async fn subjects(server: &TestServer, account: &str, mut ask: Value) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let (status, answer) = server
                .call_as(account, "ListAuditEvents", ask.clone())
                .await;
            assert_eq!(status, 200, "{answer}");
            for event in answer["Events"].as_array().unwrap() {
                let subject = event["Subject"].as_str().unwrap();
                found.extend(subject.split(' ').next().map(str::to_owned));
            }
            if answer["NextToken"].is_null() {
                return found;
            }
            ask["NextToken"] = answer["NextToken"].clone();
        }
    }

    async fn three_users_of_each() -> TestServer {
        let server = TestServer::start().await;
        for name in ["a", "b", "c"] {
            for account in ["acme", "globex"] {
                let user = format!("{name}-of-{account}");
                let ask = json!({"UserName": user});
                assert_eq!(server.call_as(account, "CreateUser", ask).await.0, 200);
            }
            server.clock.advance(Duration::from_secs(1));
        }
        server
    }

    #[tokio::test]
    async fn an_account_reads_what_was_done_in_it_by_pages() {
        let server = three_users_of_each().await;
        let of =
            |account: &str| ["c", "b", "a"].map(|name| format!("UserName={name}-of-{account}"));
        for size in [1, 2, 3, 100] {
            let ask = json!({"MaxResults": size});
            assert_eq!(subjects(&server, "acme", ask.clone()).await, of("acme"));
            assert_eq!(subjects(&server, "globex", ask).await, of("globex"));
        }
    }

    #[tokio::test]
    async fn filters_narrow_to_what_fits_all_of_them() {
        let server = three_users_of_each().await;
        server
            .refused("CreateUser", json!({"UserName": "a-of-acme"}))
            .await;
        let root = server.account_id("acme").to_string();
        for (ask, count) in [
            (json!({"Outcome": "EntityAlreadyExists.User"}), 1),
            (json!({"Outcome": "OK", "EventName": "CreateUser"}), 3),
            (json!({"EventName": "DeleteUser"}), 0),
            (json!({"Principal": root}), 4),
            (json!({"Principal": "zoe"}), 0),
            (json!({"StartTime": "2026-01-01T00:00:01Z"}), 3),
            (
                json!({"StartTime": "2026-01-01T00:00:01Z", "EndTime": "2026-01-01T00:00:03Z"}),
                2,
            ),
            (json!({"EndTime": "2026-01-01T00:00:00Z"}), 0),
        ] {
            let found = subjects(&server, "acme", ask.clone()).await;
            assert_eq!(found.len(), count, "{ask}");
        }
    }

    #[tokio::test]
    async fn what_is_no_time_and_no_token_of_the_accounts_is_refused() {
        let server = three_users_of_each().await;
        for (ask, code) in [
            (
                json!({"StartTime": "yesterday"}),
                "InvalidParameter.StartTime",
            ),
            (json!({"EndTime": "2026-01-01"}), "InvalidParameter.EndTime"),
            (json!({"NextToken": "abc"}), "InvalidParameter.NextToken"),
            (json!({"NextToken": "!"}), "InvalidParameter.NextToken"),
        ] {
            assert_eq!(server.refused("ListAuditEvents", ask).await, code);
        }
        let page = json!({"MaxResults": 1});
        let (_, answer) = server.call_as("globex", "ListAuditEvents", page).await;
        let theirs = json!({"NextToken": answer["NextToken"]});
        let code = server.refused("ListAuditEvents", theirs).await;
        assert_eq!(code, "InvalidParameter.NextToken");
    }
}
