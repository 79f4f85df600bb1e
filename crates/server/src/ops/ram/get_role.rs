//! `GetRole`: one role, with whom it trusts.

use crate::identity::arn;
use crate::identity::fields::RoleName;
use crate::identity::view::Role;
use crate::ops::prelude::*;
use greenroom_store::{IdentityError, StoreError, Thing};

/// `GetRole`
pub struct GetRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_name: RoleName,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    role: Role,
}

impl Operation for GetRole {
    const ACTION: &'static str = "GetRole";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::role(cx.account(), req.role_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let found = cx
            .store
            .ram_role(cx.account(), req.role_name.as_str())
            .await?;
        let role = found.ok_or(StoreError::from(IdentityError::Missing(Thing::Role)))?;
        Ok(Response {
            role: Role::kept(cx.account(), role),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_role_is_answered_with_the_document_as_it_was_written() {
        let server = TestServer::start().await;
        let trust = server.trusting("acme", &["user/zoe"]);
        let ask = json!({"RoleName": "admin", "AssumeRolePolicyDocument": trust});
        server.ok("CreateRole", ask).await;
        let answer = server.ok("GetRole", json!({"RoleName": "admin"})).await;
        insta::assert_snapshot!(golden(&answer));
        let (_, answer) = server
            .call_as("globex", "GetRole", json!({"RoleName": "admin"}))
            .await;
        assert_eq!(answer["Code"], "EntityNotExist.Role");
    }
}
