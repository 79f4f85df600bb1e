//! A server that is killed and started again, with real holders and a real app: nothing of a session may
//! notice, and a holder that is killed must be noticed.
//!
//! Everything is looked at from outside: the API over HTTP, and the processes of this machine.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::processes::{Processes, Sweep, can_run_sessions, holders_of, kill, lives};
use support::{Server, wait_until};

#[test]
fn sessions_outlive_the_server_and_are_adopted_by_the_next() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start(folder.path());
    let group = server.create_group();
    let before = server.wait_for(&group, |session| session.status == "RUNNING");
    assert_eq!(before.len(), 2);
    let processes = Processes::of(folder.path(), &before);

    // The whole process group, as a terminal or a supervisor would.
    server.kill();
    let server = Server::start(folder.path());
    // No waiting: a server that answers has taken over what runs.
    assert_eq!(server.sessions(&group), before);
    assert_eq!(Processes::of(folder.path(), &before), processes);

    // A holder that is killed takes its app along; the session is started again, its neighbour is not.
    let (victim, neighbour) = (&before[0].id, &before[1].id);
    let died = Instant::now();
    kill(processes.holders[victim]);
    server.wait_for(&group, |session| {
        session.id != *victim || session.status != "RUNNING"
    });
    let noticed = died.elapsed();
    assert!(
        noticed < Duration::from_secs(1),
        "noticed after {noticed:?}"
    );
    server.wait_for(&group, |session| session.status == "RUNNING");
    let after = Processes::of(folder.path(), &before);
    assert_ne!(after.holders[victim], processes.holders[victim]);
    assert_eq!(after.holders[neighbour], processes.holders[neighbour]);
    assert_eq!(after.apps[neighbour], processes.apps[neighbour]);

    // Its user is let in again: the ticket is there once the app has drawn.
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": victim,
        "AuthorizeUserIds.1": "alice"});
    server.call("AuthorizeInstanceGroup", &ask);
    let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudApp", "AppId": "ca-foot",
        "AppInstancePersistentId": victim, "EndUserId": "alice"});
    server.ticket(&ask);

    // A delete leaves neither processes nor files.
    server.call(
        "DeleteAppInstanceGroup",
        &json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"}),
    );
    wait_until("every holder is gone", || {
        after.holders.values().all(|pid| !lives(*pid))
    });
    wait_until("every home is gone", || {
        let homes = before
            .iter()
            .map(|session| folder.path().join("sessions").join(&session.id));
        homes.into_iter().all(|home| !home.exists())
    });
    server.end();
}

#[test]
fn a_server_killed_at_any_moment_of_a_start_leaves_one_holder_for_each_session() {
    if !can_run_sessions() {
        return;
    }
    for delay in [0, 10, 20, 40, 80, 160] {
        let folder = tempfile::tempdir().unwrap();
        let _sweep = Sweep(folder.path().to_owned());
        let server = Server::start(folder.path());
        let group = server.create_group();
        // A moment that is as good as any other, not something to wait for.
        std::thread::sleep(Duration::from_millis(delay));
        server.kill();
        let server = Server::start(folder.path());
        let sessions = server.wait_for(&group, |session| session.status == "RUNNING");
        for session in &sessions {
            let holders = holders_of(folder.path(), &session.id);
            assert_eq!(holders, 1, "killed after {delay} ms");
        }
        server.end();
    }
}
