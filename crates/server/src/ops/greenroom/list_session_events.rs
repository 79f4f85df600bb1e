//! `ListSessionEvents`: what happened to a session, the latest first.

use crate::ops::prelude::*;
use greenroom_store::{PageRequest, SessionEvent};

/// `ListSessionEvents`
pub struct ListSessionEvents;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    events: Vec<Event>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Ask>,
    app_instance_persistent_status: PersistentStatus,
    app_instance_status: AppInstanceStatus,
    event_number: u64,
    event_type: &'static str,
    gmt_event: String,
    operator: String,
    previous_status: PersistentStatus,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl Operation for ListSessionEvents {
    const ACTION: &'static str = "ListSessionEvents";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req.app_instance_persistent_id.id();
        let id = id.ok_or(ApiError::SessionNotFound)?;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let found = cx.store.session_events(cx.account(), id, page).await?;
        let found = found.ok_or(ApiError::SessionNotFound)?;
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.total,
            events: found.items.into_iter().map(Event::from).collect(),
        })
    }
}

impl From<SessionEvent> for Event {
    fn from(it: SessionEvent) -> Self {
        Self {
            action: it.asked,
            app_instance_persistent_status: it.status,
            app_instance_status: it.instance_status,
            event_number: it.number,
            event_type: if it.asked.is_some() {
                "ACTION"
            } else {
                "STATUS"
            },
            gmt_event: it.at.to_wire(),
            operator: it.author,
            previous_status: it.before,
            reason: it.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use greenroom_model::{Clock, PersistentId, PersistentStatus};
    use greenroom_store::Observation;
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn wishes_and_changes_are_told_the_latest_first() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let stop = json!({"AppInstancePersistentIds": [session]});
        server.ok("StopSessions", stop).await;
        server.clock.advance(Duration::from_secs(1));
        let id = PersistentId::parse(&session).unwrap();
        let record = server.store.session_record(&id).await.unwrap().unwrap();
        let seen = Observation {
            status: PersistentStatus::Unavailable,
            status_reason: "its process ended".into(),
            instance_status: record.instance_status,
            asked: None,
            failures: 1,
            home_lost: false,
            handle: None,
            opened_apps: record.opened_apps.clone(),
            wake_at: None,
            at: server.clock.now(),
            by: "server 7".into(),
        };
        server.observe(&record, seen).await;
        let ask = json!({"AppInstancePersistentId": session});
        insta::assert_snapshot!(golden(&server.ok("ListSessionEvents", ask).await));
        let second = json!({"AppInstancePersistentId": session, "PageNumber": 2, "PageSize": 1});
        let answer = server.ok("ListSessionEvents", second).await;
        assert_eq!(answer["Events"][0]["EventNumber"], 1);
    }

    #[tokio::test]
    async fn the_history_of_what_is_not_the_callers_looks_absent() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let absent = "InvalidAppInstancePersistentId.NotFound";
        let ask = json!({"AppInstancePersistentId": "p-none"});
        assert_eq!(server.refused("ListSessionEvents", ask).await, absent);
        let ask = json!({"AppInstancePersistentId": session});
        let (status, answer) = server.call_as("globex", "ListSessionEvents", ask).await;
        assert_eq!((status, answer["Code"].as_str()), (400, Some(absent)));
    }
}
