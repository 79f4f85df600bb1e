//! What of each operation is in the audit trail.

use super::World;
use super::access::changes;
use crate::dispatch::{Api, Origin};
use crate::ops::{Entry, OPERATIONS};
use greenroom_store::AuditRow;
use serde_json::{Value, json};

/// Calls the operation; answers how that went, and the rows that it left.
async fn rows_of(
    world: &World,
    caller: &str,
    entry: &Entry,
    ask: Value,
) -> (u16, Value, Vec<AuditRow>) {
    let before = world.server.audit().await.len();
    let (status, answer) = world.server.call_as(caller, entry.action, ask).await;
    let rows = world.server.audit().await.split_off(before);
    (status, answer, rows)
}

/// Fails unless the row says of the call what its answer does.
fn assert_tells(row: &AuditRow, entry: &Entry, answer: &Value) {
    let it = &row.entry;
    let code = match answer["Code"].as_str() {
        // Of an answer that has a code of its own.
        None | Some("200") => "OK",
        Some(code) => code,
    };
    assert_eq!(it.outcome, code, "{answer}");
    assert_eq!(it.request_id, answer["RequestId"].as_str().unwrap());
    let called = (entry.product.name, entry.product.version, entry.action);
    let told = (it.product.as_str(), it.version.as_str(), it.action.as_str());
    assert_eq!(told, called);
}

#[tokio::test]
async fn each_change_leaves_one_row_and_nothing_that_only_looks_leaves_any() {
    for entry in OPERATIONS {
        let world = World::of(entry.action).await;
        let (caller, ask) = (world.caller(entry.action), world.request(entry.action));
        let (status, answer, rows) = rows_of(&world, caller, entry, ask).await;
        assert_eq!(status, 200, "{}: {answer}", entry.action);
        assert_eq!(rows.len(), usize::from(changes(entry)), "{}", entry.action);
        for row in &rows {
            assert_tells(row, entry, &answer);
            assert_eq!(row.entry.access_key_id, world.server.key_id(caller));
            for id in made(entry.action, &answer) {
                let about = &row.entry.subject;
                assert!(about.contains(&id), "{}: {id} in {about}", entry.action);
            }
        }
        // What is given out once is in no row.
        let told = format!("{rows:?}");
        for secret in secrets(&answer) {
            assert!(!told.contains(secret), "{}: {secret}", entry.action);
        }
        assert!(!told.contains("secret-of"), "{told}");
    }
}

/// The ids of what the call made or chose, as its answer says them.
fn made(action: &str, answer: &Value) -> Vec<String> {
    const IDS: [&str; 8] = [
        "AccessKeyId",
        "AppInstanceGroupId",
        "AppInstancePersistentId",
        "ImageId",
        "RoleId",
        "TaskId",
        "UserId",
        "VersionId",
    ];
    let makes =
        action.starts_with("Create") || matches!(action, "AssumeRole" | "GetConnectionTicket");
    let mut ids = Vec::new();
    let mut rest = vec![answer];
    while let (true, Some(part)) = (makes, rest.pop()) {
        for (name, value) in part.as_object().into_iter().flatten() {
            match value {
                Value::String(id) if IDS.contains(&name.as_str()) => ids.push(id.clone()),
                other => rest.push(other),
            }
        }
    }
    ids
}

#[tokio::test]
async fn what_is_made_is_in_the_row_and_what_came_to_nothing_names_nothing_new() {
    let world = World::new().await;
    let entry = super::super::find("2021-09-01", "CreateAppInstanceGroup").unwrap();
    let ask = world.request(entry.action);
    let (_, answer, rows) = rows_of(&world, "acme", entry, ask.clone()).await;
    let id = answer["AppInstanceGroupModel"]["AppInstanceGroupId"]
        .as_str()
        .unwrap();
    assert_eq!(rows[0].entry.subject, format!("AppInstanceGroupId={id}"));
    // More nodes than there are.
    let mut ask = ask;
    ask["NodePool"]["NodeAmount"] = json!(100);
    let (_, answer, rows) = rows_of(&world, "acme", entry, ask).await;
    assert_eq!(answer["Code"], "StockError.NoStock");
    assert_eq!(rows[0].entry.subject, "");
}

#[tokio::test]
async fn asking_again_for_a_ticket_is_a_row_once_there_is_one() {
    let world = World::new().await;
    let entry = super::super::find("2021-09-01", "GetConnectionTicket").unwrap();
    let ask = world.request(entry.action);
    let (_, answer, rows) = rows_of(&world, "acme", entry, ask).await;
    let task = answer["TaskId"].as_str().unwrap();
    let about = &rows[0].entry.subject;
    assert!(about.contains(&format!("TaskId={task}")), "{about}");

    let poll = json!({"ProductType": "CloudApp", "EndUserId": "alice", "TaskId": task});
    let (_, answer, rows) = rows_of(&world, "acme", entry, poll.clone()).await;
    assert_eq!((&answer["TaskStatus"], rows.len()), (&json!("Running"), 0));
    world
        .server
        .end_task(task, greenroom_model::TaskStatus::Finished, "")
        .await;
    let (_, answer, rows) = rows_of(&world, "acme", entry, poll).await;
    assert_eq!((&answer["TaskStatus"], rows.len()), (&json!("Finished"), 1));
    let about = &rows[0].entry.subject;
    for told in [&world.group, &world.session, task] {
        assert!(about.contains(told), "{told} in {about}");
    }
}

/// Whatever of an answer is for its caller only.
fn secrets(answer: &Value) -> Vec<&str> {
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
    let pointers = [
        "/Ticket",
        "/AccessKey/AccessKeySecret",
        "/Credentials/AccessKeySecret",
        "/Credentials/SecurityToken",
    ];
    pointers.into_iter().filter_map(text).collect()
}

#[tokio::test]
async fn each_call_that_is_denied_leaves_one_row() {
    let world = World::new().await;
    let server = world.server.with_user("nobody", &[]).await;
    let world = World { server, ..world };
    for entry in OPERATIONS {
        let ask = world.request(entry.action);
        let (status, answer, rows) = rows_of(&world, "nobody", entry, ask).await;
        if status == 200 {
            assert_eq!(rows.len(), 0, "{} is for anyone", entry.action);
            continue;
        }
        assert_eq!(answer["Code"], "NoPermission", "{}", entry.action);
        assert_eq!(rows.len(), 1, "{}", entry.action);
        assert_tells(&rows[0], entry, &answer);
        let who = &rows[0].entry.principal;
        let told = (who.kind.as_str(), who.id.as_str(), who.name.as_str());
        assert_eq!(told, ("SubUser", "id-of-nobody", "nobody"));
    }
}

#[tokio::test]
async fn each_change_that_comes_to_nothing_leaves_one_row() {
    let world = World::new().await;
    for entry in OPERATIONS.iter().filter(|entry| changes(entry)) {
        // Empty is as good as left out, and nearly everything needs something.
        let mut ask = world.request(entry.action);
        for value in ask.as_object_mut().unwrap().values_mut() {
            *value = json!("");
        }
        let caller = world.caller(entry.action);
        let (status, answer, rows) = rows_of(&world, caller, entry, ask).await;
        if status == 200 {
            continue;
        }
        assert_eq!(rows.len(), 1, "{}: {answer}", entry.action);
        assert_tells(&rows[0], entry, &answer);
    }
}

#[tokio::test]
async fn a_replayed_change_is_counted_by_a_server_that_remembers_and_a_row_at_one_that_does_not() {
    let world = World::new().await;
    let server = &world.server;
    let request = server.signed("acme", "CreateUser", &json!({"UserName": "new"}));
    let send = async |api: &Api| api.call(&request.as_raw(), Origin::default()).await.status;
    assert_eq!(send(&server.api).await, 200);
    let before = server.audit().await.len();
    assert_eq!(send(&server.api).await, 400);
    assert_eq!(server.audit().await.len(), before);
    assert_eq!(
        server.api.refusals().take()["others"]["SignatureNonceUsed"],
        1
    );
    assert_eq!(send(&server.restarted().api).await, 400);
    let rows = server.audit().await.split_off(before);
    let outcomes: Vec<&str> = rows.iter().map(|row| row.entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["SignatureNonceUsed"]);
}
