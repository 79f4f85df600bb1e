//! Gateway ↔ holder: one link per viewer, for input, size and the way to the stream.

use crate::clipboard::{Offer, Part, Read};
use crate::input::{Input, InputAck};

/// From the gateway to the holder, after [`Hello`](crate::Hello) with role `Viewer`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToHolder {
    /// The message; an unknown one is ignored.
    #[prost(oneof = "to_holder::Order", tags = "1, 2, 3, 4, 5, 6, 7")]
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
        /// What else this viewer is to be told; an older holder tells nothing of it.
        #[prost(message, tag = "4")]
        Want(super::Want),
        /// The viewer has copied something; an older holder offers it to nobody.
        #[prost(message, tag = "5")]
        Copied(super::Offer),
        /// A part of what was copied in the session is asked for.
        #[prost(message, tag = "6")]
        ReadCopied(super::Read),
        /// A part of what the viewer has copied, as it was asked for.
        #[prost(message, tag = "7")]
        CopiedPart(super::Part),
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

/// What a viewer is to be told besides; without it, none of this. Each is a state: told as it is now, then
/// after a change, and never queued, so a slow viewer learns the latest only.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Want {
    /// [`CursorImage`], beside the shapes' names.
    #[prost(bool, tag = "1")]
    pub cursor_images: bool,
    /// [`TextField`].
    #[prost(bool, tag = "2")]
    pub text_fields: bool,
    /// [`Offer`]s of what is copied in the session. It is read of the apps only while somebody wants it.
    #[prost(bool, tag = "3")]
    pub copied: bool,
}

/// From the holder to the gateway.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromHolder {
    /// The message.
    #[prost(oneof = "from_holder::News", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
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
        /// The pointer's image is another one, for a viewer that wants it.
        #[prost(message, tag = "6")]
        CursorImage(super::CursorImage),
        /// The app wants text, or another or none, for a viewer that wants to know.
        #[prost(message, tag = "7")]
        TextField(super::TextField),
        /// Something was copied in the session, for a viewer that wants to know.
        #[prost(message, tag = "8")]
        Copied(super::Offer),
        /// A part of what the viewer has copied is asked for.
        #[prost(message, tag = "9")]
        ReadCopied(super::Read),
        /// A part of what was copied in the session, as it was asked for.
        #[prost(message, tag = "10")]
        CopiedPart(super::Part),
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

/// The most pixels of a [`CursorImage`], each way; a larger image is told by its name, `default`, only.
pub const MAX_CURSOR: u32 = 256;

/// The pointer's image, where the app draws one of its own.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CursorImage {
    /// Pixels; 0 when the app draws none, and then [`Cursor`] says all there is.
    #[prost(uint32, tag = "1")]
    pub width: u32,
    /// Pixels.
    #[prost(uint32, tag = "2")]
    pub height: u32,
    /// The pixel that points, from the left.
    #[prost(int32, tag = "3")]
    pub hotspot_x: i32,
    /// The pixel that points, from the top.
    #[prost(int32, tag = "4")]
    pub hotspot_y: i32,
    /// Pixels of the image for each of the output's at scale 1, in 1/120.
    #[prost(uint32, tag = "5")]
    pub scale_120: u32,
    /// Row after row, `R G B A` each, alpha not multiplied in.
    #[prost(bytes = "vec", tag = "6")]
    pub rgba: Vec<u8>,
}

/// Where the app that has the keyboard wants text.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct TextField {
    /// It does; without, nothing else is set.
    #[prost(bool, tag = "1")]
    pub wanted: bool,
    /// The caret, in session pixels from the left.
    #[prost(int32, tag = "2")]
    pub x: i32,
    /// The caret, in session pixels from the top.
    #[prost(int32, tag = "3")]
    pub y: i32,
    /// The caret's width in session pixels.
    #[prost(int32, tag = "4")]
    pub width: i32,
    /// The caret's height in session pixels.
    #[prost(int32, tag = "5")]
    pub height: i32,
    /// The text around the caret as far as the app tells it, at most 4000 bytes; never a secret one's.
    #[prost(string, tag = "6")]
    pub surrounding: String,
    /// The caret, in bytes from the begin of `surrounding`.
    #[prost(uint32, tag = "7")]
    pub caret: u32,
    /// The other end of what is selected, in bytes from the begin of `surrounding`.
    #[prost(uint32, tag = "8")]
    pub anchor: u32,
    /// Bits of `zwp_text_input_v3.content_hint`.
    #[prost(uint32, tag = "9")]
    pub hint: u32,
    /// `zwp_text_input_v3.content_purpose`.
    #[prost(uint32, tag = "10")]
    pub purpose: u32,
}
