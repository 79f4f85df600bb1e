//! What is copied in the session for its viewers, and by a viewer for the session. The same messages go both ways.
//!
//! Who has something says so by an [`Offer`], the other side asks for it part by part with [`Read`] and is answered
//! by one [`Part`] each. Nobody asks for a part before the one before has come, so a large content delays nothing by
//! more than a part. All of it is the user's: neither side writes any of it into a log or a metric.

use std::collections::BTreeSet;

/// The most bytes of all contents of an offer together.
pub const MAX_BYTES: u32 = 8 << 20;

/// The most bytes of a part: at 4 Mbit/s they take 66 ms.
pub const MAX_PART: u32 = 32 << 10;

/// The forms in which something copied is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Kind {
    /// Never valid.
    Unspecified = 0,
    /// Plain text in UTF-8.
    Text = 1,
    /// HTML in UTF-8.
    Html = 2,
    /// A picture as PNG.
    Png = 3,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Text, Self::Html, Self::Png];
}

/// Something was copied; it takes the place of what was offered before by the same side.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Offer {
    /// Names it; the side that offers uses a higher one each time.
    #[prost(uint64, tag = "1")]
    pub serial: u64,
    /// What there is of it, each kind once; empty when nothing is copied any more.
    #[prost(message, repeated, tag = "2")]
    pub contents: Vec<Content>,
    /// What there would be, had it been as it must be.
    #[prost(message, repeated, tag = "3")]
    pub left_out: Vec<LeftOut>,
}

impl Offer {
    /// Whether it keeps to the bounds: known kinds, each once and not empty, at most [`MAX_BYTES`] together.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let kinds: BTreeSet<_> = self.contents.iter().map(Content::kind).collect();
        let bytes = self.contents.iter().map(|content| content.bytes);
        let whole = bytes.clone().try_fold(0_u32, u32::checked_add);
        kinds.len() == self.contents.len()
            && !kinds.contains(&Kind::Unspecified)
            && bytes.into_iter().all(|bytes| bytes > 0)
            && whole.is_some_and(|bytes| bytes <= MAX_BYTES)
    }
}

/// One form of what was copied.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Content {
    /// Which form.
    #[prost(enumeration = "Kind", tag = "1")]
    pub kind: i32,
    /// Its length.
    #[prost(uint32, tag = "2")]
    pub bytes: u32,
}

/// A form that is not handed over.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct LeftOut {
    /// Which form.
    #[prost(enumeration = "Kind", tag = "1")]
    pub kind: i32,
    /// Why.
    #[prost(enumeration = "Why", tag = "2")]
    pub why: i32,
}

/// Why something copied is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Why {
    /// A reason of a newer peer.
    Unspecified = 0,
    /// More than [`MAX_BYTES`].
    TooLarge = 1,
    /// The app did not give all of it in time.
    TooSlow = 2,
    /// It is not what its kind says.
    Malformed = 3,
}

/// Asks for a part of what the other side offers.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Read {
    /// Of the offer.
    #[prost(uint64, tag = "1")]
    pub serial: u64,
    /// Of the content.
    #[prost(enumeration = "Kind", tag = "2")]
    pub kind: i32,
    /// Where the part is to begin.
    #[prost(uint32, tag = "3")]
    pub offset: u32,
}

/// A part of what was offered.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Part {
    /// As it was asked for.
    #[prost(uint64, tag = "1")]
    pub serial: u64,
    /// As it was asked for.
    #[prost(enumeration = "Kind", tag = "2")]
    pub kind: i32,
    /// As it was asked for.
    #[prost(uint32, tag = "3")]
    pub offset: u32,
    /// At most [`MAX_PART`] bytes; none when it is not offered any more.
    #[prost(bytes = "vec", tag = "4")]
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(contents: &[(i32, u32)]) -> Offer {
        let contents = contents.iter();
        Offer {
            serial: 1,
            contents: contents
                .map(|&(kind, bytes)| Content { kind, bytes })
                .collect(),
            left_out: Vec::new(),
        }
    }

    #[test]
    fn an_offer_has_each_kind_once_and_all_of_them_within_the_bound() {
        assert!(offer(&[]).is_sound());
        assert!(offer(&[(1, 1), (2, 1), (3, MAX_BYTES - 2)]).is_sound());
        for wrong in [
            &[(1, 1), (2, 1), (3, MAX_BYTES - 1)][..],
            &[(1, u32::MAX), (2, u32::MAX)],
            &[(1, 1), (1, 1)],
            &[(0, 1)],
            &[(4, 1)],
            &[(1, 0)],
        ] {
            assert!(!offer(wrong).is_sound(), "{wrong:?}");
        }
    }
}
