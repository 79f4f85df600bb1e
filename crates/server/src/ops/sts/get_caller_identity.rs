//! `GetCallerIdentity`: who calls.

use crate::access::Principal;
use crate::ops::prelude::*;

/// `GetCallerIdentity`
pub struct GetCallerIdentity;

/// What it takes: nothing.
#[derive(Debug, Deserialize)]
pub struct Request {}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    identity_type: IdentityType,
    account_id: AccountId,
    principal_id: String,
    /// Of an account or a user; whoever has assumed a role is none for that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Of whoever has assumed a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_id: Option<String>,
    arn: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
enum IdentityType {
    Account,
    #[serde(rename = "RAMUser")]
    RamUser,
    AssumedRoleUser,
}

impl Operation for GetCallerIdentity {
    const ACTION: &'static str = "GetCallerIdentity";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Anyone
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        let (identity_type, principal_id, user_id, role_id) = match cx.principal {
            Principal::Account(account) => {
                let id = account.to_string();
                (IdentityType::Account, id.clone(), Some(id), None)
            }
            Principal::User(user) => {
                let id = user.id.clone();
                (IdentityType::RamUser, id.clone(), Some(id), None)
            }
            Principal::Role(it) => (
                IdentityType::AssumedRoleUser,
                format!("{}:{}", it.role_id, it.session),
                None,
                Some(it.role_id.clone()),
            ),
        };
        Ok(Response {
            identity_type,
            account_id: cx.account().clone(),
            principal_id,
            user_id,
            role_id,
            arn: cx.principal.arn(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn each_kind_of_caller_is_told_who_it_is() {
        let server = TestServer::start()
            .await
            .with_user("alice", &[])
            .await
            .with_role("painter", &[], None)
            .await;
        let acme = server.account_id("acme").as_str();
        for (caller, expected) in [
            (
                "acme",
                json!({"IdentityType": "Account", "AccountId": acme, "PrincipalId": acme, "UserId": acme,
                    "Arn": format!("acs:ram::{acme}:root")}),
            ),
            (
                "alice",
                json!({"IdentityType": "RAMUser", "AccountId": acme, "PrincipalId": "id-of-alice",
                    "UserId": "id-of-alice", "Arn": format!("acs:ram::{acme}:user/alice")}),
            ),
            (
                "painter",
                json!({"IdentityType": "AssumedRoleUser", "AccountId": acme,
                    "PrincipalId": "id-of-painter:session", "RoleId": "id-of-painter",
                    "Arn": format!("acs:ram::{acme}:assumed-role/painter/session")}),
            ),
        ] {
            let (status, mut answer) = server.call_as(caller, "GetCallerIdentity", json!({})).await;
            answer.as_object_mut().unwrap().remove("RequestId");
            assert_eq!((status, answer), (200, expected));
        }
    }
}
