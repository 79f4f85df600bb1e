//! X clients that want too much or speak wrongly: the apps beside them notice nothing, and what keeps their X server
//! stays small.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::encode;
use greenroom_session_api::x11::{FromX11, Shown, from_x11::News};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use support::stage::Stage;
use support::x::XApp;
use support::{LIMIT, skipped, until};
use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, EventMask, GrabMode, PropMode, Window,
};
use x11rb::wrapper::ConnectionExt as _;

const RED: u32 = 0x00ff_0000;

/// What a window manager may take of a flood of a hundred thousand requests, in KiB: less than what it would end at.
const SMALL: u64 = 128 << 10;

/// A neighbour, and somebody who speaks X to the X server of another launch.
fn stage() -> (Stage, XApp) {
    let stage = Stage::new();
    let x = XApp::connect(&stage.session, 2);
    (stage, x)
}

/// What the one program of this name takes or has taken, in KiB.
fn memory(stage: &Stage, name: &str) -> u64 {
    let its = stage.session.processes(name);
    assert_eq!(its.len(), 1, "{name}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", its[0])).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words: Vec<&str> = peak.unwrap().split_ascii_whitespace().collect();
    words[0].parse().unwrap()
}

/// The window manager has answered all that it was asked, and whoever asks now is served as ever.
fn is_served(stage: &mut Stage, x: &XApp) {
    let window = x.window(300, 200, RED);
    x.map(window);
    x.until_at(window, (0, 0, 1280, 800));
    x.set_text(window, AtomEnum::WM_NAME, "served");
    x.connection.flush().unwrap();
    let mut control = stage.session.control();
    until("its title", || {
        let windows = control.windows();
        windows.iter().any(|it| it.title == "served").then_some(())
    });
    x.connection.destroy_window(window).unwrap();
    x.connection.flush().unwrap();
    let used = memory(stage, "greenroom-x11");
    assert!(used < SMALL, "{used} KiB");
    stage.is_heard();
}

/// Has the X server be done with all that was asked of it.
fn sync(x: &XApp) {
    // It may be gone.
    let _ = x.connection.get_input_focus().map(|asked| asked.reply());
}

#[test]
fn ten_thousand_x_windows_harm_nobody_else() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut stage, x) = stage();
    // An X server takes the longer for each the more there are, and does nothing else meanwhile.
    let flood = std::thread::spawn(move || {
        for _ in 0..10_000 {
            for window in [x.window(10, 10, RED), x.menu(10, 10, RED)] {
                if x.connection.map_window(window).is_err() {
                    return;
                }
            }
        }
        sync(&x);
    });
    for _ in 0..100 {
        stage.is_heard();
    }
    let used = memory(&stage, "greenroom-x11");
    assert!(used < SMALL, "{used} KiB");
    stage.session.control().stop(0);
    assert!(stage.session.wait().success());
    // It ends with its X server, in whatever it was doing.
    let _ = flood.join();
}

/// Asks a hundred thousand times for something about a window, and then is served.
fn asks_without_end<A: Fn(&XApp, Window, u32)>(asking: impl FnOnce(&XApp) -> A) {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut stage, x) = stage();
    let flooding = XApp::connect(&stage.session, 2);
    // The more there are, the more each could cost.
    let windows: Vec<Window> = (0..100).map(|_| flooding.window(10, 10, RED)).collect();
    windows.iter().for_each(|window| flooding.map(*window));
    let ask = asking(&flooding);
    for at in 0..100_000 {
        ask(&flooding, windows[at as usize % windows.len()], at);
    }
    flooding.connection.flush().unwrap();
    stage.is_heard();
    sync(&flooding);
    is_served(&mut stage, &x);
    drop((flooding, x));
    stage.goes_on();
}

#[test]
fn who_asks_for_places_without_end_is_answered_and_others_are_heard() {
    asks_without_end(|_| {
        |x: &XApp, window, at: u32| {
            let place = ConfigureWindowAux::new().x((at % 1000).cast_signed());
            x.connection.configure_window(window, &place).unwrap();
        }
    });
}

#[test]
fn who_says_new_things_of_its_windows_without_end_is_understood_and_others_are_heard() {
    asks_without_end(|_| {
        |x: &XApp, window, at: u32| {
            x.set_text(window, AtomEnum::WM_NAME, &format!("title {at}"));
        }
    });
}

#[test]
fn who_wants_to_be_active_without_end_is_obeyed_and_others_are_heard() {
    asks_without_end(|x| {
        let active = x.atom("_NET_ACTIVE_WINDOW");
        move |x, window, _| x.ask(window, active, [1, 0, 0, 0, 0])
    });
}

#[test]
fn who_shows_and_hides_its_menus_without_end_harms_nobody_else() {
    asks_without_end(|_| {
        |x: &XApp, _, _| {
            let menu = x.menu(10, 10, RED);
            x.connection.map_window(menu).unwrap();
            x.connection.destroy_window(menu).unwrap();
        }
    });
}

#[test]
fn who_takes_selections_from_itself_without_end_harms_nobody_else() {
    asks_without_end(|_| {
        |x: &XApp, window, at: u32| {
            let name = [AtomEnum::PRIMARY, AtomEnum::SECONDARY][at as usize % 2];
            x.connection
                .set_selection_owner(window, name.into(), x11rb::CURRENT_TIME)
                .unwrap();
        }
    });
}

#[test]
fn nonsense_and_giants_among_what_windows_say_are_taken_for_nothing() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut stage, x) = stage();
    let giant = vec![b'a'; x.connection.maximum_request_bytes() - 100];
    let window = x.window(10, 10, RED);
    x.map(window);
    for name in [
        "WM_NAME",
        "_NET_WM_NAME",
        "WM_CLASS",
        "WM_HINTS",
        "WM_NORMAL_HINTS",
        "WM_PROTOCOLS",
        "WM_TRANSIENT_FOR",
        "_NET_WM_WINDOW_TYPE",
        "_NET_WM_STATE",
    ] {
        let name = x.atom(name);
        for (kind, bytes) in [
            (AtomEnum::STRING, &giant[..]),
            (AtomEnum::ATOM, &giant[..8]),
            (AtomEnum::STRING, &[0xff; 7]),
            (AtomEnum::CARDINAL, &[]),
        ] {
            x.connection
                .change_property8(PropMode::REPLACE, window, name, kind, bytes)
                .unwrap();
        }
        x.connection
            .change_property32(
                PropMode::REPLACE,
                window,
                name,
                AtomEnum::ATOM,
                &[u32::MAX; 3],
            )
            .unwrap();
    }
    // Windows that belong to each other, and to themselves.
    let other = x.window(10, 10, RED);
    x.map(other);
    for (of, to) in [(window, other), (other, window), (window, window)] {
        x.set(of, "WM_TRANSIENT_FOR", AtomEnum::WINDOW, &[to]);
    }
    is_served(&mut stage, &x);
    // What is the window manager's to say.
    for name in [
        "_NET_SUPPORTING_WM_CHECK",
        "_NET_CLIENT_LIST",
        "_NET_ACTIVE_WINDOW",
        "RESOURCE_MANAGER",
    ] {
        let name = x.atom(name);
        x.connection
            .change_property8(PropMode::REPLACE, x.root, name, AtomEnum::STRING, &giant)
            .unwrap();
    }
    for name in ["WM_S0", "_XSETTINGS_S0"] {
        let name = x.atom(name);
        x.connection
            .set_selection_owner(window, name, x11rb::CURRENT_TIME)
            .unwrap();
    }
    // It says the scale again, behind as much of what is there as it keeps.
    stage.session.viewer().resize(1280, 800, 240);
    until("its own words", || {
        let asked = x.connection.get_property(
            false,
            x.root,
            AtomEnum::RESOURCE_MANAGER,
            AtomEnum::STRING,
            0,
            u32::MAX / 4,
        );
        let said = asked.unwrap().reply().unwrap().value;
        said.ends_with(b"\nXft.dpi:\t192\nXcursor.size:\t48\n")
            .then_some(())
    });
    is_served(&mut stage, &x);
}

#[test]
fn who_keeps_the_whole_x_server_for_itself_keeps_nobody_else_and_ends_with_the_session() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut stage, x) = stage();
    let window = x.window(10, 10, RED);
    x.map(window);
    x.until_at(window, (0, 0, 1280, 800));
    let own = GrabMode::ASYNC;
    x.connection
        .grab_pointer(
            false,
            window,
            EventMask::BUTTON_PRESS,
            own,
            own,
            window,
            x11rb::NONE,
            x11rb::CURRENT_TIME,
        )
        .unwrap();
    x.connection
        .grab_keyboard(false, window, x11rb::CURRENT_TIME, own, own)
        .unwrap();
    x.connection.grab_server().unwrap();
    sync(&x);
    let mut viewer = stage.session.viewer();
    for scale in [180, 240, 120].repeat(20) {
        viewer.resize(1280, 800, scale);
    }
    let mut control = stage.session.control();
    let began = Instant::now();
    control.stop(2_000);
    assert!(stage.session.wait().success());
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(stage.session.traces(), Vec::<String>::new());
}

#[test]
fn what_is_no_x_request_ends_its_client_only() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut stage, x) = stage();
    // The begin of a client of the usual byte order, without a password.
    const BEGIN: [u8; 12] = [b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const LARGE_AND_SHORT: [u8; 8] = [98, 0, 0, 0, 0, 0, 0, 0];
    let after_the_begin = |bytes: &[u8]| [&BEGIN[..], bytes].concat();
    for bytes in [
        vec![0xff; 1 << 16],
        b"B\0\0\x0b\xff\xff\xff\xff\0\0\0\0".to_vec(),
        after_the_begin(&[0xff; 1 << 16]),
        after_the_begin(&LARGE_AND_SHORT.repeat(1000)),
        // Half a request.
        after_the_begin(&[1, 0, 200, 0, 1]),
    ] {
        let mut stranger = XApp::reach(&stage.session, 2);
        // Closed as soon as it is understood to be none; if there is nothing wrong yet, by ourselves.
        let _ = stranger.write_all(&bytes);
        let _ = stranger.shutdown(std::net::Shutdown::Write);
        stranger.set_read_timeout(Some(LIMIT)).unwrap();
        let mut answer = Vec::new();
        let _ = stranger.read_to_end(&mut answer);
        is_served(&mut stage, &x);
    }
    drop(x);
    stage.goes_on();
}

#[test]
fn who_speaks_for_an_x_server_without_end_keeps_nobody_from_being_heard() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let mut stage = Stage::new();
    let door = stage.session.spec.run_dir.join("wayland/x11-2");
    let liar = UnixStream::connect(door).unwrap();
    let mut its = liar.try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        let words = |windows| {
            let news = Some(News::Shown(Shown {
                windows,
                ..Default::default()
            }));
            encode(&FromX11 { news })
        };
        let words = [words(1), words(2)].concat().repeat(10_000);
        while its.write_all(&words).is_ok() {}
    });
    for _ in 0..100 {
        stage.is_heard();
    }
    stage.goes_on();
    // It may have been disconnected.
    let _ = liar.shutdown(std::net::Shutdown::Both);
    flood.join().unwrap();
}
