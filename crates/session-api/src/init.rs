//! Holder ↔ init: the only way into a sandbox that exists.

/// From the holder to `greenroom-init`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ToInit {
    /// The order; an unknown one is ignored.
    #[prost(oneof = "to_init::Order", tags = "1, 2, 3, 4, 5")]
    pub order: Option<to_init::Order>,
}

/// The kinds of [`ToInit`].
pub mod to_init {
    /// An order to init.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Order {
        /// Start a process.
        #[prost(message, tag = "1")]
        Launch(super::Launch),
        /// Send a signal to the process group of a launch, or to every one.
        #[prost(message, tag = "2")]
        Signal(super::Signal),
        /// Bound every process that is started from here on.
        #[prost(message, tag = "3")]
        Bound(super::Bound),
        /// Listen at a socket and start its program when somebody connects. An init that does not know this has no
        /// such socket, and apps find nobody there.
        #[prost(message, tag = "4")]
        Serve(super::Serve),
        /// Keep what programs of a name print in the file whose descriptor comes along. An init that does not know
        /// this keeps it elsewhere.
        #[prost(message, tag = "5")]
        Keep(super::Keep),
    }
}

/// Bounds on each process, for as long as it runs; 0 is none. No app can lift them.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Bound {
    /// Processes and threads of the apps' user: `RLIMIT_NPROC`.
    #[prost(uint64, tag = "1")]
    pub processes: u64,
    /// Bytes of memory that may be written to: `RLIMIT_DATA`.
    #[prost(uint64, tag = "2")]
    pub data_bytes: u64,
    /// Bytes of a file: `RLIMIT_FSIZE`.
    #[prost(uint64, tag = "3")]
    pub file_bytes: u64,
}

/// A process to start, in its own process group.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Launch {
    /// Names the launch in what init reports; the holder chooses it.
    #[prost(uint64, tag = "1")]
    pub launch: u64,
    /// Program and arguments, at least one element.
    #[prost(string, repeated, tag = "2")]
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value` each.
    #[prost(string, repeated, tag = "3")]
    pub env: Vec<String>,
}

/// A socket to listen at, and the program that the first connection starts.
///
/// The program gets the listening socket as systemd passes one: as descriptor 3, with `LISTEN_FDS` and
/// `LISTEN_PID`. When it ends, the next connection starts it again.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Serve {
    /// Names the file that what the program says goes to.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The socket, inside the sandbox.
    #[prost(string, tag = "2")]
    pub path: String,
    /// Program and arguments, at least one element.
    #[prost(string, repeated, tag = "3")]
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value` each.
    #[prost(string, repeated, tag = "4")]
    pub env: Vec<String>,
    /// The launch with whose end nobody may connect any more; 0 when it is there for all.
    #[prost(uint64, tag = "5")]
    pub launch: u64,
    /// What init itself says to the program whenever it has been started, by a connection of its own that it keeps and
    /// never reads; nothing when it is empty. An init that does not know this says nothing.
    #[prost(bytes = "vec", tag = "6")]
    pub opening: Vec<u8>,
}

/// Where what a program prints is kept, at its end and within a bound of init's. The descriptor of a plain file comes
/// along, open to be read and written. A program whose name was not told is not listened to.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Keep {
    /// The first word of a [`Launch`], or the name of a [`Serve`].
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A signal to send.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Signal {
    /// The launch; 0 for every process of the sandbox.
    #[prost(uint64, tag = "1")]
    pub launch: u64,
    /// The signal's number.
    #[prost(int32, tag = "2")]
    pub signal: i32,
}

/// From `greenroom-init` to the holder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FromInit {
    /// The news.
    #[prost(oneof = "from_init::News", tags = "1, 2, 3")]
    pub news: Option<from_init::News>,
}

/// The kinds of [`FromInit`].
pub mod from_init {
    /// News from init.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum News {
        /// The sandbox is up; sent once.
        #[prost(message, tag = "1")]
        Ready(super::Ready),
        /// A launch's process exists.
        #[prost(message, tag = "2")]
        Started(super::Started),
        /// A launch's process is no more, or could not be started.
        #[prost(message, tag = "3")]
        Ended(super::Ended),
    }
}

/// The sandbox is up.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ready {}

/// A launch's process exists.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Started {
    /// The launch.
    #[prost(uint64, tag = "1")]
    pub launch: u64,
    /// Its process id inside the sandbox.
    #[prost(uint32, tag = "2")]
    pub pid: u32,
}

/// A launch's process is no more.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ended {
    /// The launch.
    #[prost(uint64, tag = "1")]
    pub launch: u64,
    /// The exit code, when it exited.
    #[prost(int32, optional, tag = "2")]
    pub exit_code: Option<i32>,
    /// The signal, when one ended it.
    #[prost(int32, optional, tag = "3")]
    pub signal: Option<i32>,
    /// Why it could not be started, when it could not.
    #[prost(string, tag = "4")]
    pub failure: String,
}
