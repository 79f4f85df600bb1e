//! `DeleteRole`: a role that has no policies any more. Whoever has assumed it is shut out at once.

use crate::identity::arn;
use crate::identity::fields::RoleName;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DeleteRole`
pub struct DeleteRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_name: RoleName,
}

impl Operation for DeleteRole {
    const ACTION: &'static str = "DeleteRole";
    type Request = Request;
    type Response = Done;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::role(cx.account(), req.role_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Done, ApiError> {
        cx.store
            .delete_ram_role(cx.account(), req.role_name.as_str(), cx.spend_nonce())
            .await?;
        Ok(Done {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn whoever_has_assumed_a_role_is_shut_out_when_it_goes() {
        let server = TestServer::start()
            .await
            .with_role("admin", &[], None)
            .await;
        server.ok("DeleteRole", json!({"RoleName": "admin"})).await;
        let (_, answer) = server.call_as("admin", "ListRegions", json!({})).await;
        assert_eq!(answer["Code"], "InvalidSecurityToken.Expired");
        let again = server.refused("DeleteRole", json!({"RoleName": "admin"}));
        assert_eq!(again.await, "EntityNotExist.Role");
    }
}
