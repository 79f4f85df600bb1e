//! Gateway ↔ streamer: one link per viewer, for opaque stream units and their credit.

/// From the gateway to the streamer, after [`Hello`](crate::Hello) with role `Units`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToStreamer {
    /// The message; an unknown one is ignored.
    #[prost(oneof = "to_streamer::Order", tags = "1, 2")]
    pub order: Option<to_streamer::Order>,
}

/// The kinds of [`ToStreamer`].
pub mod to_streamer {
    /// What a viewer tells the streamer.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// What the player holds already; the first message, and again after it lost its state.
        #[prost(message, tag = "1")]
        Have(super::Have),
        /// The player has composed an update.
        #[prost(message, tag = "2")]
        Ack(super::Ack),
    }
}

/// What the player holds already.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Have {
    /// The width of the player's framebuffer; 0 when it has none.
    #[prost(uint32, tag = "1")]
    pub width: u32,
    /// Its height.
    #[prost(uint32, tag = "2")]
    pub height: u32,
    /// The hash of each tile of it, row after row; empty when it has none.
    #[prost(fixed64, repeated, tag = "3")]
    pub tiles: Vec<u64>,
    /// The highest version of units that the player draws; 0 from a gateway or for a player that knew
    /// only version 1, which is what a streamer that does not know this field sends to all.
    #[prost(uint32, tag = "4")]
    pub units: u32,
}

/// The player has composed an update.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ack {
    /// The number the unit itself carries.
    #[prost(uint64, tag = "1")]
    pub update: u64,
}

/// From the streamer to the gateway.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromStreamer {
    /// The message.
    #[prost(oneof = "from_streamer::News", tags = "1, 2")]
    pub news: Option<from_streamer::News>,
}

/// The kinds of [`FromStreamer`].
pub mod from_streamer {
    /// What the streamer tells the gateway.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// The first message.
        #[prost(message, tag = "1")]
        Welcome(crate::Welcome),
        /// A unit for the player.
        #[prost(message, tag = "2")]
        Unit(super::Unit),
    }
}

/// A stream unit: opaque to the gateway but for its class.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Unit {
    /// What a viewer needs the right to.
    #[prost(enumeration = "Class", tag = "1")]
    pub class: i32,
    /// For the player, which finds version and number in it.
    #[prost(bytes = "vec", tag = "2")]
    pub bytes: Vec<u8>,
}

/// Classes of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Class {
    /// Never valid.
    Unspecified = 0,
    /// The picture.
    Display = 1,
    /// Sound.
    Audio = 2,
    /// The pointer's shape.
    Cursor = 3,
    /// The clipboard.
    Clipboard = 4,
    /// Files.
    File = 5,
}
