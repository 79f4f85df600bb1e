//! Apps that do not behave, in real holders: what the API says of their sessions, and why.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::processes::{Sweep, can_run_sessions, descendant, holder_of, lives};
use support::{GREENROOM, Server, UNTHROTTLED, wait_until};

/// How an app behaves, the command that does, and what is said of the session it belongs to.
const BEHAVIOUR: &[(&str, &str, &str)] = &[
    ("ca-leaves", "exit 0", "it ended before it drew anything"),
    (
        "ca-fails",
        "echo why >&2; exit 3",
        "it ended with exit code 3",
    ),
    ("ca-crashes", "kill -SEGV $$", "it was ended by signal 11"),
    (
        "ca-idles",
        "sleep 1000",
        "no app has drawn anything within 6 s",
    ),
    (
        "ca-floods",
        "yes >&2",
        "no app has drawn anything within 6 s",
    ),
    ("ca-loops", "foot true; exit 4", "it ended with exit code 4"),
];

fn start(folder: &std::path::Path) -> Server {
    let mut config = "[sessions]\nstart_seconds = 6\nstop_seconds = 2\n".to_owned();
    let apps = BEHAVIOUR
        .iter()
        .map(|(id, script, _)| (*id, vec!["sh", "-c", script]));
    let more = [
        ("ca-absent", vec!["/usr/bin/no-such-program"]),
        (
            "ca-forks",
            vec!["sh", "-c", "setsid foot sleep 1000 & exit 0"],
        ),
        (
            "ca-stubborn",
            vec![
                "foot",
                "-o",
                "bell.urgent=no",
                "sh",
                "-c",
                "trap '' HUP TERM; sleep 1000",
            ],
        ),
    ];
    for (id, argv) in apps.chain(more) {
        config += &format!(
            "[[image.apps]]\nid = '{id}'\nname = '{id}'\nargv = {}\n",
            json!(argv)
        );
    }
    std::fs::write(folder.join("greenroom.toml"), config).unwrap();
    let file = folder.join("greenroom.toml");
    let settings = [
        ("GREENROOM_CONFIG", file.to_str().unwrap()),
        ("GREENROOM_CAPACITY_OVERCOMMIT", "100"),
        UNTHROTTLED[0],
        UNTHROTTLED[1],
    ];
    Server::start_with(folder, &settings)
}

/// A group of one session with that app, and the session.
fn session_with(server: &Server, app: &str) -> (String, String) {
    let group = server.create_group_with(1, app);
    let id = server.sessions(&group).remove(0).id;
    (group, id)
}

fn view(server: &Server, session: &str) -> Value {
    let ask = json!({"AppInstancePersistentId": session});
    let (status, answer) = server.ask(GREENROOM, "GetSession", &ask).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["Session"].clone()
}

#[test]
fn a_session_whose_app_does_not_behave_is_unavailable_and_says_why() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = start(folder.path());
    let absent = ("ca-absent", "", "it could not start");
    let all: Vec<_> = BEHAVIOUR
        .iter()
        .chain([&absent])
        .map(|(app, _, why)| (*app, *why, session_with(&server, app).1))
        .collect();
    for (app, why, session) in &all {
        let mut last = Value::Null;
        // After three in a row it is not tried again.
        wait_until(&format!("the session of {app} has given up"), || {
            last = view(&server, session);
            last["AppInstancePersistentStatus"] == "UNAVAILABLE" && last["Failures"] == 3
        });
        let reason = last["StatusReason"].as_str().unwrap();
        assert!(reason.contains(why), "{app}: {reason}");
    }
    // What one printed is there to be read, whatever became of it.
    let (_, _, session) = all.iter().find(|(app, ..)| *app == "ca-fails").unwrap();
    let ask = json!({"AppInstancePersistentId": session});
    let (status, answer) = server.ask(GREENROOM, "ReadSessionLog", &ask).unwrap();
    assert_eq!(status, 200, "{answer}");
    let logs = answer["Logs"].as_array().unwrap();
    let log = logs.iter().find(|log| log["Name"] == "sh.log").unwrap();
    assert_eq!(log["Text"], "why\nwhy\nwhy\n");
    server.end();
}

#[test]
fn an_app_that_forks_away_runs_until_its_window_is_closed() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = start(folder.path());
    let (group, session) = session_with(&server, "ca-forks");
    let carried = |status: &str| server.sessions(&group)[0].instance_status == status;
    wait_until("it has drawn", || {
        server.sessions(&group)[0].status == "RUNNING"
    });
    let window = descendant(holder_of(folder.path(), &session), "foot").unwrap();
    let window = i32::try_from(window)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .unwrap();
    rustix::process::kill_process(window, rustix::process::Signal::TERM).unwrap();
    wait_until("it is closed", || carried("CLOSED"));
    let view = view(&server, &session);
    assert_eq!(
        (&view["AppInstancePersistentStatus"], &view["Failures"]),
        (&json!("RUNNING"), &json!(0))
    );
    server.end();
}

#[test]
fn an_app_that_ignores_every_request_to_end_is_ended_at_the_deadline() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = start(folder.path());
    let (group, session) = session_with(&server, "ca-stubborn");
    wait_until("it has drawn", || {
        server.sessions(&group)[0].status == "RUNNING"
    });
    let holder = holder_of(folder.path(), &session);
    let app = descendant(holder, "sh").unwrap();
    let asked = Instant::now();
    let ask = json!({"AppInstancePersistentIds": [session]});
    let (status, answer) = server.ask(GREENROOM, "StopSessions", &ask).unwrap();
    assert_eq!(status, 200, "{answer}");
    wait_until("it is stopped", || {
        server.sessions(&group)[0].status == "STOPPED"
    });
    assert!(!lives(holder) && !lives(app));
    eprintln!("stopped after {:?}", asked.elapsed());
    assert!(
        asked.elapsed() >= Duration::from_secs(1),
        "it was not asked first"
    );
    server.end();
}
