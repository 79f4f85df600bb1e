//! `ListSessions`: one page of the account's sessions, whichever group they belong to.

use crate::administration::SessionView;
use crate::ops::prelude::*;
use greenroom_store::{PageRequest, SessionScope};

/// `ListSessions`
pub struct ListSessions;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
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
    sessions: Vec<SessionView>,
}

impl Operation for ListSessions {
    const ACTION: &'static str = "ListSessions";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let answer = |total_count, sessions| Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count,
            sessions,
        };
        let scope = match &req.app_instance_group_id {
            None => SessionScope::Account,
            Some(group) => match group.id() {
                Some(id) => SessionScope::Group(id.clone()),
                // A text that can be no id names no group, and a filter that names nothing finds nothing.
                None => return Ok(answer(0, Vec::new())),
            },
        };
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let found = cx.store.list_sessions(cx.account(), scope, page).await?;
        let sessions = found.items.into_iter().map(Into::into).collect();
        Ok(answer(found.total, sessions))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    fn ids(answer: &Value) -> Vec<&str> {
        let sessions = answer["Sessions"].as_array().unwrap();
        sessions
            .iter()
            .map(|session| session["AppInstancePersistentId"].as_str().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn the_sessions_of_all_groups_are_listed_page_by_page() {
        let server = TestServer::start().await;
        let office = server.create_group_of_two().await;
        server.clock.advance(std::time::Duration::from_secs(1));
        let lab = server.create_group(json!({})).await;
        let mut all = server.session_ids(&office).await;
        all.extend(server.session_ids(&lab).await);
        let answer = server.ok("ListSessions", json!({})).await;
        assert_eq!(
            (ids(&answer), &answer["TotalCount"]),
            (all.iter().map(String::as_str).collect(), &json!(3))
        );
        let page = json!({"PageNumber": 2, "PageSize": 2});
        let answer = server.ok("ListSessions", page).await;
        assert_eq!(ids(&answer), [&all[2]]);
        let of_lab = json!({"AppInstanceGroupId": lab});
        let answer = server.ok("ListSessions", of_lab).await;
        assert_eq!(
            (ids(&answer), &answer["TotalCount"]),
            (vec![all[2].as_str()], &json!(1))
        );
    }

    #[tokio::test]
    async fn a_group_that_is_not_the_callers_has_none() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        for group in ["aig-none", "aig-****"] {
            let ask = json!({"AppInstanceGroupId": group});
            assert_eq!(server.ok("ListSessions", ask).await["TotalCount"], 0);
        }
        for ask in [json!({}), json!({"AppInstanceGroupId": group})] {
            let (status, answer) = server.call_as("globex", "ListSessions", ask).await;
            assert_eq!((status, &answer["TotalCount"]), (200, &json!(0)));
        }
    }
}
