//! `ModifyTenantConfig`: sets something for the account.

use super::prelude::*;

/// `ModifyTenantConfig`
pub struct ModifyTenantConfig;

/// What it takes. What is not given stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_expire_remind: Option<bool>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for ModifyTenantConfig {
    const ACTION: &'static str = "ModifyTenantConfig";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let remind = req.app_instance_group_expire_remind;
        cx.store
            .set_expire_remind(cx.account(), remind, cx.spend_nonce())
            .await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn what_is_neither_true_nor_false_is_named_and_changes_nothing() {
        let server = TestServer::start().await;
        let yes = json!({"AppInstanceGroupExpireRemind": true});
        server.ok("ModifyTenantConfig", yes).await;
        let maybe = json!({"AppInstanceGroupExpireRemind": "maybe"});
        assert_eq!(
            server.refused("ModifyTenantConfig", maybe).await,
            "InvalidParameter.AppInstanceGroupExpireRemind"
        );
        let answer = server.ok("ListTenantConfig", json!({})).await;
        assert_eq!(
            answer["TenantConfigModel"],
            json!({"AppInstanceGroupExpireRemind": true})
        );
    }
}
