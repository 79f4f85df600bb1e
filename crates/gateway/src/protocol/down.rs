//! What players are told.

use super::clipboard::{WireContent, WireKind, WireLeftOut, payload};
use super::{Malformed, VERSION};
use crate::door::{Admission, Reason, Refusal, Rights};
use greenroom_session_api::clipboard::{Offer, Part, Read};
use greenroom_session_api::units::Class;
use greenroom_session_api::viewer;
use serde::Serialize;

const CONTROL: u8 = 1;
const INPUT_ACK: u8 = 2;
const POINTER_IMAGE: u8 = 3;
const UNIT: u8 = 16;

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
    Copied {
        serial: u64,
        contents: Vec<WireContent>,
        left_out: Vec<WireLeftOut>,
    },
    ReadCopied {
        serial: u64,
        kind: WireKind,
        offset: u32,
    },
    Pointer {
        name: &'a str,
    },
    TextField {
        wanted: bool,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
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

/// Something was copied in the session.
pub(crate) fn copied(offer: &Offer) -> Vec<u8> {
    down(&DownControl::Copied {
        serial: offer.serial,
        contents: offer.contents.iter().map(WireContent::from).collect(),
        left_out: offer.left_out.iter().map(WireLeftOut::from).collect(),
    })
}

/// The session asks for a part of what the viewer has copied.
pub(crate) fn read_copied(read: &Read) -> Vec<u8> {
    down(&DownControl::ReadCopied {
        serial: read.serial,
        kind: read.kind().into(),
        offset: read.offset,
    })
}

/// A part of what was copied in the session. `None` for a kind that the message cannot carry.
pub(crate) fn copied_part(part: &Part) -> Option<Vec<u8>> {
    unit(Class::Clipboard.into(), &payload(part)?)
}

/// The pointer has this shape.
#[must_use]
pub fn pointer(cursor: &viewer::Cursor) -> Vec<u8> {
    down(&DownControl::Pointer { name: &cursor.name })
}

/// The pointer is this image, or none of its own.
#[must_use]
pub fn pointer_image(image: &viewer::CursorImage) -> Vec<u8> {
    let mut message = vec![POINTER_IMAGE];
    message.extend_from_slice(&image.width.to_le_bytes());
    message.extend_from_slice(&image.height.to_le_bytes());
    message.extend_from_slice(&image.hotspot_x.to_le_bytes());
    message.extend_from_slice(&image.hotspot_y.to_le_bytes());
    message.extend_from_slice(&image.scale_120.to_le_bytes());
    message.extend_from_slice(&image.rgba);
    message
}

/// Where the app takes text. What is written around its caret stays in the session: nobody composes with it here.
#[must_use]
pub fn text_field(field: &viewer::TextField) -> Vec<u8> {
    down(&DownControl::TextField {
        wanted: field.wanted,
        x: field.x,
        y: field.y,
        width: field.width,
        height: field.height,
    })
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
    fn a_text_field_is_told_without_its_text() {
        let field = viewer::TextField {
            wanted: true,
            x: 7,
            y: -8,
            width: 2,
            height: 18,
            surrounding: "Dear Alice".into(),
            ..Default::default()
        };
        assert_eq!(
            text_field(&field),
            b"\x01{\"type\":\"textField\",\"wanted\":true,\"x\":7,\"y\":-8,\"width\":2,\"height\":18}"
        );
    }

    #[test]
    fn a_pointer_s_image_comes_with_its_measures() {
        let image = viewer::CursorImage {
            width: 1,
            height: 2,
            hotspot_x: -1,
            hotspot_y: 3,
            scale_120: 240,
            rgba: vec![9; 8],
        };
        let message = pointer_image(&image);
        assert_eq!(
            message[..21],
            [
                3, 1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 255, 255, 3, 0, 0, 0, 240, 0, 0, 0
            ]
        );
        assert_eq!(message[21..], [9; 8]);
    }

    #[test]
    fn a_unit_keeps_its_class_and_its_bytes() {
        assert_eq!(unit(1, &[9, 8]), Some(vec![17, 9, 8]));
        assert_eq!(unit(-1, &[]), None);
        assert_eq!(unit(240, &[]), None);
    }
}
