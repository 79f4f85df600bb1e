//! How a session ends, asked or not, and that nothing of it is left.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::picture::Picture;
use support::{Session, app, idle, script, skipped, until};

fn nothing_is_left(session: &Session) {
    until("every process to go", || {
        session.traces().is_empty().then_some(())
    });
    let run = &session.spec.run_dir;
    let left: Vec<_> = std::fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(session.folder.path().to_str().unwrap()));
}

#[test]
fn a_stop_lets_apps_close_and_leaves_nothing_but_the_home() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let mut session = Session::start(vec![
        app("ca-foot", &["foot", "sh"]),
        script(
            "ca-tidy",
            "trap 'echo closed > ~/tidy; exit' TERM; while :; do sleep 0.01; done",
        ),
    ]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    let picture = Picture::watch(&session, &mut viewer);
    control.stop(2000);
    control.report("the stop", |report| report.stopping);
    assert!(session.wait().success());
    assert_eq!(
        std::fs::read_to_string(session.home().join("tidy")).unwrap(),
        "closed\n"
    );
    drop(picture);
    nothing_is_left(&session);
}

#[test]
fn an_app_that_will_not_end_is_ended_when_the_grace_is_over() {
    if skipped("bwrap") {
        return;
    }
    let mut session = Session::start(vec![script(
        "ca-stubborn",
        "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; touch ~/here; sleep 1000') & sleep 1000",
    )]);
    let mut control = session.control();
    until("the app to run", || {
        session.home().join("here").exists().then_some(())
    });
    let asked = Instant::now();
    control.stop(300);
    assert!(session.wait().success());
    assert!(
        asked.elapsed() >= Duration::from_millis(300),
        "it was not given its grace"
    );
    nothing_is_left(&session);
}

#[test]
fn sigterm_is_a_stop_and_a_closed_terminal_is_nothing() {
    if skipped("bwrap") {
        return;
    }
    let mut session = Session::start(vec![idle("ca-idle")]);
    let mut control = session.control();
    control.app("ca-idle", "runs", |app| app.pid > 0);
    session.signal(Signal::HUP);
    session.signal(Signal::PIPE);
    for _ in 0..2 {
        control.app("ca-idle", "runs on", |app| !app.ended);
    }
    session.signal(Signal::TERM);
    assert!(session.wait().success());
    nothing_is_left(&session);
}

#[test]
fn the_server_may_go_and_another_come() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let before = session.control().app("ca-idle", "runs", |app| app.pid > 0);
    let after = session.control().app("ca-idle", "runs", |app| app.pid > 0);
    assert_eq!((before.launch, before.pid), (after.launch, after.pid));
}

#[test]
fn apps_die_with_their_holder() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let mut session = Session::start(vec![
        app("ca-foot", &["foot", "sh"]),
        script(
            "ca-stubborn",
            "trap '' TERM HUP; (setsid sleep 1000) & touch ~/here; sleep 1000",
        ),
    ]);
    session.control().drawn("ca-foot");
    until("the app to run", || {
        session.home().join("here").exists().then_some(())
    });
    assert!(!session.traces().is_empty());
    session.signal(Signal::KILL);
    session.wait();
    until("every process to go", || {
        session.traces().is_empty().then_some(())
    });
}

#[test]
fn a_session_is_held_again_after_its_holder_was_killed_and_by_one_holder_only() {
    if skipped("bwrap") {
        return;
    }
    let mut session = Session::start(vec![idle("ca-idle")]);
    session.control().app("ca-idle", "runs", |app| app.pid > 0);
    std::fs::write(session.home().join("kept"), "").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut second = Session::start_with(folder, session.spec.clone());
    assert!(!second.wait().success());
    session
        .control()
        .app("ca-idle", "runs on", |app| !app.ended);

    session.signal(Signal::KILL);
    session.wait();
    let mut again = Session::start_with(tempfile::tempdir().unwrap(), session.spec.clone());
    again
        .control()
        .app("ca-idle", "runs again", |app| app.pid > 0);
    assert!(again.home().join("kept").exists());
    again.control().stop(100);
    assert!(again.wait().success());
}

#[test]
fn a_sandbox_that_ends_by_itself_is_reported_and_ends_the_holder() {
    if skipped("bwrap") {
        return;
    }
    let mut session = Session::start(vec![idle("ca-idle")]);
    let mut control = session.control();
    control.app("ca-idle", "runs", |app| app.pid > 0);
    let bwrap = format!("/proc/{0}/task/{0}/children", session.process.id());
    let bwrap = std::fs::read_to_string(bwrap).unwrap();
    let bwrap = support::pid(bwrap.trim().parse().unwrap());
    rustix::process::kill_process(bwrap, Signal::KILL).unwrap();
    let ended = control.app("ca-idle", "ended", |app| app.ended);
    assert!(
        ended.failure.contains("sandbox") || ended.signal == Some(9),
        "{ended:?}"
    );
    assert!(!session.wait().success());
}

#[test]
fn a_spec_that_cannot_be_followed_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["", "{}", "[1,2]", &"x".repeat(2 << 20)] {
        let path = folder.path().join("spec.json");
        std::fs::write(&path, wrong).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom-session"))
            .arg("--spec")
            .arg(&path)
            .output()
            .unwrap();
        assert!(!output.status.success());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("cannot follow"),
            "{output:?}"
        );
    }
}
