//! Server ↔ holder: what is to run, and what was seen of it.

/// From the server's runtime to the holder, after [`Hello`](crate::Hello) with role `Control`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToHolder {
    /// The order; an unknown one is ignored.
    #[prost(oneof = "to_holder::Order", tags = "1, 2, 3, 4")]
    pub order: Option<to_holder::Order>,
}

/// The kinds of [`ToHolder`].
pub mod to_holder {
    /// An order to the holder.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// Run an app; one of the same `app_id` that runs already is left alone and raised.
        #[prost(message, tag = "1")]
        Launch(super::Launch),
        /// End every app, then the holder itself.
        #[prost(message, tag = "2")]
        Stop(super::Stop),
        /// Show the apps these files from now on. A holder that does not know the order goes on showing
        /// those it was started with.
        #[prost(message, tag = "3")]
        Show(super::Show),
        /// Answer a question; not sent to a holder of [`PROTOCOL`](crate::PROTOCOL) 1, which would ignore it.
        #[prost(message, tag = "4")]
        Ask(crate::questions::Ask),
    }
}

/// An app to run inside the sandbox.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Launch {
    /// The app of the image, `ca-…`.
    #[prost(string, tag = "1")]
    pub app_id: String,
    /// Program and arguments, at least one element.
    #[prost(string, repeated, tag = "2")]
    pub argv: Vec<String>,
    /// Added to the sandbox's own environment, `NAME=value` each.
    #[prost(string, repeated, tag = "3")]
    pub env: Vec<String>,
}

/// All the files of [`Spec::files`](crate::Spec::files), anew. Places that had none at the start stay empty.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Show {
    /// In place of those there were.
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<crate::files::File>,
}

/// End every app: asked to close, then SIGTERM, then SIGKILL.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Stop {
    /// From the request to the SIGKILL, in milliseconds.
    #[prost(uint32, tag = "1")]
    pub grace_ms: u32,
}

/// From the holder to the server's runtime: a [`Welcome`](crate::Welcome), then a [`Report`] at once and
/// after each change, and every second as a heartbeat.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromHolder {
    /// The news.
    #[prost(oneof = "from_holder::News", tags = "1, 2, 3")]
    pub news: Option<from_holder::News>,
}

/// The kinds of [`FromHolder`].
pub mod from_holder {
    /// News from the holder.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// The first message.
        #[prost(message, tag = "1")]
        Welcome(crate::Welcome),
        /// What the holder sees now.
        #[prost(message, tag = "2")]
        Report(super::Report),
        /// What was asked; only to the link that asked.
        #[prost(message, tag = "3")]
        Answer(crate::questions::Answer),
    }
}

/// What a holder sees of its session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Report {
    /// Every app launched since the holder began, the latest launch of each.
    #[prost(message, repeated, tag = "1")]
    pub apps: Vec<AppReport>,
    /// The output's width in pixels.
    #[prost(uint32, tag = "2")]
    pub width: u32,
    /// The output's height in pixels.
    #[prost(uint32, tag = "3")]
    pub height: u32,
    /// Viewer links connected now.
    #[prost(uint32, tag = "4")]
    pub viewers: u32,
    /// Frames composed since the holder began.
    #[prost(uint64, tag = "5")]
    pub frames: u64,
    /// Pixels of damage in them.
    #[prost(uint64, tag = "6")]
    pub damaged_pixels: u64,
    /// A stop is under way.
    #[prost(bool, tag = "7")]
    pub stopping: bool,
}

/// The latest launch of one app.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AppReport {
    /// The app of the image, `ca-…`.
    #[prost(string, tag = "1")]
    pub app_id: String,
    /// Counts the launches of the session, from 1.
    #[prost(uint64, tag = "2")]
    pub launch: u64,
    /// Its process id in the machine's own namespace; 0 when that is not known.
    #[prost(uint32, tag = "3")]
    pub pid: u32,
    /// A window of it was drawn at least once.
    #[prost(bool, tag = "4")]
    pub drawn: bool,
    /// It has ended.
    #[prost(bool, tag = "5")]
    pub ended: bool,
    /// With `ended`: the exit code, when it exited.
    #[prost(int32, optional, tag = "6")]
    pub exit_code: Option<i32>,
    /// With `ended`: the signal, when one ended it.
    #[prost(int32, optional, tag = "7")]
    pub signal: Option<i32>,
    /// With `ended`, when it could not be started at all: why, for an administrator to read.
    #[prost(string, tag = "8")]
    pub failure: String,
    /// With `ended`: which limit of the session ended it. An older holder does not tell.
    #[prost(enumeration = "Limit", tag = "9")]
    pub limit: i32,
}

/// A limit that ends an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Limit {
    /// None, as far as the holder knows.
    None = 0,
    /// The session's memory was used up, and the kernel ended one of its processes for it.
    Memory = 1,
}
