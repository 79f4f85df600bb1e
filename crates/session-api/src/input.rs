//! What a person does: keys, pointer, wheel, touch and composed text, in the browser's terms.

/// Events of one input stream, in order.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Input {
    /// Drawn once by each player that is opened; survives its reconnects.
    #[prost(fixed64, tag = "1")]
    pub stream: u64,
    /// The events; an event whose `seq` the session has already had is dropped.
    #[prost(message, repeated, tag = "2")]
    pub events: Vec<Event>,
}

/// One event.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Event {
    /// Counts the events of the stream, from 1.
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    /// When it happened, in milliseconds of the player's own clock.
    #[prost(double, tag = "2")]
    pub at_ms: f64,
    /// What happened; an unknown kind is acknowledged and ignored.
    #[prost(oneof = "event::Kind", tags = "3, 4, 5, 6, 7, 8, 9")]
    pub kind: Option<event::Kind>,
}

/// The kinds of [`Event`].
pub mod event {
    /// What happened.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// A key went down or up.
        #[prost(message, tag = "3")]
        Key(super::Key),
        /// The pointer moved.
        #[prost(message, tag = "4")]
        Motion(super::Motion),
        /// A pointer button went down or up.
        #[prost(message, tag = "5")]
        Button(super::Button),
        /// The wheel turned.
        #[prost(message, tag = "6")]
        Wheel(super::Wheel),
        /// The player lost the focus: let go of every key and button.
        #[prost(message, tag = "7")]
        Release(super::Release),
        /// A finger touched the screen, moved or left it. An older holder ignores it.
        #[prost(message, tag = "8")]
        Touch(super::Touch),
        /// Text that an input method composed. An older holder ignores it.
        #[prost(message, tag = "9")]
        Text(super::Text),
    }
}

/// A key, as `KeyboardEvent` names it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Key {
    /// `KeyboardEvent.code`: the physical key, for instance `KeyA`.
    #[prost(string, tag = "1")]
    pub code: String,
    /// `KeyboardEvent.key`: what it produced, for instance `a`, `A`, `é`, `Enter`.
    #[prost(string, tag = "2")]
    pub key: String,
    /// `KeyboardEvent.location`: 0 standard, 1 left, 2 right, 3 numeric pad.
    #[prost(uint32, tag = "3")]
    pub location: u32,
    /// Bits: 1 shift, 2 control, 4 alt, 8 meta, 16 AltGraph, 32 caps lock, 64 num lock.
    #[prost(uint32, tag = "4")]
    pub modifiers: u32,
    /// Down, else up.
    #[prost(bool, tag = "5")]
    pub down: bool,
}

/// The pointer moved.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Motion {
    /// Session pixels from the left.
    #[prost(double, tag = "1")]
    pub x: f64,
    /// Session pixels from the top.
    #[prost(double, tag = "2")]
    pub y: f64,
}

/// A pointer button.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Button {
    /// `MouseEvent.button`: 0 main, 1 middle, 2 secondary, 3 back, 4 forward.
    #[prost(uint32, tag = "1")]
    pub button: u32,
    /// Down, else up.
    #[prost(bool, tag = "2")]
    pub down: bool,
}

/// The wheel turned.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Wheel {
    /// Pixels to the right.
    #[prost(double, tag = "1")]
    pub dx: f64,
    /// Pixels down.
    #[prost(double, tag = "2")]
    pub dy: f64,
}

/// A finger on the screen.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Touch {
    /// Which finger, for as long as it is down; at most 16 are followed.
    #[prost(uint32, tag = "1")]
    pub id: u32,
    /// What it did.
    #[prost(enumeration = "TouchPhase", tag = "2")]
    pub phase: i32,
    /// Session pixels from the left, when it touched or moved.
    #[prost(double, tag = "3")]
    pub x: f64,
    /// Session pixels from the top, when it touched or moved.
    #[prost(double, tag = "4")]
    pub y: f64,
}

/// What a finger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum TouchPhase {
    /// Never valid; ignored.
    Unspecified = 0,
    /// It touched the screen.
    Down = 1,
    /// It moved.
    Motion = 2,
    /// It left the screen.
    Up = 3,
    /// The touches of all fingers were something else, a gesture of the player's own for instance.
    Cancel = 4,
}

/// The longest text of a [`Text`], in bytes; a longer one is ignored.
pub const MAX_TEXT: usize = 4000;

/// Text that an input method composed. Where the app takes none, the committed text is typed with keys and the
/// rest is ignored.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Text {
    /// To be inserted at the caret.
    #[prost(string, tag = "1")]
    pub commit: String,
    /// Shown at the caret until the next `Text`, whose own takes its place.
    #[prost(string, tag = "2")]
    pub preedit: String,
    /// Where the caret is within `preedit`, in bytes from its begin.
    #[prost(uint32, tag = "3")]
    pub preedit_caret: u32,
    /// Bytes to be deleted before the caret first.
    #[prost(uint32, tag = "4")]
    pub delete_before: u32,
    /// Bytes to be deleted after the caret first.
    #[prost(uint32, tag = "5")]
    pub delete_after: u32,
}

/// Let go of every key, button and finger.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Release {}

/// Up to where the session has had a stream.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct InputAck {
    /// The stream.
    #[prost(fixed64, tag = "1")]
    pub stream: u64,
    /// Every event up to and including this one was had.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
}
