//! The viewer protocol: what player and gateway say to each other, one binary WebSocket message each.
//!
//! The first byte is the message's class, the rest its payload. Integers are little-endian; control and
//! input are JSON in UTF-8. `web/player/src/protocol.ts` is the other half.
//!
//! | up | payload |
//! |---|---|
//! | 1 control | `hello`, `resize` or `ping` |
//! | 2 input | an array of 1 to 256 events, each with its sequence number |
//! | 3 ack | `u64`: the number of an update the player has composed |
//! | 4 have | `u32` width, `u32` height, then a `u64` hash for each tile of the player's framebuffer; two zeros when it has none |
//!
//! | down | payload |
//! |---|---|
//! | 1 control | `welcome`, `resync`, `pong` or `bye` |
//! | 2 input ack | `u64`: the session had every event up to this one |
//! | 16 + class | a stream unit, unchanged from the streamer; the classes are those of `session-api` |
//!
//! The player opens with `hello` and `have`. The gateway answers `welcome`, then units, or `bye` and
//! closes. `resync` says that the picture's source was replaced: the player answers with `have` and
//! acknowledges nothing it had before. A `bye` with `retry` is for the player to come back by itself.
//!
//! A new kind of event, a new field and a new control message are additions: either side skips what it
//! does not know. [`VERSION`] rises when skipping is not good enough.

use crate::door::{Admission, Credential, Reason, Refusal, Rights};
use greenroom_session_api::input::{self, event};
use greenroom_session_api::units::Have;
use serde::{Deserialize, Serialize};

/// The version this build speaks.
pub const VERSION: u32 = 1;

/// The longest message a player may send. A framebuffer of more tiles than fit is announced as none,
/// which costs one full picture.
pub const MAX_UP: usize = 64 << 10;

const CONTROL: u8 = 1;
const INPUT: u8 = 2;
const ACK: u8 = 3;
const HAVE: u8 = 4;
const INPUT_ACK: u8 = 2;
const UNIT: u8 = 16;

const MAX_EVENTS: usize = 256;
const MAX_SECRET: usize = 4096;
const MAX_KEY: usize = 32;
/// JavaScript counts exactly up to here.
const MAX_SEQ: u64 = (1 << 53) - 1;

/// The player's message is none of this protocol; the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

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
    /// Something of a newer player, to be skipped.
    Unknown,
}

/// How a player introduces itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// Its [`VERSION`].
    pub version: u32,
    /// What it comes in with.
    pub credential: Credential,
    /// Its input stream, drawn once and kept over reconnects.
    pub stream: u64,
    /// The size of its window, when it has one.
    pub size: Option<Size>,
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
    },
    Resize(Size),
    Ping {
        at: f64,
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
            })
        }
        Control::Resize(size) => Up::Resize(size),
        Control::Ping { at } => Up::Ping { at },
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
    Release,
    #[serde(other)]
    Unknown,
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
    })
}

/// Why the gateway closes a viewer's connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Farewell {
    /// The door did not let it in.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was let in and must go.
    #[error(transparent)]
    Revoked(#[from] Reason),
    /// It did not speak this protocol.
    #[error("The player sent something the gateway does not understand ({0}). Reload the page.")]
    Malformed(#[from] Malformed),
    /// It speaks a version this build does not.
    #[error("The player is of another version than the gateway. Reload the page.")]
    Version,
    /// It did not say hello in time.
    #[error("The player did not introduce itself in time.")]
    Silent,
    /// Too many viewers are at the door.
    #[error("Too many viewers are connecting at the moment.")]
    Crowded,
    /// The holder is not there, or went without a word: the control plane will find out and say more.
    #[error("The session cannot be reached at the moment.")]
    SessionLost,
    /// The holder said that it ends.
    #[error("The session has ended: {0}.")]
    SessionEnding(String),
    /// Nothing can be written to the viewer any more.
    #[error("The connection is too slow.")]
    Stalled,
    /// The control plane went away, and with it the word on whether this viewer may stay.
    #[error("The service is restarting.")]
    DoorClosed,
}

impl Farewell {
    /// Its name in the protocol and in metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Revoked(reason) => reason.code(),
            Self::Malformed(_) => "protocol.malformed",
            Self::Version => "protocol.version",
            Self::Silent => "protocol.silent",
            Self::Crowded => "crowded",
            Self::SessionLost => "session.lost",
            Self::SessionEnding(_) => "session.ending",
            Self::Stalled => "viewer.stalled",
            Self::DoorClosed => "unavailable",
        }
    }

    /// Whether the player is to come back by itself.
    #[must_use]
    pub fn retry(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.may_pass(),
            Self::Revoked(_) | Self::Malformed(_) | Self::Version => false,
            Self::Silent
            | Self::Crowded
            | Self::SessionLost
            | Self::SessionEnding(_)
            | Self::Stalled
            | Self::DoorClosed => true,
        }
    }
}

#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum DownControl<'a> {
    Welcome {
        version: u32,
        resume: &'a str,
        persistent_id: &'a str,
        title: &'a str,
        rights: DownRights,
    },
    Resync,
    Pong {
        at: f64,
    },
    Bye {
        code: &'a str,
        message: String,
        retry: bool,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DownRights {
    input: bool,
    controller: bool,
    audio: bool,
    clipboard_out: bool,
    clipboard_in: bool,
    files_out: bool,
}

impl From<Rights> for DownRights {
    fn from(rights: Rights) -> Self {
        Self {
            input: rights.input,
            controller: rights.controller,
            audio: rights.audio,
            clipboard_out: rights.clipboard_out,
            clipboard_in: rights.clipboard_in,
            files_out: rights.files_out,
        }
    }
}

/// The player is in.
#[must_use]
pub fn welcome(admission: &Admission) -> Vec<u8> {
    down(&DownControl::Welcome {
        version: VERSION,
        resume: &admission.resume_token,
        persistent_id: admission.persistent_id.as_str(),
        title: &admission.title,
        rights: admission.rights.into(),
    })
}

/// The picture's source was replaced: the player is to say what it has.
#[must_use]
pub fn resync() -> Vec<u8> {
    down(&DownControl::Resync)
}

/// Answers a ping.
#[must_use]
pub fn pong(at: f64) -> Vec<u8> {
    down(&DownControl::Pong { at })
}

/// The last message of a connection.
#[must_use]
pub fn bye(farewell: &Farewell) -> Vec<u8> {
    down(&DownControl::Bye {
        code: farewell.code(),
        message: farewell.to_string(),
        retry: farewell.retry(),
    })
}

fn down(control: &DownControl<'_>) -> Vec<u8> {
    let mut message = vec![CONTROL];
    // Writing strings and numbers into a Vec cannot fail; the player ignores an empty control message.
    let _ = serde_json::to_writer(&mut message, control);
    message
}

/// The session had every event up to `seq`.
#[must_use]
pub fn input_ack(seq: u64) -> Vec<u8> {
    let mut message = vec![INPUT_ACK];
    message.extend_from_slice(&seq.to_le_bytes());
    message
}

/// A stream unit. `None` for a class that the first byte cannot carry.
#[must_use]
pub fn unit(class: i32, bytes: &[u8]) -> Option<Vec<u8>> {
    let class = u8::try_from(class).ok()?.checked_add(UNIT)?;
    let mut message = Vec::with_capacity(1 + bytes.len());
    message.push(class);
    message.extend_from_slice(bytes);
    Some(message)
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
                 {"seq":3,"at":4,"type":"gesture","fingers":3}]"#,
        ) else {
            panic!("the input was refused");
        };
        assert!(
            matches!(&events[0].kind, Some(event::Kind::Key(key)) if key.code == "KeyA" && key.down)
        );
        assert!(matches!(&events[1].kind, Some(event::Kind::Release(_))));
        assert_eq!((events[2].seq, &events[2].kind), (3, &None));
    }

    #[test]
    fn input_out_of_bounds_is_refused() {
        let long = "x".repeat(33);
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
                tiles: vec![7]
            }))
        );
        for cut in (0..bytes.len()).filter(|cut| *cut != 8) {
            assert!(up(HAVE, &bytes[..cut]).is_err(), "{cut}");
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
        let seeds: [&[u8]; 3] = [
            b"\x01{\"type\":\"hello\",\"version\":1,\"ticket\":\"t\",\"stream\":\"00000000000000ff\"}",
            b"\x02[{\"seq\":1,\"at\":2.5,\"type\":\"motion\",\"x\":1.0,\"y\":2}]",
            b"\x04\x05\0\0\0\x06\0\0\0\x07\0\0\0\0\0\0\0",
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

    #[test]
    fn a_bye_says_why_and_whether_to_return() {
        assert_eq!(
            bye(&Refusal::UsedTicket.into()),
            b"\x01{\"type\":\"bye\",\"code\":\"ticket.used\",\
              \"message\":\"This link was used already. Ask for a new one.\",\"retry\":false}"
        );
        assert!(Farewell::SessionLost.retry());
        assert!(!Farewell::from(Reason::Deleted).retry());
    }

    #[test]
    fn a_unit_keeps_its_class_and_its_bytes() {
        assert_eq!(unit(1, &[9, 8]), Some(vec![17, 9, 8]));
        assert_eq!(unit(-1, &[]), None);
        assert_eq!(unit(240, &[]), None);
    }
}
