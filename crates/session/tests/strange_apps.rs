//! Apps that do not behave: that fork away, flood what they print to, or look for what is kept of it.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::{Session, app, script, skipped, until};

fn log(session: &Session, name: &str) -> String {
    let path = session.spec.session_dir.join("logs").join(name);
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn an_app_that_forks_away_lasts_as_long_as_its_window() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let away = "setsid foot sh -c 'echo $PPID > ~/window; exec sleep 1000' & exit 0";
    let session = Session::start(vec![script("ca-away", away)]);
    let mut control = session.control();
    control.drawn("ca-away");
    // Heartbeats later it is there still.
    for _ in 0..2 {
        control.app("ca-away", "runs on", |app| !app.ended && app.pid == 0);
    }
    control.launch(&script("ca-end", "kill $(cat ~/window)"));
    let ended = control.app("ca-away", "ended", |app| app.ended);
    assert_eq!((ended.drawn, ended.exit_code), (true, Some(0)));
}

#[test]
fn an_app_that_leaves_nothing_behind_has_ended_soon() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![script("ca-away", "sleep 1000 & exit 0")]);
    let ended = session.control().app("ca-away", "ended", |app| app.ended);
    assert_eq!((ended.drawn, ended.exit_code), (false, Some(0)));
}

#[test]
fn a_stop_does_not_wait_for_an_app_that_has_left() {
    if skipped("bwrap") {
        return;
    }
    let left = script("ca-left", "sleep 1000 & exit 0");
    let mut session = Session::start(vec![left]);
    let mut control = session.control();
    control.app("ca-left", "left", |app| app.pid == 0);
    let asked = Instant::now();
    control.stop(20_000);
    assert!(session.wait().success());
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_flood_is_kept_at_its_end_and_holds_nobody_up() {
    if skipped("bwrap") {
        return;
    }
    let flood = script(
        "ca-flood",
        "yes $(seq 2000) | head -c 30000000 >&2; echo over; exit 3",
    );
    let session = Session::start(vec![flood, script("ca-flood-on", "echo on; exec yes >&2")]);
    let mut control = session.control();
    let ended = control.app("ca-flood", "ended", |app| app.ended);
    assert_eq!(ended.exit_code, Some(3));
    // The other one floods on, and its session takes orders.
    control.launch(&script("ca-more", "exit 7"));
    let more = control.app("ca-more", "ended", |app| app.ended);
    assert_eq!(more.exit_code, Some(7));
    let kept = until("a file full of it", || {
        Some(log(&session, "sh.log")).filter(|text| text.ends_with("y\ny\n"))
    });
    assert!(kept.len() <= 256 << 10, "{}", kept.len());
}

#[test]
fn what_an_app_prints_is_kept_over_its_launches_where_no_app_can_reach_it() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![]);
    let mut control = session.control();
    let words = "echo seen $1; ls ~/.. ~; cat /proc/1/fd/* ; ls -l /proc/$$/fd; exit 4";
    for word in ["first", "second"] {
        let mut look = app("ca-look", &["sh", "-c", words, "sh"]);
        look.argv.push(word.to_owned());
        control.launch(&look);
        control.app("ca-look", "ended", |app| {
            app.ended && app.launch == if word == "first" { 1 } else { 2 }
        });
    }
    let kept = until("both to be kept", || {
        Some(log(&session, "sh.log")).filter(|text| text.contains("seen second"))
    });
    assert!(kept.contains("seen first"), "{kept}");
    // Not the file, a pipe.
    assert!(
        kept.contains("-> 'pipe:[") || kept.contains("-> pipe:["),
        "{kept}"
    );
    assert!(!kept.contains("sh.log"), "{kept}");
    session.signal(Signal::TERM);
}
