//! Figures of single sessions, for those who watch over the machine. No text of a user's is among them.

use greenroom_model::PersistentId;
use greenroom_session_api::control::{AppReport, Limit};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What a session's apps have taken; `None` is what nobody counts, or what cannot be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory now. Where the kernel counts it, the pages of files that it keeps for them included.
    pub memory_bytes: Option<u64>,
    /// Processors' time since their holder began.
    pub cpu: Option<Duration>,
    /// Processes and threads now.
    pub processes: Option<u64>,
}

/// Figures of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The session.
    pub session: PersistentId,
    /// What its apps take; `None` when there is no holder.
    pub usage: Option<Usage>,
    /// What was counted of it.
    pub tally: Tally,
}

/// What a server has counted of a session since it first saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames that its holder has composed since it began.
    pub frames: u64,
    /// Pixels of damage in them.
    pub damaged_pixels: u64,
    /// Holders that were started for it.
    pub starts: u64,
    /// Bytes it has on the disk, as they were measured last.
    pub disk_bytes: Option<u64>,
    /// Ends that were not asked for.
    pub failures: BTreeMap<Failure, u64>,
    /// The launches of the holder whose end was counted.
    counted: BTreeSet<u64>,
}

/// What kind of failure an end was: few, so that they can be told apart in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// An app could not be started.
    NotStarted,
    /// An app ended before it drew anything.
    DrewNothing,
    /// An app ended with another exit code than 0.
    ExitCode,
    /// A signal ended an app.
    Signal,
    /// The memory that the session may take was used up.
    Memory,
    /// Nobody knows how it ended.
    Unknown,
    /// The session's holder ended by itself.
    Holder,
    /// The session was ended for what it has on the disk.
    Disk,
}

impl Failure {
    /// How an app failed; `None` when it runs, or was closed.
    pub fn of(app: &AppReport) -> Option<Self> {
        if !app.ended {
            return None;
        }
        match (app.limit(), app.exit_code, app.signal) {
            (Limit::Memory, ..) => Some(Self::Memory),
            (Limit::None, Some(0), _) if app.drawn => None,
            (Limit::None, Some(0), _) => Some(Self::DrewNothing),
            (Limit::None, Some(_), _) => Some(Self::ExitCode),
            (Limit::None, None, Some(_)) => Some(Self::Signal),
            (Limit::None, None, None) if app.failure.is_empty() => Some(Self::Unknown),
            (Limit::None, None, None) => Some(Self::NotStarted),
        }
    }

    /// How this app failed, in words for an administrator.
    pub fn words(self, app: &AppReport) -> String {
        match self {
            Self::NotStarted => format!("it could not start: {}", app.failure),
            Self::DrewNothing => "it ended before it drew anything".to_owned(),
            Self::ExitCode => format!("it ended with exit code {}", app.exit_code.unwrap_or(0)),
            Self::Signal => format!("it was ended by signal {}", app.signal.unwrap_or(0)),
            Self::Memory => "the memory that the session may take was used up".to_owned(),
            Self::Unknown | Self::Holder | Self::Disk => "it ended".to_owned(),
        }
    }
}

/// As a metric's label.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not_started",
            Self::DrewNothing => "drew_nothing",
            Self::ExitCode => "exit_code",
            Self::Signal => "signal",
            Self::Memory => "memory",
            Self::Unknown => "unknown",
            Self::Holder => "holder",
            Self::Disk => "disk",
        })
    }
}

impl Tally {
    /// A holder was started. Its launches are counted from 1 again.
    pub fn started(&mut self) {
        self.starts += 1;
        self.counted.clear();
    }

    /// Something failed.
    pub fn failed(&mut self, failure: Failure) {
        *self.failures.entry(failure).or_default() += 1;
    }

    /// Counts what is new in what a holder says of its apps. With `old`, what it says was counted by a server
    /// before this one.
    pub fn hear(&mut self, apps: &[AppReport], old: bool) {
        for app in apps {
            if let Some(failure) = Failure::of(app)
                && self.counted.insert(app.launch)
                && !old
            {
                self.failed(failure);
            }
        }
        // A launch that another has replaced is not told of again.
        let told: BTreeSet<u64> = apps.iter().map(|app| app.launch).collect();
        self.counted.retain(|launch| told.contains(launch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(launch: u64) -> AppReport {
        AppReport {
            launch,
            ended: true,
            exit_code: Some(1),
            ..AppReport::default()
        }
    }

    #[test]
    fn each_failure_is_counted_once_however_often_it_is_told() {
        let mut tally = Tally::default();
        tally.started();
        tally.hear(&[failed(1)], false);
        tally.hear(&[failed(1), AppReport::default()], false);
        tally.hear(&[failed(3), failed(2)], false);
        assert_eq!(tally.failures, BTreeMap::from([(Failure::ExitCode, 3)]));
        tally.started();
        tally.hear(&[failed(1)], false);
        assert_eq!(tally.failures, BTreeMap::from([(Failure::ExitCode, 4)]));
        assert_eq!(tally.starts, 2);
    }

    #[test]
    fn what_failed_before_this_server_began_is_not_its_to_count() {
        let mut tally = Tally::default();
        tally.hear(&[failed(1)], true);
        tally.hear(&[failed(1)], false);
        assert_eq!(tally.failures, BTreeMap::new());
        tally.hear(&[failed(2)], false);
        assert_eq!(tally.failures, BTreeMap::from([(Failure::ExitCode, 1)]));
    }
}
