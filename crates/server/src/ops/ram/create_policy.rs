//! `CreatePolicy`: a policy of the account's own, which counts once somebody has it.

use crate::identity::arn;
use crate::identity::fields::{Description, NoTags, PolicyName, PolicyText, PolicyType};
use crate::identity::view::Policy;
use crate::ops::prelude::*;
use greenroom_store::NewPolicy;

/// `CreatePolicy`
pub struct CreatePolicy;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_name: PolicyName,
    description: Option<Description>,
    policy_document: PolicyText,
    #[serde(rename = "Tag", default)]
    _tag: NoTags,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    policy: Policy,
}

impl Operation for CreatePolicy {
    const ACTION: &'static str = "CreatePolicy";
    type Request = Request;
    type Response = Response;

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.policy_document.check_policy()
    }

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(
            cx.account(),
            PolicyType::Custom,
            &req.policy_name,
        )]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let new = NewPolicy {
            name: req.policy_name.into(),
            description: req.description.map(String::from).unwrap_or_default(),
            document: req.policy_document.into(),
        };
        let made = cx
            .store
            .create_ram_policy(cx.account(), new, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            policy: Policy::made(made),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::json;

    #[tokio::test]
    async fn a_policy_is_answered_whole_and_its_name_is_taken_from_then_on() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyName": "look", "Description": "who look only",
            "PolicyDocument": statement("Allow", "appstreaming:List*")});
        let answer = server.ok("CreatePolicy", ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(
            server.refused("CreatePolicy", ask.clone()).await,
            "EntityAlreadyExists.Policy"
        );
        let (status, _) = server.call_as("globex", "CreatePolicy", ask).await;
        assert_eq!(status, 200, "a name is taken in its own account only");
    }

    #[tokio::test]
    async fn what_is_no_policy_is_refused_with_the_reason() {
        let server = TestServer::start().await;
        let ask = |document: &str| json!({"PolicyName": "look", "PolicyDocument": document});
        let deep = "[".repeat(6_000);
        for (document, reason) in [
            ("x", "line 1 column 1"),
            ("{}", "missing field `Version`"),
            (&*statement("Maybe", "*"), "unknown variant `Maybe`"),
            (
                &*statement("Allow", "ListRegions"),
                "an action is code:Name",
            ),
            ("😀", "line 1 column 1"),
            (&*deep, "line 1 column"),
        ] {
            let (status, answer) = server.call_as("acme", "CreatePolicy", ask(document)).await;
            assert_eq!(
                (status, &answer["Code"]),
                (400, &json!("MalformedPolicyDocument"))
            );
            let message = answer["Message"].as_str().unwrap();
            assert!(message.contains(reason) && message.len() < 400, "{message}");
        }
        let fits = statement("Allow", "*");
        let deeper = "[".repeat(10_000);
        let longer = fits.clone() + &" ".repeat(6_144);
        for document in [deeper, longer, "\0".to_owned()] {
            let code = server.refused("CreatePolicy", ask(&document)).await;
            assert_eq!(code, "InvalidParameter.PolicyDocument");
        }
        // Longer than any parameter may be: refused before anybody asks what it is for.
        let a_megabyte = fits + &" ".repeat(1_000_000);
        let code = server.refused("CreatePolicy", ask(&a_megabyte)).await;
        assert_eq!(code, "InvalidParameter");
        let listed = server.ok("ListPolicies", json!({"PolicyType": "Custom"}));
        assert_eq!(listed.await["Policies"]["Policy"], json!([]));
    }
}
