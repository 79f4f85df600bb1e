//! What is copied and pasted between X apps, other apps and viewers.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::clipboard::Kind;
use support::x::XApp;
use support::{Session, Viewer, app, click, idle, script, skipped, until, until_written};
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, Window,
};
use x11rb::wrapper::ConnectionExt as _;

/// What the terminal does: whatever the test puts into a file.
const OBEY: &str = "while :; do [ -e ~/order ] && sh ~/order && rm -f ~/order; sleep 0.05; done";

fn lacks_programs() -> bool {
    ["bwrap", "Xwayland", "xterm", "xclip", "wl-copy"]
        .into_iter()
        .any(skipped)
}

/// A terminal that speaks X and has the keyboard, and a viewer.
fn terminal() -> (Session, Viewer) {
    let session = Session::start(vec![app("ca-x", &["xterm", "-e", "sh", "-c", OBEY])]);
    session.control().drawn("ca-x");
    let mut viewer = session.viewer();
    viewer.input(click(600.0, 400.0));
    (session, viewer)
}

/// Runs a command in the terminal, beside others.
fn run(session: &Session, command: &str) {
    let [order, draft] = ["order", "draft"].map(|name| session.home().join(name));
    std::fs::write(&draft, format!("{command}\ntrue\n")).unwrap();
    std::fs::rename(draft, &order).unwrap();
    until(command, || (!order.exists()).then_some(()));
}

/// Waits until an X app pastes this.
fn until_pasted(session: &Session, text: &str) {
    until(&format!("{text} to be pasted"), || {
        run(session, "xclip -o -selection clipboard > ~/pasted 2>&1");
        let pasted = std::fs::read_to_string(session.home().join("pasted")).unwrap();
        (pasted == text).then_some(())
    });
}

#[test]
fn what_an_x_app_copies_reaches_viewers_and_other_apps_however_large() {
    if lacks_programs() {
        return;
    }
    let (session, mut viewer) = terminal();
    viewer.want_copied();
    run(
        &session,
        "printf 'n\\303\\251' | xclip -i -selection clipboard",
    );
    let offer = viewer.copied(|offer| !offer.contents.is_empty());
    assert_eq!(viewer.fetch(&offer, Kind::Text), "né".as_bytes());

    let make = "head -c 3000000 /dev/zero | tr '\\0' x";
    run(&session, &format!("{make} | xclip -i -selection clipboard"));
    let offer = viewer.copied(|offer| !offer.contents.is_empty());
    let large = "x".repeat(3_000_000);
    assert!(viewer.fetch(&offer, Kind::Text) == large.as_bytes());
    let pastes = "wl-paste --no-newline > ~/part && mv ~/part ~/taken; sleep 100000";
    session.control().launch(&script("ca-paste", pastes));
    until_written(&session, "taken", &large);
}

#[test]
fn an_x_app_pastes_what_viewers_and_other_apps_have_copied() {
    if lacks_programs() {
        return;
    }
    let (session, mut viewer) = terminal();
    let long = "文字 ".repeat(100_000);
    viewer.copy(1, &[(Kind::Text, long.as_bytes())]);
    let gives = std::thread::spawn(move || {
        viewer.give(Kind::Text, long.as_bytes());
        (viewer, long)
    });
    until_pasted(&session, &"文字 ".repeat(100_000));
    let (_viewer, _) = gives.join().unwrap();

    let copies = "printf 'of another' | wl-copy; sleep 100000";
    session.control().launch(&script("ca-copy", copies));
    until_pasted(&session, "of another");
}

/// An X app copies something, and is asked as which types it can be had.
fn copy_as_text(x: &XApp, window: Window) {
    let clipboard = x.atom("CLIPBOARD");
    let connection = &x.connection;
    connection
        .set_selection_owner(window, clipboard, CURRENT_TIME)
        .unwrap();
    connection.flush().unwrap();
    let asked = x.event("a question for the types", |event| match event {
        Event::SelectionRequest(asked) => Some(*asked),
        _ => None,
    });
    let (to, types) = (asked.requestor, [x.atom("UTF8_STRING")]);
    connection
        .change_property32(
            PropMode::REPLACE,
            to,
            asked.property,
            AtomEnum::ATOM,
            &types,
        )
        .unwrap();
    let answer = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: asked.time,
        requestor: to,
        selection: clipboard,
        target: asked.target,
        property: asked.property,
    };
    connection
        .send_event(false, to, EventMask::NO_EVENT, answer)
        .unwrap();
    connection.flush().unwrap();
    until("the types were read", || {
        let types = connection.get_property(false, to, asked.property, AtomEnum::ANY, 0, 1);
        let types = types.unwrap().reply().unwrap();
        (types.type_ == u32::from(AtomEnum::NONE)).then_some(())
    });
}

#[test]
fn an_x_app_without_the_keyboard_neither_copies_nor_learns_what_others_copied() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let x = XApp::connect(&session, 1);
    let mut viewer = session.viewer();
    viewer.want_copied();
    let window = x.window(300, 200, 0x00ff_0000);
    let owner = || {
        let asked = x.connection.get_selection_owner(x.atom("CLIPBOARD"));
        asked.unwrap().reply().unwrap().owner
    };
    copy_as_text(&x, window);
    viewer.copy(1, &[(Kind::Text, b"from outside")]);
    viewer.input(click(5.0, 5.0));
    assert_eq!(owner(), window, "nobody has taken it away");

    // What was copied is judged when the holder hears of it, which is to be before the window has the keyboard.
    let mut control = session.control();
    for _ in 0..2 {
        control.windows();
    }
    x.map(window);
    until("somebody else has copied", || {
        (owner() != window).then_some(())
    });
    copy_as_text(&x, window);
    let offer = viewer.copied(|_| true);
    assert_eq!(offer.serial, 1, "it is the first that was heard of");
}
