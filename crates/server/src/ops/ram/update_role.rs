//! `UpdateRole`: whom a role trusts, for how long, and what it is for. What is not given stays.

use crate::identity::arn;
use crate::identity::fields::{Description, NoConsole, PolicyText, RoleName, SessionSeconds};
use crate::identity::view::Role;
use crate::ops::prelude::*;
use greenroom_store::RoleChange;

/// `UpdateRole`
pub struct UpdateRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_name: RoleName,
    new_description: Option<Description>,
    new_assume_role_policy_document: Option<PolicyText>,
    new_max_session_duration: Option<SessionSeconds>,
    #[serde(rename = "NewAllowConsoleLogin")]
    _new_allow_console_login: Option<NoConsole>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    role: Role,
}

impl Operation for UpdateRole {
    const ACTION: &'static str = "UpdateRole";
    type Request = Request;
    type Response = Response;

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        let document = req.new_assume_role_policy_document.as_ref();
        document.map_or(Ok(()), PolicyText::check_trust)
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::role(cx.account(), req.role_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let change = RoleChange {
            description: req.new_description.map(String::from),
            trust_policy: req.new_assume_role_policy_document.map(String::from),
            max_session_seconds: req.new_max_session_duration.map(SessionSeconds::as_u32),
        };
        let name = req.role_name.as_str();
        let role = cx
            .store
            .update_ram_role(cx.account(), name, change, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            role: Role::changed(cx.account(), role),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn a_role_changes_in_what_is_given() {
        let server = TestServer::start().await;
        let ask = json!({"RoleName": "admin", "Description": "runs the house",
            "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
        let made = server.ok("CreateRole", ask).await["Role"].clone();
        server.clock.advance(Duration::from_secs(60));

        let trust = server.trusting("globex", &["root"]).to_string();
        let ask = json!({"RoleName": "admin", "NewAssumeRolePolicyDocument": trust,
            "NewMaxSessionDuration": 43200});
        let changed = server.ok("UpdateRole", ask).await["Role"].clone();
        assert_eq!(changed["UpdateDate"], "2026-01-01T00:01:00Z");
        let kept = server.ok("GetRole", json!({"RoleName": "admin"})).await["Role"].clone();
        for role in [&changed, &kept] {
            assert_eq!(role["AssumeRolePolicyDocument"], trust);
            assert_eq!(role["MaxSessionDuration"], 43200);
            assert_eq!(role["Description"], "runs the house");
            assert_eq!(role["RoleId"], made["RoleId"]);
        }
        for (field, value, code) in [
            (
                "NewAssumeRolePolicyDocument",
                json!("{}"),
                "MalformedPolicyDocument",
            ),
            (
                "NewAllowConsoleLogin",
                json!(true),
                "InvalidParameter.NewAllowConsoleLogin",
            ),
            ("RoleName", json!("nobody"), "EntityNotExist.Role"),
        ] {
            let mut ask = json!({"RoleName": "admin", "NewDescription": "other"});
            ask[field] = value;
            assert_eq!(server.refused("UpdateRole", ask).await, code);
        }
        let still = server.ok("GetRole", json!({"RoleName": "admin"})).await["Role"].clone();
        assert_eq!(still, kept);
    }
}
