//! Holder ↔ `greenroom-x11`, which keeps the X server of a launch inside the sandbox.
//!
//! Any process of the session can speak here: it can be wrong about its own launch only.
//!
//! The clipboard is carried between the X server and the other apps by pipes, whose ends travel as descriptors. What is
//! in them is the user's and is in no message.

/// From the holder to `greenroom-x11`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToX11 {
    /// The order; an unknown one is ignored.
    #[prost(oneof = "to_x11::Order", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub order: Option<to_x11::Order>,
}

/// The kinds of [`ToX11`].
pub mod to_x11 {
    /// An order to `greenroom-x11`.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// Start the X server; sent once, first.
        #[prost(message, tag = "1")]
        Begin(super::Begin),
        /// The output's scale, at the beginning and whenever it is another.
        #[prost(message, tag = "2")]
        Scale(super::Scale),
        /// Ask every window to close.
        #[prost(message, tag = "3")]
        Close(super::Close),
        /// Draw a frame, changed or not.
        #[prost(message, tag = "4")]
        Repaint(super::Repaint),
        /// Somebody else has copied something; sent while the X server has the keyboard.
        #[prost(message, tag = "5")]
        Offered(super::Offered),
        /// What an X app has copied is wanted; where to write it travels with this message, as a descriptor.
        #[prost(message, tag = "6")]
        Write(super::Write),
        /// Answers a [`Receive`](super::Receive); where to read it travels with this message, as a descriptor.
        #[prost(message, tag = "7")]
        Source(super::Source),
    }
}

/// Start the X server. Its connection to the compositor travels with this message, as a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Begin {}

/// The output's scale.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Scale {
    /// In 1/120; the X server's pixels are the output's, and apps are told how many make an inch.
    #[prost(uint32, tag = "1")]
    pub scale_120: u32,
}

/// Ask every window to close.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Close {}

/// Draw a frame, changed or not: an X server may keep to the size of an output that has another by now.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Repaint {}

/// From `greenroom-x11` to the holder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromX11 {
    /// The news; unknown ones are ignored.
    #[prost(oneof = "from_x11::News", tags = "1, 2, 3")]
    pub news: Option<from_x11::News>,
}

/// The kinds of [`FromX11`].
pub mod from_x11 {
    /// News from `greenroom-x11`.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// What apps show, whenever it is something else.
        #[prost(message, tag = "1")]
        Shown(super::Shown),
        /// An X app has copied something.
        #[prost(message, tag = "2")]
        Copied(super::Offered),
        /// An X app pastes.
        #[prost(message, tag = "3")]
        Receive(super::Receive),
    }
}

/// The most types that are told of something copied, and the longest name of one; others are left out.
pub const MAX_TYPES: usize = 64;
/// See [`MAX_TYPES`].
pub const MAX_TYPE: usize = 128;

/// As which types something copied can be had, at most [`MAX_TYPES`]; none when there is nothing any more.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Offered {
    /// The names of the types, as apps have them.
    #[prost(string, repeated, tag = "1")]
    pub types: Vec<String>,
}

impl Offered {
    /// What is told of these types.
    #[must_use]
    pub fn bounded(types: impl IntoIterator<Item = String>) -> Self {
        let fits = |name: &String| (1..=MAX_TYPE).contains(&name.len());
        let types = types.into_iter().filter(fits).take(MAX_TYPES);
        Self {
            types: types.collect(),
        }
    }
}

/// What an X app has copied is wanted.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Write {
    /// As which type; one of those that were told.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// An X app pastes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Receive {
    /// Chosen by the X server's side; the answer repeats it.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// As which type; one of those that were told.
    #[prost(string, tag = "2")]
    pub name: String,
}

/// Where an X app's paste is to be read; it is empty when there is nothing to paste.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Source {
    /// As it was asked with.
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// What apps show by the X server. Its own window is not to be seen while that is nothing.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Shown {
    /// Windows that are open and have been drawn in.
    #[prost(uint32, tag = "1")]
    pub windows: u32,
    /// What the window that has the keyboard calls itself.
    #[prost(string, tag = "2")]
    pub title: String,
    /// The class of its app.
    #[prost(string, tag = "3")]
    pub class: String,
}
