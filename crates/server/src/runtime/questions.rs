//! What is asked of a session that runs, and the answers: the one thing of a runtime that is waited for, and never
//! longer than [`ANSWER_WITHIN`]. Titles, typed text and what apps print are the user's: none of it is logged.

use super::Runtime;
use greenroom_model::{PersistentId, ServerId};
use greenroom_session_api::questions::Window;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a question may take.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What is asked of a session.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    /// What is to be seen.
    Look,
    /// Which windows there are.
    Windows,
    /// Type this into the window that has the focus.
    Type(String),
    /// Put the window of this id above the others.
    Raise(u64),
    /// What was printed lately; answered without a holder as well.
    Log(Source),
}

/// Who printed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The apps, each into a file of its own in the session's home.
    Apps,
    /// The holder that is there, or was there last.
    Holder,
}

/// What is answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// What is to be seen.
    Picture(Picture),
    /// The windows, the highest first.
    Windows(Vec<Window>),
    /// It is done.
    Done,
    /// The ends of the files.
    Logs(Vec<Log>),
}

/// A frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Row after row, 4 bytes a pixel: blue, green, red, and one without a meaning.
    pub pixels: Vec<u8>,
}

/// The end of a file of output.
#[derive(Clone, PartialEq, Eq)]
pub struct Log {
    /// The file's name.
    pub name: String,
    /// Its end; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No holder of the session is here.
    #[error("the session has no holder here")]
    NoHolder,
    /// The holder is older than the question.
    #[error("the holder is of an older version")]
    TooOld,
    /// There is no such window, or none that has the focus.
    #[error("there is no such window")]
    NoWindow,
    /// The holder has not answered in time, or is ending.
    #[error("the holder does not answer")]
    Silent,
    /// The holder cannot do it, or what it answers is not sound.
    #[error("it cannot be done: {0}")]
    Failed(String),
}

// By hand, since what is typed may be a password.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "Look",
            Self::Windows => "Windows",
            Self::Type(_) => "Type",
            Self::Raise(_) => "Raise",
            Self::Log(_) => "Log",
        })
    }
}

// By hand as well: all of it is the user's.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Picture(_) => "Picture",
            Self::Windows(_) => "Windows",
            Self::Done => "Done",
            Self::Logs(_) => "Logs",
        })
    }
}

/// What [`Sessions::ask`] gives.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, AskError>> + Send + 'a>>;

/// The sessions of this server, for those who only ask.
#[derive(Clone)]
pub struct Here {
    /// This server.
    pub server: ServerId,
    /// Where its sessions run.
    pub sessions: Arc<dyn Sessions>,
}

/// Whatever runtime there is, for those who only ask.
pub trait Sessions: Send + Sync {
    /// As [`Runtime::ask`].
    fn ask<'a>(&'a self, session: &'a PersistentId, question: Question) -> Asked<'a>;
}

impl<R: Runtime> Sessions for R {
    fn ask<'a>(&'a self, session: &'a PersistentId, question: Question) -> Asked<'a> {
        Box::pin(Runtime::ask(self, session, question))
    }
}
