//! Versioned messages between gateway, holder, streamer and init.
//!
//! Every link is a byte stream of frames: a little-endian `u32` length, then that many bytes of one
//! protobuf message. Fields are only ever added: an older peer skips what it does not know and a newer
//! one finds defaults where an older one was silent, which is how a server drives holders years older.
//!
//! | link | who connects | messages |
//! |---|---|---|
//! | control | server → holder's socket | [`control::ToHolder`], [`control::FromHolder`] |
//! | viewer | gateway → holder's socket | [`viewer::ToHolder`], [`viewer::FromHolder`] |
//! | frames | holder ↔ streamer, an inherited socket pair | [`frames::ToStreamer`], [`frames::FromStreamer`] |
//! | units | gateway → streamer's socket | [`units::ToStreamer`], [`units::FromStreamer`] |
//! | init | holder ↔ init, an inherited socket pair | [`init::ToInit`], [`init::FromInit`] |
//! | x11 | `greenroom-x11` → a socket of its launch's | [`x11::ToX11`], [`x11::FromX11`] |
//!
//! [`Spec`] is what the server's runtime writes before it spawns a holder.

pub mod clipboard;
pub mod control;
pub mod files;
pub mod frame;
pub mod frames;
pub mod image;
pub mod init;
pub mod input;
pub mod questions;
pub mod spec;
pub mod units;
pub mod viewer;
pub mod x11;

pub use frame::{FrameBuffer, FrameError, encode};
pub use prost::Message;
pub use spec::Spec;

/// The version this build speaks. It is raised when a peer must know whether it is understood, not when a
/// field is added: 2 since holders answer [`questions`].
pub const PROTOCOL: u32 = 2;

/// The first message on the holder's socket, from the server and from the gateway alike, and on the
/// streamer's.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Hello {
    /// The speaker's [`PROTOCOL`].
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    /// The key minted when the holder was spawned, 32 bytes. A wrong one ends the connection.
    #[prost(bytes = "vec", tag = "2")]
    pub key: Vec<u8>,
    /// Which link this is to be.
    #[prost(enumeration = "Role", tag = "3")]
    pub role: i32,
}

/// What a connection to the holder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Role {
    /// Never valid: an old or broken peer.
    Unspecified = 0,
    /// Launch, stop, watch: the server's runtime.
    Control = 1,
    /// Input and size of a viewer: the gateway.
    Viewer = 2,
    /// Stream units of a viewer: the gateway, at the streamer's socket.
    Units = 3,
}

/// The holder's (or streamer's) answer to a right [`Hello`]; a wrong one is answered by closing.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Welcome {
    /// The answerer's [`PROTOCOL`]; both sides go on with the smaller of the two.
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    /// The persistent session it holds.
    #[prost(string, tag = "2")]
    pub persistent_id: String,
    /// The kernel's boot id, which tells a restarted machine from a restarted server.
    #[prost(string, tag = "3")]
    pub boot_id: String,
    /// The answerer's process id in the machine's own namespace.
    #[prost(uint32, tag = "4")]
    pub pid: u32,
    /// The answerer's build, as `greenroom --version` prints it.
    #[prost(string, tag = "5")]
    pub build: String,
}
