//! Clients that want too much or speak wrongly: they are disconnected, and the app beside them notices nothing.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use support::stage::Stage;
use support::wayland::Client;
use support::window::BLUE;
use support::{Session, script, skipped, until};

#[test]
fn ten_thousand_windows_are_refused() {
    if skipped("bwrap") {
        return;
    }
    let mut stage = Stage::new();
    let mut greedy = stage.client();
    for _ in 0..10_000 {
        let window = greedy.bare_window();
        greedy.commit(window.surface);
    }
    assert!(greedy.is_closed());
    stage.goes_on();
}

#[test]
fn surfaces_without_end_are_refused_and_surfaces_one_after_the_other_are_not() {
    if skipped("bwrap") {
        return;
    }
    let mut stage = Stage::new();
    let mut busy = stage.client();
    for _ in 0..5000 {
        let surface = busy.surface();
        busy.request(surface, 0, &[]);
    }
    busy.sync();
    let mut greedy = stage.client();
    for _ in 0..5000 {
        greedy.surface();
    }
    assert!(greedy.is_closed());
    busy.sync();
    stage.goes_on();
}

#[test]
fn ten_thousand_pieces_of_shared_memory_are_refused_and_one_after_the_other_are_not() {
    if skipped("bwrap") {
        return;
    }
    let mut stage = Stage::new();
    let memory = rustix::fs::memfd_create("pool", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let pool = |client: &mut Client| {
        let (shm, pool) = (client.global("wl_shm", 1), client.new_id());
        client.request_with(shm, 0, &[pool, 4096], &memory);
        pool
    };
    // Who waits now and then is not ended for how much it asks for at once, which is another rule.
    let waits = |client: &mut Client, at: usize| {
        if at.is_multiple_of(250) {
            client.sync();
        }
    };
    let mut busy = stage.client();
    for at in 0..5000 {
        let (pool, buffer) = (pool(&mut busy), busy.new_id());
        busy.request(pool, 0, &[buffer, 0, 16, 16, 64, 1]);
        busy.request(pool, 1, &[]);
        busy.request(buffer, 0, &[]);
        waits(&mut busy, at);
    }
    busy.sync();
    const FINE: usize = 2000;
    let mut greedy = stage.client();
    for at in 0..10_000 {
        pool(&mut greedy);
        if at <= FINE {
            waits(&mut greedy, at);
        }
    }
    assert!(greedy.is_closed());
    // A buffer keeps the memory that its pool was made of.
    let mut sly = stage.client();
    for at in 0..10_000 {
        let (pool, buffer) = (pool(&mut sly), sly.new_id());
        sly.request(pool, 0, &[buffer, 0, 16, 16, 64, 1]);
        sly.request(pool, 1, &[]);
        if at <= FINE {
            waits(&mut sly, at);
        }
    }
    assert!(sly.is_closed());
    busy.sync();
    stage.goes_on();
}

#[test]
fn who_asks_faster_than_can_be_answered_is_disconnected_and_the_others_are_heard() {
    if skipped("bwrap") {
        return;
    }
    let mut stage = Stage::new();
    let mut flooding = stage.client();
    let surface = flooding.surface();
    // Its opaque region is none, and none, and none.
    let flood = std::thread::spawn(move || {
        flooding.flood(surface, 4, &[0]);
        flooding
    });
    stage.goes_on();
    assert!(flood.join().unwrap().is_closed());
    stage.goes_on();
}

#[test]
fn what_is_no_dbus_message_harms_nobody_else_on_the_bus() {
    if skipped("bwrap") || skipped("dbus-daemon") || skipped("dbus-send") {
        return;
    }
    let session = Session::start(vec![]);
    let ask = |name: &str| {
        let app = script(
            name,
            &format!(
                "dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus \
                 /org/freedesktop/DBus org.freedesktop.DBus.GetId > ~/{name}.part; mv ~/{name}.part ~/{name}"
            ),
        );
        session.control().launch(&app);
        until("the bus to answer", || {
            std::fs::read_to_string(session.home().join(name)).ok()
        })
    };
    let first = ask("ca-first");
    assert_eq!(first.trim().len(), 32, "{first}");
    let bus = session.spec.run_dir.join("wayland/bus");
    let half: Vec<UnixStream> = (0..100)
        .map(|_| {
            let mut half = UnixStream::connect(&bus).unwrap();
            half.write_all(b"\0AUTH ").unwrap();
            half
        })
        .collect();
    for words in [
        &b"\0AUTH EXTERNAL zz\r\n"[..],
        b"\0BEGIN\r\n",
        b"l\x01\0\x01",
        &[0xff; 1 << 16],
    ] {
        let mut stranger = UnixStream::connect(&bus).unwrap();
        // Closed as soon as it is understood to be none.
        let _ = stranger.write_all(words);
        let _ = stranger.write_all(&[0xff; 1 << 16]);
        let mut answer = Vec::new();
        stranger.set_read_timeout(Some(support::LIMIT)).unwrap();
        match stranger.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert_eq!(ask("ca-again"), first);
    drop(half);
}

#[test]
fn sizes_and_places_beyond_reason_harm_nobody_else() {
    if skipped("bwrap") {
        return;
    }
    const HUGE: u32 = i32::MAX as u32;
    let mut stage = Stage::new();
    // A buffer far larger than its pool.
    let mut beyond = stage.client();
    let shm = beyond.global("wl_shm", 1);
    let memory = rustix::fs::memfd_create("pool", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let (pool, buffer) = (beyond.new_id(), beyond.new_id());
    beyond.request_with(shm, 0, &[pool, 4096], &memory);
    beyond.request(pool, 0, &[buffer, 0, 16_384, 16_384, 16_384 * 4, 1]);
    assert!(beyond.is_closed());
    // A viewport that stretches one pixel over everything there is.
    let mut stretched = stage.client();
    let window = stretched.bare_window();
    stretched.begin(window);
    let viewporter = stretched.global("wp_viewporter", 1);
    let viewport = stretched.new_id();
    stretched.request(viewporter, 1, &[viewport, window.surface]);
    stretched.request(viewport, 2, &[HUGE, HUGE]);
    stretched.paint(window.surface, 1, 1, BLUE);
    drop(stretched);
    // A menu at the end of the world, and a window that wants to be at least that large.
    let mut far = stage.client();
    let window = far.bare_window();
    far.request(window.role, 8, &[HUGE, HUGE]);
    far.begin(window);
    far.paint(window.surface, 10, 10, BLUE);
    let menu = far.bare_popup(window, HUGE - 1, HUGE - 1);
    far.commit(menu.surface);
    drop(far);
    stage.goes_on();
}

#[test]
fn half_messages_and_wrong_ids_end_their_client_only() {
    if skipped("bwrap") {
        return;
    }
    let mut stage = Stage::new();
    // Half a message is waited for; the rest of the session is not.
    let mut half = stage.client();
    half.send(&[1, 0, 0, 0, 0, 0]);
    stage.goes_on();
    half.send(&[4, 0]);
    assert!(half.is_closed(), "a message shorter than its own header");
    let wrong: [fn(&mut Client); 3] = [
        // An id that was skipped, one that is taken, one of the wrong kind.
        |client| {
            let compositor = client.global("wl_compositor", 5);
            client.request(compositor, 0, &[4000]);
        },
        |client| {
            let compositor = client.global("wl_compositor", 5);
            client.request(compositor, 0, &[compositor]);
        },
        |client| {
            let (surface, shell) = (client.surface(), client.global("xdg_wm_base", 4));
            let id = client.new_id();
            client.request(shell, 2, &[id, shell]);
            client.commit(surface);
        },
    ];
    for (at, act) in wrong.into_iter().enumerate() {
        let mut client = stage.client();
        act(&mut client);
        assert!(client.is_closed(), "case {at}");
    }
    stage.goes_on();
}
