//! What one window copies, selects or drags, and another takes: between two apps of a session.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::input::{Button, Motion, event::Kind};
use rustix::pipe::PipeFlags;
use std::fs::File;
use std::io::{Read, Write};
use support::picture::Picture;
use support::selection::{CLIPBOARD, PRIMARY, Selection, TYPES};
use support::wayland::{Client, Event, string, text, word};
use support::window::{BLUE, GREEN, RED};
use support::{Session, Viewer, idle, key, skipped};

/// Two apps' windows, the second on top.
fn two() -> (Session, Viewer, Picture, [Client; 2]) {
    let session = Session::start(vec![idle("ca-one"), idle("ca-two")]);
    let mut viewer = session.viewer();
    let picture = Picture::watch(&session, &mut viewer);
    let clients = [1, 2].map(|launch| Client::connect(&session, launch));
    (session, viewer, picture, clients)
}

fn copied_in_one_window_and_taken_in_another(selection: &Selection) {
    let (_session, mut viewer, mut picture, [mut one, mut two]) = two();
    let keyboard = one.keyboard();
    let window = one.window(RED);
    one.focused(keyboard, window.surface);
    picture.until_at(5, 5, RED);
    viewer.input(vec![key("KeyC", "c", true), key("KeyC", "c", false)]);
    let serial = word(&one.event(keyboard, 3), 0);
    let device = selection.device(&mut one);
    let source = selection.source(&mut one);
    one.request(device, selection.set, &[source, serial]);
    one.sync();

    let device = selection.device(&mut two);
    two.window(BLUE);
    let found = |event: &Event| {
        (event.0, event.1) == (device, selection.selection) && word(&event.2, 0) != 0
    };
    let offer = word(&two.event_where(found).2, 0);
    for kind in TYPES {
        assert_eq!(string(&two.event(offer, 0), 0), kind);
    }
    for kind in TYPES {
        selection.read(&mut two, offer, kind, &mut one, source);
    }
    // One that is in the background cannot put its own in the place of it.
    let stolen = selection.source(&mut one);
    let own = selection.device(&mut one);
    one.request(own, selection.set, &[stolen, serial]);
    one.sync();
    assert!(!two.has_heard(device, selection.selection));
}

#[test]
fn text_html_and_images_are_copied_from_one_app_to_another() {
    if skipped("bwrap") {
        return;
    }
    copied_in_one_window_and_taken_in_another(&CLIPBOARD);
}

#[test]
fn what_is_selected_in_one_app_is_pasted_in_another() {
    if skipped("bwrap") {
        return;
    }
    copied_in_one_window_and_taken_in_another(&PRIMARY);
}

#[test]
fn what_is_dragged_is_dropped_on_another_window() {
    if skipped("bwrap") {
        return;
    }
    const ENTER: u32 = 1;
    const DROP: u32 = 4;
    const COPY: u32 = 1;
    let (_session, mut viewer, mut picture, [mut app, _]) = two();
    let pointer = app.pointer();
    let device = CLIPBOARD.device(&mut app);
    let window = app.window(RED);
    let dialog = app.dialog(window, 400, 400, GREEN);
    picture.until_at(640, 400, GREEN);
    let press = |down| Kind::Button(Button { button: 0, down });
    let motion = |x: f64, y: f64| Kind::Motion(Motion { x, y });
    viewer.input(vec![motion(5.0, 5.0), press(true)]);
    let serial = word(&app.event(pointer, 3), 0);
    let source = CLIPBOARD.source(&mut app);
    app.request(source, 2, &[COPY]);
    app.request(device, 0, &[source, window.surface, 0, serial]);
    app.sync();
    viewer.input(vec![motion(640.0, 400.0)]);
    let entered = app.event_where(|event| {
        (event.0, event.1) == (device, ENTER) && word(&event.2, 4) == dialog.surface
    });
    let offer = word(&entered.2, 16);
    let mut arguments = vec![word(&entered.2, 0)];
    arguments.extend(text(TYPES[1]));
    app.request(offer, 0, &arguments);
    app.request(offer, 4, &[COPY, COPY]);
    app.sync();
    viewer.input(vec![press(false)]);
    app.event(device, DROP);
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
    app.request_with(offer, CLIPBOARD.receive, &text(TYPES[1]), &write);
    drop(write);
    app.event(source, CLIPBOARD.send);
    File::from(app.descriptor()).write_all(b"dropped").unwrap();
    let mut had = String::new();
    File::from(read).read_to_string(&mut had).unwrap();
    assert_eq!(had, "dropped");
}
