//! What apps copy and viewers take, and what viewers copy and apps paste.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::clipboard::{Kind, MAX_BYTES, MAX_PART, Offer, Why};
use greenroom_session_api::viewer::from_holder::News;
use rustix::pipe::PipeFlags;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use support::selection::CLIPBOARD;
use support::wayland::{Client, Event, string, text, word};
use support::window::{RED, Window};
use support::{Session, Viewer, idle, key, script, skipped, until_written};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const TEXT: &str = "text/plain;charset=utf-8";

/// An app with a window that has the keyboard, which may copy by the serial of a key, and a viewer.
struct Desk {
    _session: Session,
    viewer: Viewer,
    app: Client,
    _window: Window,
    device: u32,
    serial: u32,
}

impl Desk {
    fn set() -> Self {
        let session = Session::start(vec![idle("ca-one")]);
        let mut viewer = session.viewer();
        let mut app = Client::connect(&session, 1);
        let keyboard = app.keyboard();
        let device = CLIPBOARD.device(&mut app);
        let window = app.window(RED);
        app.focused(keyboard, window.surface);
        viewer.input(vec![key("KeyC", "c", true), key("KeyC", "c", false)]);
        let serial = word(&app.event(keyboard, 3), 0);
        // Of keymaps.
        app.forget_descriptors();
        Self {
            _session: session,
            viewer,
            app,
            _window: window,
            device,
            serial,
        }
    }

    /// The app copies something it can give as these types.
    fn copy(&mut self, types: &[&str]) -> u32 {
        let manager = self.app.global(CLIPBOARD.manager, CLIPBOARD.version);
        let source = self.app.new_id();
        self.app
            .request(manager, CLIPBOARD.create_source, &[source]);
        for name in types {
            self.app.request(source, CLIPBOARD.offer, &text(name));
        }
        self.app
            .request(self.device, CLIPBOARD.set, &[source, self.serial]);
        // It has the keyboard, so it is told of its own as well.
        self.offered(types.len());
        source
    }

    /// The app is asked for what it copied, and where to.
    fn sent(&mut self, source: u32, name: &str) -> File {
        assert_eq!(string(&self.app.event(source, CLIPBOARD.send), 0), name);
        File::from(self.app.first_descriptor())
    }

    /// The app hears of what a viewer has copied.
    fn offered(&mut self, types: usize) -> (u32, Vec<String>) {
        let device = self.device;
        let found = move |event: &Event| {
            (event.0, event.1) == (device, CLIPBOARD.selection) && word(&event.2, 0) != 0
        };
        let offer = word(&self.app.event_where(found).2, 0);
        let name = |_| string(&self.app.event(offer, 0), 0);
        (offer, (0..types).map(name).collect())
    }

    /// The app pastes.
    fn receive(&mut self, offer: u32, name: &str) -> OwnedFd {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        self.app
            .request_with(offer, CLIPBOARD.receive, &text(name), &write);
        self.app.sync();
        read
    }
}

fn whole(from: OwnedFd) -> Vec<u8> {
    let mut had = Vec::new();
    File::from(from).read_to_end(&mut had).unwrap();
    had
}

fn left_out(offer: &Offer) -> Vec<(Kind, Why)> {
    let left_out = offer.left_out.iter();
    left_out.map(|it| (it.kind(), it.why())).collect()
}

#[test]
fn what_an_app_copies_is_read_once_a_viewer_wants_it_and_told_to_no_other() {
    if skipped("bwrap") {
        return;
    }
    let mut desk = Desk::set();
    let mut other = desk._session.viewer();
    let source = desk.copy(&["image/png", "text/html", "UTF8_STRING", TEXT, "x-app/own"]);
    assert!(!desk.app.has_heard(source, CLIPBOARD.send));

    desk.viewer.want(greenroom_session_api::viewer::Want {
        copied: true,
        ..Default::default()
    });
    let image = [PNG, &vec![7; 2 << 20][..]].concat();
    let mut into = desk.sent(source, TEXT);
    into.write_all("né".as_bytes()).unwrap();
    drop(into);
    drop(desk.sent(source, "text/html"));
    let mut into = desk.sent(source, "image/png");
    into.write_all(&image).unwrap();
    drop(into);
    let offer = desk.viewer.copied(|_| true);
    let kinds: Vec<_> = offer.contents.iter().map(|it| it.kind()).collect();
    assert_eq!(kinds, [Kind::Text, Kind::Png], "HTML that is empty is none");
    assert_eq!(desk.viewer.fetch(&offer, Kind::Text), "né".as_bytes());
    assert_eq!(desk.viewer.fetch(&offer, Kind::Png), image);
    assert_eq!(desk.viewer.part(offer.serial, Kind::Html, 0), b"");

    let source = desk.copy(&["text/plain"]);
    desk.sent(source, "text/plain").write_all(b"two").unwrap();
    let next = desk.viewer.copied(|_| true);
    assert!(next.serial > offer.serial);
    assert_eq!(desk.viewer.part(offer.serial, Kind::Text, 0), b"");
    assert_eq!(desk.viewer.fetch(&next, Kind::Text), b"two");
    // Whatever the other has been told by now comes before this answer.
    other.input_at(1, vec![key("KeyA", "a", true), key("KeyA", "a", false)]);
    let answered_first = other.hear(|news| match news {
        News::Copied(_) => Some(false),
        News::InputAck(_) => Some(true),
        _ => None,
    });
    assert!(answered_first);
}

#[test]
fn what_does_not_end_or_is_not_what_it_says_is_left_out_and_the_rest_is_told() {
    if skipped("bwrap") {
        return;
    }
    let mut desk = Desk::set();
    desk.viewer.want_copied();
    let source = desk.copy(&[TEXT, "text/html", "image/png"]);
    desk.sent(source, TEXT).write_all(b"text").unwrap();
    desk.sent(source, "text/html").write_all(b"\xff").unwrap();
    let mut endless = desk.sent(source, "image/png");
    let bytes = vec![0; 1 << 20];
    let mut written = 0;
    while endless.write_all(&bytes).is_ok() {
        written += bytes.len();
        assert!(written < 2 * MAX_BYTES as usize, "it is read without end");
    }
    let offer = desk.viewer.copied(|_| true);
    assert_eq!(
        left_out(&offer),
        [(Kind::Html, Why::Malformed), (Kind::Png, Why::TooLarge)]
    );
    assert_eq!(desk.viewer.fetch(&offer, Kind::Text), b"text");
}

#[test]
fn an_app_that_never_gives_what_it_copied_delays_nobody() {
    if skipped("bwrap") {
        return;
    }
    let mut desk = Desk::set();
    desk.viewer.want_copied();
    let source = desk.copy(&[TEXT]);
    let never = desk.sent(source, TEXT);
    desk.viewer
        .input(vec![key("KeyA", "a", true), key("KeyA", "a", false)]);
    let offer = desk.viewer.copied(|_| true);
    assert_eq!(left_out(&offer), [(Kind::Text, Why::TooSlow)]);
    drop(never);
}

#[test]
fn what_a_viewer_copies_is_fetched_when_an_app_pastes_it() {
    if skipped("bwrap") {
        return;
    }
    let mut desk = Desk::set();
    let own = desk.copy(&[TEXT]);
    let image = [PNG, &vec![9; 3 << 20][..]].concat();
    desk.viewer
        .copy(1, &[(Kind::Text, b"from outside"), (Kind::Png, &image)]);
    // What the app had copied is so no more.
    desk.app.event(own, 2);
    let (offer, types) = desk.offered(6);
    assert_eq!(types[0], TEXT);
    assert!(types.contains(&"UTF8_STRING".to_owned()));
    assert_eq!(types[5], "image/png");

    let read = desk.receive(offer, "image/png");
    let taken = std::thread::spawn(|| whole(read));
    desk.viewer.give(Kind::Png, &image);
    assert!(taken.join().unwrap() == image, "the picture is another");
    let read = desk.receive(offer, TEXT);
    desk.viewer.give(Kind::Text, b"from outside");
    assert_eq!(whole(read), b"from outside");
    // It is there by now, and nobody is asked again.
    assert_eq!(whole(desk.receive(offer, TEXT)), b"from outside");
}

#[test]
fn what_a_viewer_does_not_give_is_empty_to_the_app() {
    if skipped("bwrap") {
        return;
    }
    let mut desk = Desk::set();
    let mut next_serial = 0;
    let mut paste = |desk: &mut Desk, copied: &[u8]| {
        next_serial += 1;
        desk.viewer.copy(next_serial, &[(Kind::Text, copied)]);
        let (offer, _) = desk.offered(5);
        let read = desk.receive(offer, TEXT);
        (read, desk.viewer.asked())
    };
    let (read, asked) = paste(&mut desk, b"text");
    desk.viewer.answer(&asked, b"");
    assert_eq!(whole(read), b"", "it has it no more");
    let (read, asked) = paste(&mut desk, b"text");
    desk.viewer.answer(&asked, b"more than there is");
    assert_eq!(whole(read), b"");
    let (read, asked) = paste(&mut desk, &vec![0; MAX_BYTES as usize]);
    desk.viewer.answer(&asked, &vec![0; MAX_PART as usize + 1]);
    assert_eq!(whole(read), b"");
    let (read, _) = paste(&mut desk, b"text");
    desk.viewer.copy(9, &[]);
    assert_eq!(whole(read), b"", "something else was copied");
    // Out of bounds: as if nothing was said.
    desk.viewer
        .copy(10, &[(Kind::Text, b""), (Kind::Unspecified, b"x")]);
    let (read, _) = paste(&mut desk, b"text");
    let mut watcher = desk._session.viewer();
    std::mem::swap(&mut watcher, &mut desk.viewer);
    drop(watcher);
    assert_eq!(whole(read), b"", "the viewer has gone");
}

#[test]
fn real_programs_copy_to_a_viewer_and_paste_from_it() {
    if skipped("bwrap") || skipped("wl-copy") {
        return;
    }
    let copies = script("ca-copy", "printf 'né\\n' | wl-copy; sleep 100000");
    let session = Session::start(vec![copies]);
    let mut viewer = session.viewer();
    viewer.want_copied();
    let offer = viewer.copied(|offer| !offer.contents.is_empty());
    assert_eq!(viewer.fetch(&offer, Kind::Text), "né\n".as_bytes());

    let long = "文字 ".repeat(50_000);
    viewer.copy(1, &[(Kind::Text, long.as_bytes())]);
    let pastes = "wl-paste --no-newline > ~/part && mv ~/part ~/pasted; sleep 100000";
    session.control().launch(&script("ca-paste", pastes));
    viewer.give(Kind::Text, long.as_bytes());
    until_written(&session, "pasted", &long);
}
