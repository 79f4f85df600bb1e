//! The bytes of every message, as the first version that had it wrote them. A test here that fails says that a
//! holder of another age would misunderstand: the bytes are right, and the change is wrong.
//!
//! `golden/N.txt` has the messages that came with protocol N, a line each: a name and the frame's digits. What is
//! new gets a line of its own at the end of the latest file; no line is ever edited.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

use greenroom_model::hex;
use greenroom_session_api::clipboard::{Content, Kind as Form, LeftOut, Offer, Part, Read, Why};
use greenroom_session_api::control::{
    self, AppReport, FromHolder, Launch, Report, Stop, ToHolder, from_holder, to_holder,
};
use greenroom_session_api::frames::{
    Frame, FromStreamer, Rect, Release, Ring, Start, ToStreamer, Viewers, from_streamer,
    to_streamer,
};
use greenroom_session_api::init::{self, FromInit, ToInit, from_init, to_init};
use greenroom_session_api::input::{self, Event, Input, InputAck, event::Kind};
use greenroom_session_api::questions::{self, Answer, Ask, answer::Said, ask::Question};
use greenroom_session_api::units::{self, Class};
use greenroom_session_api::viewer::{self, Cursor, Ending, OpenStream, Resize, StreamAt};
use greenroom_session_api::x11::{self, FromX11, ToX11, from_x11, to_x11};
use greenroom_session_api::{FrameBuffer, Hello, Message, Role, Spec, Welcome, encode};
use std::collections::BTreeMap;
use std::fmt::Debug;

const GOLDEN: [&str; 2] = [include_str!("golden/1.txt"), include_str!("golden/2.txt")];

/// Every line that is kept, and those that were asked for.
struct Kept {
    lines: BTreeMap<&'static str, &'static str>,
    missing: Vec<String>,
}

impl Kept {
    fn read() -> Self {
        let lines = GOLDEN.iter().flat_map(|file| file.lines());
        let pairs = lines.map(|line| line.split_once(' ').unwrap());
        let mut kept = BTreeMap::new();
        for (name, digits) in pairs {
            assert!(kept.insert(name, digits).is_none(), "{name} is there twice");
        }
        Self {
            lines: kept,
            missing: Vec::new(),
        }
    }

    fn holds<M: Message + Default + PartialEq + Debug>(&mut self, name: &str, message: M) {
        let digits = hex::encode(&encode(&message));
        let Some(kept) = self.lines.remove(name) else {
            self.missing.push(format!("{name} {digits}"));
            return;
        };
        assert_eq!(digits, kept, "{name} is written differently");
        assert_eq!(read::<M>(&bytes(kept)), message, "{name} reads differently");
        // What a newer peer would add: a field of each wire type that nobody knows.
        let mut newer = bytes(kept);
        newer.extend([0x80, 0x7d, 0x01]);
        newer.extend([0x8a, 0x7d, 0x02, 0xc3, 0x28]);
        newer.extend([0x95, 0x7d, 1, 2, 3, 4]);
        newer.extend([0x99, 0x7d, 1, 2, 3, 4, 5, 6, 7, 8]);
        let length = u32::try_from(newer.len() - 4).unwrap();
        newer[..4].copy_from_slice(&length.to_le_bytes());
        assert_eq!(read::<M>(&newer), message, "{name} trips over new fields");
    }

    fn end(self) {
        assert!(
            self.missing.is_empty(),
            "add to the latest file:\n{}",
            self.missing.join("\n")
        );
        let left: Vec<_> = self.lines.into_keys().collect();
        assert!(left.is_empty(), "kept, and not tried: {left:?}");
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn read<M: Message + Default>(frame: &[u8]) -> M {
    let mut buffer = FrameBuffer::new(1 << 20);
    buffer.push(frame);
    buffer.take().unwrap().unwrap()
}

#[test]
fn every_message_is_written_and_read_as_it_always_was() {
    let mut kept = Kept::read();
    greeting(&mut kept);
    for order in control_orders() {
        let name = match &order {
            to_holder::Order::Launch(_) => "control.launch",
            to_holder::Order::Stop(_) => "control.stop",
            to_holder::Order::Show(_) => "control.show",
            to_holder::Order::Ask(ask) => match ask.question {
                Some(Question::Look(_)) => "control.ask.look",
                Some(Question::ListWindows(_)) => "control.ask.list-windows",
                Some(Question::Type(_)) => "control.ask.type",
                Some(Question::Raise(_)) => "control.ask.raise",
                None => "control.ask.unknown",
            },
        };
        kept.holds(name, ToHolder { order: Some(order) });
    }
    for news in control_news() {
        let name = match &news {
            from_holder::News::Welcome(_) => "control.welcome",
            from_holder::News::Report(_) => "control.report",
            from_holder::News::Answer(answer) => match answer.said {
                Some(Said::Picture(_)) => "control.answer.picture",
                Some(Said::Windows(_)) => "control.answer.windows",
                Some(Said::Done(_)) => "control.answer.done",
                Some(Said::NoWindow(_)) => "control.answer.no-window",
                Some(Said::Failed(_)) => "control.answer.failed",
                Some(Said::Unknown(_)) => "control.answer.unknown",
                None => "control.answer.of-another-age",
            },
        };
        kept.holds(name, FromHolder { news: Some(news) });
    }
    viewers(&mut kept);
    frames(&mut kept);
    units(&mut kept);
    init(&mut kept);
    x11(&mut kept);
    kept.end();
}

#[test]
fn an_order_that_nobody_knows_is_none() {
    // Field 15 of a newer peer, alone in the message.
    let frame = [2, 0, 0, 0, 0x78, 1];
    assert_eq!(read::<ToHolder>(&frame).order, None);
    assert_eq!(read::<FromHolder>(&frame).news, None);
    assert_eq!(read::<viewer::ToHolder>(&frame).order, None);
    assert_eq!(read::<ToInit>(&frame).order, None);
    assert_eq!(read::<Ask>(&frame).question, None);
    assert_eq!(read::<ToX11>(&frame).order, None);
    assert_eq!(read::<FromX11>(&frame).news, None);
}

#[test]
fn the_spec_of_the_first_version_still_says_what_it_said() {
    let spec = Spec::from_json(include_bytes!("golden/spec-1.json")).unwrap();
    assert_eq!(spec.persistent_id, "p-0cc7s3mw2fg4j4a1b");
    assert_eq!(spec.key(), Some([0x0f; 32]));
    assert_eq!((spec.uid, spec.gid), (Some(20_000), Some(20_000)));
    assert_eq!((spec.width, spec.height, spec.scale_120), (1280, 800, 120));
    assert_eq!(spec.apps[0].argv, ["foot"]);
}

fn greeting(kept: &mut Kept) {
    for (name, role) in [
        ("hello.control", Role::Control),
        ("hello.viewer", Role::Viewer),
        ("hello.units", Role::Units),
    ] {
        let hello = Hello {
            protocol: 1,
            key: vec![0x0f; 32],
            role: role.into(),
        };
        kept.holds(name, hello);
    }
}

fn welcome() -> Welcome {
    Welcome {
        protocol: 1,
        persistent_id: "p-0cc7s3mw2fg4j4a1b".into(),
        boot_id: "5f7c0a52-7b0a-4b8e-9d6f-5f0a8b8a0c11".into(),
        pid: 4711,
        build: "0.1.0".into(),
    }
}

fn control_orders() -> Vec<to_holder::Order> {
    let ask = |question| {
        to_holder::Order::Ask(Ask {
            number: 9,
            question,
        })
    };
    vec![
        to_holder::Order::Launch(Launch {
            app_id: "ca-foot".into(),
            argv: vec!["foot".into(), "-e".into(), "sh".into()],
            env: vec!["GREETING=hello".into()],
        }),
        to_holder::Order::Stop(Stop { grace_ms: 10_000 }),
        to_holder::Order::Show(control::Show { files: Vec::new() }),
        ask(Some(Question::Look(questions::Look {}))),
        ask(Some(Question::ListWindows(questions::ListWindows {}))),
        ask(Some(Question::Type(questions::Type {
            text: "né\n".into(),
        }))),
        ask(Some(Question::Raise(questions::Raise { window: 3 }))),
        ask(None),
    ]
}

fn control_news() -> Vec<from_holder::News> {
    let report = Report {
        apps: vec![
            AppReport {
                app_id: "ca-foot".into(),
                launch: 1,
                pid: 4712,
                drawn: true,
                ..AppReport::default()
            },
            AppReport {
                app_id: "ca-mousepad".into(),
                launch: 2,
                ended: true,
                exit_code: Some(0),
                signal: Some(9),
                failure: "it is not there".into(),
                ..AppReport::default()
            },
        ],
        width: 1280,
        height: 800,
        viewers: 2,
        frames: 1 << 40,
        damaged_pixels: 1 << 41,
        stopping: true,
    };
    let answer = |said| from_holder::News::Answer(Answer { number: 9, said });
    vec![
        from_holder::News::Welcome(welcome()),
        from_holder::News::Report(report),
        answer(Some(Said::Picture(questions::Picture {
            ring: Some(ring()),
            slot: 2,
        }))),
        answer(Some(Said::Windows(questions::Windows {
            windows: vec![questions::Window {
                id: 3,
                app_id: "foot".into(),
                title: "né".into(),
                width: 1280,
                height: 800,
                active: true,
                launch: 1,
            }],
        }))),
        answer(Some(Said::Done(questions::Done {}))),
        answer(Some(Said::NoWindow(questions::NoWindow {}))),
        answer(Some(Said::Failed(questions::Failed {
            reason: "no memory".into(),
        }))),
        answer(Some(Said::Unknown(questions::Unknown {}))),
        answer(None),
    ]
}

fn viewers(kept: &mut Kept) {
    use viewer::{from_holder::News, to_holder::Order};
    let event = |seq, kind| Event {
        seq,
        at_ms: 12.5,
        kind: Some(kind),
    };
    let events = vec![
        event(
            1,
            Kind::Key(input::Key {
                code: "KeyA".into(),
                key: "é".into(),
                location: 1,
                modifiers: 3,
                down: true,
            }),
        ),
        event(2, Kind::Motion(input::Motion { x: 0.5, y: 799.0 })),
        event(
            3,
            Kind::Button(input::Button {
                button: 2,
                down: true,
            }),
        ),
        event(4, Kind::Wheel(input::Wheel { dx: 0.0, dy: -53.0 })),
        event(5, Kind::Release(input::Release {})),
    ];
    let later = vec![
        event(
            6,
            Kind::Touch(input::Touch {
                id: 1,
                phase: input::TouchPhase::Down.into(),
                x: 0.5,
                y: 799.0,
            }),
        ),
        event(
            7,
            Kind::Text(input::Text {
                commit: "né".into(),
                preedit: "文".into(),
                preedit_caret: 3,
                delete_before: 1,
                delete_after: 2,
            }),
        ),
    ];
    let orders = [
        Order::Input(Input { stream: 7, events }),
        Order::Input(Input {
            stream: 7,
            events: later,
        }),
        Order::Want(viewer::Want {
            cursor_images: true,
            text_fields: true,
            copied: false,
        }),
        Order::Want(viewer::Want {
            copied: true,
            ..viewer::Want::default()
        }),
        Order::Copied(offer()),
        Order::ReadCopied(READ),
        Order::CopiedPart(part()),
        Order::Resize(Resize {
            width: 1920,
            height: 1080,
            scale_120: 180,
        }),
        Order::OpenStream(OpenStream {}),
    ];
    for order in orders {
        let name = match &order {
            Order::Input(input) if input.events.len() == 2 => "viewer.input.touch-and-text",
            Order::Input(_) => "viewer.input",
            Order::Want(want) if want.copied => "viewer.want.copied",
            Order::Want(_) => "viewer.want",
            Order::Copied(_) => "viewer.copied-there",
            Order::ReadCopied(_) => "viewer.read-copied-here",
            Order::CopiedPart(_) => "viewer.copied-part-there",
            Order::Resize(_) => "viewer.resize",
            Order::OpenStream(_) => "viewer.open-stream",
        };
        kept.holds(name, viewer::ToHolder { order: Some(order) });
    }
    let news = [
        News::Welcome(welcome()),
        News::InputAck(InputAck { stream: 7, seq: 5 }),
        News::StreamAt(StreamAt {
            socket: "stream.sock".into(),
        }),
        News::Ending(Ending {
            reason: "the session stops".into(),
        }),
        News::Cursor(Cursor {
            name: "text".into(),
        }),
        News::CursorImage(viewer::CursorImage {
            width: 1,
            height: 1,
            hotspot_x: -1,
            hotspot_y: 1,
            scale_120: 120,
            rgba: vec![1, 2, 3, 4],
        }),
        News::TextField(viewer::TextField {
            wanted: true,
            x: -1,
            y: 2,
            width: 3,
            height: 4,
            ..viewer::TextField::default()
        }),
        News::Copied(offer()),
        News::ReadCopied(READ),
        News::CopiedPart(part()),
    ];
    for news in news {
        let name = match &news {
            News::Welcome(_) => "viewer.welcome",
            News::InputAck(_) => "viewer.input-ack",
            News::StreamAt(_) => "viewer.stream-at",
            News::Ending(_) => "viewer.ending",
            News::Cursor(_) => "viewer.cursor",
            News::CursorImage(_) => "viewer.cursor-image",
            News::TextField(_) => "viewer.text-field",
            News::Copied(_) => "viewer.copied-here",
            News::ReadCopied(_) => "viewer.read-copied-there",
            News::CopiedPart(_) => "viewer.copied-part-here",
        };
        kept.holds(name, viewer::FromHolder { news: Some(news) });
    }
}

const READ: Read = Read {
    serial: 9,
    kind: Form::Html as i32,
    offset: 1 << 15,
};

fn offer() -> Offer {
    Offer {
        serial: 9,
        contents: vec![Content {
            kind: Form::Html.into(),
            bytes: 1 << 16,
        }],
        left_out: vec![LeftOut {
            kind: Form::Png.into(),
            why: Why::TooLarge.into(),
        }],
    }
}

fn part() -> Part {
    Part {
        serial: 9,
        kind: Form::Html.into(),
        offset: 1 << 15,
        bytes: vec![1, 2, 3],
    }
}

fn ring() -> Ring {
    Ring {
        width: 1280,
        height: 800,
        stride: 5120,
        slots: 3,
    }
}

fn frames(kept: &mut Kept) {
    use from_streamer::News;
    use to_streamer::Order;
    let orders = [
        Order::Start(Start {
            persistent_id: "p-0cc7s3mw2fg4j4a1b".into(),
            key: vec![0x0f; 32],
        }),
        Order::Ring(ring()),
        Order::Frame(Frame {
            slot: 1,
            number: 42,
            damage: vec![Rect {
                x: 1,
                y: 2,
                width: 30,
                height: 40,
            }],
            composed_at_us: 1_000_000,
            had_input: vec![InputAck { stream: 7, seq: 5 }],
        }),
    ];
    for order in orders {
        let name = match &order {
            Order::Start(_) => "frames.start",
            Order::Ring(_) => "frames.ring",
            Order::Frame(_) => "frames.frame",
        };
        kept.holds(name, ToStreamer { order: Some(order) });
    }
    let news = [
        News::Release(Release { slot: 1 }),
        News::Viewers(Viewers { count: 2 }),
    ];
    for news in news {
        let name = match &news {
            News::Release(_) => "frames.release",
            News::Viewers(_) => "frames.viewers",
        };
        kept.holds(name, FromStreamer { news: Some(news) });
    }
}

fn units(kept: &mut Kept) {
    use units::{from_streamer::News, to_streamer::Order};
    let orders = [
        Order::Have(units::Have {
            width: 1280,
            height: 800,
            tiles: vec![1, u64::MAX],
            units: 0,
        }),
        Order::Have(units::Have {
            width: 1280,
            height: 800,
            tiles: vec![1, u64::MAX],
            units: 2,
        }),
        Order::Ack(units::Ack { update: 6 }),
    ];
    for order in orders {
        let name = match &order {
            Order::Have(have) if have.units > 0 => "units.have.version",
            Order::Have(_) => "units.have",
            Order::Ack(_) => "units.ack",
        };
        kept.holds(name, units::ToStreamer { order: Some(order) });
    }
    let news = [
        News::Welcome(welcome()),
        News::Unit(units::Unit {
            class: Class::Display.into(),
            bytes: vec![1, 2, 3],
        }),
    ];
    for news in news {
        let name = match &news {
            News::Welcome(_) => "units.welcome",
            News::Unit(_) => "units.unit",
        };
        kept.holds(name, units::FromStreamer { news: Some(news) });
    }
}

fn init(kept: &mut Kept) {
    use from_init::News;
    use to_init::Order;
    let orders = [
        Order::Launch(init::Launch {
            launch: 1,
            argv: vec!["foot".into()],
            env: vec!["HOME=/home/user".into()],
        }),
        Order::Signal(init::Signal {
            launch: 1,
            signal: 15,
        }),
        Order::Bound(init::Bound {
            processes: 512,
            data_bytes: 1 << 32,
            file_bytes: 1 << 33,
        }),
        Order::Serve(init::Serve {
            name: "bus".into(),
            path: "/run/user/session/bus".into(),
            argv: vec!["dbus-daemon".into(), "--session".into()],
            env: vec!["HOME=/home/user".into()],
            launch: 1,
            opening: Vec::new(),
        }),
        Order::Keep(init::Keep {
            name: "foot".into(),
        }),
    ];
    for order in orders {
        let name = match &order {
            Order::Launch(_) => "init.launch",
            Order::Signal(_) => "init.signal",
            Order::Bound(_) => "init.bound",
            Order::Serve(_) => "init.serve",
            Order::Keep(_) => "init.keep",
        };
        kept.holds(name, ToInit { order: Some(order) });
    }
    let order = Order::Serve(init::Serve {
        name: "bus".into(),
        path: "/run/user/session/bus".into(),
        argv: vec!["dbus-daemon".into()],
        opening: b"\0AUTH".to_vec(),
        ..init::Serve::default()
    });
    kept.holds("init.serve.opening", ToInit { order: Some(order) });
    let news = [
        News::Ready(init::Ready {}),
        News::Started(init::Started { launch: 1, pid: 2 }),
        News::Ended(init::Ended {
            launch: 1,
            exit_code: Some(0),
            signal: Some(9),
            failure: "it is not there".into(),
        }),
    ];
    for news in news {
        let name = match &news {
            News::Ready(_) => "init.ready",
            News::Started(_) => "init.started",
            News::Ended(_) => "init.ended",
        };
        kept.holds(name, FromInit { news: Some(news) });
    }
}

fn x11(kept: &mut Kept) {
    use to_x11::Order;
    let offered = x11::Offered {
        types: vec!["UTF8_STRING".into(), "text/html".into()],
    };
    let orders = [
        Order::Begin(x11::Begin {}),
        Order::Scale(x11::Scale { scale_120: 180 }),
        Order::Close(x11::Close {}),
        Order::Repaint(x11::Repaint {}),
        Order::Offered(offered.clone()),
        Order::Write(x11::Write {
            name: "text/html".into(),
        }),
        Order::Source(x11::Source { number: 3 }),
    ];
    for order in orders {
        let name = match &order {
            Order::Begin(_) => "x11.begin",
            Order::Scale(_) => "x11.scale",
            Order::Close(_) => "x11.close",
            Order::Repaint(_) => "x11.repaint",
            Order::Offered(_) => "x11.offered",
            Order::Write(_) => "x11.write",
            Order::Source(_) => "x11.source",
        };
        kept.holds(name, ToX11 { order: Some(order) });
    }
    let shown = from_x11::News::Shown(x11::Shown {
        windows: 2,
        title: "a – title".into(),
        class: "XTerm".into(),
    });
    kept.holds("x11.shown", FromX11 { news: Some(shown) });
    let copied = from_x11::News::Copied(offered);
    kept.holds("x11.copied", FromX11 { news: Some(copied) });
    let receive = from_x11::News::Receive(x11::Receive {
        number: 3,
        name: "text/html".into(),
    });
    let news = Some(receive);
    kept.holds("x11.receive", FromX11 { news });
}
