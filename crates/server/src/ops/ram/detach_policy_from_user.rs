//! `DetachPolicyFromUser`: a user has a policy no longer, unless a group of its still has it.

use crate::identity::attachment::OfUser;
use crate::identity::view::Done;
use crate::ops::prelude::*;

/// `DetachPolicyFromUser`
pub struct DetachPolicyFromUser;

impl Operation for DetachPolicyFromUser {
    const ACTION: &'static str = "DetachPolicyFromUser";
    type Request = OfUser;
    type Response = Done;

    fn validate(cx: &CallContext<'_>, req: &OfUser) -> Result<(), ApiError> {
        req.check(cx)
    }

    fn access(_: &OfUser) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &OfUser) -> Vec<String> {
        req.resources(cx)
    }

    async fn handle(cx: &CallContext<'_>, req: OfUser) -> Result<Done, ApiError> {
        req.detach(cx).await
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn what_somebody_does_not_have_cannot_be_taken_from_them() {
        let server = TestServer::start().await;
        for (kind, field, name) in [
            ("User", "UserName", "zoe"),
            ("Group", "GroupName", "devs"),
            ("Role", "RoleName", "admin"),
        ] {
            let mut ask = json!({"PolicyType": "System", "PolicyName": "AdministratorAccess"});
            ask[field] = json!(name);
            let action = format!("DetachPolicyFrom{kind}");
            let code = server.refused(&action, ask.clone()).await;
            assert_eq!(code, format!("EntityNotExist.{kind}"));
            let mut new = json!({field: name});
            if kind == "Role" {
                new["AssumeRolePolicyDocument"] = server.trusting("acme", &["root"]);
            }
            server.ok(&format!("Create{kind}"), new).await;
            let code = server.refused(&action, ask).await;
            assert_eq!(code, format!("EntityNotExist.{kind}.Policy"));
        }
    }
}
