//! `GetSession`: all that is known of one session, until it is removed for good.

use crate::administration::SessionView;
use crate::ops::prelude::*;

/// `GetSession`
pub struct GetSession;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_persistent_id: Ref<PersistentId>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    session: SessionView,
}

impl Operation for GetSession {
    const ACTION: &'static str = "GetSession";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req.app_instance_persistent_id.id();
        let id = id.ok_or(ApiError::SessionNotFound)?;
        let found = cx.store.session_detail(cx.account(), id).await?;
        let session = found.ok_or(ApiError::SessionNotFound)?.into();
        Ok(Response { session })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_session_is_shown_whole() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let ask = json!({"AppInstancePersistentId": session});
        insta::assert_snapshot!(golden(&server.ok("GetSession", ask).await));
    }

    #[tokio::test]
    async fn a_session_of_a_group_that_is_being_deleted_is_still_there() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let delete = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        server.ok("DeleteAppInstanceGroup", delete).await;
        let ask = json!({"AppInstancePersistentId": session});
        let answer = server.ok("GetSession", ask).await;
        assert_eq!(answer["Session"]["DesiredStatus"], "DELETED");
    }

    #[tokio::test]
    async fn what_is_not_the_callers_looks_absent() {
        let server = TestServer::start().await;
        let session = server.session_of_two().await;
        let absent = "InvalidAppInstancePersistentId.NotFound";
        for id in ["p-none", "p-****"] {
            let ask = json!({"AppInstancePersistentId": id});
            assert_eq!(server.refused("GetSession", ask).await, absent);
        }
        let ask = json!({"AppInstancePersistentId": session});
        let (status, answer) = server.call_as("globex", "GetSession", ask).await;
        assert_eq!((status, answer["Code"].as_str()), (400, Some(absent)));
    }
}
