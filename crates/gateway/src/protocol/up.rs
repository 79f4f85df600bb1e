//! What players say, read within bounds.

use super::MAX_UP;
use super::clipboard::{self, WireContent, WireKind};
use crate::door::Credential;
use greenroom_session_api::clipboard::{Offer, Part, Read};
use greenroom_session_api::input::{self, MAX_TEXT, TouchPhase, event};
use greenroom_session_api::units::Have;
use serde::Deserialize;

const CONTROL: u8 = 1;
const INPUT: u8 = 2;
const ACK: u8 = 3;
const HAVE: u8 = 4;
const COPIED: u8 = 5;

const MAX_EVENTS: usize = 256;
const MAX_SECRET: usize = 4096;
const MAX_KEY: usize = 32;
/// JavaScript counts exactly up to here.
const MAX_SEQ: u64 = (1 << 53) - 1;

/// The player's message is none of this protocol; the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(super) &'static str);

/// The first message is something else than a hello.
pub(crate) const NO_HELLO: Malformed = Malformed("the first message is a hello");
/// A hello after the first.
pub(crate) const SECOND_HELLO: Malformed = Malformed("there is one hello in a connection");
/// A text message.
pub(crate) const TEXT_MESSAGE: Malformed = Malformed("messages are binary");

/// A message from the player.
#[derive(Debug, Clone, PartialEq)]
pub enum Up {
    /// The first message.
    Hello(Hello),
    /// The size of the player's window changed.
    Resize(Size),
    /// Asks for a `pong` with the same time.
    Ping {
        /// The player's own clock.
        at: f64,
    },
    /// What a person did.
    Input(Vec<input::Event>),
    /// An update was composed.
    Ack(u64),
    /// What the player holds.
    Have(Have),
    /// Whether the player is to be told what is copied in the session.
    WantCopied(bool),
    /// The viewer has copied something.
    Copied(Offer),
    /// Asks for a part of what was copied in the session.
    ReadCopied(Read),
    /// A part of what the viewer has copied.
    CopiedPart(Part),
    /// Something of a newer player, to be skipped.
    Unknown,
}

/// How a player introduces itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// Its [`VERSION`](super::VERSION).
    pub version: u32,
    /// What it comes in with.
    pub credential: Credential,
    /// Its input stream, drawn once and kept over reconnects.
    pub stream: u64,
    /// The size of its window, when it has one.
    pub size: Option<Size>,
    /// The highest version of units it draws; 1 for players that do not say.
    pub units: u32,
}

/// The size of a player's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Size {
    /// Device pixels.
    pub width: u32,
    /// Device pixels.
    pub height: u32,
    /// The device pixel ratio in 1/120.
    pub scale120: u32,
}

impl Up {
    /// Reads a message of the player.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        if message.len() > MAX_UP {
            return Err(Malformed("the message is too long"));
        }
        let (class, payload) = message
            .split_first()
            .ok_or(Malformed("the message is empty"))?;
        match *class {
            CONTROL => control(payload),
            INPUT => events(payload).map(Self::Input),
            ACK => payload
                .try_into()
                .map(|bytes| Self::Ack(u64::from_le_bytes(bytes)))
                .map_err(|_| Malformed("an ack is 8 bytes")),
            HAVE => have(payload).map(Self::Have),
            COPIED => clipboard::part(payload).map(Self::CopiedPart),
            _ => Err(Malformed("the message is of no known class")),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Control {
    Hello {
        version: u32,
        ticket: Option<String>,
        resume: Option<String>,
        stream: String,
        size: Option<Size>,
        units: Option<u32>,
    },
    Resize(Size),
    Ping {
        at: f64,
    },
    WantCopied {
        on: bool,
    },
    Copied {
        serial: u64,
        contents: Vec<WireContent>,
    },
    ReadCopied {
        serial: u64,
        kind: WireKind,
        offset: u32,
    },
    #[serde(other)]
    Unknown,
}

fn control(payload: &[u8]) -> Result<Up, Malformed> {
    let message = serde_json::from_slice(payload)
        .map_err(|_| Malformed("the control message is not as agreed"))?;
    Ok(match message {
        Control::Hello {
            version,
            ticket,
            resume,
            stream,
            size,
            units,
        } => {
            let credential = match (ticket, resume) {
                (Some(ticket), None) => Credential::Ticket(bounded(ticket)?),
                (None, Some(resume)) => Credential::Resume(bounded(resume)?),
                _ => return Err(Malformed("a hello has a ticket or a resume token")),
            };
            let stream = hex_u64(&stream)?;
            Up::Hello(Hello {
                version,
                credential,
                stream,
                size,
                units: units.unwrap_or(1),
            })
        }
        Control::Resize(size) => Up::Resize(size),
        Control::Ping { at } => Up::Ping { at },
        Control::WantCopied { on } => Up::WantCopied(on),
        Control::Copied { serial, contents } => Up::Copied(clipboard::offer(serial, contents)?),
        Control::ReadCopied {
            serial,
            kind,
            offset,
        } => Up::ReadCopied(clipboard::read(serial, kind, offset)),
        Control::Unknown => Up::Unknown,
    })
}

fn hex_u64(text: &str) -> Result<u64, Malformed> {
    let malformed = Malformed("a stream is 16 hexadecimal digits");
    if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(malformed);
    }
    u64::from_str_radix(text, 16).map_err(|_| malformed)
}

fn bounded(secret: String) -> Result<String, Malformed> {
    if (1..=MAX_SECRET).contains(&secret.len()) {
        Ok(secret)
    } else {
        Err(Malformed("the ticket or token is too long or empty"))
    }
}

#[derive(Deserialize)]
struct Event {
    seq: u64,
    at: f64,
    #[serde(flatten)]
    kind: EventKind,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum EventKind {
    Key {
        code: String,
        key: String,
        location: u32,
        modifiers: u32,
        down: bool,
    },
    Motion {
        x: f64,
        y: f64,
    },
    Button {
        button: u32,
        down: bool,
    },
    Wheel {
        dx: f64,
        dy: f64,
    },
    Touch {
        id: u32,
        phase: Phase,
        x: f64,
        y: f64,
    },
    #[serde(rename_all = "camelCase")]
    Text {
        #[serde(default)]
        commit: String,
        #[serde(default)]
        preedit: String,
        /// In bytes of the `preedit` in UTF-8.
        #[serde(default)]
        preedit_caret: u32,
    },
    Release,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Phase {
    Down,
    Motion,
    Up,
    Cancel,
}

fn events(payload: &[u8]) -> Result<Vec<input::Event>, Malformed> {
    let events: Vec<Event> =
        serde_json::from_slice(payload).map_err(|_| Malformed("the input is not as agreed"))?;
    if !(1..=MAX_EVENTS).contains(&events.len()) {
        return Err(Malformed("an input message has 1 to 256 events"));
    }
    events.into_iter().map(event).collect()
}

fn event(event: Event) -> Result<input::Event, Malformed> {
    if !(1..=MAX_SEQ).contains(&event.seq) {
        return Err(Malformed("an event's sequence number is out of range"));
    }
    let kind = match event.kind {
        EventKind::Key {
            code,
            key,
            location,
            modifiers,
            down,
        } => {
            if code.len() > MAX_KEY || key.len() > MAX_KEY {
                return Err(Malformed("a key's name is too long"));
            }
            Some(event::Kind::Key(input::Key {
                code,
                key,
                location,
                modifiers,
                down,
            }))
        }
        EventKind::Motion { x, y } => Some(event::Kind::Motion(input::Motion { x, y })),
        EventKind::Button { button, down } => {
            Some(event::Kind::Button(input::Button { button, down }))
        }
        EventKind::Wheel { dx, dy } => Some(event::Kind::Wheel(input::Wheel { dx, dy })),
        EventKind::Touch { id, phase, x, y } => {
            let phase = match phase {
                Phase::Down => TouchPhase::Down,
                Phase::Motion => TouchPhase::Motion,
                Phase::Up => TouchPhase::Up,
                Phase::Cancel => TouchPhase::Cancel,
            };
            let phase = phase.into();
            Some(event::Kind::Touch(input::Touch { id, phase, x, y }))
        }
        EventKind::Text {
            commit,
            preedit,
            preedit_caret,
        } => {
            if commit.len() > MAX_TEXT || preedit.len() > MAX_TEXT {
                return Err(Malformed("a composed text is too long"));
            }
            Some(event::Kind::Text(input::Text {
                commit,
                preedit,
                preedit_caret,
                ..Default::default()
            }))
        }
        EventKind::Release => Some(event::Kind::Release(input::Release {})),
        // The session acknowledges it like any other, or the player would resend it for ever.
        EventKind::Unknown => None,
    };
    Ok(input::Event {
        seq: event.seq,
        at_ms: event.at,
        kind,
    })
}

fn have(payload: &[u8]) -> Result<Have, Malformed> {
    let malformed = Malformed("a have is width, height and 8 bytes for each tile");
    let (width, rest) = payload.split_first_chunk().ok_or(malformed)?;
    let (height, rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (hashes, rest) = rest.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(malformed);
    }
    Ok(Have {
        width: u32::from_le_bytes(*width),
        height: u32::from_le_bytes(*height),
        tiles: hashes.iter().copied().map(u64::from_le_bytes).collect(),
        // Said in the hello, and for the whole connection.
        units: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(class: u8, payload: &[u8]) -> Result<Up, Malformed> {
        Up::parse(&[&[class], payload].concat())
    }

    #[test]
    fn a_hello_brings_exactly_one_credential() {
        let hello = br#"{"type":"hello","version":1,"ticket":"t","stream":"00000000000000ff",
            "size":{"width":1280,"height":800,"scale120":180},"newer":[]}"#;
        assert_eq!(
            up(CONTROL, hello),
            Ok(Up::Hello(Hello {
                version: 1,
                credential: Credential::Ticket("t".into()),
                stream: 255,
                size: Some(Size {
                    width: 1280,
                    height: 800,
                    scale120: 180
                }),
                units: 1,
            }))
        );
        for wrong in [
            r#"{"type":"hello","version":1,"stream":"00000000000000ff"}"#,
            r#"{"type":"hello","version":1,"ticket":"t","resume":"r","stream":"00000000000000ff"}"#,
            r#"{"type":"hello","version":1,"ticket":"","stream":"00000000000000ff"}"#,
            r#"{"type":"hello","version":1,"ticket":"t","stream":"ff"}"#,
            r#"{"type":"hello","version":1,"ticket":"t","stream":"+0000000000000ff"}"#,
            r#"{"type":"hello","version":-1,"ticket":"t","stream":"00000000000000ff"}"#,
        ] {
            assert!(up(CONTROL, wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_arrive_as_the_session_expects_them() {
        let Ok(Up::Input(events)) = up(
            INPUT,
            br#"[{"seq":1,"at":2.5,"type":"key","code":"KeyA","key":"a","location":0,"modifiers":1,"down":true},
                 {"seq":2,"at":3,"type":"release"},
                 {"seq":3,"at":4,"type":"gesture","fingers":3},
                 {"seq":4,"at":5,"type":"touch","id":2,"phase":"down","x":1.5,"y":2},
                 {"seq":5,"at":6,"type":"text","preedit":"ni","preeditCaret":2}]"#,
        ) else {
            panic!("the input was refused");
        };
        assert!(
            matches!(&events[0].kind, Some(event::Kind::Key(key)) if key.code == "KeyA" && key.down)
        );
        assert!(matches!(&events[1].kind, Some(event::Kind::Release(_))));
        assert_eq!((events[2].seq, &events[2].kind), (3, &None));
        assert!(
            matches!(&events[3].kind, Some(event::Kind::Touch(touch)) if touch.id == 2 && touch.phase() == TouchPhase::Down)
        );
        assert!(
            matches!(&events[4].kind, Some(event::Kind::Text(text)) if text.preedit == "ni" && text.commit.is_empty())
        );
    }

    #[test]
    fn input_out_of_bounds_is_refused() {
        let long = "x".repeat(33);
        let longer = "x".repeat(MAX_TEXT + 1);
        let many = format!(
            "[{}]",
            vec![r#"{"seq":1,"at":1,"type":"release"}"#; 257].join(",")
        );
        for wrong in [
            "[]",
            "{}",
            "[{}]",
            r#"[{"seq":0,"at":1,"type":"release"}]"#,
            r#"[{"seq":9007199254740992,"at":1,"type":"release"}]"#,
            r#"[{"seq":1,"at":1e999,"type":"release"}]"#,
            r#"[{"seq":1,"at":1,"type":"motion","x":"1","y":2}]"#,
            r#"[{"seq":1,"at":1,"type":"touch","id":-1,"phase":"down","x":1,"y":2}]"#,
            r#"[{"seq":1,"at":1,"type":"touch","id":1,"phase":"press","x":1,"y":2}]"#,
            &format!(r#"[{{"seq":1,"at":1,"type":"text","commit":"{longer}"}}]"#),
            &format!(
                r#"[{{"seq":1,"at":1,"type":"key","code":"{long}","key":"a","location":0,"modifiers":0,"down":true}}]"#
            ),
            &many,
        ] {
            assert!(up(INPUT, wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Up::parse(&vec![INPUT; MAX_UP + 1]).is_err());
    }

    #[test]
    fn a_have_is_read_whole_or_not_at_all() {
        let bytes = [&[5, 0, 0, 0, 6, 0, 0, 0][..], &[7, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(
            up(HAVE, &bytes),
            Ok(Up::Have(Have {
                width: 5,
                height: 6,
                tiles: vec![7],
                units: 0,
            }))
        );
        for cut in (0..bytes.len()).filter(|cut| *cut != 8) {
            assert!(up(HAVE, &bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_a_viewer_copied_is_known_kinds_within_the_bound() {
        let copied = |contents: &str| {
            let message = format!(r#"{{"type":"copied","serial":1,"contents":[{contents}]}}"#);
            up(CONTROL, message.as_bytes())
        };
        let newer = copied(
            r#"{"kind":"text/plain","bytes":8388608},{"kind":"model/gltf","bytes":4294967295}"#,
        );
        let Ok(Up::Copied(offer)) = newer else {
            panic!("{newer:?}");
        };
        assert_eq!(
            offer.contents.len(),
            1,
            "the kind that nobody knows is skipped"
        );
        for wrong in [
            r#"{"kind":"text/plain","bytes":8388609}"#,
            r#"{"kind":"text/plain","bytes":0}"#,
            r#"{"kind":"text/plain","bytes":1},{"kind":"text/plain","bytes":1}"#,
            r#"{"kind":"text/plain","bytes":-1}"#,
        ] {
            assert!(copied(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let seeds: [&[u8]; 6] = [
            b"\x01{\"type\":\"hello\",\"version\":1,\"ticket\":\"t\",\"stream\":\"00000000000000ff\"}",
            b"\x02[{\"seq\":1,\"at\":2.5,\"type\":\"motion\",\"x\":1.0,\"y\":2}]",
            b"\x04\x05\0\0\0\x06\0\0\0\x07\0\0\0\0\0\0\0",
            b"\x05\x01\0\0\0\0\0\0\0\x01\0\0\0\0text",
            b"\x01{\"type\":\"copied\",\"serial\":1,\"contents\":[{\"kind\":\"text/plain\",\"bytes\":4}]}",
            b"\x01{\"type\":\"readCopied\",\"serial\":1,\"kind\":\"image/png\",\"offset\":0}",
        ];
        let mut refused = 0_u32;
        for round in 0..30_000 {
            let mut bytes = seeds[round % seeds.len()].to_vec();
            for _ in 0..=next() % 4 {
                let at = usize::try_from(next()).unwrap_or(0) % bytes.len();
                bytes[at] = next().to_le_bytes()[0];
            }
            bytes.truncate(1 + usize::try_from(next()).unwrap_or(0) % bytes.len());
            refused += u32::from(Up::parse(&bytes).is_err());
        }
        assert!(refused > 10_000, "only {refused} mutants were refused");
    }
}
