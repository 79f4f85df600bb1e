//! What an administrator sees of a session that runs, and does in it, without a viewer.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::questions::{
    Done, Look, MAX_TEXT, NoWindow, Raise, Type, Unknown, answer::Said, ask::Question,
};
use support::{Control, Session, app, idle, skipped, until, until_written};

fn type_text(control: &mut Control, text: &str) -> Said {
    control.ask(Some(Question::Type(Type { text: text.into() })))
}

#[test]
fn a_text_is_typed_into_the_window_that_has_the_focus() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    control.drawn("ca-foot");
    let typed = type_text(&mut control, "echo 'Né & Co' > ~/Told\n");
    assert_eq!(typed, Said::Done(Done {}));
    until_written(&session, "Told", "Né & Co\n");
}

#[test]
fn windows_are_told_the_highest_first_and_raised_by_their_ids() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![
        app("ca-one", &["foot", "-T", "one", "sh"]),
        app("ca-two", &["foot", "-T", "two", "sh"]),
    ]);
    let mut control = session.control();
    control.drawn("ca-one");
    control.drawn("ca-two");
    let before = until("both windows", || {
        Some(control.windows()).filter(|told| told.len() == 2)
    });
    assert_eq!((before[0].active, before[1].active), (true, false));
    let mut titles: Vec<_> = before.iter().map(|window| window.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["one", "two"]);
    assert!(before.iter().all(|window| window.app_id == "foot"));
    assert!(before.iter().all(|window| window.width == 1280));

    let raise = Question::Raise(Raise {
        window: before[1].id,
    });
    assert_eq!(control.ask(Some(raise)), Said::Done(Done {}));
    let after = control.windows();
    assert_eq!(after[0].id, before[1].id);
    assert_eq!((after[0].active, after[1].active), (true, false));
}

#[test]
fn a_look_costs_a_frame_that_no_viewer_is_sent() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let mut control = session.control();
    for _ in 0..2 {
        let Said::Picture(picture) = control.ask(Some(Question::Look(Look {}))) else {
            panic!("no picture");
        };
        let ring = picture.ring.unwrap();
        assert_eq!((ring.width, ring.height, ring.stride), (1280, 800, 5120));
        assert!(picture.slot < ring.slots);
    }
    assert_eq!(control.report("any", |_| true).frames, 0);
}

#[test]
fn what_cannot_be_done_is_answered_as_such() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let mut control = session.control();
    assert_eq!(control.windows(), []);
    assert_eq!(type_text(&mut control, "a"), Said::NoWindow(NoWindow {}));
    let raise = Question::Raise(Raise { window: 1 });
    assert_eq!(control.ask(Some(raise)), Said::NoWindow(NoWindow {}));
    for wrong in ["\u{1b}[", &"a".repeat(MAX_TEXT + 1)] {
        assert!(matches!(type_text(&mut control, wrong), Said::Failed(_)));
    }
    // Of a newer server.
    assert_eq!(control.ask(None), Said::Unknown(Unknown {}));
}
