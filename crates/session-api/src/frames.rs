//! Holder ↔ streamer: pixels in a sealed shared-memory ring, and which of them changed.
//!
//! Pixels are 4 bytes each, `B G R X` in memory (`XRGB8888` little-endian), rows of `stride` bytes, slot
//! after slot. Every slot holds a whole frame. The holder writes a slot only while the streamer does not
//! have it; the streamer has it from [`Frame`] to [`Release`].

/// From the holder to the streamer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToStreamer {
    /// The message; an unknown one is ignored.
    #[prost(oneof = "to_streamer::Order", tags = "1, 2, 3")]
    pub order: Option<to_streamer::Order>,
}

/// The kinds of [`ToStreamer`].
pub mod to_streamer {
    /// What the holder tells the streamer.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// Whom this streamer works for; the first message.
        #[prost(message, tag = "1")]
        Start(super::Start),
        /// A new ring; its memory's descriptor travels with the first byte of this message.
        #[prost(message, tag = "2")]
        Ring(super::Ring),
        /// A frame.
        #[prost(message, tag = "3")]
        Frame(super::Frame),
    }
}

/// Whom a streamer works for.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Start {
    /// The persistent session.
    #[prost(string, tag = "1")]
    pub persistent_id: String,
    /// What a gateway must present in its [`Hello`](crate::Hello).
    #[prost(bytes = "vec", tag = "2")]
    pub key: Vec<u8>,
}

/// A ring of frames. Slots of the ring before it are released by it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ring {
    /// Pixels.
    #[prost(uint32, tag = "1")]
    pub width: u32,
    /// Pixels.
    #[prost(uint32, tag = "2")]
    pub height: u32,
    /// Bytes from one row to the next, at least `4 * width`.
    #[prost(uint32, tag = "3")]
    pub stride: u32,
    /// Frames in the ring; the memory is `slots * height * stride` bytes.
    #[prost(uint32, tag = "4")]
    pub slots: u32,
}

/// A frame in a slot.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Frame {
    /// The slot, from 0.
    #[prost(uint32, tag = "1")]
    pub slot: u32,
    /// Counts the frames of the holder, from 1.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// What differs from the frame sent before this one on this ring; the first covers all of it.
    #[prost(message, repeated, tag = "3")]
    pub damage: Vec<Rect>,
    /// When the holder began to compose it, in microseconds of CLOCK_MONOTONIC.
    #[prost(uint64, tag = "4")]
    pub composed_at_us: u64,
    /// The latest input given to the apps before it was composed.
    #[prost(message, repeated, tag = "5")]
    pub had_input: Vec<crate::input::InputAck>,
}

/// A rectangle of pixels inside the frame.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Rect {
    /// From the left.
    #[prost(uint32, tag = "1")]
    pub x: u32,
    /// From the top.
    #[prost(uint32, tag = "2")]
    pub y: u32,
    /// At least 1.
    #[prost(uint32, tag = "3")]
    pub width: u32,
    /// At least 1.
    #[prost(uint32, tag = "4")]
    pub height: u32,
}

/// From the streamer to the holder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromStreamer {
    /// The message.
    #[prost(oneof = "from_streamer::News", tags = "1, 2")]
    pub news: Option<from_streamer::News>,
}

/// The kinds of [`FromStreamer`].
pub mod from_streamer {
    /// What the streamer tells the holder.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// A slot may be written again.
        #[prost(message, tag = "1")]
        Release(super::Release),
        /// How many viewers want frames; with none, nothing is composed.
        #[prost(message, tag = "2")]
        Viewers(super::Viewers),
    }
}

/// A slot may be written again.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Release {
    /// The slot.
    #[prost(uint32, tag = "1")]
    pub slot: u32,
}

/// How many viewers want frames.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Viewers {
    /// Connected now.
    #[prost(uint32, tag = "1")]
    pub count: u32,
}
