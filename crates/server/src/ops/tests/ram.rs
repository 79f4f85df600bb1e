//! The users and groups of the world of these tests, and the requests to RAM that are right for it.

use super::World;
use crate::ops::{ApiProduct, OPERATIONS};
use crate::test_support::{TestServer, statement};
use serde_json::{Value, json};

/// What RAM keeps for `acme`: zoe, who is in the group devs and has a key; the role admin; the
/// policy look in two versions, which zoe, devs and admin have; and of each kind a spare one that nothing else
/// hangs on. Answers the id of zoe's key.
pub async fn furnish(server: &TestServer) -> String {
    for name in ["zoe", "spare"] {
        server.ok("CreateUser", json!({"UserName": name})).await;
    }
    for name in ["devs", "spare"] {
        server.ok("CreateGroup", json!({"GroupName": name})).await;
    }
    server
        .ok(
            "AddUserToGroup",
            json!({"UserName": "zoe", "GroupName": "devs"}),
        )
        .await;
    for name in ["admin", "spare"] {
        server.ok("CreateRole", new_role(name)).await;
    }
    for name in ["look", "spare"] {
        server.ok("CreatePolicy", new_policy(name)).await;
    }
    server.ok("CreatePolicyVersion", new_policy("look")).await;
    for holder in ["User", "Group", "Role"] {
        let ask = of_holder("look", holder);
        server.ok(&format!("AttachPolicyTo{holder}"), ask).await;
    }
    let made = server
        .ok("CreateAccessKey", json!({"UserName": "zoe"}))
        .await;
    made["AccessKey"]["AccessKeyId"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Whom it trusts is of no account in this world.
const TRUST: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1234567890123456:root"]}}]}"#;

fn new_role(name: &str) -> Value {
    json!({"RoleName": name, "AssumeRolePolicyDocument": TRUST})
}

fn new_policy(name: &str) -> Value {
    json!({"PolicyName": name, "PolicyDocument": statement("Allow", "appstreaming:List*")})
}

fn of_holder(policy: &str, holder: &str) -> Value {
    let (field, name) = match holder {
        "User" => ("UserName", "zoe"),
        "Group" => ("GroupName", "devs"),
        _ => ("RoleName", "admin"),
    };
    json!({"PolicyType": "Custom", "PolicyName": policy, field: name})
}

/// A request of the operation that succeeds in that world.
pub fn request(action: &str, key: &str) -> Option<Value> {
    Some(match action {
        "CreateUser" => json!({"UserName": "new"}),
        "CreateGroup" => json!({"GroupName": "new"}),
        "CreateRole" => new_role("new"),
        "CreatePolicy" => new_policy("new"),
        "CreatePolicyVersion" => new_policy("look"),
        "DeletePolicy" => json!({"PolicyName": "spare"}),
        "GetPolicy" | "ListEntitiesForPolicy" | "ListPolicyVersions" => {
            json!({"PolicyType": "Custom", "PolicyName": "look"})
        }
        "GetPolicyVersion" => {
            json!({"PolicyType": "Custom", "PolicyName": "look", "VersionId": "v2"})
        }
        "DeletePolicyVersion" | "SetDefaultPolicyVersion" => {
            json!({"PolicyName": "look", "VersionId": "v2"})
        }
        "ListPolicies" => json!({"PolicyType": "Custom"}),
        "ListPoliciesForUser" => json!({"UserName": "zoe"}),
        "ListPoliciesForGroup" => json!({"GroupName": "devs"}),
        "ListPoliciesForRole" => json!({"RoleName": "admin"}),
        _ if action.starts_with("AttachPolicyTo") => {
            of_holder("spare", action.trim_start_matches("AttachPolicyTo"))
        }
        _ if action.starts_with("DetachPolicyFrom") => {
            of_holder("look", action.trim_start_matches("DetachPolicyFrom"))
        }
        "ListGroups" | "ListRoles" | "ListUsers" => json!({}),
        "CreateAccessKey" | "GetUser" | "ListAccessKeys" | "ListGroupsForUser" | "UpdateUser" => {
            json!({"UserName": "zoe"})
        }
        "GetRole" | "UpdateRole" => json!({"RoleName": "admin"}),
        "DeleteRole" => json!({"RoleName": "spare"}),
        "GetGroup" | "ListUsersForGroup" | "UpdateGroup" => json!({"GroupName": "devs"}),
        "UpdateAccessKey" => {
            json!({"UserName": "zoe", "UserAccessKeyId": key, "Status": "Inactive"})
        }
        "DeleteAccessKey" => json!({"UserName": "zoe", "UserAccessKeyId": key}),
        "DeleteUser" => json!({"UserName": "spare"}),
        "DeleteGroup" => json!({"GroupName": "spare"}),
        "AddUserToGroup" => json!({"UserName": "zoe", "GroupName": "spare"}),
        "RemoveUserFromGroup" => json!({"UserName": "zoe", "GroupName": "devs"}),
        _ => return None,
    })
}

/// What another account sees when it sends such a request: its own things, which are none, or that what is
/// named does not exist.
pub fn is_another_account_s(action: &str, answer: &Value) -> bool {
    match action {
        "CreateUser" | "CreateGroup" | "CreateRole" | "CreatePolicy" => answer["Code"].is_null(),
        "ListUsers" => one_new(&answer["Users"]["User"], "UserName"),
        "ListPolicies" => one_new(&answer["Policies"]["Policy"], "PolicyName"),
        "ListRoles" => one_new(&answer["Roles"]["Role"], "RoleName"),
        "ListGroups" => one_new(&answer["Groups"]["Group"], "GroupName"),
        _ => {
            let code = answer["Code"].as_str().unwrap_or("OK");
            code.starts_with("EntityNotExist.")
        }
    }
}

/// The denial is about whatever has a name, and not about `acs:ram:*:ACCOUNT:*`, which an operation stands for that
/// names nothing.
#[tokio::test]
async fn every_operation_names_what_it_is_about_so_that_policies_can() {
    let denial = json!({"Version": "1", "Statement": [
        {"Effect": "Deny", "Action": "ram:*", "Resource": "acs:ram::*:*/*"}]});
    let World { server, key, .. } = World::new().await;
    let server = server
        .with_user("blind", &["AliyunRAMFullAccess", &denial.to_string()])
        .await;
    for entry in OPERATIONS {
        if *entry.product == ApiProduct::RAM {
            let ask = request(entry.action, &key).unwrap();
            let (_, answer) = server.call_as("blind", entry.action, ask).await;
            assert_eq!(answer["Code"], "NoPermission", "{}", entry.action);
        }
    }
}

/// Nothing is listed but what this account made itself, by the requests before.
fn one_new(listed: &Value, name: &str) -> bool {
    let listed = listed.as_array().unwrap();
    listed.len() == 1 && listed[0][name] == "new"
}
