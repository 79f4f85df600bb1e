//! What is copied, as it stands in the viewer protocol: offers and questions as JSON, parts as bytes.

use super::up::Malformed;
use greenroom_session_api::clipboard::{Content, Kind, LeftOut, MAX_PART, Offer, Part, Read, Why};
use serde::{Deserialize, Serialize};

/// Before the bytes of a part: serial, kind and offset.
const HEADER: usize = 8 + 1 + 4;

/// A kind as the web names it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum WireKind {
    #[serde(rename = "text/plain")]
    Text,
    #[serde(rename = "text/html")]
    Html,
    #[serde(rename = "image/png")]
    Png,
    /// Of a newer player or holder.
    #[serde(rename = "unknown", other)]
    Unknown,
}

impl From<Kind> for WireKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Html => Self::Html,
            Kind::Png => Self::Png,
            Kind::Unspecified => Self::Unknown,
        }
    }
}

impl From<WireKind> for Kind {
    fn from(kind: WireKind) -> Self {
        match kind {
            WireKind::Text => Self::Text,
            WireKind::Html => Self::Html,
            WireKind::Png => Self::Png,
            WireKind::Unknown => Self::Unspecified,
        }
    }
}

/// One form of what was copied.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireContent {
    kind: WireKind,
    bytes: u32,
}

impl From<&Content> for WireContent {
    fn from(content: &Content) -> Self {
        Self {
            kind: content.kind().into(),
            bytes: content.bytes,
        }
    }
}

/// A form that is not handed over.
#[derive(Debug, Serialize)]
pub(super) struct WireLeftOut {
    kind: WireKind,
    why: &'static str,
}

impl From<&LeftOut> for WireLeftOut {
    fn from(left_out: &LeftOut) -> Self {
        Self {
            kind: left_out.kind().into(),
            why: reason(left_out.why()),
        }
    }
}

/// Why something copied is not handed over, as the protocol and the metrics name it.
pub(crate) fn reason(why: Why) -> &'static str {
    match why {
        Why::Unspecified => "unknown",
        Why::TooLarge => "too_large",
        Why::TooSlow => "too_slow",
        Why::Malformed => "malformed",
    }
}

/// What a player offers. What this build does not know of it is not offered any further.
pub(super) fn offer(serial: u64, contents: Vec<WireContent>) -> Result<Offer, Malformed> {
    let known = contents.into_iter().map(|content| Content {
        kind: Kind::from(content.kind).into(),
        bytes: content.bytes,
    });
    let offer = Offer {
        serial,
        contents: known
            .filter(|content| content.kind() != Kind::Unspecified)
            .collect(),
        left_out: Vec::new(),
    };
    if offer.is_sound() {
        Ok(offer)
    } else {
        Err(Malformed("what was copied is out of bounds"))
    }
}

/// What a player asks for.
pub(super) fn read(serial: u64, kind: WireKind, offset: u32) -> Read {
    Read {
        serial,
        kind: Kind::from(kind).into(),
        offset,
    }
}

/// Reads a part.
pub(super) fn part(payload: &[u8]) -> Result<Part, Malformed> {
    let malformed = Malformed("a part of what was copied is serial, kind, offset and bytes");
    let (serial, rest) = payload.split_first_chunk().ok_or(malformed)?;
    let (&[kind], rest) = rest.split_first_chunk().ok_or(malformed)?;
    let (offset, bytes) = rest.split_first_chunk().ok_or(malformed)?;
    if bytes.len() > MAX_PART as usize {
        return Err(malformed);
    }
    Ok(Part {
        serial: u64::from_le_bytes(*serial),
        kind: kind.into(),
        offset: u32::from_le_bytes(*offset),
        bytes: bytes.to_vec(),
    })
}

/// Writes a part. `None` for a kind that the protocol's byte cannot carry.
pub(super) fn payload(part: &Part) -> Option<Vec<u8>> {
    let mut payload = Vec::with_capacity(HEADER + part.bytes.len());
    payload.extend_from_slice(&part.serial.to_le_bytes());
    payload.push(u8::try_from(part.kind).ok()?);
    payload.extend_from_slice(&part.offset.to_le_bytes());
    payload.extend_from_slice(&part.bytes);
    Some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_was_written_and_never_cut_in_its_header() {
        let whole = Part {
            serial: 7,
            kind: Kind::Png.into(),
            offset: 9,
            bytes: vec![1, 2, 3],
        };
        let bytes = payload(&whole).unwrap();
        assert_eq!(part(&bytes), Ok(whole));
        for cut in 0..HEADER {
            assert!(part(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(part(&vec![0; HEADER + MAX_PART as usize + 1]).is_err());
    }
}
