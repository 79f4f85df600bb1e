//! A server that is killed in the middle of many writes: what it answered is there, on either database.

use crate::URL;
use crate::support::{RAM, Server, UNTHROTTLED, wait_until};
use greenroom_testkit::postgres;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes in all; RAM gives an account no more users.
const WRITES: usize = 1_000;

/// How many are answered when the server is killed; others are under way.
const KILLED_AFTER: [usize; 3] = [1, 350, 700];

const CLIENTS: usize = 8;

#[test]
fn a_kill_in_the_middle_of_a_thousand_writes_loses_nothing_answered() {
    let home = tempfile::tempdir().unwrap();
    kill_while_it_writes(home.path(), "");
}

#[test]
fn a_kill_in_the_middle_of_a_thousand_writes_loses_nothing_answered_on_postgres() {
    let home = tempfile::tempdir().unwrap();
    kill_while_it_writes(home.path(), &postgres::database());
}

fn kill_while_it_writes(data: &Path, url: &str) {
    let [account, operation] = UNTHROTTLED;
    let settings = [(URL, url), account, operation];
    let (asked, answered) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let count = || answered.lock().unwrap().len();
    for killed_after in KILLED_AFTER {
        let server = Server::start_with(data, &settings);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| write_until_it_is_gone(&server, &asked, &answered));
            }
            wait_until("so many are answered", || count() >= killed_after);
            server.send_kill();
        });
        assert!(asked.load(Ordering::Relaxed) < WRITES, "in the middle");
    }
    let server = Server::start_with(data, &settings);
    let kept = users(&server);
    let known = answered.lock().unwrap().clone();
    let lost: Vec<_> = known.difference(&kept).collect();
    assert!(lost.is_empty(), "answered and not there: {lost:?}");
    // What was asked for and not answered may be there or not; nothing else is.
    let asked_so_far = asked.load(Ordering::Relaxed);
    assert!(
        kept.len() <= asked_so_far,
        "{} of {asked_so_far}",
        kept.len()
    );

    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| write_until_it_is_gone(&server, &asked, &answered));
        }
    });
    assert_eq!(count(), known.len() + WRITES - asked_so_far, "it serves on");
    server.end();
}

/// Makes users by their numbers until there are enough or the server is gone.
fn write_until_it_is_gone(
    server: &Server,
    asked: &AtomicUsize,
    answered: &Mutex<BTreeSet<String>>,
) {
    loop {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        if number >= WRITES {
            return;
        }
        let name = format!("user-{number}");
        match server.ask(RAM, "CreateUser", &json!({"UserName": name})) {
            Ok((200, _)) => {
                answered.lock().unwrap().insert(name);
            }
            Ok((status, answer)) => panic!("{status} {answer}"),
            Err(_) => return,
        }
    }
}

/// Every user of the account, whole.
fn users(server: &Server) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut marker = Value::Null;
    loop {
        let mut ask = json!({"MaxItems": "1000"});
        if let Some(marker) = marker.as_str() {
            ask["Marker"] = marker.into();
        }
        let (status, answer) = server.ask(RAM, "ListUsers", &ask).unwrap();
        assert_eq!(status, 200, "{answer}");
        let users = answer["Users"]["User"].as_array().unwrap();
        let named = |user: &Value| user["UserName"].as_str().unwrap().to_owned();
        found.extend(users.iter().map(named));
        marker = answer["Marker"].clone();
        if answer["IsTruncated"] != true {
            return found;
        }
    }
}
