//! The role of the world of these tests, who may assume it, and the requests to STS that are right there.

use crate::test_support::TestServer;
use serde_json::{Value, json};

/// The user of `acme` who may assume roles.
pub const CALLER: &str = "actor";

/// That user, and a role of `acme` that trusts everybody of it.
pub async fn furnish(server: TestServer) -> TestServer {
    let server = server
        .with_user(CALLER, &["AliyunSTSAssumeRoleAccess"])
        .await;
    let trust = server.trusting("acme", &["root"]).to_string();
    server.add_role("acme", "painter", trust, &[]).await;
    server
}

/// A request of the operation that succeeds in that world.
pub fn request(action: &str, server: &TestServer) -> Option<Value> {
    Some(match action {
        "AssumeRole" => {
            let arn = format!("acs:ram::{}:role/painter", server.account_id("acme"));
            json!({"RoleArn": arn, "RoleSessionName": "at-noon"})
        }
        "GetCallerIdentity" => json!({}),
        _ => return None,
    })
}

/// What another account sees when it sends such a request: itself, or that it cannot, whatever is there.
pub fn is_another_account_s(action: &str, answer: &Value, server: &TestServer) -> bool {
    match action {
        "GetCallerIdentity" => answer["AccountId"] == json!(server.account_id("globex")),
        _ => answer["Message"] == "Roles may not be assumed by root accounts.",
    }
}
