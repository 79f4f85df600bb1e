//! Statuses and enumerations in the vendor's words.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The text is none of the words an enumeration has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {0}")]
pub struct NotAWord(pub &'static str);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads the word, case included.
            ///
            /// # Errors
            /// There is no such word.
            pub fn parse(text: &str) -> Result<Self, NotAWord> {
                match text { $($word => Ok(Self::$variant),)* _ => Err(NotAWord(stringify!($name))) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// What kind of thing a group delivers.
    ProductType {
        /// Desktop apps.
        CloudApp = "CloudApp",
        /// Browsers.
        CloudBrowser = "CloudBrowser",
        /// Phones.
        AndroidCloud = "AndroidCloud",
    }

    /// What a group's users are given; fixed when the group is made.
    AuthMode {
        /// Apps.
        App = "App",
        /// The whole group.
        AppInstanceGroup = "AppInstanceGroup",
        /// Single persistent sessions.
        Session = "Session",
    }

    /// `AppInstancePersistentStatus`.
    PersistentStatus {
        /// Being made: its first app has not drawn yet.
        Pending = "PENDING",
        /// Coming back after `STOPPED` or `UNAVAILABLE`.
        Starting = "STARTING",
        /// An app has drawn and the holder answers.
        Running = "RUNNING",
        /// Being ended; the home stays.
        Stopping = "STOPPING",
        /// No process; the home stays.
        Stopped = "STOPPED",
        /// Being reset to the image.
        Rebuilding = "REBUILDING",
        /// Not to be had; the reason is kept.
        Unavailable = "UNAVAILABLE",
        /// Being removed.
        Deleting = "DELETING",
        /// Removed; listed for a while yet.
        Deleted = "DELETED",
    }

    /// `AppInstanceStatus`.
    AppInstanceStatus {
        /// Initialising.
        Init = "INIT",
        /// Free.
        Idle = "IDLE",
        /// Bound to a user.
        Bound = "BOUND",
        /// Its app is starting.
        Starting = "STARTING",
        /// Its app runs.
        Running = "RUNNING",
        /// Its app is ending.
        Closing = "CLOSING",
        /// Its app was closed.
        Closed = "CLOSED",
        /// Not to be had.
        Unavailable = "UNAVAILABLE",
        /// Removed.
        Deleted = "DELETED",
    }

    /// A delivery group's `Status`, as far as Greenroom reaches it.
    GroupStatus {
        /// Its sessions are being made.
        Deploying = "DEPLOYING",
        /// Ready for its users.
        Published = "PUBLISHED",
        /// Could not be made.
        Failed = "FAILED",
        /// Being removed; no operation finds it any more.
        Deleting = "DELETING",
    }

    /// An image's `Status`. The last two are ours: no operation shows such an image.
    ImageStatus {
        /// What it is made of is being copied.
        Creating = "CREATING",
        /// Groups can be made of it.
        Available = "AVAILABLE",
        /// It could not be made, or its files are lost; the reason is kept.
        CreateFailed = "CREATE_FAILED",
        /// Being removed.
        Deleting = "DELETING",
        /// Removed.
        Deleted = "DELETED",
    }

    /// `ChargeType`.
    ChargeType {
        /// By use.
        PostPaid = "PostPaid",
        /// For a period.
        PrePaid = "PrePaid",
    }

    /// What a persistent session is meant to be; what it is is its status.
    Desired {
        /// Up, with its apps open.
        Running = "RUNNING",
        /// Its processes ended, its home kept.
        Stopped = "STOPPED",
        /// Gone.
        Deleted = "DELETED",
    }

    /// Something asked of a persistent session that nobody has acted on yet.
    Ask {
        /// Bring it up, however often that has failed.
        Start = "START",
        /// End its processes.
        Stop = "STOP",
        /// End its processes and bring it up again.
        Restart = "RESTART",
        /// Bring it back to its image.
        Reset = "RESET",
        /// Remove it.
        Delete = "DELETE",
    }

    /// A ticket task's `TaskStatus`.
    TaskStatus {
        /// The session is not ready yet.
        Running = "Running",
        /// The ticket is there.
        Finished = "Finished",
        /// There will be no ticket.
        Failed = "Failed",
    }
}

impl AuthMode {
    /// Whether the sessions of such a group are persistent ones, listed and handed out one by one. Those of other
    /// groups are ordinary: each is for whoever comes, and ends with its user's hold on it.
    #[must_use]
    pub fn has_persistent_sessions(self) -> bool {
        match self {
            Self::Session => true,
            Self::App | Self::AppInstanceGroup => false,
        }
    }
}
