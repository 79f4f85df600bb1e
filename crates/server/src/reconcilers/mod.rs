//! What makes the intent in the store true: one reconciler for sessions, one for groups, one for bindings, one for
//! capacity, one for images, and one for other servers of the database.
//!
//! Each server has the sessions that live on it, and the images that were made of them. What concerns whole groups, bindings and other servers may be
//! done by any of them, and by two at once: each such write says what it takes for granted.
//!
//! Each looks at the store, the runtime and the clock, and at nothing else: whatever woke it is only a hint
//! that there may be something to be done, and a sweep finds what every hint missed. So all of them may be
//! stopped anywhere, killed, and started again over the same store and the same runtime.

mod bindings;
mod blueprint;
mod capacity;
mod groups;
mod hosting;
mod images;
mod membership;
mod orphans;
mod round;
mod servers;
mod sessions;
#[cfg(test)]
pub(crate) mod world;

pub use capacity::Supply;
pub use hosting::Hosting;
pub use membership::{LEASE, Membership};
pub use orphans::Orphan;
pub use sessions::Rules;

use crate::config::Config;
use crate::runtime::{Changes, Runtime, RuntimeError};
use bindings::Bindings;
use blueprint::Blueprint;
use capacity::Capacity;
use greenroom_model::{Clock, Timestamp};
use greenroom_store::{Store, StoreError};
use groups::Groups;
use images::Images;
use round::{Round, Turns};
use servers::Servers;
use sessions::Sessions;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Without a sweep for this long, something is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// Whether a pass left something for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It did all there was.
    Done,
    /// It stopped at its bound.
    More,
}

/// Why the reconcilers cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The database.
    #[error("the sessions in the database cannot be read")]
    Store(#[from] StoreError),
    /// The place where sessions run. Beginning without having looked would take every session for gone.
    #[error("the sessions that run cannot be looked for")]
    Runtime(#[from] RuntimeError),
}

/// How the reconcilers are, for `/readyz` and `/metrics`.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Report>>);

/// What [`Health`] says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// When the last sweep ended without an error of the store; `None` before the first one did.
    pub swept_at: Option<Timestamp>,
    /// Why the last sweep ended early, if it did.
    pub failure: Option<String>,
    /// Passes over single sessions since the start.
    pub passes: u64,
    /// Those that failed.
    pub failed_passes: u64,
    /// Holders of which the store knows nothing, as of the last look.
    pub orphans: Vec<Orphan>,
}

impl Health {
    /// The latest.
    #[must_use]
    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    /// Why the reconcilers are not to be relied on at `now`; `None` when they are.
    #[must_use]
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let report = self.report();
        match (report.failure, report.swept_at) {
            (Some(failure), _) => Some(failure),
            (None, None) => Some("the first sweep has not ended".to_owned()),
            (None, Some(at)) if now.since(at) > STUCK_AFTER => Some(format!(
                "the last sweep was {} s ago",
                now.since(at).as_secs()
            )),
            (None, Some(_)) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        // A report is whole at every moment, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reconcilers at work; dropping it stops them, and the sessions go on.
#[derive(Debug)]
pub struct Reconcilers {
    health: Health,
    tasks: [JoinHandle<()>; 3],
}

impl Reconcilers {
    /// How they are.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }
}

impl Drop for Reconcilers {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The times that `config` sets.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    Rules {
        start: Duration::from_secs(config.sessions.start_seconds),
        stop: Duration::from_secs(config.sessions.stop_seconds),
        steady: Duration::from_secs(300),
        backoff: Duration::from_secs(1),
    }
}

/// Takes over the sessions that run, then starts reconciling. What this returns is ready: every session
/// that an earlier server left behind is watched again and its status is as it was seen now.
///
/// # Errors
/// The store or the runtime cannot be used.
pub async fn spawn<R: Runtime>(
    config: &Config,
    store: Store,
    runtime: Arc<R>,
    changes: Changes,
    clock: Arc<dyn Clock>,
    supply: Supply,
    membership: Membership,
) -> Result<Reconcilers, BeginError> {
    let kept = Duration::from_secs(config.sessions.deleted_kept_hours.saturating_mul(3600));
    let sessions = Sessions::new(
        store.clone(),
        Arc::clone(&runtime),
        Arc::clone(&clock),
        Blueprint::new(Arc::clone(&supply.catalogue)),
        rules(config),
        membership.clone(),
    );
    let images = Images::new(
        store.clone(),
        Arc::clone(&runtime),
        Arc::clone(&clock),
        Arc::clone(&supply.catalogue),
        membership.clone(),
    );
    let health = Health::default();
    let turns = Turns {
        groups: Groups::new(store.clone(), Arc::clone(&clock), kept),
        bindings: Bindings::new(store.clone(), Arc::clone(&clock)),
        servers: Servers::new(store.clone(), Arc::clone(&clock), membership.clone()),
        capacity: Capacity::new(store.clone(), Arc::clone(&clock), supply),
    };
    let mut round = Round::new(sessions, turns, store, clock, health.clone());
    round.take_over(runtime.adopt().await?).await?;
    let tasks = [
        tokio::spawn(membership.keep()),
        tokio::spawn(images.run()),
        tokio::spawn(async move { round.run(changes).await }),
    ];
    Ok(Reconcilers { health, tasks })
}
