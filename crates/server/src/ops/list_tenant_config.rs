//! `ListTenantConfig`: what the account has set for itself.

use super::prelude::*;

/// `ListTenantConfig`
pub struct ListTenantConfig;

/// What it takes: nothing.
#[derive(Debug, Deserialize)]
pub struct Request {}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    tenant_config_model: Model,
}

/// The settings. There is no `MultiSessionSupportType`: groups whose sessions are shared cannot be made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_instance_group_expire_remind: bool,
}

impl Operation for ListTenantConfig {
    const ACTION: &'static str = "ListTenantConfig";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        let remind = cx.store.expire_remind(cx.account()).await?;
        Ok(Response {
            tenant_config_model: Model {
                // Whoever never asked to be reminded is not.
                app_instance_group_expire_remind: remind.unwrap_or(false),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    async fn remind(server: &TestServer, account: &str) -> Value {
        let (_, answer) = server.call_as(account, "ListTenantConfig", json!({})).await;
        answer["TenantConfigModel"]["AppInstanceGroupExpireRemind"].clone()
    }

    #[tokio::test]
    async fn an_account_sees_what_it_set_and_no_other_does() {
        let server = TestServer::start().await;
        assert_eq!(remind(&server, "acme").await, json!(false));
        for (set, then) in [("True", true), ("", true), ("false", false), ("true", true)] {
            let ask = json!({"AppInstanceGroupExpireRemind": set});
            server.ok("ModifyTenantConfig", ask).await;
            assert_eq!(remind(&server, "acme").await, json!(then), "{set}");
        }
        assert_eq!(remind(&server, "globex").await, json!(false));
    }
}
