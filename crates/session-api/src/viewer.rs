//! Gateway ↔ holder: one link per viewer, for input, size and the way to the stream.

use crate::input::{Input, InputAck};

/// From the gateway to the holder, after [`Hello`](crate::Hello) with role `Viewer`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToHolder {
    /// The message; an unknown one is ignored.
    #[prost(oneof = "to_holder::Order", tags = "1, 2, 3")]
    pub order: Option<to_holder::Order>,
}

/// The kinds of [`ToHolder`].
pub mod to_holder {
    /// What a viewer asks of the holder.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// Input of a viewer that may give it.
        #[prost(message, tag = "1")]
        Input(super::Input),
        /// The size of a viewer that may decide it.
        #[prost(message, tag = "2")]
        Resize(super::Resize),
        /// Have a streamer running and say where it listens.
        #[prost(message, tag = "3")]
        OpenStream(super::OpenStream),
    }
}

/// The size the session's output is to have; the holder bounds it to 64..=8192 each way.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Resize {
    /// Device pixels.
    #[prost(uint32, tag = "1")]
    pub width: u32,
    /// Device pixels.
    #[prost(uint32, tag = "2")]
    pub height: u32,
    /// The viewer's device pixel ratio in 1/120, as Wayland's fractional scale counts it; 0 means 120.
    #[prost(uint32, tag = "3")]
    pub scale_120: u32,
}

/// Have a streamer running.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct OpenStream {}

/// From the holder to the gateway.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromHolder {
    /// The message.
    #[prost(oneof = "from_holder::News", tags = "1, 2, 3, 4, 5")]
    pub news: Option<from_holder::News>,
}

/// The kinds of [`FromHolder`].
pub mod from_holder {
    /// What the holder tells a viewer.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// The first message.
        #[prost(message, tag = "1")]
        Welcome(crate::Welcome),
        /// Input was had.
        #[prost(message, tag = "2")]
        InputAck(super::InputAck),
        /// The streamer listens.
        #[prost(message, tag = "3")]
        StreamAt(super::StreamAt),
        /// The holder is about to go; no stream follows.
        #[prost(message, tag = "4")]
        Ending(super::Ending),
        /// The pointer's shape is another one.
        #[prost(message, tag = "5")]
        Cursor(super::Cursor),
    }
}

/// Where the streamer listens; the key is the holder's own.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamAt {
    /// The socket's file name, beside the holder's own socket.
    #[prost(string, tag = "1")]
    pub socket: String,
}

/// The session ends.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ending {
    /// Why, for a person to read.
    #[prost(string, tag = "1")]
    pub reason: String,
}

/// The pointer's shape; sent at first and after each change. The player draws the pointer itself.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Cursor {
    /// As CSS names it; `none` when the app hides it, `default` when the app draws an image of its own.
    #[prost(string, tag = "1")]
    pub name: String,
}
