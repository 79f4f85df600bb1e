//! What viewers do beyond keys and clicks, and what they are told in return: touch, composed text, the pointer.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::input::{Motion, Release, Text, Touch, TouchPhase, event::Kind};
use greenroom_session_api::viewer::{CursorImage, TextField, Want, from_holder::News};
use support::picture::Picture;
use support::wayland::{Client, string, text, word};
use support::window::{GREEN, RED};
use support::{Session, Viewer, app, idle, key, skipped, until_written};

fn session() -> (Session, Viewer) {
    let session = Session::start(vec![idle("ca-idle")]);
    session.control().app("ca-idle", "runs", |app| app.pid > 0);
    let viewer = session.viewer();
    (session, viewer)
}

fn touch(id: u32, phase: TouchPhase, x: f64, y: f64) -> Kind {
    let phase = phase as i32;
    Kind::Touch(Touch { id, phase, x, y })
}

fn commit(text: &str) -> Kind {
    Kind::Text(Text {
        commit: text.into(),
        ..Text::default()
    })
}

/// A Wayland coordinate of whole pixels.
fn fixed(pixels: u32) -> u32 {
    pixels * 256
}

#[test]
fn fingers_reach_the_app_below_them_and_are_lifted_when_the_viewer_lets_go() {
    if skipped("bwrap") {
        return;
    }
    const DOWN: u32 = 0;
    const UP: u32 = 1;
    const MOTION: u32 = 2;
    const CANCEL: u32 = 4;
    let (session, mut viewer) = session();
    let mut app = Client::connect(&session, 1);
    let seat = app.global("wl_seat", 5);
    let fingers = app.new_id();
    app.request(seat, 2, &[fingers]);
    let window = app.window(RED);
    app.sync();
    viewer.input(vec![
        touch(7, TouchPhase::Down, 10.0, 20.0),
        touch(9, TouchPhase::Down, 100.0, 200.0),
        touch(7, TouchPhase::Motion, 30.0, 40.0),
        // Nothing, since that finger is not down.
        touch(8, TouchPhase::Up, 0.0, 0.0),
        touch(7, TouchPhase::Up, 0.0, 0.0),
    ]);
    let first = app.event(fingers, DOWN);
    assert_eq!(word(&first, 8), window.surface);
    assert_eq!(
        [12, 16, 20].map(|at| word(&first, at)),
        [7, fixed(10), fixed(20)]
    );
    assert_eq!(word(&app.event(fingers, DOWN), 12), 9);
    let moved = app.event(fingers, MOTION);
    assert_eq!(
        [4, 8, 12].map(|at| word(&moved, at)),
        [7, fixed(30), fixed(40)]
    );
    assert_eq!(word(&app.event(fingers, UP), 8), 7);
    viewer.input(vec![Kind::Release(Release {})]);
    app.event(fingers, CANCEL);
    assert!(!app.has_heard(fingers, UP));
    // More fingers than anybody has, at once and outside of the screen.
    let many = (0..100).map(|id| touch(id, TouchPhase::Down, -5.0, 1e9));
    viewer.input(many.collect());
    let mut down = 0;
    while app.has_heard(fingers, DOWN) {
        app.event(fingers, DOWN);
        down += 1;
    }
    assert_eq!(down, 16);
}

#[test]
fn a_touch_outside_closes_a_menu() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-one"), idle("ca-two")]);
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    let mut app = Client::connect(&session, 1);
    let pointer = app.pointer();
    let window = app.window(RED);
    picture.until_at(5, 5, RED);
    let button = |down| Kind::Button(greenroom_session_api::input::Button { button: 0, down });
    viewer.input(vec![
        Kind::Motion(Motion { x: 9.0, y: 9.0 }),
        button(true),
        button(false),
    ]);
    let serial = word(&app.event(pointer, 3), 0);
    let seat = app.global("wl_seat", 5);
    let menu = app.bare_popup(window, 10, 10);
    app.request(menu.role, 1, &[seat, serial]);
    app.begin(menu);
    app.paint(menu.surface, 100, 100, GREEN);
    picture.until_at(20, 20, GREEN);
    // Within it, it stays.
    viewer.input(vec![
        touch(1, TouchPhase::Down, 20.0, 20.0),
        touch(1, TouchPhase::Up, 20.0, 20.0),
    ]);
    assert!(!app.has_heard(menu.role, 1));
    let mut other = Client::connect(&session, 2);
    other.window(GREEN);
    picture.until_at(5, 5, GREEN);
    viewer.input(vec![touch(1, TouchPhase::Down, 500.0, 500.0)]);
    app.event(menu.role, 1);
}

/// What a client that wants text does.
struct Field {
    app: Client,
    input: u32,
    surface: u32,
}

impl Field {
    fn open(session: &Session) -> Self {
        let mut app = Client::connect(session, 1);
        let seat = app.global("wl_seat", 5);
        let manager = app.global("zwp_text_input_manager_v3", 1);
        let input = app.new_id();
        app.request(manager, 1, &[input, seat]);
        let surface = app.window(RED).surface;
        let entered = app.event(input, 0);
        assert_eq!(word(&entered, 0), surface);
        Self {
            app,
            input,
            surface,
        }
    }

    /// Says what is around its caret.
    fn enable(&mut self, surrounding: &str, purpose: u32) {
        self.app.request(self.input, 1, &[]);
        let mut arguments = text(surrounding);
        arguments.extend([2, 1]);
        self.app.request(self.input, 3, &arguments);
        self.app.request(self.input, 5, &[0, purpose]);
        self.app.request(self.input, 6, &[30, 40, 2, 16]);
        self.app.request(self.input, 7, &[]);
        self.app.sync();
    }

    fn disable(&mut self) {
        self.app.request(self.input, 2, &[]);
        self.app.request(self.input, 7, &[]);
        self.app.sync();
    }
}

#[test]
fn a_viewer_learns_where_an_app_wants_text_and_gives_it_as_text() {
    if skipped("bwrap") {
        return;
    }
    const PREEDIT: u32 = 2;
    const COMMIT: u32 = 3;
    const DELETE: u32 = 4;
    const DONE: u32 = 5;
    const PASSWORD: u32 = 8;
    let (session, mut viewer) = session();
    viewer.want(Want {
        text_fields: true,
        ..Want::default()
    });
    assert_eq!(viewer.text_field(|_| true), TextField::default());
    let mut field = Field::open(&session);
    let keyboard = field.app.keyboard();
    field.enable("hello", 0);
    let told = viewer.text_field(|field| field.wanted);
    assert_eq!((told.x, told.y, told.width, told.height), (30, 40, 2, 16));
    assert_eq!(
        (told.surrounding.as_str(), told.caret, told.anchor),
        ("hello", 2, 1)
    );

    viewer.input(vec![
        Kind::Text(Text {
            preedit: "にほ".into(),
            preedit_caret: 3,
            ..Text::default()
        }),
        Kind::Text(Text {
            commit: "日本 😀".into(),
            delete_before: 2,
            ..Text::default()
        }),
    ]);
    let app = &mut field.app;
    let preedit = app.event(field.input, PREEDIT);
    assert_eq!(string(&preedit, 0), "にほ");
    assert_eq!((word(&preedit, 12), word(&preedit, 16)), (3, 3));
    assert_eq!(word(&app.event(field.input, DONE), 0), 1);
    let deleted = app.event(field.input, DELETE);
    assert_eq!((word(&deleted, 0), word(&deleted, 4)), (2, 0));
    assert_eq!(string(&app.event(field.input, COMMIT), 0), "日本 😀");
    assert_eq!(word(&app.event(field.input, DONE), 0), 1);
    assert!(!app.has_heard(keyboard, 3), "it was typed as well");
    // Keys stay keys.
    viewer.input(vec![key("KeyA", "a", true), key("KeyA", "a", false)]);
    field.app.event(keyboard, 3);
    // So does a short text that nobody composed.
    viewer.input(vec![commit("b")]);
    field.app.event(keyboard, 3);
    assert!(!field.app.has_heard(field.input, COMMIT));

    // What is secret stays in the app.
    field.enable("secret", PASSWORD);
    let told = viewer.text_field(|field| field.purpose == PASSWORD);
    assert_eq!(
        (told.surrounding.as_str(), told.caret, told.anchor),
        ("", 0, 0)
    );

    field.disable();
    assert_eq!(
        viewer.text_field(|field| !field.wanted),
        TextField::default()
    );
    viewer.input(vec![commit("a")]);
    field.app.event(keyboard, 3);
    assert!(!field.app.has_heard(field.input, COMMIT));

    // Another window takes the keyboard, and the field is none any more.
    field.enable("hello", 0);
    viewer.text_field(|field| field.wanted);
    let other = field.app.window(GREEN);
    viewer.text_field(|field| !field.wanted);
    assert_eq!(word(&field.app.event(field.input, 1), 0), field.surface);
    assert_ne!(other.surface, field.surface);
}

#[test]
fn composed_text_is_typed_into_an_app_that_knows_keys_only() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    session.control().drawn("ca-foot");
    let mut viewer = session.viewer();
    viewer.input(vec![commit("echo 日本語 é > ~/x\n")]);
    until_written(&session, "x", "日本語 é\n");
}

#[test]
fn the_pointers_own_image_is_told_to_a_viewer_that_wants_it_and_its_name_to_all() {
    if skipped("bwrap") {
        return;
    }
    let (session, mut viewer) = session();
    viewer.want(Want {
        cursor_images: true,
        ..Want::default()
    });
    assert_eq!(viewer.cursor_image(|_| true), CursorImage::default());
    let mut app = Client::connect(&session, 1);
    let pointer = app.pointer();
    let window = app.window(RED);
    app.sync();
    viewer.input(vec![Kind::Motion(Motion { x: 5.0, y: 5.0 })]);
    let entered = app.event(pointer, 0);
    assert_eq!(word(&entered, 4), window.surface);
    let serial = word(&entered, 0);
    let cursor = app.surface();
    app.request(pointer, 0, &[serial, cursor, 3, 4]);
    // Twice as sharp as the output.
    app.request(cursor, 8, &[2]);
    app.paint(cursor, 16, 32, GREEN);
    let image = viewer.cursor_image(|image| image.width > 0);
    assert_eq!((image.width, image.height, image.scale_120), (16, 32, 240));
    assert_eq!((image.hotspot_x, image.hotspot_y), (6, 8));
    assert_eq!(image.rgba, [0, 255, 0, 255].repeat(16 * 32));
    // It animates as windows do.
    let callback = app.new_id();
    app.request(cursor, 3, &[callback]);
    app.paint(cursor, 16, 16, RED);
    app.event(callback, 0);
    viewer.cursor_image(|image| image.height == 16);
    // One that is too large is none.
    app.paint(cursor, 512, 512, RED);
    viewer.cursor_image(|image| image.width == 0);
    app.paint(cursor, 8, 8, RED);
    viewer.cursor_image(|image| image.width == 8);
    // Hidden: there is no image, and the name says why.
    app.request(pointer, 0, &[serial, 0, 0, 0]);
    viewer.cursor_image(|image| image.width == 0);
    let mut plain = session.viewer();
    loop {
        match plain.news().unwrap() {
            News::Cursor(cursor) => break assert_eq!(cursor.name, "none"),
            other => assert!(matches!(other, News::Welcome(_)), "{other:?}"),
        }
    }
}

#[test]
fn a_viewer_that_does_not_read_is_not_drowned_in_images_of_the_pointer() {
    if skipped("bwrap") {
        return;
    }
    let (session, mut viewer) = session();
    viewer.want(Want {
        cursor_images: true,
        ..Want::default()
    });
    viewer.cursor_image(|_| true);
    let mut app = Client::connect(&session, 1);
    let pointer = app.pointer();
    app.window(RED);
    app.sync();
    viewer.input(vec![Kind::Motion(Motion { x: 5.0, y: 5.0 })]);
    let serial = word(&app.event(pointer, 0), 0);
    let cursor = app.surface();
    app.request(pointer, 0, &[serial, cursor, 0, 0]);
    // Together 50 MB, far beyond what a peer may leave unread.
    for at in 0..200 {
        app.paint(cursor, 256, 256, [at, 0, 0]);
        app.sync();
    }
    viewer.cursor_image(|image| image.rgba.get(2) == Some(&199));
}
