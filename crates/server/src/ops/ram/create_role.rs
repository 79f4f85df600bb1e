//! `CreateRole`: a role, which those whom its trust policy names may assume for a time.

use crate::identity::arn;
use crate::identity::fields::{
    Description, NoConsole, NoTags, PolicyText, RoleName, SessionSeconds, an_hour,
};
use crate::identity::ids::role_id;
use crate::identity::view::Role;
use crate::ops::prelude::*;
use greenroom_store::NewRole;

/// `CreateRole`
pub struct CreateRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_name: RoleName,
    description: Option<Description>,
    assume_role_policy_document: PolicyText,
    #[serde(default = "an_hour")]
    max_session_duration: SessionSeconds,
    #[serde(rename = "AllowConsoleLogin")]
    _allow_console_login: Option<NoConsole>,
    #[serde(rename = "Tag", default)]
    _tag: NoTags,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    role: Role,
}

impl Operation for CreateRole {
    const ACTION: &'static str = "CreateRole";
    type Request = Request;
    type Response = Response;

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.assume_role_policy_document.check_trust()
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::role(cx.account(), req.role_name.as_str())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let new = NewRole {
            id: role_id(cx.entropy),
            name: req.role_name.into(),
            description: req.description.map(String::from).unwrap_or_default(),
            trust_policy: req.assume_role_policy_document.into(),
            max_session_seconds: req.max_session_duration.as_u32(),
        };
        cx.store.tells("RoleId", &new.id);
        let made = cx
            .store
            .create_ram_role(cx.account(), new, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            role: Role::made(cx.account(), made),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_role_is_answered_whole_and_its_name_is_taken_from_then_on() {
        let server = TestServer::start().await;
        let trust = server.trusting("acme", &["root"]);
        let ask = json!({"RoleName": "admin", "Description": "runs the house",
            "AssumeRolePolicyDocument": trust, "MaxSessionDuration": 7200});
        let answer = server.ok("CreateRole", ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(
            server.refused("CreateRole", ask.clone()).await,
            "EntityAlreadyExists.Role"
        );
        let (status, _) = server.call_as("globex", "CreateRole", ask).await;
        assert_eq!(status, 200, "a name is taken in its own account only");
    }

    #[tokio::test]
    async fn what_does_not_say_who_is_trusted_makes_no_role() {
        let server = TestServer::start().await;
        let policy = json!({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let trust = server.trusting("acme", &["root"]).to_string();
        let anybody = trust.replace(server.account_id("acme").as_str(), "*");
        for document in [&*policy.to_string(), &*anybody, "{}", "x"] {
            let ask = json!({"RoleName": "admin", "AssumeRolePolicyDocument": document});
            let code = server.refused("CreateRole", ask).await;
            assert_eq!(code, "MalformedPolicyDocument", "{document}");
        }
        let long = trust + &" ".repeat(6_144);
        let ask = json!({"RoleName": "admin", "AssumeRolePolicyDocument": long});
        assert_eq!(
            server.refused("CreateRole", ask).await,
            "InvalidParameter.AssumeRolePolicyDocument"
        );
        assert_eq!(
            server.ok("ListRoles", json!({})).await["Roles"]["Role"],
            json!([])
        );
    }

    #[tokio::test]
    async fn what_a_role_cannot_have_here_is_refused() {
        let server = TestServer::start().await;
        for (field, value, code) in [
            (
                "AllowConsoleLogin",
                json!(true),
                "InvalidParameter.AllowConsoleLogin",
            ),
            (
                "Tag",
                json!([{"Key": "team", "Value": "design"}]),
                "InvalidParameter.Tag",
            ),
        ] {
            let mut ask = json!({"RoleName": "admin",
                "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
            ask[field] = value;
            assert_eq!(server.refused("CreateRole", ask).await, code);
        }
        let ask = json!({"RoleName": "admin", "AllowConsoleLogin": false,
            "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
        let made = server.ok("CreateRole", ask).await;
        assert_eq!(made["Role"]["AllowConsoleLogin"], false);
        assert_eq!(made["Role"]["MaxSessionDuration"], 3600);
    }
}
