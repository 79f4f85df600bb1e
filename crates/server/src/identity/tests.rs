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

/// Who looks after the users named `dev-…` and may give them one policy.
const KEEPER: &str = r#"{"Version":"1","Statement":[
    {"Effect":"Allow","Action":"ram:*","Resource":"acs:ram:*:*:user/dev-*"},
    {"Effect":"Allow","Action":["ram:AttachPolicyToUser","ram:DetachPolicyFromUser"],
     "Resource":["acs:ram:*:*:policy/look"]},
    {"Effect":"Allow","Action":"ram:AddUserToGroup","Resource":"acs:ram:*:*:group/devs"}]}"#;

#[tokio::test]
async fn a_policy_about_some_users_is_about_no_others() {
    let server = TestServer::start()
        .await
        .with_user("keeper", &[KEEPER])
        .await;
    policy(&server, "look", &statement("Allow", "appstreaming:List*")).await;
    for group in ["devs", "admins"] {
        server.ok("CreateGroup", json!({"GroupName": group})).await;
    }
    server.ok("CreateUser", json!({"UserName": "boss"})).await;
    let attach = |kind: &str, policy: &str, user: &str| pair(kind, policy, "UserName", user);
    for (action, ask, code) in [
        ("CreateUser", json!({"UserName": "dev-1"}), "OK"),
        ("CreateUser", json!({"UserName": "max"}), "NoPermission"),
        ("GetUser", json!({"UserName": "dev-1"}), "OK"),
        ("GetUser", json!({"UserName": "boss"}), "NoPermission"),
        // Whether there is such a user is nothing that a denied caller learns.
        ("GetUser", json!({"UserName": "nobody"}), "NoPermission"),
        ("ListUsers", json!({}), "NoPermission"),
        ("CreateAccessKey", json!({"UserName": "dev-1"}), "OK"),
        (
            "CreateAccessKey",
            json!({"UserName": "boss"}),
            "NoPermission",
        ),
        // Its own name, which no statement is about.
        ("CreateAccessKey", json!({}), "NoPermission"),
        // Both the user and the policy count.
        (
            "AttachPolicyToUser",
            attach("Custom", "look", "dev-1"),
            "OK",
        ),
        (
            "AttachPolicyToUser",
            attach("Custom", "look", "boss"),
            "NoPermission",
        ),
        (
            "AttachPolicyToUser",
            attach("System", "look", "dev-1"),
            "EntityNotExist.Policy",
        ),
        (
            "AttachPolicyToUser",
            attach("System", "AdministratorAccess", "dev-1"),
            "NoPermission",
        ),
        (
            "AddUserToGroup",
            json!({"UserName": "dev-1", "GroupName": "devs"}),
            "OK",
        ),
        (
            "AddUserToGroup",
            json!({"UserName": "dev-1", "GroupName": "admins"}),
            "NoPermission",
        ),
        // A role may trust whoever has the new name.
        (
            "UpdateUser",
            json!({"UserName": "dev-1", "NewUserName": "chief"}),
            "NoPermission",
        ),
        (
            "UpdateUser",
            json!({"UserName": "dev-1", "NewUserName": "dev-2"}),
            "OK",
        ),
    ] {
        let seen = told(&server, "keeper", action, ask.clone()).await;
        assert_eq!(seen, code, "{action} {ask}");
    }
}

#[tokio::test]
async fn a_denial_about_one_thing_holds_for_who_may_do_everything_else() {
    let but = json!({"Version": "1", "Statement": [{"Effect": "Deny", "Action": "ram:*",
        "Resource": ["acs:ram:*:*:user/boss", "acs:ram:*:system:policy/Administrator*",
            "acs:ram:*:*:role/admin", "acs:ram:*:*:group/admins"]}]});
    let server = TestServer::start()
        .await
        .with_user("zoe", &["AliyunRAMFullAccess", &but.to_string()])
        .await;
    let trust = server.trusting("acme", &["root"]);
    let role = |name: &str| json!({"RoleName": name, "AssumeRolePolicyDocument": trust});
    let administrator =
        |field: &str, name: &str| pair("System", "AdministratorAccess", field, name);
    for (action, ask, code) in [
        ("CreateUser", json!({"UserName": "max"}), "OK"),
        ("CreateUser", json!({"UserName": "boss"}), "NoPermission"),
        ("ListUsers", json!({}), "OK"),
        ("CreateRole", role("crew"), "OK"),
        ("CreateRole", role("admin"), "NoPermission"),
        (
            "CreateGroup",
            json!({"GroupName": "admins"}),
            "NoPermission",
        ),
        (
            "AttachPolicyToUser",
            administrator("UserName", "max"),
            "NoPermission",
        ),
        (
            "AttachPolicyToRole",
            administrator("RoleName", "crew"),
            "NoPermission",
        ),
        (
            "AttachPolicyToUser",
            pair("System", FULL, "UserName", "max"),
            "OK",
        ),
        (
            "GetPolicy",
            administrator("UserName", "max"),
            "NoPermission",
        ),
        ("ListPolicies", json!({}), "OK"),
    ] {
        let seen = told(&server, "zoe", action, ask.clone()).await;
        assert_eq!(seen, code, "{action} {ask}");
    }
}
