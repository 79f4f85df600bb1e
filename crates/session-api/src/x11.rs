//! Holder ↔ `greenroom-x11`, which keeps the X server of a launch inside the sandbox.
//!
//! Any process of the session can speak here: it can be wrong about its own launch only.

/// From the holder to `greenroom-x11`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToX11 {
    /// The order; an unknown one is ignored.
    #[prost(oneof = "to_x11::Order", tags = "1, 2, 3, 4")]
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
    #[prost(oneof = "from_x11::News", tags = "1")]
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
    }
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
