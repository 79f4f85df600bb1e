//! What is copied: in the session, for its viewers, and by a viewer, for the apps. Without a socket or a clock.

use greenroom_session_api::clipboard::{
    Content, Kind, LeftOut, MAX_BYTES, MAX_PART, Offer, Part, Read, Why,
};
use std::collections::BTreeMap;

/// What every PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The names apps have for a kind, the best first.
#[must_use]
pub fn types_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Unspecified => &[],
        Kind::Text => &[
            "text/plain;charset=utf-8",
            "UTF8_STRING",
            "text/plain",
            "TEXT",
            "STRING",
        ],
        Kind::Html => &["text/html"],
        Kind::Png => &["image/png"],
    }
}

/// The name by which an app is to be asked for a kind, if it has any.
#[must_use]
pub fn best_type(kind: Kind, offered: &[String]) -> Option<&'static str> {
    let known = |name: &&&str| offered.iter().any(|offered| offered == **name);
    types_of(kind).iter().find(known).copied()
}

/// What was copied in the session, as far as viewers are given it.
#[derive(Debug, Default)]
pub struct Copied {
    serial: u64,
    contents: BTreeMap<Kind, Vec<u8>>,
    left_out: Vec<LeftOut>,
}

impl Copied {
    /// Nothing yet of what was copied under this number.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self {
            serial,
            ..Self::default()
        }
    }

    /// Adds all that an app gave as `kind`. An app that says it has some and then gives nothing is believed the latter.
    pub fn add(&mut self, kind: Kind, bytes: Vec<u8>) {
        let sound = match kind {
            Kind::Text | Kind::Html => std::str::from_utf8(&bytes).is_ok(),
            Kind::Png => bytes.starts_with(PNG),
            Kind::Unspecified => false,
        };
        if bytes.is_empty() {
            return;
        }
        if bytes.len() > self.room() {
            self.leave_out(kind, Why::TooLarge);
        } else if sound {
            self.contents.insert(kind, bytes);
        } else {
            self.leave_out(kind, Why::Malformed);
        }
    }

    /// Notes that a kind is not to be had.
    pub fn leave_out(&mut self, kind: Kind, why: Why) {
        self.left_out.push(LeftOut {
            kind: kind.into(),
            why: why.into(),
        });
    }

    /// How many bytes there may still be.
    #[must_use]
    pub fn room(&self) -> usize {
        let had: usize = self.contents.values().map(Vec::len).sum();
        (MAX_BYTES as usize).saturating_sub(had)
    }

    /// What viewers are told of it.
    #[must_use]
    pub fn offer(&self) -> Offer {
        let contents = self.contents.iter().map(|(kind, bytes)| Content {
            kind: (*kind).into(),
            // All of them together are within the bound.
            bytes: u32::try_from(bytes.len()).unwrap_or(MAX_BYTES),
        });
        Offer {
            serial: self.serial,
            contents: contents.collect(),
            left_out: self.left_out.clone(),
        }
    }

    /// The part that is asked for; an empty one when there is no such.
    #[must_use]
    pub fn part(&self, read: &Read) -> Part {
        let content = self.contents.get(&read.kind());
        let content = content.filter(|_| read.serial == self.serial);
        let rest = content.and_then(|bytes| bytes.get(read.offset as usize..));
        let rest = rest.unwrap_or_default();
        Part {
            serial: read.serial,
            kind: read.kind,
            offset: read.offset,
            bytes: rest[..rest.len().min(MAX_PART as usize)].to_vec(),
        }
    }
}

/// What a viewer has copied, as far as apps have asked for it.
#[derive(Debug)]
pub struct Pasted {
    serial: u64,
    contents: BTreeMap<Kind, Incoming>,
    /// The kind of which a part is awaited.
    asked: Option<Kind>,
}

#[derive(Debug)]
struct Incoming {
    whole: usize,
    had: Vec<u8>,
}

impl Pasted {
    /// What an offer names; none for one out of bounds.
    #[must_use]
    pub fn new(offer: &Offer) -> Option<Self> {
        let incoming = |content: &Content| {
            let incoming = Incoming {
                whole: content.bytes as usize,
                had: Vec::new(),
            };
            (content.kind(), incoming)
        };
        offer.is_sound().then(|| Self {
            serial: offer.serial,
            contents: offer.contents.iter().map(incoming).collect(),
            asked: None,
        })
    }

    /// The names under which apps are offered it.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        let names = self.contents.keys().flat_map(|kind| types_of(*kind));
        names.map(|name| (*name).to_owned()).collect()
    }

    /// Which of the kinds an app means by a name.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        let mut kinds = self.contents.keys();
        kinds.find(|kind| types_of(**kind).contains(&name)).copied()
    }

    /// What came of a kind; none when no more of it will.
    #[must_use]
    pub fn had(&self, kind: Kind) -> Option<&[u8]> {
        self.contents.get(&kind).map(|content| &content.had[..])
    }

    /// Whether all of a kind has come.
    #[must_use]
    pub fn is_whole(&self, kind: Kind) -> bool {
        let content = self.contents.get(&kind);
        content.is_some_and(|content| content.had.len() == content.whole)
    }

    /// What to ask the viewer for next to have all of a kind: nothing while a part is awaited already.
    pub fn ask(&mut self, kind: Kind) -> Option<Read> {
        let content = self.contents.get(&kind)?;
        if self.asked.is_some() || content.had.len() == content.whole {
            return None;
        }
        self.asked = Some(kind);
        Some(Read {
            serial: self.serial,
            kind: kind.into(),
            // Offers are within a bound that fits.
            offset: u32::try_from(content.had.len()).ok()?,
        })
    }

    /// Takes a part that was asked for, and ignores others. One that is none is the last of its kind.
    pub fn take(&mut self, part: &Part) {
        let kind = part.kind();
        let Some(content) = self.contents.get_mut(&kind) else {
            return;
        };
        let expected = self.asked == Some(kind)
            && part.serial == self.serial
            && part.offset as usize == content.had.len();
        if !expected {
            return;
        }
        self.asked = None;
        let fits = 1..=(content.whole - content.had.len()).min(MAX_PART as usize);
        if fits.contains(&part.bytes.len()) {
            content.had.extend_from_slice(&part.bytes);
        } else {
            self.contents.remove(&kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn part(read: &Read, bytes: &[u8]) -> Part {
        Part {
            serial: read.serial,
            kind: read.kind,
            offset: read.offset,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn text_is_asked_for_by_the_name_that_says_its_encoding() {
        let offered = names(&["STRING", "text/plain;charset=utf-8", "image/bmp"]);
        assert_eq!(
            best_type(Kind::Text, &offered),
            Some("text/plain;charset=utf-8")
        );
        assert_eq!(best_type(Kind::Png, &offered), None);
    }

    #[test]
    fn what_is_not_as_it_says_or_too_large_is_left_out_and_the_rest_stays() {
        let mut copied = Copied::new(3);
        copied.add(Kind::Html, b"\xff".to_vec());
        copied.add(Kind::Png, b"GIF89a".to_vec());
        copied.add(Kind::Text, "né".into());
        let mut large = PNG.to_vec();
        large.resize(MAX_BYTES as usize - 2, 0);
        copied.add(Kind::Png, large);
        let offer = copied.offer();
        assert!(offer.is_sound());
        assert_eq!(offer.contents.len(), 1);
        let whys: Vec<_> = offer.left_out.iter().map(LeftOut::why).collect();
        assert_eq!(whys, [Why::Malformed, Why::Malformed, Why::TooLarge]);
    }

    #[test]
    fn parts_make_up_the_whole_and_there_is_none_beyond_it() {
        let mut copied = Copied::new(3);
        copied.add(Kind::Text, vec![b'x'; MAX_PART as usize + 5]);
        let mut pasted = Pasted::new(&copied.offer()).unwrap();
        while let Some(read) = pasted.ask(Kind::Text) {
            pasted.take(&copied.part(&read));
        }
        assert!(pasted.is_whole(Kind::Text));
        assert_eq!(pasted.had(Kind::Text).unwrap().len(), MAX_PART as usize + 5);
        let beyond = |serial, kind: Kind, offset| {
            let kind = kind.into();
            copied.part(&Read {
                serial,
                kind,
                offset,
            })
        };
        for (serial, kind, offset) in [
            (2, Kind::Text, 0),
            (3, Kind::Html, 0),
            (3, Kind::Text, u32::MAX),
        ] {
            assert!(beyond(serial, kind, offset).bytes.is_empty());
        }
    }

    #[test]
    fn a_part_nobody_asked_for_changes_nothing_and_a_wrong_one_ends_its_kind() {
        let mut copied = Copied::new(3);
        copied.add(Kind::Text, b"text".to_vec());
        copied.add(Kind::Html, b"<b>".to_vec());
        let mut pasted = Pasted::new(&copied.offer()).unwrap();
        let unasked = Read {
            serial: 3,
            kind: Kind::Text.into(),
            offset: 0,
        };
        pasted.take(&part(&unasked, b"te"));
        assert_eq!(pasted.had(Kind::Text), Some(&b""[..]));

        let read = pasted.ask(Kind::Text).unwrap();
        assert_eq!(pasted.ask(Kind::Html), None, "one part at a time");
        pasted.take(&part(&Read { serial: 2, ..read }, b"te"));
        pasted.take(&part(&Read { offset: 1, ..read }, b"te"));
        pasted.take(&part(&read, b"te"));
        assert_eq!(pasted.had(Kind::Text), Some(&b"te"[..]));

        let read = pasted.ask(Kind::Text).unwrap();
        pasted.take(&part(&read, b"more than there is"));
        assert_eq!(pasted.had(Kind::Text), None);
        let read = pasted.ask(Kind::Html).unwrap();
        pasted.take(&part(&read, b""));
        assert_eq!(pasted.had(Kind::Html), None);
    }

    #[test]
    fn apps_are_offered_every_name_of_what_a_viewer_has() {
        let mut copied = Copied::new(1);
        copied.add(Kind::Text, b"text".to_vec());
        let pasted = Pasted::new(&copied.offer()).unwrap();
        assert_eq!(pasted.types(), names(types_of(Kind::Text)));
        assert_eq!(pasted.kind_of("UTF8_STRING"), Some(Kind::Text));
        assert_eq!(pasted.kind_of("image/png"), None);
    }
}
