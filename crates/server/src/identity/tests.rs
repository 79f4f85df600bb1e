//! What callers may do by the policies that calls gave them.

use crate::dispatch::Origin;
use crate::test_support::{TestServer, group_request, statement};
use serde_json::{Value, json};

const READ_ONLY: &str = "AliyunAppStreamingReadOnlyAccess";
const FULL: &str = "AliyunAppStreamingFullAccess";

/// What the caller is told: `OK` or a code.
async fn told(server: &TestServer, caller: &str, action: &str, ask: Value) -> String {
    let (_, answer) = server.call_as(caller, action, ask).await;
    answer["Code"].as_str().unwrap_or("OK").to_owned()
}

async fn lists(server: &TestServer, caller: &str) -> String {
    let ask = json!({"ProductType": "CloudApp"});
    told(server, caller, "ListAppInstanceGroup", ask).await
}

async fn creates(server: &TestServer, caller: &str) -> String {
    told(
        server,
        caller,
        "CreateAppInstanceGroup",
        group_request(json!({})),
    )
    .await
}

async fn policy(server: &TestServer, name: &str, document: &str) {
    let ask = json!({"PolicyName": name, "PolicyDocument": document});
    server.ok("CreatePolicy", ask).await;
}

fn pair(kind: &str, policy: &str, holder: &str, name: &str) -> Value {
    json!({"PolicyType": kind, "PolicyName": policy, holder: name})
}

#[tokio::test]
async fn system_policies_let_a_user_look_or_do_everything_until_they_are_taken_away() {
    let server = TestServer::start().await.with_user("zoe", &[]).await;
    let zoe = |policy| pair("System", policy, "UserName", "zoe");
    assert_eq!(lists(&server, "zoe").await, "NoPermission");

    server.ok("AttachPolicyToUser", zoe(READ_ONLY)).await;
    assert_eq!(lists(&server, "zoe").await, "OK");
    assert_eq!(creates(&server, "zoe").await, "NoPermission");

    server.ok("AttachPolicyToUser", zoe(FULL)).await;
    assert_eq!(creates(&server, "zoe").await, "OK");
    // It is about one product.
    let users = told(&server, "zoe", "ListUsers", json!({})).await;
    assert_eq!(users, "NoPermission");

    server.ok("DetachPolicyFromUser", zoe(FULL)).await;
    assert_eq!(creates(&server, "zoe").await, "NoPermission", "at once");
    server.ok("DetachPolicyFromUser", zoe(READ_ONLY)).await;
    assert_eq!(lists(&server, "zoe").await, "NoPermission");
}

#[tokio::test]
async fn a_denial_wins_whoever_of_a_user_and_its_group_has_it_and_says_so() {
    let server = TestServer::start().await.with_user("zoe", &[]).await;
    policy(
        &server,
        "no-making",
        &statement("Deny", "appstreaming:Create*"),
    )
    .await;
    server.ok("CreateGroup", json!({"GroupName": "devs"})).await;
    let member = json!({"UserName": "zoe", "GroupName": "devs"});
    server.ok("AddUserToGroup", member.clone()).await;
    let full = pair("System", FULL, "GroupName", "devs");
    server.ok("AttachPolicyToGroup", full).await;
    assert_eq!(creates(&server, "zoe").await, "OK", "its group may");

    let denial = pair("Custom", "no-making", "UserName", "zoe");
    server.ok("AttachPolicyToUser", denial).await;
    let ask = group_request(json!({}));
    let (status, answer) = server.call_as("zoe", "CreateAppInstanceGroup", ask).await;
    assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
    let detail = &answer["AccessDeniedDetail"];
    assert_eq!(detail["NoPermissionType"], "ExplicitDeny");
    assert_eq!(detail["AuthAction"], "appstreaming:CreateAppInstanceGroup");
    assert_eq!(detail["AuthPrincipalType"], "SubUser");
    assert_eq!(lists(&server, "zoe").await, "OK", "that is not denied");

    server.ok("RemoveUserFromGroup", member).await;
    let (_, answer) = server
        .call_as(
            "zoe",
            "ListAppInstanceGroup",
            json!({"ProductType": "CloudApp"}),
        )
        .await;
    let detail = &answer["AccessDeniedDetail"];
    assert_eq!(detail["NoPermissionType"], "ImplicitDeny");
}

#[tokio::test]
async fn a_condition_of_an_attached_policy_asks_where_a_call_came_from() {
    let server = TestServer::start().await.with_user("zoe", &[]).await;
    let document = json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "appstreaming:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"NotIpAddress": {"acs:SourceIp": ["192.0.2.0/24"]}}}]});
    policy(&server, "from-the-office", &document.to_string()).await;
    let ask = pair("Custom", "from-the-office", "UserName", "zoe");
    server.ok("AttachPolicyToUser", ask).await;
    for (address, status) in [
        (Some("192.0.2.9"), 200),
        (Some("198.51.100.9"), 403),
        // Nobody knows from where: the denial holds.
        (None, 403),
    ] {
        let request = server.signed("zoe", "ListRegions", &json!({}));
        let origin = Origin {
            address: address.map(|address| address.parse().unwrap()),
            secure: false,
        };
        let reply = server.api.call(&request.as_raw(), origin).await;
        assert_eq!(reply.status, status, "{address:?}");
    }
}

#[tokio::test]
async fn whoever_has_assumed_a_role_gains_and_loses_with_it() {
    let server = TestServer::start()
        .await
        .with_role("admin", &[], None)
        .await;
    let admin = || pair("System", READ_ONLY, "RoleName", "admin");
    assert_eq!(lists(&server, "admin").await, "NoPermission");
    server.ok("AttachPolicyToRole", admin()).await;
    assert_eq!(lists(&server, "admin").await, "OK");
    assert_eq!(creates(&server, "admin").await, "NoPermission");
    server.ok("DetachPolicyFromRole", admin()).await;
    assert_eq!(lists(&server, "admin").await, "NoPermission");
}

#[tokio::test]
async fn a_user_who_may_not_give_out_policies_cannot_give_itself_one() {
    let server = TestServer::start()
        .await
        .with_user("zoe", &["AliyunRAMReadOnlyAccess"])
        .await;
    let ask = pair("System", "AdministratorAccess", "UserName", "zoe");
    let code = told(&server, "zoe", "AttachPolicyToUser", ask).await;
    assert_eq!(code, "NoPermission");
    let listed = server
        .ok("ListPoliciesForUser", json!({"UserName": "zoe"}))
        .await;
    let held = listed["Policies"]["Policy"].as_array().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["PolicyName"], "AliyunRAMReadOnlyAccess");
}
