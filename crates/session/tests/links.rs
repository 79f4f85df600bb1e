//! Those at the door: who is let in, what they hear, and what no app can do to the holder.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::input::{Motion, event::Kind};
use greenroom_session_api::viewer::{Cursor, from_holder::News};
use greenroom_session_api::{Hello, PROTOCOL, Role, encode};
use rustix::fs::MemfdFlags;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use support::picture::{Picture, rect};
use support::wayland::Client;
use support::{Session, app, click, idle, key, skipped, until, until_written};

fn closes(mut stream: UnixStream) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    assert!(bytes.is_empty(), "something was answered");
}

#[test]
fn a_wrong_key_a_wrong_role_and_garbage_are_answered_by_closing() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    closes(session.connect([8; 32], Role::Control));
    closes(session.connect([8; 32], Role::Viewer));
    closes(session.connect(support::KEY, Role::Units));
    let mut garbage = UnixStream::connect(session.spec.run_dir.join("holder.sock")).unwrap();
    garbage.write_all(&[0xff; 4096]).unwrap();
    closes(garbage);
    // One that says nothing is not waited for for ever.
    closes(UnixStream::connect(session.spec.run_dir.join("holder.sock")).unwrap());
    session
        .control()
        .app("ca-idle", "still running", |app| app.pid > 0 && !app.ended);
}

#[test]
fn a_connection_of_the_apps_own_user_is_closed_whatever_it_shows() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![]);
    let Some(user) = session.spec.uid else {
        eprintln!("SKIPPED: apps have a user of their own only where the server is root");
        return;
    };
    session.control();
    let open = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(session.folder.path(), open).unwrap();
    std::thread::scope(|scope| {
        let connecting = scope.spawn(|| {
            let uid = rustix::process::Uid::from_raw(user);
            // Of this thread alone, which ends with it.
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            let mut stream = UnixStream::connect(session.spec.run_dir.join("holder.sock")).unwrap();
            let hello = Hello {
                protocol: PROTOCOL,
                key: support::KEY.to_vec(),
                role: Role::Control.into(),
            };
            // It may be closed already.
            let _ = stream.write_all(&encode(&hello));
            closes(stream);
        });
        connecting.join().unwrap();
    });
    session.control().report("it goes on", |_| true);
}

#[test]
fn the_sockets_are_their_owners_alone_and_the_pid_file_names_the_holder() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![]);
    session.control().report("any", |_| true);
    for name in ["holder.sock", "stream.sock", "holder.pid"] {
        let mode = session
            .spec
            .run_dir
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    let note = std::fs::read_to_string(session.spec.run_dir.join("holder.pid")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", session.process.id())).unwrap();
    let started = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(19)
        .unwrap();
    assert_eq!(note, format!("{} {started}\n", session.process.id()));
}

#[test]
fn the_server_hears_the_truth_at_once_and_again_every_second() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let mut control = session.control();
    let report = control.report("the app's process", |report| {
        report.apps.iter().any(|app| app.pid > 0)
    });
    assert_eq!(
        (report.width, report.height, report.viewers, report.stopping),
        (1280, 800, 0, false)
    );
    let mut viewer = session.viewer();
    let Some(News::Welcome(welcome)) = viewer.news() else {
        panic!("no welcome")
    };
    assert_eq!(
        (welcome.persistent_id.as_str(), welcome.pid),
        ("p-test", session.process.id())
    );
    let shape = Cursor {
        name: "default".into(),
    };
    assert_eq!(viewer.news(), Some(News::Cursor(shape)));
    control.report("the viewer", |report| report.viewers == 1);
    drop(viewer);
    control.report("no viewer", |report| report.viewers == 0);
    // Nothing happens from here on: these are heartbeats.
    for _ in 0..2 {
        control.report("a heartbeat", |_| true);
    }
}

#[test]
fn input_that_comes_twice_counts_once_and_is_acknowledged_twice() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    session.control().drawn("ca-foot");
    let mut viewer = session.viewer();
    viewer.type_text("echo ");
    let before = viewer.seq;
    let letter = || vec![key("KeyX", "x", true), key("KeyX", "x", false)];
    for _ in 0..3 {
        viewer.input_at(before + 1, letter());
        assert_eq!(viewer.ack(), before + 2);
    }
    // The player comes back over another connection and sends what was not acknowledged again.
    let mut again = session.viewer();
    again.input_at(before + 1, letter());
    assert_eq!(again.ack(), before + 2);
    again.seq = before + 2;
    again.type_text(" > ~/x\n");
    until_written(&session, "x", "x\n");
}

#[test]
fn a_viewer_that_goes_lets_go_of_its_keys() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    viewer.input(vec![key("ControlLeft", "Control", true)]);
    drop(viewer);
    control.report("no viewer", |report| report.viewers == 0);
    session.viewer().type_text("echo hi > ~/x\n");
    until("the terminal to work", || {
        session.home().join("x").exists().then_some(())
    });
}

#[test]
fn surfaces_nested_without_end_cost_their_client_the_connection_only() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    session.control().app("ca-idle", "runs", |app| app.pid > 0);
    let mut nested = Client::connect(&session, 1);
    let compositor = nested.bind("wl_compositor");
    let subcompositor = nested.bind("wl_subcompositor");
    let mut surfaces = Vec::new();
    for _ in 0..2000 {
        let surface = nested.new_id();
        nested.request(compositor, 0, &[surface]);
        surfaces.push(surface);
    }
    // From the innermost outwards, so that each joins what is deep already.
    for pair in surfaces.windows(2) {
        let subsurface = nested.new_id();
        nested.request(subcompositor, 1, &[subsurface, pair[0], pair[1]]);
    }
    assert!(nested.is_closed());
    session
        .control()
        .app("ca-idle", "runs on", |app| !app.ended);
}

#[test]
fn a_client_that_breaks_the_protocol_is_disconnected_and_nobody_else_notices() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"]), idle("ca-idle")]);
    let mut control = session.control();
    control.drawn("ca-foot");

    let mut garbage = Client::connect(&session, 2);
    garbage.send(&[0xff; 4096]);
    assert!(garbage.is_closed());

    let mut unknown = Client::connect(&session, 2);
    unknown.request(0xdead, 0, &[]);
    assert!(unknown.is_closed());

    let mut resized = Client::connect(&session, 2);
    break_the_compositor(&mut resized);
    assert!(resized.is_closed());

    let mut viewer = session.viewer();
    viewer.type_text("echo hi > ~/x\n");
    until("the terminal to work", || {
        session.home().join("x").exists().then_some(())
    });
    control.app("ca-foot", "still there", |app| app.drawn && !app.ended);
}

#[test]
fn an_app_whose_clients_break_the_compositor_again_and_again_is_shut_out() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle"), idle("ca-other")]);
    let mut control = session.control();
    control.app("ca-other", "runs", |app| app.pid > 0);
    drop(Client::connect(&session, 1));
    let mut times = 0;
    while let Some(mut breaking) = Client::try_connect(&session, 1) {
        break_the_compositor(&mut breaking);
        assert!(breaking.is_closed());
        times += 1;
        assert!(times <= 20, "still let in after {times} times");
    }
    // Only that app is.
    Client::connect(&session, 2);
    control.app("ca-idle", "runs on", |app| !app.ended);
}

/// A pool of shared memory resized to nothing makes the compositor's library panic.
fn break_the_compositor(client: &mut Client) {
    let shm = client.bind("wl_shm");
    let memory = rustix::fs::memfd_create("pool", MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&memory, 4096).unwrap();
    let pool = client.new_id();
    client.request_with(shm, 0, &[pool, 4096], &memory);
    client.request(pool, 2, &[0]);
}

/// Opens a window of 64x64 with a buffer, as an app would; answers the surface and its shared memory.
fn window(client: &mut Client, position: Option<i32>) -> (u32, std::os::fd::OwnedFd) {
    let compositor = client.bind("wl_compositor");
    let shm = client.bind("wl_shm");
    let shell = client.bind("xdg_wm_base");
    let surface = client.new_id();
    client.request(compositor, 0, &[surface]);
    let xdg_surface = client.new_id();
    client.request(shell, 2, &[xdg_surface, surface]);
    let toplevel = client.new_id();
    client.request(xdg_surface, 1, &[toplevel]);
    client.request(surface, 6, &[]);
    let memory = rustix::fs::memfd_create("pool", MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&memory, 64 * 64 * 4).unwrap();
    let pool = client.new_id();
    client.request_with(shm, 0, &[pool, 64 * 64 * 4], &memory);
    let buffer = client.new_id();
    client.request(pool, 0, &[buffer, 0, 64, 64, 256, 0]);
    let serial = client.configured(xdg_surface);
    client.request(xdg_surface, 4, &[serial]);
    if let Some(at) = position {
        // set_window_geometry far outside of what coordinates can add up to.
        client.request(xdg_surface, 3, &[at as u32, at as u32, 64, 64]);
    }
    client.request(surface, 1, &[buffer, 0, 0]);
    client.request(surface, 2, &[0, 0, 64, 64]);
    client.request(surface, 6, &[]);
    (surface, memory)
}

#[test]
fn a_window_that_cannot_be_drawn_costs_its_client_the_connection_only() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"]), idle("ca-idle")]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until(|picture| picture.colours() > 2);
    let terminal = picture.pixels();

    // Its memory goes away under the compositor.
    let mut shrinking = Client::connect(&session, 2);
    let (surface, memory) = window(&mut shrinking, None);
    rustix::fs::ftruncate(&memory, 0).unwrap();
    // Drawn before or not, it is to be drawn again.
    shrinking.request(surface, 2, &[0, 0, 64, 64]);
    shrinking.request(surface, 6, &[]);
    assert!(shrinking.is_closed());

    for position in [i32::MIN, i32::MAX] {
        let mut absurd = Client::connect(&session, 2);
        let _window = window(&mut absurd, Some(position));
        viewer.input(vec![Kind::Motion(Motion { x: 20.0, y: 20.0 })]);
        drop(absurd);
    }
    viewer.type_text("echo hi > ~/x\n");
    until("the terminal to work", || {
        session.home().join("x").exists().then_some(())
    });
    picture.until(|picture| {
        picture
            .difference(&terminal)
            .is_none_or(|rect| rect.height < 100)
    });
    control.app("ca-foot", "still there", |app| app.drawn && !app.ended);
}

#[test]
fn the_screen_takes_any_size_while_an_app_runs() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    for (width, height, scale, told) in [
        (1001, 701, 120, (1001, 701)),
        (1920, 1080, 180, (1920, 1080)),
        (1, 100_000, 0, (64, 8192)),
        (64, 64, 120, (64, 64)),
        (800, 600, 240, (800, 600)),
    ] {
        viewer.resize(width, height, scale);
        control.report("the size", |report| (report.width, report.height) == told);
        picture.until(|picture| {
            (picture.ring.width, picture.ring.height) == told && picture.colours() > 1
        });
    }
    // The terminal fills it: its own background, not the stage's, is in the far corner.
    picture.until(|picture| {
        let pixels = picture.pixels();
        pixels[pixels.len() - 4..][..3] == pixels[(800 * 300 + 400) * 4..][..3]
            && picture.colours() > 2
    });
    picture.keep("foot-scaled");
    viewer.type_text("echo hi > ~/x\n");
    until("the terminal to work", || {
        session.home().join("x").exists().then_some(())
    });
}

#[test]
fn a_streamer_that_dies_is_replaced_when_a_viewer_asks_and_the_app_goes_on() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    for _ in 0..3 {
        let mut picture = Picture::watch(&session, &mut viewer);
        // A whole frame, whatever the streamer before had.
        let first = picture.next().damage;
        assert_eq!(first, [rect(0, 0, 1280, 800)]);
        picture.until(|picture| picture.colours() > 2);
        // With the stand-in and its link the streamer is gone; the holder notices in its own time.
        let before = picture.last.number;
        drop(picture);
        viewer.type_text("a");
        assert!(before > 0);
        until("the holder to notice", || {
            let children = format!("/proc/{0}/task/{0}/children", session.process.id());
            let children = std::fs::read_to_string(children).unwrap();
            // Only the sandbox is left.
            (children.split_ascii_whitespace().count() == 1).then_some(())
        });
    }
    control.app("ca-foot", "still there", |app| app.drawn && !app.ended);
}

#[test]
fn without_viewers_nothing_is_composed() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let mut viewer = session.viewer();
    viewer.type_text("echo hi > ~/x\n");
    until("the terminal to work", || {
        session.home().join("x").exists().then_some(())
    });
    assert_eq!(control.report("any", |_| true).frames, 0);
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until(|picture| picture.colours() > 2);
    control.report("a frame", |report| {
        report.frames > 0 && report.damaged_pixels >= 1280 * 800
    });
}

#[test]
fn a_menu_opens_under_the_pointer_and_gives_the_keyboard_back() {
    if skipped("bwrap") || skipped("mousepad") {
        return;
    }
    let session = Session::start(vec![app("ca-mousepad", &["mousepad"])]);
    session.control().drawn("ca-mousepad");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until(|picture| picture.colours() > 20);
    let closed = picture.pixels();
    // Well inside the menu, and clear of the caret, whatever font this machine gives it.
    let (entries, text) = (rect(20, 100, 200, 250), rect(2, 66, 60, 20));
    viewer.input(click(20.0, 50.0));
    picture.until(|picture| picture.differs_in(&closed, entries));
    picture.keep("mousepad-menu");
    let open = picture.pixels();
    // Down the menu past a whole entry, which lights up: the pointer is the popup's.
    let down = (200..240).step_by(4);
    viewer.input(
        down.map(|y| {
            Kind::Motion(Motion {
                x: 60.0,
                y: y.into(),
            })
        })
        .collect(),
    );
    picture.until(|picture| picture.differs_in(&open, entries));
    viewer.input(vec![
        key("Escape", "Escape", true),
        key("Escape", "Escape", false),
    ]);
    picture.until(|picture| !picture.differs_in(&closed, entries));
    // The keyboard is the editor's again.
    viewer.type_text("typed");
    picture.until(|picture| picture.differs_in(&closed, text));
    picture.keep("mousepad-closed");
}
