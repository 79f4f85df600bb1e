//! When there is a frame and when there is none.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use std::time::{Duration, Instant};
use support::picture::Picture;
use support::wayland::{Client, word};
use support::window::{BLUE, GREEN, RED};
use support::{Session, idle, skipped};

fn session() -> Session {
    let session = Session::start(vec![idle("ca-idle")]);
    session.control().app("ca-idle", "runs", |app| app.pid > 0);
    session
}

/// How often the holder was woken since it began.
fn wake_ups(session: &Session) -> u64 {
    let status = format!("/proc/{}/status", session.process.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("voluntary_ctxt_switches"));
    line.unwrap()
        .split_ascii_whitespace()
        .last()
        .unwrap()
        .parse()
        .unwrap()
}

/// Draws another colour and waits for the frame callback.
fn draw(app: &mut Client, surface: u32, at: u32) {
    let callback = app.new_id();
    app.request(surface, 3, &[callback]);
    app.paint(
        surface,
        1280,
        800,
        if at.is_multiple_of(2) { RED } else { GREEN },
    );
    app.event(callback, 0);
}

/// Commits the window as it is and waits for the frame callback.
fn commit_unchanged(app: &mut Client, surface: u32) {
    let callback = app.new_id();
    app.request(surface, 3, &[callback]);
    app.commit(surface);
    app.event(callback, 0);
}

#[test]
fn without_viewers_an_app_that_animates_is_paced_to_a_frame_a_second_and_none_is_composed() {
    if skipped("bwrap") {
        return;
    }
    let session = session();
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    draw(&mut app, window.surface, 0);
    let began = Instant::now();
    for at in 0..3 {
        draw(&mut app, window.surface, at);
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(2900),
        "three frames in {took:?}"
    );
    assert!(took < Duration::from_secs(6), "three frames in {took:?}");
    assert_eq!(session.control().report("any", |_| true).frames, 0);
}

#[test]
fn a_watched_app_that_animates_is_paced_to_what_a_screen_would_show() {
    if skipped("bwrap") {
        return;
    }
    let session = session();
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    picture.until_at(5, 5, RED);
    let began = Instant::now();
    for at in 1..=20 {
        draw(&mut app, window.surface, at);
        picture.until_at(5, 5, if at.is_multiple_of(2) { RED } else { GREEN });
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(19 * 16),
        "20 frames in {took:?}"
    );
    let frames = session.control().report("any", |_| true).frames;
    assert!(frames <= 22, "{frames} frames of 20 pictures");
}

#[test]
fn a_still_session_sends_no_frame_and_hardly_wakes() {
    if skipped("bwrap") {
        return;
    }
    let session = session();
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    picture.until_at(5, 5, RED);
    // The last round of frame callbacks comes a second after the last frame; then heartbeats are all there is.
    commit_unchanged(&mut app, window.surface);
    let mut control = session.control();
    for _ in 0..3 {
        control.report("a heartbeat", |_| true);
    }
    let mut woken = u64::MAX;
    // The kernel counts as voluntary also what the holder did not ask for, a page that has to be read again on a busy
    // machine for one; what wakes it by a rule does so in each two seconds.
    for _ in 0..10 {
        let (frames, before) = (
            control.report("a heartbeat", |_| true).frames,
            wake_ups(&session),
        );
        for _ in 0..2 {
            assert_eq!(control.report("a heartbeat", |_| true).frames, frames);
        }
        woken = wake_ups(&session) - before;
        if woken <= 4 {
            return;
        }
    }
    panic!("woken {woken} times in two seconds of nothing, again and again");
}

#[test]
fn a_commit_that_changes_nothing_makes_no_frame() {
    if skipped("bwrap") {
        return;
    }
    let session = session();
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    picture.until_at(5, 5, RED);
    let frames = || session.control().report("any", |_| true).frames;
    let before = frames();
    for _ in 0..5 {
        commit_unchanged(&mut app, window.surface);
    }
    assert_eq!(frames(), before);
}

#[test]
fn an_app_learns_when_it_was_seen_and_that_it_was_not() {
    if skipped("bwrap") {
        return;
    }
    const PRESENTED: u32 = 1;
    const DISCARDED: u32 = 2;
    let session = session();
    let mut app = Client::connect(&session, 1);
    let presentation = app.global("wp_presentation", 1);
    assert_eq!(
        word(&app.event(presentation, 0), 0),
        1,
        "the monotonic clock"
    );
    let window = app.window(RED);
    let paint = |app: &mut Client, surface: u32, colour| {
        let feedback = app.new_id();
        app.request(presentation, 1, &[surface, feedback]);
        app.paint(surface, 1280, 800, colour);
        feedback
    };
    let unseen = paint(&mut app, window.surface, GREEN);
    app.event(unseen, DISCARDED);

    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until_at(5, 5, GREEN);
    let before = monotonic();
    let seen = paint(&mut app, window.surface, BLUE);
    let told = app.event(seen, PRESENTED);
    let at = Duration::new(word(&told, 4).into(), word(&told, 8));
    assert!((before..=monotonic()).contains(&at), "{before:?} {at:?}");
    // No retrace was counted and no hardware was asked.
    assert_eq!(
        (word(&told, 16), word(&told, 20), word(&told, 24)),
        (0, 0, 0)
    );

    // Covered by another window it is not seen, however much it draws.
    app.window(RED);
    picture.until_at(5, 5, RED);
    let covered = paint(&mut app, window.surface, GREEN);
    app.event(covered, DISCARDED);
}

fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.try_into().unwrap()
}
