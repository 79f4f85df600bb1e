//! Sound in a session: what its apps play can be recorded there, and nowhere else.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use support::{Session, script, skipped, told_by, until};

/// One sample, again and again.
const PLAY: &str =
    "while :; do printf '\\064\\022%.0s' $(seq 48000); done | pacat --raw --rate=48000";
const SAMPLE: [u8; 2] = [0o064, 0o022];
const RECORD: &str = "exec parec --raw --rate=48000 -d session.monitor > ~/heard";

fn heard(session: &Session) -> Vec<u8> {
    std::fs::read(session.home().join("heard")).unwrap_or_default()
}

#[test]
fn what_an_app_plays_is_recorded_in_its_session_and_in_no_other() {
    if skipped("bwrap") || skipped("pulseaudio") || skipped("pacat") {
        return;
    }
    let session = Session::start(vec![script("ca-record", RECORD), script("ca-play", PLAY)]);
    let other = Session::start(vec![script("ca-record", RECORD)]);
    until("the sound", || {
        let heard = heard(&session);
        let played = heard.chunks_exact(2).filter(|sample| *sample == SAMPLE);
        (played.count() > 10_000).then_some(())
    });
    let silence = until("silence", || {
        Some(heard(&other)).filter(|it| !it.is_empty())
    });
    assert!(silence.iter().all(|byte| *byte == 0));
}

#[test]
fn no_sound_server_runs_until_an_app_asks_for_it_and_it_knows_no_device() {
    if skipped("bwrap") || skipped("pulseaudio") || skipped("pactl") {
        return;
    }
    let session = Session::start(vec![]);
    let is_running = "grep -sxq pulseaudio /proc/[0-9]*/comm";
    let look =
        format!("{is_running} && echo early\npactl list short sinks\n{is_running} && echo runs");
    let told = told_by(&session, "ca-sound", &look);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].contains("session\tmodule-null-sink.c"), "{told}");
    assert_eq!(lines[1], "runs", "{told}");
}
