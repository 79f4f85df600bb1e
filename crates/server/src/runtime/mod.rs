//! Where sessions run: one small trait, and a driver for each kind of place.
//!
//! A runtime knows holders, not statuses: it starts one, says what it sees of it, passes orders on, and
//! clears up after it. What any of that means for a session is [`greenroom_model::session::lifecycle`]'s
//! business, and the reconcilers' to carry out. [`local`] runs holders as detached processes of this
//! machine; the fake beside it keeps the same contract, which one test runs over both.

mod figures;
pub mod local;
mod questions;

#[cfg(test)]
mod contract;
#[cfg(test)]
pub mod fake;

use greenroom_gateway::Endpoint;
use greenroom_model::{AppId, ImageId, PersistentId};
use greenroom_session_api::control;
use greenroom_session_api::files::File;
use greenroom_session_api::spec;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

pub use figures::{Failure, Figures, Tally, Usage};
pub use local::{Standing, Wall, desktop, from_config, walls};
pub use questions::{
    ANSWER_WITHIN, Answer, AskError, Asked, Here, Log, Picture, Question, Sessions, Source,
};

/// Where a runtime says of which sessions it observes something else than before; the one who reconciles
/// waits on it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Changes(Arc<Pending>);

#[derive(Debug, Default)]
struct Pending {
    sessions: Mutex<HashSet<PersistentId>>,
    some: Notify,
}

impl Changes {
    /// Something about this session is not as it was.
    pub fn tell(&self, session: &PersistentId) {
        self.sessions().insert(session.clone());
        self.0.some.notify_one();
    }

    /// Waits for news, and gives every session that has some since it was last asked.
    pub async fn next(&self) -> HashSet<PersistentId> {
        loop {
            let told = self.take();
            if !told.is_empty() {
                return told;
            }
            self.0.some.notified().await;
        }
    }

    /// Every session that has news since it was last asked; does not wait for some.
    #[must_use]
    pub fn take(&self) -> HashSet<PersistentId> {
        std::mem::take(&mut *self.sessions())
    }

    fn sessions(&self) -> MutexGuard<'_, HashSet<PersistentId>> {
        // A set of ids is whole at every moment, so a panic elsewhere does not spoil it.
        self.0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place where sessions run.
///
/// Everything but [`Runtime::observe`] may be repeated: whoever calls may have crashed before it could note
/// that it had called.
pub trait Runtime: Send + Sync + 'static {
    /// Finds the holders that outlived an earlier server and watches them again, all at once. Gives every
    /// session that has one; no holder is ever ended because nobody knows its session.
    fn adopt(&self) -> impl Future<Output = Result<Vec<PersistentId>, RuntimeError>> + Send;

    /// Names the time since this place last began from nothing. A holder of another such time is gone.
    fn boot_id(&self) -> String;

    /// Has a holder running for the session, with the plan's apps if it is a new one. A holder that is
    /// there already is left as it is.
    fn start(&self, plan: &Plan) -> impl Future<Output = Result<(), RuntimeError>> + Send;

    /// What is known of the session's holder at this moment, without asking it.
    fn observe(&self, session: &PersistentId) -> Observation;

    /// Why the session's last holder is gone, where the runtime ended it by itself and nobody had asked for it.
    fn why_ended(&self, session: &PersistentId) -> Option<String>;

    /// Tells the session's holder to do something; the answer is a change of what is observed. Nothing
    /// happens when there is no holder.
    fn order(
        &self,
        session: &PersistentId,
        order: Order,
    ) -> impl Future<Output = Result<(), RuntimeError>> + Send;

    /// Asks the session's holder, and waits for its answer no longer than [`ANSWER_WITHIN`].
    fn ask(
        &self,
        session: &PersistentId,
        question: Question,
    ) -> impl Future<Output = Result<Answer, AskError>> + Send;

    /// Clears up after a holder that is gone. Refused while there is one.
    fn release(
        &self,
        session: &PersistentId,
        what: Release,
    ) -> impl Future<Output = Result<(), RuntimeError>> + Send;

    /// Keeps what the session has changed of its image `of` as the topmost layer of a new one, whether the session
    /// runs or not. Each file is as it was at one moment, the files together are not. An image that is there already
    /// is left as it is.
    fn snapshot(
        &self,
        session: &PersistentId,
        of: &ImageId,
        image: &ImageId,
    ) -> impl Future<Output = Result<Layer, RuntimeError>> + Send;

    /// Removes the layer that [`Runtime::snapshot`] has made; fine if there is none. Refused while a session runs
    /// with it.
    fn discard_image(
        &self,
        image: &ImageId,
    ) -> impl Future<Output = Result<(), RuntimeError>> + Send;
}

/// What an image that was made of a session has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The folder with its files.
    pub folder: PathBuf,
    /// Bytes that they take up.
    pub bytes: u64,
}

/// What a new holder is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The session.
    pub persistent_id: PersistentId,
    /// Launched at once.
    pub apps: Vec<spec::App>,
    /// The output's width in pixels.
    pub width: u32,
    /// The output's height in pixels.
    pub height: u32,
    /// How much its apps may take.
    pub share: Share,
    /// What its apps are shown beside their image.
    pub files: Vec<File>,
    /// The image, when its files are not the machine's.
    pub image: Option<FolderImage>,
}

/// An image whose files lie in folders of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderImage {
    /// Its id.
    pub id: ImageId,
    /// Its folders, the topmost first.
    pub layers: Vec<PathBuf>,
}

/// How much of the machine the apps of one session may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Processors' time, in hundredths of a processor.
    pub cpu_percent: u64,
    /// Processes and threads.
    pub processes: u64,
}

#[cfg(test)]
impl Share {
    /// Enough for a terminal.
    pub const SMALL: Self = Self {
        memory_mib: 512,
        cpu_percent: 200,
        processes: 256,
    };
}

/// What a runtime sees of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// There is no holder: none was started, or it was seen to be gone.
    Absent,
    /// There is a process, but it has missed its heartbeats.
    Unseen(Handle),
    /// The holder lives, and this is the latest it said; nothing yet when it has only just begun.
    Present(Handle, Seen),
}

/// What a holder said of its session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Every app launched since the holder began, the latest launch of each.
    pub apps: Vec<AppSeen>,
    /// It is ending.
    pub stopping: bool,
}

/// The latest launch of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSeen {
    /// The app.
    pub app_id: AppId,
    /// Counts the launches of the holder, from 1.
    pub launch: u64,
    /// How far it came.
    pub state: AppState,
}

/// How far a launch came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppState {
    /// It was started and has drawn nothing yet.
    Launched,
    /// It has a drawn window, or had one, and has not ended.
    Drawn,
    /// It ended as an app ends that its user closes: exit 0 after its first frame.
    Closed,
    /// It ended in any other way; how, in words for an administrator.
    Failed(String),
}

/// What a holder is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Run an app; one that runs already is left alone and raised.
    Launch(spec::App),
    /// Show the apps these files and no others from now on. A holder that began without any shows none.
    Show(Vec<File>),
    /// End the apps, then itself, taking no longer than this.
    Stop(Duration),
    /// End at once. Nothing of the session's processes is left after it.
    Kill,
}

/// How much is cleared up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Sockets and bookkeeping; the home stays.
    Slot,
    /// Everything the session has here, the home included.
    Home,
}

/// Where a holder is and how it is spoken to; kept with the session's row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The directory with its sockets.
    pub run_dir: PathBuf,
    /// What it demands to be shown.
    pub key: [u8; 32],
    /// Its process id.
    pub pid: u32,
    /// When that process began, in clock ticks since the machine did.
    pub started: u64,
    /// The user it runs as, when that is another than the server's.
    pub uid: Option<u32>,
    /// [`Runtime::boot_id`] when it was started; a server before this was known wrote none.
    #[serde(default)]
    pub boot_id: String,
}

impl Handle {
    /// The handle as the store keeps it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Handle::to_bytes`] gave; `None` when it is from a server that wrote it differently.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Where a viewer's gateway finds the holder.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            run_dir: self.run_dir.clone(),
            key: self.key,
        }
    }
}

// By hand, so that the key cannot end up in a log.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("run_dir", &self.run_dir)
            .field("pid", &self.pid)
            .field("started", &self.started)
            .field("uid", &self.uid)
            .finish_non_exhaustive()
    }
}

/// Why a runtime could not do something.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A file, folder or socket of the session.
    #[error("cannot {doing} {}", path.display())]
    Files {
        /// What was tried, as in "write".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The holder's program cannot be run.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What the holder is to be told is not sound.
    #[error("the holder's spec is refused")]
    Spec(#[from] spec::SpecError),
    /// Every user id set aside for sessions is in use.
    #[error("all {0} user ids for sessions are in use")]
    NoUserId(u32),
    /// There is no room on the disk for what another session may write.
    #[error(
        "the disk is nearly full: {free_mib} MiB and {free_files} files are free, and sessions leave {reserve_mib} MiB \
         and as large a part of the files"
    )]
    DiskFull {
        /// MiB that are free.
        free_mib: u64,
        /// Files that can be made.
        free_files: u64,
        /// MiB that stay free.
        reserve_mib: u64,
    },
    /// There is nothing that an image could be made of.
    #[error("the session has not begun to change its image")]
    NothingChanged,
    /// An image that was made on another server, or whose folder somebody has taken away.
    #[error("the image {image} has no folder {} on this server", folder.display())]
    ImageElsewhere {
        /// The image.
        image: ImageId,
        /// The folder.
        folder: PathBuf,
    },
    /// An image that is not to be there any more.
    #[error("a session that runs has the image {0}")]
    ImageInUse(ImageId),
    /// There is a holder where none must be.
    #[error("the session still has a holder")]
    StillThere,
    /// The holder does not take its orders.
    #[error("the holder has {0} orders waiting")]
    Deaf(usize),
}

impl Seen {
    /// Reads a holder's report. An app whose id is none is left out: nothing could be done about it.
    #[must_use]
    pub fn from_report(report: &control::Report) -> Self {
        let app = |app: &control::AppReport| {
            Some(AppSeen {
                app_id: AppId::parse(&app.app_id).ok()?,
                launch: app.launch,
                state: AppState::from_report(app),
            })
        };
        Self {
            apps: report.apps.iter().filter_map(app).collect(),
            stopping: report.stopping,
        }
    }
}

impl AppState {
    fn from_report(app: &control::AppReport) -> Self {
        match (app.ended, app.drawn, Failure::of(app)) {
            (false, false, _) => Self::Launched,
            (false, true, _) => Self::Drawn,
            (true, _, None) => Self::Closed,
            (true, _, Some(failure)) => Self::Failed(failure.words(app)),
        }
    }

    /// Whether its process is there.
    #[must_use]
    pub fn lives(&self) -> bool {
        match self {
            Self::Launched | Self::Drawn => true,
            Self::Closed | Self::Failed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(drawn: bool, exit_code: Option<i32>, signal: Option<i32>) -> control::AppReport {
        control::AppReport {
            app_id: "ca-foot".into(),
            launch: 1,
            drawn,
            ended: exit_code.is_some() || signal.is_some(),
            exit_code,
            signal,
            ..control::AppReport::default()
        }
    }

    #[test]
    fn only_exit_0_after_the_first_frame_is_a_close() {
        let read = |drawn, code, signal| AppState::from_report(&report(drawn, code, signal));
        assert_eq!(read(false, None, None), AppState::Launched);
        assert_eq!(read(true, None, None), AppState::Drawn);
        assert_eq!(read(true, Some(0), None), AppState::Closed);
        for (drawn, code, signal) in [
            (false, Some(0), None),
            (true, Some(1), None),
            (true, None, Some(9)),
            (false, None, Some(9)),
        ] {
            assert!(
                matches!(read(drawn, code, signal), AppState::Failed(_)),
                "{drawn} {code:?} {signal:?}"
            );
        }
    }

    #[test]
    fn an_app_that_took_too_much_memory_says_so() {
        let killed = report(true, None, Some(9));
        let short = control::AppReport {
            limit: control::Limit::Memory.into(),
            ..killed.clone()
        };
        assert_eq!(
            AppState::from_report(&short),
            AppState::Failed("the memory that the session may take was used up".to_owned())
        );
        let unknown = control::AppReport {
            limit: 1_000,
            ..killed.clone()
        };
        assert_eq!(
            AppState::from_report(&unknown),
            AppState::from_report(&killed)
        );
    }

    #[test]
    fn a_handle_reads_back_and_keeps_its_key_out_of_the_log() {
        let handle = Handle {
            run_dir: "/data/run/p-0".into(),
            key: [171; 32],
            pid: 7,
            started: 8,
            uid: Some(9),
            boot_id: "boot-1".into(),
        };
        assert_eq!(Handle::from_bytes(&handle.to_bytes()), Some(handle.clone()));
        assert_eq!(Handle::from_bytes(b"of another age"), None);
        assert!(!format!("{handle:?}").contains("171"));
    }
}
