//! Apps that speak X: what they show, what they are told, and what their X server costs those who have none.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use support::picture::Picture;
use support::x::XApp;
use support::{Session, Viewer, app, click, idle, script, skipped, spec, until, until_written};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

const RED: u32 = 0x00ff_0000;
const BLUE: u32 = 0x0000_00ff;
/// The same as a picture has them, blue first.
const SEEN_RED: [u8; 3] = [0, 0, 255];
const SEEN_BLUE: [u8; 3] = [255, 0, 0];
const NOTHING: [u8; 3] = [0, 0, 0];

/// A session with an app that does nothing, and a test that speaks X for it.
fn session() -> (Session, XApp) {
    let session = Session::start(vec![idle("ca-idle")]);
    let x = XApp::connect(&session, 1);
    (session, x)
}

/// The same, with somebody who looks at it.
fn watched() -> (Session, XApp, Viewer, Picture) {
    let (session, x) = session();
    let mut viewer = session.viewer();
    let picture = Picture::watch(&session, &mut viewer);
    (session, x, viewer, picture)
}

fn types_into_a_terminal(session: &Session, picture: &str) {
    session.control().drawn("ca-xterm");
    let mut viewer = session.viewer();
    let mut seen = Picture::watch(session, &mut viewer);
    seen.until(|picture| picture.colours() > 1);
    let empty = seen.pixels();
    viewer.input(click(600.0, 400.0));
    viewer.type_text("echo hi > ~/x; echo Done\n");
    until_written(session, "x", "hi\n");
    // Three lines: what was typed, what was said, and the next prompt.
    seen.until(|picture| {
        let changed = picture.difference(&empty);
        changed.is_some_and(|rect| rect.y + rect.height > 30)
    });
    seen.keep(picture);
}

#[test]
fn an_x_terminal_is_reported_drawn_and_takes_what_is_typed() {
    if skipped("bwrap") || skipped("Xwayland") || skipped("xterm") {
        return;
    }
    let session = Session::start(vec![app("ca-xterm", &["xterm", "-e", "sh"])]);
    types_into_a_terminal(&session, "xterm");
}

#[test]
fn a_server_that_is_not_root_has_x_apps_as_well() {
    if skipped("bwrap") || skipped("Xwayland") || skipped("xterm") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: every other test here shows it where nobody is root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), vec![app("ca-xterm", &["xterm", "-e", "sh"])]);
    let session = Session::start_as(39_990, folder, spec);
    types_into_a_terminal(&session, "xterm-of-a-user");
}

#[test]
fn apps_that_speak_wayland_start_no_x_server_though_there_is_one_to_be_had() {
    if skipped("bwrap") || skipped("Xwayland") || skipped("foot") || skipped("mousepad") {
        return;
    }
    let session = Session::start(vec![
        app("ca-foot", &["foot", "sh"]),
        app("ca-mousepad", &["mousepad"]),
        script(
            "ca-told",
            "echo $DISPLAY > ~/told; ls /tmp/.X11-unix >> ~/told; exec sleep 1000",
        ),
    ]);
    let mut control = session.control();
    control.drawn("ca-foot");
    control.drawn("ca-mousepad");
    let told = until("what an app is told", || {
        std::fs::read_to_string(session.home().join("told"))
            .ok()
            .filter(|told| told.lines().count() == 5)
    });
    assert_eq!(told, ":3\nX0\nX1\nX2\nX3\n");
    assert!(session.processes("Xwayland").is_empty());
}

#[test]
fn an_x_server_is_not_to_be_seen_before_its_app_has_drawn_nor_after_it_has_gone() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (session, x) = session();
    let mut control = session.control();
    let window = x.window(300, 200, RED);
    x.set_text(window, AtomEnum::WM_NAME, "a title");
    x.set_text(window, AtomEnum::WM_CLASS, "some\0Thing\0");
    // By now the X server has drawn its own window, and the app has one that it does not show.
    assert_eq!(x.geometry(x.root).width, 1280);
    assert_eq!(control.windows(), []);
    let report = control.report("any", |_| true);
    assert!(!report.apps[0].drawn, "{report:?}");

    x.map(window);
    control.drawn("ca-idle");
    let told = until("its title", || {
        let told = control.windows();
        told.iter()
            .any(|told| told.title == "a title")
            .then_some(told)
    });
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].app_id.as_str(), told[0].launch), ("Thing", 1));
    assert_eq!((told[0].width, told[0].height), (1280, 800));

    assert_eq!(session.processes("Xwayland").len(), 1);
    drop(x);
    until("no window", || control.windows().is_empty().then_some(()));
    until("no X server", || {
        session.processes("Xwayland").is_empty().then_some(())
    });
    // The next who connects gets another.
    let again = XApp::connect(&session, 1);
    let window = again.window(300, 200, BLUE);
    again.map(window);
    until("a window", || (control.windows().len() == 1).then_some(()));
}

#[test]
fn an_apps_own_window_fills_the_output_and_its_dialog_is_in_the_middle_of_any_size() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (_session, x, mut viewer, mut picture) = watched();
    let main = x.window(300, 200, RED);
    x.map(main);
    x.until_at(main, (0, 0, 1280, 800));
    let dialog = x.window(400, 300, BLUE);
    x.set(dialog, "WM_TRANSIENT_FOR", AtomEnum::WINDOW, &[main]);
    x.map(dialog);
    x.until_at(dialog, (440, 250, 400, 300));
    picture.until(|seen| seen.at(640, 400) == SEEN_BLUE && seen.at(5, 5) == SEEN_RED);
    picture.keep("x-dialog");

    viewer.resize(1000, 600, 120);
    x.until_at(main, (0, 0, 1000, 600));
    x.until_at(dialog, (300, 150, 400, 300));
    picture.until(|seen| {
        seen.ring.width == 1000 && seen.at(999, 599) == SEEN_RED && seen.at(300, 150) == SEEN_BLUE
    });
    // Neither can have it otherwise.
    for window in [main, dialog] {
        let asked = x11rb::protocol::xproto::ConfigureWindowAux::new().x(7).y(7);
        x.connection.configure_window(window, &asked).unwrap();
    }
    x.connection.flush().unwrap();
    x.until_at(main, (0, 0, 1000, 600));
    x.until_at(dialog, (300, 150, 400, 300));
}

#[test]
fn a_click_chooses_a_window_and_is_had_by_it_too() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (_session, x, mut viewer, mut picture) = watched();
    let main = x.window(300, 200, RED);
    x.map(main);
    picture.until_at(640, 400, SEEN_RED);
    let dialog = x.window(400, 300, BLUE);
    x.set(dialog, "WM_TRANSIENT_FOR", AtomEnum::WINDOW, &[main]);
    x.map(dialog);
    picture.until_at(640, 400, SEEN_BLUE);
    let active = |window| {
        until("the active window", || {
            (x.numbers(x.root, "_NET_ACTIVE_WINDOW") == [window]).then_some(())
        });
    };
    active(dialog);
    viewer.input(click(10.0, 10.0));
    let pressed = |window| {
        x.event("a click", |event| match event {
            Event::ButtonPress(event) if event.event == window => {
                Some((event.event_x, event.event_y))
            }
            _ => None,
        })
    };
    assert_eq!(pressed(main), (10, 10));
    active(main);
    viewer.type_text("a");
    let typed_into = x.event("a key", |event| match event {
        Event::KeyPress(event) => Some(event.event),
        _ => None,
    });
    assert_eq!(typed_into, main);
    // Its dialog stays above it.
    assert_eq!(
        x.numbers(x.root, "_NET_CLIENT_LIST_STACKING"),
        [main, dialog]
    );
    viewer.input(click(640.0, 400.0));
    assert_eq!(pressed(dialog), (200, 150));
    active(dialog);
}

#[test]
fn a_window_of_one_size_keeps_it_and_full_screen_is_had_for_the_asking() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (_session, x, _viewer, mut picture) = watched();
    let fixed = x.window(640, 480, RED);
    const MIN_AND_MAX: u32 = (1 << 4) | (1 << 5);
    let mut hints = [0; 18];
    hints[0] = MIN_AND_MAX;
    (hints[5], hints[6], hints[7], hints[8]) = (640, 480, 640, 480);
    x.set(fixed, "WM_NORMAL_HINTS", AtomEnum::WM_SIZE_HINTS, &hints);
    x.map(fixed);
    x.until_at(fixed, (320, 160, 640, 480));
    picture.until(|seen| seen.at(640, 400) == SEEN_RED && seen.at(5, 5) == NOTHING);

    let fullscreen = x.atom("_NET_WM_STATE_FULLSCREEN");
    let ask = |action| {
        let state = x.atom("_NET_WM_STATE");
        x.ask(fixed, state, [action, fullscreen, 0, 0, 0]);
        x.connection.flush().unwrap();
    };
    ask(1);
    x.until_at(fixed, (0, 0, 1280, 800));
    until("the state", || {
        x.numbers(fixed, "_NET_WM_STATE")
            .contains(&fullscreen)
            .then_some(())
    });
    ask(0);
    x.until_at(fixed, (320, 160, 640, 480));
}

#[test]
fn pixels_of_x_apps_are_those_of_the_output_and_text_follows_its_scale() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (_session, x, mut viewer, mut picture) = watched();
    let dpi = || x.text(x.root, AtomEnum::RESOURCE_MANAGER);
    assert!(dpi().contains("Xft.dpi:\t96\n"), "{}", dpi());
    let main = x.window(300, 200, RED);
    x.map(main);
    viewer.resize(1600, 1200, 240);
    x.until_at(main, (0, 0, 1600, 1200));
    until("the text's size", || {
        dpi().contains("Xft.dpi:\t192\n").then_some(())
    });
    picture.until(|seen| seen.ring.width == 1600 && seen.at(1599, 1199) == SEEN_RED);
    viewer.input(click(1500.0, 1100.0));
    let at = x.event("a click", |event| match event {
        Event::ButtonPress(event) => Some((event.event_x, event.event_y)),
        _ => None,
    });
    assert_eq!(at, (1500, 1100));
}

#[test]
fn what_an_x_app_draws_is_seen_whole_however_often_the_output_changes() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (_session, x, mut viewer, mut picture) = watched();
    let main = x.window(300, 200, RED);
    x.map(main);
    for (width, height) in [
        (1280, 800),
        (1600, 900),
        (640, 480),
        (641, 479),
        (1920, 1080),
    ] {
        viewer.resize(width, height, 120);
        picture.until(|seen| seen.ring.width == width && seen.ring.height == height);
        for (colour, seen) in [(BLUE, SEEN_BLUE), (RED, SEEN_RED)].repeat(4) {
            x.paint(main, colour);
            picture.until(|picture| {
                picture.at(0, 0) == seen && picture.at(width - 1, height - 1) == seen
            });
        }
    }
}

#[test]
fn a_session_that_stops_asks_x_windows_to_close() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let (mut session, x) = session();
    let window = x.window(300, 200, RED);
    let delete = x.atom("WM_DELETE_WINDOW");
    x.set(window, "WM_PROTOCOLS", AtomEnum::ATOM, &[delete]);
    x.map(window);
    let mut control = session.control();
    control.drawn("ca-idle");
    control.stop(20_000);
    x.event("the question to close", |event| match event {
        Event::ClientMessage(event) if event.window == window => {
            (event.data.as_data32()[0] == delete).then_some(())
        }
        _ => None,
    });
    control.stop(0);
    assert!(session.wait().success());
    assert_eq!(session.traces(), Vec::<String>::new());
}
