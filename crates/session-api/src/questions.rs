//! Server ↔ holder: what an administrator asks of a session that runs, and what the holder answers.
//!
//! Titles and typed text are the user's: neither side writes them into a log or a metric.

/// The first [`PROTOCOL`](crate::PROTOCOL) whose holders answer.
pub const ANSWERED_SINCE: u32 = 2;

/// The longest text of a [`Type`], in characters: few enough for an app's socket to take all its keys at once.
pub const MAX_TEXT: usize = 256;

/// The most windows that are told of.
pub const MAX_WINDOWS: usize = 1000;

/// The longest title and app id that are told, in characters; the rest is cut off.
pub const MAX_TITLE: usize = 256;

/// A question.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Ask {
    /// Chosen by the server; the answer repeats it.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// What is asked; an unknown one is answered by [`Unknown`].
    #[prost(oneof = "ask::Question", tags = "2, 3, 4, 5")]
    pub question: Option<ask::Question>,
}

/// The kinds of [`Ask`].
pub mod ask {
    /// What is asked.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Question {
        /// What is to be seen: answered by a [`Picture`](super::Picture).
        #[prost(message, tag = "2")]
        Look(super::Look),
        /// Which windows there are: answered by [`Windows`](super::Windows).
        #[prost(message, tag = "3")]
        ListWindows(super::ListWindows),
        /// Type into the window that has the focus: answered by [`Done`](super::Done) once the app was given it.
        #[prost(message, tag = "4")]
        Type(super::Type),
        /// Put a window above the others: answered by [`Done`](super::Done).
        #[prost(message, tag = "5")]
        Raise(super::Raise),
    }
}

/// Compose a frame now, whether anybody watches or not.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Look {}

/// Tell every window.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ListWindows {}

/// Type into the window that has the focus.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Type {
    /// At most [`MAX_TEXT`] characters. A line feed is Enter and a tab is Tab; other control characters are
    /// refused.
    #[prost(string, tag = "1")]
    pub text: String,
}

/// Whether a [`Type`] may have this text.
#[must_use]
pub fn is_typable(text: &str) -> bool {
    let is_command = |typed: char| typed.is_control() && !matches!(typed, '\n' | '\t');
    text.chars().count() <= MAX_TEXT && !text.contains(is_command)
}

/// Put a window above the others and give it the focus.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Raise {
    /// As [`Window::id`] told it.
    #[prost(uint64, tag = "1")]
    pub window: u64,
}

/// An answer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Answer {
    /// The question's.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// What is answered.
    #[prost(oneof = "answer::Said", tags = "2, 3, 4, 5, 6, 7")]
    pub said: Option<answer::Said>,
}

/// The kinds of [`Answer`].
pub mod answer {
    /// What is answered.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Said {
        /// A frame.
        #[prost(message, tag = "2")]
        Picture(super::Picture),
        /// The windows.
        #[prost(message, tag = "3")]
        Windows(super::Windows),
        /// It is done.
        #[prost(message, tag = "4")]
        Done(super::Done),
        /// There is no such window, or none that has the focus.
        #[prost(message, tag = "5")]
        NoWindow(super::NoWindow),
        /// It cannot be done.
        #[prost(message, tag = "6")]
        Failed(super::Failed),
        /// The holder is older than the question.
        #[prost(message, tag = "7")]
        Unknown(super::Unknown),
    }
}

/// A frame in shared memory, whose descriptor travels with the first byte of this message. It is sealed: it
/// neither shrinks nor grows.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Picture {
    /// How the memory is laid out, and the pixels, as of the frames that a streamer gets.
    #[prost(message, optional, tag = "1")]
    pub ring: Option<crate::frames::Ring>,
    /// Which slot of it has the frame.
    #[prost(uint32, tag = "2")]
    pub slot: u32,
}

/// The windows, the highest first; at most [`MAX_WINDOWS`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Windows {
    /// Each of them.
    #[prost(message, repeated, tag = "1")]
    pub windows: Vec<Window>,
}

/// A window that has something to show.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Window {
    /// Names it as long as it is open; never used again by this holder.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// As the app names itself, at most [`MAX_TITLE`] characters.
    #[prost(string, tag = "2")]
    pub app_id: String,
    /// Its title, at most [`MAX_TITLE`] characters.
    #[prost(string, tag = "3")]
    pub title: String,
    /// The width of its content in the session's logical pixels.
    #[prost(uint32, tag = "4")]
    pub width: u32,
    /// The height.
    #[prost(uint32, tag = "5")]
    pub height: u32,
    /// It has the focus.
    #[prost(bool, tag = "6")]
    pub active: bool,
    /// The launch it belongs to, as the [`Report`](crate::control::Report) counts them.
    #[prost(uint64, tag = "7")]
    pub launch: u64,
}

/// It is done.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Done {}

/// There is no such window, or none that has the focus.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct NoWindow {}

/// It cannot be done.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Failed {
    /// Why, for an administrator; never text of a user.
    #[prost(string, tag = "1")]
    pub reason: String,
}

/// The holder is older than the question.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Unknown {}
