//! A database that cannot be written for a while: callers are told to come back, `/readyz` says no, and all of it
//! passes by itself.

use crate::URL;
use crate::support::processes::descendant;
use crate::support::{APPSTREAM, RAM, Server, greenroom, wait_until};
use greenroom_testkit::postgres::Cluster;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::process::Command;

/// Bytes of the disk that is to be full. A new database takes less than a fifth of it.
const DISK: &str = "4000000";

#[test]
fn a_full_disk_is_a_503_until_there_is_room_again() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    // The sandbox of sessions, used for the one thing that a small disk of our own takes: a mount.
    let own = greenroom();
    let mut command = Command::new("bwrap");
    command
        .args(["--dev-bind", "/", "/", "--die-with-parent"])
        .args(["--size", DISK, "--tmpfs"])
        .arg(&data)
        .arg(own.get_program())
        .args(["serve", "--data-dir"])
        .arg(&data)
        .env("GREENROOM_ROOT_ACCESS_KEY_ID", "admin")
        .env("GREENROOM_ROOT_ACCESS_KEY_SECRET", "correct-horse");
    let mut server = Server::run(command, &data);
    server.key = json!({"AccessKeyId": "admin", "AccessKeySecret": "correct-horse"});
    let pid = descendant(server.pid(), "greenroom").unwrap();
    let disk = format!("/proc/{pid}/root{}", data.display());

    let mut answered = BTreeSet::new();
    answered.extend(make_user(&server, 0));
    assert_eq!(answered.len(), 1);
    let filler = format!("{disk}/filler");
    fill(&filler);
    let mut number = 1;
    wait_until("a write is refused", || {
        number += 1;
        let made = make_user(&server, number);
        let refused = made.is_none();
        answered.extend(made);
        refused
    });
    wait_until("it is not ready", || {
        server.get("/readyz").unwrap().0 == 503
    });
    assert_eq!(users(&server), answered, "what is there is read as ever");

    std::fs::remove_file(&filler).unwrap();
    wait_until("it is ready", || server.get("/readyz").unwrap().0 == 200);
    let after = make_user(&server, number + 1);
    assert!(after.is_some(), "there is room again");
    answered.extend(after);
    assert_eq!(users(&server), answered);
    assert_eq!(descendant(server.pid(), "greenroom"), Some(pid));
}

#[test]
fn a_database_that_is_gone_is_a_503_until_it_is_back() {
    let mut cluster = Cluster::start();
    let home = tempfile::tempdir().unwrap();
    let server = Server::start_with(home.path(), &[(URL, &cluster.database())]);
    let mut answered = BTreeSet::new();
    answered.extend(make_user(&server, 0));
    wait_until("it is ready", || server.get("/readyz").unwrap().0 == 200);

    cluster.stop();
    assert_eq!(make_user(&server, 1), None);
    wait_until("it is not ready", || {
        server.get("/readyz").unwrap().0 == 503
    });
    let (status, answer) = server.ask(APPSTREAM, "ListRegions", &json!({})).unwrap();
    assert_eq!(
        (status, &answer["Code"]),
        (503, &json!("ServiceUnavailable"))
    );
    assert_eq!(server.get("/healthz").unwrap().0, 200);

    cluster.start_again();
    wait_until("it is ready", || server.get("/readyz").unwrap().0 == 200);
    answered.extend(make_user(&server, 2));
    assert_eq!(answered.len(), 2);
    assert_eq!(users(&server), answered);
    server.end();
}

/// The name of a new user, or `None` when the caller is told to come back.
fn make_user(server: &Server, number: u32) -> Option<String> {
    let name = format!("user-{number}");
    let (status, answer) = server
        .ask(RAM, "CreateUser", &json!({"UserName": name}))
        .unwrap();
    match status {
        200 => Some(name),
        _ => {
            let unavailable = (503, &json!("ServiceUnavailable"));
            assert_eq!((status, &answer["Code"]), unavailable, "{answer}");
            None
        }
    }
}

fn users(server: &Server) -> BTreeSet<String> {
    let (status, answer) = server.ask(RAM, "ListUsers", &json!({})).unwrap();
    assert_eq!(status, 200, "{answer}");
    let users = answer["Users"]["User"].as_array().unwrap();
    let name = |user: &Value| user["UserName"].as_str().unwrap().to_owned();
    users.iter().map(name).collect()
}

/// Writes until there is no room for another byte.
fn fill(path: &str) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 16, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}
