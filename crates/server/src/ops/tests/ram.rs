//! The users and groups of the world of these tests, and the requests to RAM that are right for it.

use crate::test_support::TestServer;
use serde_json::{Value, json};

/// What RAM keeps for `acme`: zoe, who is in the group devs and has a key; and of each kind a spare one that
/// nothing else hangs on. Answers the id of zoe's key.
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
    let made = server
        .ok("CreateAccessKey", json!({"UserName": "zoe"}))
        .await;
    made["AccessKey"]["AccessKeyId"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A request of the operation that succeeds in that world.
pub fn request(action: &str, key: &str) -> Option<Value> {
    Some(match action {
        "CreateUser" => json!({"UserName": "new"}),
        "CreateGroup" => json!({"GroupName": "new"}),
        "ListGroups" | "ListUsers" => json!({}),
        "CreateAccessKey" | "GetUser" | "ListAccessKeys" | "ListGroupsForUser" | "UpdateUser" => {
            json!({"UserName": "zoe"})
        }
        "GetGroup" | "ListUsersForGroup" => json!({"GroupName": "devs"}),
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
        "CreateUser" | "CreateGroup" => answer["Code"].is_null(),
        "ListUsers" => one_new(&answer["Users"]["User"], "UserName"),
        "ListGroups" => one_new(&answer["Groups"]["Group"], "GroupName"),
        _ => {
            let code = answer["Code"].as_str().unwrap_or("OK");
            code.starts_with("EntityNotExist.")
        }
    }
}

/// Nothing is listed but what this account made itself, by the requests before.
fn one_new(listed: &Value, name: &str) -> bool {
    let listed = listed.as_array().unwrap();
    listed.len() == 1 && listed[0][name] == "new"
}
