//! Windows, dialogs, menus and what is in them, by a client that is the test's own.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use support::picture::Picture;
use support::wayland::{Client, string, text, word};
use support::window::{BLUE, GREEN, RED, WHITE};
use support::{Control, Session, Viewer, click, idle, key, skipped};

const MAXIMIZED: u32 = 1;
const FULLSCREEN: u32 = 2;

/// A session with two launches, a viewer and its picture.
fn stage() -> (Session, Control, Viewer, Picture) {
    let session = Session::start(vec![idle("ca-one"), idle("ca-two")]);
    let mut control = session.control();
    control.app("ca-two", "runs", |app| app.pid > 0);
    let mut viewer = session.viewer();
    let picture = Picture::watch(&session, &mut viewer);
    (session, control, viewer, picture)
}

#[test]
fn dialogs_and_their_dialogs_are_centred_above_the_window_they_belong_to() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, _viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    picture.until_at(5, 5, RED);
    let dialog = app.dialog(window, 400, 400, GREEN);
    picture.until_at(640, 400, GREEN);
    assert_eq!(picture.at(640 - 200, 400 - 200), GREEN);
    assert_eq!(picture.at(640 - 201, 400), RED);
    let inner = app.dialog(dialog, 100, 100, BLUE);
    picture.until_at(640, 400, BLUE);
    assert_eq!(picture.at(640 - 51, 400), GREEN);
    // Another app comes and goes, and all three are there again.
    let mut other = Client::connect(&session, 2);
    other.window(WHITE);
    picture.until_at(640, 400, WHITE);
    assert_eq!(picture.at(5, 5), WHITE);
    drop(other);
    picture.until_at(640, 400, BLUE);
    assert_eq!((picture.at(640 - 51, 400), picture.at(5, 5)), (GREEN, RED));
    app.request(inner.role, 0, &[]);
    picture.until_at(640, 400, GREEN);
}

#[test]
fn a_window_that_is_clicked_gets_the_keyboard_and_its_dialog_stays_above_it() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, mut viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let keyboard = app.keyboard();
    let window = app.window(RED);
    app.focused(keyboard, window.surface);
    let dialog = app.dialog(window, 400, 400, GREEN);
    app.focused(keyboard, dialog.surface);
    picture.until_at(640, 400, GREEN);
    viewer.input(click(5.0, 5.0));
    app.focused(keyboard, window.surface);
    viewer.input(click(640.0, 400.0));
    app.focused(keyboard, dialog.surface);
    assert_eq!(picture.at(640, 400), GREEN);
}

#[test]
fn a_launch_that_is_raised_brings_its_window_and_dialog_back() {
    if skipped("bwrap") {
        return;
    }
    let (session, mut control, _viewer, mut picture) = stage();
    let mut one = Client::connect(&session, 1);
    let keyboard = one.keyboard();
    let window = one.window(RED);
    let dialog = one.dialog(window, 400, 400, GREEN);
    one.focused(keyboard, dialog.surface);
    let mut two = Client::connect(&session, 2);
    two.window(BLUE);
    picture.until_at(640, 400, BLUE);
    control.launch(&idle("ca-one"));
    picture.until_at(640, 400, GREEN);
    picture.until_at(5, 5, RED);
    one.focused(keyboard, dialog.surface);
}

#[test]
fn a_window_is_told_its_size_whatever_it_asks_for() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, _viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    let (width, height, states) = app.told(window);
    assert_eq!((width, height), (1280, 800));
    assert!(states.contains(&MAXIMIZED));
    picture.until_at(5, 5, RED);
    while app.has_heard(window.role, 0) {
        app.told(window);
    }
    let seat = app.global("wl_seat", 5);
    // Moved, resized and minimised are not answered; the others are.
    app.request(window.role, 5, &[seat, 1]);
    app.request(window.role, 6, &[seat, 1, 8]);
    app.request(window.role, 13, &[]);
    for (request, arguments, fullscreen) in [
        (10, vec![], false),
        (9, vec![], false),
        (11, vec![0], true),
        (12, vec![], false),
    ] {
        app.request(window.role, request, &arguments);
        let (width, height, states) = app.told(window);
        assert_eq!((width, height), (1280, 800), "request {request}");
        assert!(states.contains(&MAXIMIZED), "request {request}");
        // Told twice where something changes; the last counts.
        while app.has_heard(window.role, 0) {
            let (_, _, states) = app.told(window);
            assert_eq!(
                states.contains(&FULLSCREEN),
                fullscreen,
                "request {request}"
            );
        }
    }
    // Still there, and its dialog keeps the size it likes unless it is to fill the screen.
    let dialog = app.dialog(window, 400, 400, GREEN);
    assert_eq!(app.told(dialog).0, 0);
    picture.until_at(640, 400, GREEN);
    while app.has_heard(dialog.role, 0) {
        app.told(dialog);
    }
    app.request(dialog.role, 11, &[0]);
    let (width, height, _) = app.told(dialog);
    assert_eq!((width, height), (1280, 800));
    app.acknowledge(dialog);
    app.paint(dialog.surface, 1280, 800, GREEN);
    picture.until_at(5, 5, GREEN);
}

#[test]
fn menus_stay_on_the_screen_and_a_click_outside_closes_them_all() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, mut viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let pointer = app.pointer();
    let keyboard = app.keyboard();
    let window = app.window(RED);
    app.focused(keyboard, window.surface);
    picture.until_at(5, 5, RED);
    viewer.input(click(1270.0, 790.0));
    let serial = word(&app.event(pointer, 3), 0);
    let seat = app.global("wl_seat", 5);

    // No room below and right of the click: the menu flips to the other side.
    let menu = app.bare_popup(window, 1270, 790);
    app.request(menu.role, 1, &[seat, serial]);
    app.commit(menu.surface);
    let place = app.event(menu.role, 0);
    assert_eq!((word(&place, 0), word(&place, 4)), (1170, 690));
    app.acknowledge(menu);
    app.paint(menu.surface, 100, 100, GREEN);
    picture.until_at(1180, 700, GREEN);
    app.focused(keyboard, menu.surface);

    let inner = app.bare_popup(menu, 5, 5);
    app.request(inner.role, 1, &[seat, serial]);
    app.commit(inner.surface);
    let place = app.event(inner.role, 0);
    assert_eq!((word(&place, 0), word(&place, 4)), (6, 6));
    app.acknowledge(inner);
    app.paint(inner.surface, 100, 100, BLUE);
    picture.until_at(1190, 710, BLUE);
    app.focused(keyboard, inner.surface);

    // Another app's window comes up; clicked, it closes the menus, the innermost first.
    let mut other = Client::connect(&session, 2);
    other.window(WHITE);
    picture.until_at(5, 5, WHITE);
    viewer.input(click(5.0, 5.0));
    app.event(inner.role, 1);
    app.event(menu.role, 1);
    viewer.input(vec![key("KeyA", "a", true), key("KeyA", "a", false)]);
    assert!(
        !app.has_heard(keyboard, 3),
        "the key went to the menu's app"
    );
}

#[test]
fn subsurfaces_follow_their_parent_or_go_ahead_as_they_are_told() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, _viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    let subcompositor = app.global("wl_subcompositor", 1);
    let inner = app.surface();
    let subsurface = app.new_id();
    app.request(subcompositor, 1, &[subsurface, inner, window.surface]);
    app.request(subsurface, 1, &[100, 100]);
    app.paint(inner, 50, 50, GREEN);
    app.commit(window.surface);
    picture.until_at(110, 110, GREEN);
    assert_eq!(picture.at(99, 110), RED);

    // Synchronous: nothing of it is to be seen before the parent's commit.
    app.paint(inner, 50, 50, BLUE);
    app.paint(window.surface, 1280, 800, WHITE);
    picture.until_at(5, 5, WHITE);
    assert_eq!(picture.at(110, 110), BLUE);
    app.paint(inner, 50, 50, GREEN);
    app.request(window.surface, 2, &[0, 0, 1, 1]);
    app.sync();
    assert_eq!(picture.at(110, 110), BLUE);

    // Not so any more.
    app.request(subsurface, 5, &[]);
    app.paint(inner, 50, 50, RED);
    picture.until_at(110, 110, RED);
}

#[test]
fn a_buffer_of_one_pixel_fills_what_its_viewport_says() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, _viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let window = app.bare_window();
    app.begin(window);
    let viewporter = app.global("wp_viewporter", 1);
    let single = app.global("wp_single_pixel_buffer_manager_v1", 1);
    let (viewport, buffer) = (app.new_id(), app.new_id());
    app.request(viewporter, 1, &[viewport, window.surface]);
    app.request(viewport, 2, &[1280, 800]);
    app.request(single, 1, &[buffer, 0, u32::MAX, 0, u32::MAX]);
    app.request(window.surface, 1, &[buffer, 0, 0]);
    app.request(window.surface, 2, &[0, 0, 1, 1]);
    app.commit(window.surface);
    picture.until_at(5, 5, GREEN);
    assert_eq!(picture.at(1279, 799), GREEN);
}

#[test]
fn an_app_hears_the_scale_of_the_viewer_and_draws_sharply_at_it() {
    if skipped("bwrap") {
        return;
    }
    let (session, mut control, mut viewer, mut picture) = stage();
    let mut app = Client::connect(&session, 1);
    let window = app.window(RED);
    let scales = app.global("wp_fractional_scale_manager_v1", 1);
    let scale = app.new_id();
    app.request(scales, 1, &[scale, window.surface]);
    assert_eq!(word(&app.event(scale, 0), 0), 120);
    picture.until_at(5, 5, RED);
    viewer.resize(1500, 900, 180);
    assert_eq!(word(&app.event(scale, 0), 0), 180);
    control.report("the size", |report| report.width == 1500);
    // 1500x900 at 1.5.
    while app.told(window).0 != 1000 {}
    app.acknowledge(window);
    let viewporter = app.global("wp_viewporter", 1);
    let viewport = app.new_id();
    app.request(viewporter, 1, &[viewport, window.surface]);
    app.request(viewport, 2, &[1000, 600]);
    app.paint(window.surface, 1500, 900, BLUE);
    picture.until(|picture| picture.ring.width == 1500 && picture.at(1499, 899) == BLUE);
    assert_eq!(picture.colours(), 1);
}

#[test]
fn the_app_in_use_raises_a_window_by_a_token_and_another_does_not() {
    if skipped("bwrap") {
        return;
    }
    let (session, _control, _viewer, mut picture) = stage();
    let token = |client: &mut Client| {
        let activation = client.global("xdg_activation_v1", 1);
        let token = client.new_id();
        client.request(activation, 1, &[token]);
        client.request(token, 3, &[]);
        string(&client.event(token, 0), 0)
    };
    let activate = |client: &mut Client, token: &str, surface: u32| {
        let activation = client.global("xdg_activation_v1", 1);
        let mut arguments = text(token);
        arguments.push(surface);
        client.request(activation, 2, &arguments);
        client.sync();
    };
    let mut one = Client::connect(&session, 1);
    let first = one.window(RED);
    let second = one.window(GREEN);
    picture.until_at(5, 5, GREEN);
    let good = token(&mut one);
    activate(&mut one, &good, first.surface);
    picture.until_at(5, 5, RED);
    // It is good once.
    activate(&mut one, &good, second.surface);
    let mut two = Client::connect(&session, 2);
    let other = two.window(BLUE);
    picture.until_at(5, 5, BLUE);
    let stolen = token(&mut one);
    activate(&mut one, &stolen, second.surface);
    // The token of the app in use may be used by another.
    let given = token(&mut two);
    activate(&mut one, &given, second.surface);
    picture.until_at(5, 5, GREEN);
    activate(&mut two, "no-token", other.surface);
    assert_eq!(picture.at(5, 5), GREEN);
}
