//! The streamer as a process: what its viewers see, whom it refuses, when it leaves.

mod common;

use common::{Holder, KEY, LIMIT, hello};
use greenroom_session_api::frames::{self, to_streamer};
use greenroom_session_api::{Hello, Role, units};
use greenroom_tiles::Framebuffer;
use rustix::fs::SealFlags;
use std::time::Instant;

/// Pixels that do not compress.
fn noise(pixels: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..4 * pixels).map(|_| next()).collect()
}

#[test]
fn a_still_screen_sends_nothing_after_the_first_picture() {
    let mut holder = Holder::start(300, 200);
    let mut viewer = holder.viewer();
    let (first, _) = viewer.draw();
    assert_eq!(viewer.picture.pixels(), holder.rgba());
    // The app redraws all of it, and nothing is different.
    for _ in 0..5 {
        holder.show(0, 0, 300, 200, &[0; 4 * 300 * 200]);
    }
    holder.dot(5, 5, 9);
    // What follows the first picture is the change: nothing came in between.
    let (next, bytes) = viewer.draw();
    assert_eq!(next, first + 1);
    assert!(bytes < 120, "a pixel took {bytes} bytes");
    assert_eq!(viewer.picture.pixels(), holder.rgba());
}

#[test]
fn a_viewer_that_never_acknowledges_delays_nobody() {
    let mut holder = Holder::start(300, 200);
    let mut stuck = holder.viewer();
    let mut quick = holder.viewer();
    quick.draw();
    stuck.see();
    for step in 0..100 {
        holder.dot(step, 5, 200);
        quick.draw();
    }
    assert_eq!(quick.picture.pixels(), holder.rgba());
    let (second, _) = stuck.see();
    stuck.ack(second.update);
    // The two it had credit for, then one that makes up for the rest.
    stuck.draw();
    assert_eq!(stuck.picture.pixels(), holder.rgba());
}

#[test]
fn a_viewer_that_never_reads_delays_nobody_and_keeps_the_streamer_small() {
    let mut holder = Holder::start(640, 480);
    let _deaf = holder.viewer();
    let mut quick = holder.viewer();
    quick.draw();
    let noise = noise(640 * 480 + 64);
    for step in 0..60 {
        holder.show(0, 0, 640, 480, &noise[4 * step..]);
        quick.draw();
    }
    assert_eq!(quick.picture.pixels(), holder.rgba());
    let resident: u64 = holder
        .proc_status("VmRSS")
        .trim_end_matches(" kB")
        .parse()
        .expect("a number of kB");
    assert!(resident < 60_000, "{resident} kB");
}

#[test]
fn a_viewer_that_vanishes_is_forgotten() {
    let mut holder = Holder::start(100, 100);
    let mut stays = holder.viewer();
    holder.has_viewers(1);
    stays.draw();
    let vanishes = holder.viewer();
    holder.has_viewers(2);
    drop(vanishes);
    holder.has_viewers(1);
    holder.dot(1, 1, 1);
    stays.draw();
    assert_eq!(stays.picture.pixels(), holder.rgba());
}

#[test]
fn a_wrong_key_or_role_is_answered_by_closing() {
    let holder = Holder::start(100, 100);
    let mut almost = KEY.to_vec();
    almost[31] ^= 1;
    for wrong in [
        hello(almost, Role::Units),
        hello(KEY[..31].into(), Role::Units),
        hello(Vec::new(), Role::Units),
        hello(KEY.into(), Role::Viewer),
        hello(KEY.into(), Role::Control),
    ] {
        let mut link = holder.connect();
        link.send(&wrong);
        assert_eq!(link.receive::<units::FromStreamer>(), None);
    }
    holder.viewer().draw();
}

#[test]
fn garbage_closes_its_own_link_only() {
    let mut holder = Holder::start(100, 100);
    let mut bystander = holder.viewer();
    bystander.draw();
    for garbage in [&[0xff; 64][..], &[2, 0, 0, 0, 0xff, 0xff], &noise(5000)] {
        let mut stranger = holder.connect();
        stranger.send_bytes(garbage);
        assert_eq!(
            stranger.receive::<units::FromStreamer>(),
            None,
            "before hello"
        );
    }
    let mut viewer = holder.viewer();
    viewer.draw();
    viewer.link.send_bytes(&[0xff; 64]);
    assert_eq!(viewer.news(), None, "after hello");
    holder.dot(1, 1, 1);
    bystander.draw();
    assert_eq!(bystander.picture.pixels(), holder.rgba());
}

#[test]
fn links_beyond_the_limit_are_closed_and_the_silent_make_room() {
    let holder = Holder::start(64, 64);
    let silent: Vec<_> = (0..64).map(|_| holder.connect()).collect();
    let mut beyond = holder.connect();
    assert_eq!(beyond.receive::<units::FromStreamer>(), None);
    for mut link in silent {
        assert_eq!(
            link.receive::<units::FromStreamer>(),
            None,
            "silent for too long"
        );
    }
    holder.viewer().draw();
}

#[test]
fn a_resize_begins_the_picture_anew() {
    let mut holder = Holder::start(300, 200);
    let mut viewer = holder.viewer();
    viewer.draw();
    holder.ring(500, 130);
    let (resized, _) = viewer.see();
    assert!(resized.reset);
    viewer.ack(resized.update);
    assert_eq!(
        (viewer.picture.width(), viewer.picture.height()),
        (500, 130)
    );
    holder.dot(499, 129, 7);
    viewer.draw();
    assert_eq!(viewer.picture.pixels(), holder.rgba());
}

#[test]
fn a_new_ring_of_the_same_size_costs_what_differs() {
    let mut holder = Holder::start(300, 200);
    holder.show(0, 0, 300, 200, &noise(300 * 200));
    let mut viewer = holder.viewer();
    let (_, whole) = viewer.draw();
    holder.ring_sealed(300, 200, SealFlags::SHRINK);
    let mut again = noise(300 * 200);
    again[0] ^= 1;
    holder.show(0, 0, 300, 200, &again);
    let (_, difference) = viewer.draw();
    assert!(difference < whole / 100, "{difference} of {whole} bytes");
    assert_eq!(viewer.picture.pixels(), holder.rgba());
}

#[test]
fn a_viewer_that_returns_is_sent_only_changed_tiles() {
    let mut holder = Holder::start(640, 400);
    holder.show(0, 0, 640, 400, &noise(640 * 400));
    let mut viewer = holder.viewer();
    let (_, whole) = viewer.draw();
    let kept = std::mem::replace(&mut viewer.picture, Framebuffer::new());
    drop(viewer);
    holder.has_viewers(0);
    holder.dot(100, 100, 3);
    let mut returned = holder.viewer_with(kept);
    let (_, difference) = returned.draw();
    assert!(difference < whole / 50, "{difference} of {whole} bytes");
    assert_eq!(returned.picture.pixels(), holder.rgba());
}

#[test]
fn a_killed_streamer_costs_its_viewer_one_resync() {
    let mut holder = Holder::start(300, 200);
    holder.show(0, 0, 300, 200, &noise(300 * 200));
    let mut viewer = holder.viewer();
    viewer.draw();
    let shown = holder.rgba();
    drop(holder);
    assert_eq!(viewer.news(), None);
    let mut holder = Holder::start(300, 200);
    holder.show(0, 0, 300, 200, &noise(300 * 200));
    holder.dot(9, 9, 9);
    let mut viewer = holder.viewer_with(viewer.picture);
    let (_, bytes) = viewer.draw();
    assert!(bytes < 20_000, "{bytes} bytes");
    assert_ne!(viewer.picture.pixels(), shown);
    assert_eq!(viewer.picture.pixels(), holder.rgba());
}

#[test]
fn it_leaves_some_seconds_after_its_last_viewer() {
    let mut holder = Holder::start(64, 64);
    let viewer = holder.viewer();
    holder.has_viewers(1);
    drop(viewer);
    holder.has_viewers(0);
    let alone = Instant::now();
    assert!(holder.ended().success());
    let waited = alone.elapsed();
    assert!(waited.as_secs_f64() > 2.5 && waited < LIMIT, "{waited:?}");
}

#[test]
fn it_leaves_with_its_holder() {
    let mut holder = Holder::start(64, 64);
    let mut viewer = holder.viewer();
    viewer.draw();
    holder.close_link();
    assert!(holder.ended().success());
    assert_eq!(viewer.news(), None);
}

#[test]
fn memory_that_could_be_taken_away_is_not_mapped() {
    let mut holder = Holder::start(64, 64);
    holder.ring_sealed(64, 64, SealFlags::GROW);
    assert!(!holder.ended().success());
}

#[test]
fn a_frame_outside_its_ring_or_before_any_ends_the_streamer() {
    for (started, slot) in [(true, 3), (false, 0)] {
        let mut holder = if started {
            Holder::start(64, 64)
        } else {
            Holder::spawn()
        };
        holder.order(to_streamer::Order::Frame(frames::Frame {
            slot,
            ..frames::Frame::default()
        }));
        assert!(!holder.ended().success());
    }
}

#[test]
fn a_key_of_another_length_is_no_key() {
    let mut holder = Holder::spawn();
    holder.order(to_streamer::Order::Start(frames::Start {
        persistent_id: "p-test".into(),
        key: Vec::new(),
    }));
    assert!(!holder.ended().success());
}

#[test]
fn nobody_is_let_in_before_there_is_a_key() {
    let mut holder = Holder::spawn();
    let mut early = holder.connect();
    early.send(&Hello::default());
    holder.order(to_streamer::Order::Start(frames::Start {
        persistent_id: "p-test".into(),
        key: KEY.into(),
    }));
    assert_eq!(early.receive::<units::FromStreamer>(), None);
    holder.ring(64, 64);
    holder.viewer().draw();
}

#[test]
fn it_serves_under_a_filter_and_can_gain_no_privilege() {
    let holder = Holder::start(64, 64);
    holder.viewer().draw();
    assert_eq!(holder.proc_status("Seccomp"), "2");
    assert_eq!(holder.proc_status("NoNewPrivs"), "1");
    assert_eq!(holder.proc_status("Threads"), "1");
}

#[test]
fn without_its_sockets_it_says_who_starts_it() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom-stream"))
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("greenroom-session starts this program"),
        "{said}"
    );
}
