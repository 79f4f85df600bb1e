//! Makes of each session what is wanted of it, and writes down what it is.
//!
//! One pass over one session: look, [decide](decide), act, write; again until there is nothing to be done.
//! Effects are carried out before the state that follows from them is written, and the write is refused if
//! anybody else wrote since: so a pass that is cut short or outrun is simply repeated.

mod act;
mod decide;
#[cfg(test)]
mod ordinary_tests;
#[cfg(test)]
mod status_tests;
#[cfg(test)]
mod tests;

pub use decide::Rules;

use super::blueprint::Blueprint;
use super::hosting::Hosting;
use super::membership::Membership;
use crate::error::chain;
use crate::runtime::{Observation, Runtime, RuntimeError};
use decide::{Case, Next, state_of};
use greenroom_model::session::lifecycle::{self, Effect, Event, Outcome, State};
use greenroom_model::{Clock, PersistentId, PersistentStatus, TaskStatus, Timestamp};
use greenroom_store::{Lease, Observation as Written, SessionRecord, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// More events than any session meets in one pass; a pass that reaches it is cut off and made again later.
const EVENTS_IN_A_PASS: usize = 32;

/// How often a pass begins anew because somebody else wrote.
const ATTEMPTS: usize = 8;

/// When a session is looked at again whose holder was killed and is not gone yet.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a pass over a session came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// What was to be done for the session.
    #[error("an effect failed")]
    Act(#[from] act::ActError),
    /// The place where the session runs.
    #[error("the runtime failed")]
    Runtime(#[from] RuntimeError),
    /// Others wrote again and again, or events never ceased.
    #[error("the session does not come to rest")]
    Restless,
}

/// The reconciler of sessions.
pub struct Sessions<R> {
    store: Store,
    runtime: Arc<R>,
    clock: Arc<dyn Clock>,
    blueprint: Blueprint,
    rules: Rules,
    /// Whose sessions these are, and by what right they are written of.
    membership: Membership,
}

impl<R: Runtime> Sessions<R> {
    /// A reconciler over `store` and `runtime`, for the sessions that live on this server.
    pub fn new(
        store: Store,
        runtime: Arc<R>,
        clock: Arc<dyn Clock>,
        blueprint: Blueprint,
        rules: Rules,
        membership: Membership,
    ) -> Self {
        Self {
            store,
            runtime,
            clock,
            blueprint,
            rules,
            membership,
        }
    }

    /// What is known of the session's holder at this moment.
    pub(in crate::reconcilers) fn observe(&self, session: &PersistentId) -> Observation {
        self.runtime.observe(session)
    }

    /// Does what there is to be done for one session now.
    ///
    /// # Errors
    /// The store or the runtime failed; whoever called has to call again.
    pub async fn pass(&self, session: &PersistentId) -> Result<(), PassError> {
        let mut result = Err(PassError::Restless);
        for _ in 0..ATTEMPTS {
            result = self.attempt(session).await;
            if !matches!(result, Err(PassError::Store(StoreError::Conflict(_)))) {
                break;
            }
        }
        if let Err(error) = &result {
            tracing::warn!(session.id = %session, error = error as &dyn std::error::Error, "a session could not be reconciled");
        }
        result
    }

    async fn attempt(&self, session: &PersistentId) -> Result<(), PassError> {
        let Some(lease) = self.membership.lease() else {
            return Ok(());
        };
        let Some(mut case) = self.look(session).await? else {
            return Ok(());
        };
        let mut written = case.record.clone();
        for _ in 0..EVENTS_IN_A_PASS {
            let now = self.clock.now();
            let default_app = case.blueprint.default_app(&case.record);
            case.update_open_apps(default_app.as_ref());
            let (event, reason) = match case.next(&self.rules, now) {
                Next::Event(event, reason) => (event, self.reason_of(session, event, reason)),
                Next::Rest(until) => {
                    self.show_files(&mut case).await?;
                    case.record.asked = case.asked_at_rest();
                    case.record.wake_at = until;
                    self.write(&lease, &mut case, &written, now).await?;
                    // Whoever is told that an app is there comes at once, and must find the session so.
                    return self.end_tasks(&lease, &case, now).await;
                }
            };
            let before = case.state();
            if before != state_of(&written) {
                // One event after the other: what follows from this one must not happen before it is known
                // that it happened. Somebody has to look again: this pass, or one after a crash.
                case.record.wake_at = Some(now);
                self.write(&lease, &mut case, &written, now).await?;
                written = case.record.clone();
            }
            self.meet(&lease, &mut case, event, &reason, now).await?;
            if case.record.status == PersistentStatus::Deleted {
                // The last word: the store takes no other after it.
                case.record.wake_at = None;
                return self.write(&lease, &mut case, &written, now).await;
            }
            if event == Event::DeadlinePassed && case.state() == before {
                // A killed holder is gone in a moment; until then there is nothing else to be done.
                case.record.wake_at = Some(now.after(AGAIN));
                return self.write(&lease, &mut case, &written, now).await;
            }
            case.seen = self.runtime.observe(session);
        }
        Err(PassError::Restless)
    }

    /// Who only sees that a holder has gone does not know why, where the runtime does.
    fn reason_of(&self, session: &PersistentId, event: Event, reason: String) -> String {
        match event {
            Event::HolderGone => self.runtime.why_ended(session).unwrap_or(reason),
            _ => reason,
        }
    }

    async fn look(&self, session: &PersistentId) -> Result<Option<Case>, PassError> {
        let Some(record) = self.store.session_record(session).await? else {
            return Ok(None);
        };
        // What lives elsewhere is looked after there; what lives nowhere yet is placed first.
        let mine = record.server.as_ref() == Some(self.membership.id());
        if !mine || record.status == PersistentStatus::Deleted {
            return Ok(None);
        }
        let tasks = self.store.running_tasks_of(session).await?;
        let blueprint = self.blueprint.of_account(&self.store, &record.account);
        let blueprint = blueprint.await?;
        let seen = self.runtime.observe(session);
        let hosting = record.handle.as_deref().and_then(Hosting::from_bytes);
        let began = hosting.as_ref().map_or("", |it| &it.handle.boot_id);
        let restarted = !began.is_empty() && began != self.runtime.boot_id();
        Ok(Some(Case {
            restarted,
            record,
            hosting,
            seen,
            tasks,
            blueprint,
        }))
    }

    /// Lets an event happen to a session: the state after it, and what follows from it.
    async fn meet(
        &self,
        by: &Lease,
        case: &mut Case,
        event: Event,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), PassError> {
        let failed = match event {
            Event::AppFailed | Event::LastAppFailed => case.fresh_failure().cloned(),
            _ => None,
        };
        if let (Some(failed), Some(hosting)) = (&failed, &mut case.hosting) {
            hosting.handle_end(failed);
        }
        let before = case.state();
        match lifecycle::step(before, event) {
            Outcome::Stay => {}
            Outcome::Refuse => {
                tracing::info!(session.id = %case.record.id, session.status = %before.status, ?event, "a wish came too late");
            }
            Outcome::Move(after, effects) => {
                let failed = failed.as_ref().map(|app| &app.app_id);
                match self.carry_out(by, case, effects, failed, now).await {
                    Ok(()) => Self::note(case, before, after, event, reason, now),
                    Err(error) if effects.contains(&Effect::Spawn) => {
                        let reason = chain(&error);
                        if let Outcome::Move(after, _) = lifecycle::step(before, Event::SpawnFailed)
                        {
                            Self::note(case, before, after, Event::SpawnFailed, &reason, now);
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        case.record.asked = case.asked_after(event);
        Ok(())
    }

    /// Takes over the state after an event, with its reason as far as the new status is a bad one.
    fn note(
        case: &mut Case,
        before: State,
        after: State,
        event: Event,
        reason: &str,
        now: Timestamp,
    ) {
        use PersistentStatus as S;
        let record = &mut case.record;
        record.status = after.status;
        record.failures = u32::from(after.failures);
        if after != before {
            record.observed_at = Some(now);
        }
        if after.status != before.status {
            record.status_since = now;
        }
        if !after.hosted {
            case.hosting = None;
        }
        match after.status {
            S::Running | S::Stopping | S::Stopped | S::Rebuilding | S::Deleting | S::Deleted => {
                record.status_reason.clear();
            }
            S::Pending | S::Starting | S::Unavailable => {
                // A consequence of what is known (a killed holder is gone) does not replace its cause.
                let is_cause = after.failures > before.failures || event == Event::Unseen;
                if is_cause && !reason.is_empty() {
                    reason.clone_into(&mut record.status_reason);
                }
                if after.has_given_up() && !before.has_given_up() {
                    record.status_reason +=
                        &format!("; given up after {} failures", after.failures);
                }
            }
        }
        if before.status != after.status {
            tracing::info!(
                session.id = %record.id, from = %before.status, to = %after.status, ?event,
                reason = record.status_reason, "a session has moved"
            );
        }
    }

    async fn end_tasks(&self, by: &Lease, case: &Case, now: Timestamp) -> Result<(), PassError> {
        for task in &case.tasks {
            let Some((status, reason)) = case.ends(task, &self.rules, now) else {
                continue;
            };
            if status == TaskStatus::Finished {
                self.raise(case, &task.app).await?;
            }
            self.store
                .finish_task(by, &task.id, status, &reason)
                .await?;
        }
        Ok(())
    }

    /// Writes the case if it differs from what was written last. When it was seen is when the session or
    /// its app last became something else: back-off counts from there, however often anybody looks.
    async fn write(
        &self,
        by: &Lease,
        case: &mut Case,
        last: &SessionRecord,
        now: Timestamp,
    ) -> Result<(), PassError> {
        case.record.instance_status = case.instance_status();
        case.record.handle = case.hosting.as_ref().map(Hosting::to_bytes);
        let record = &mut case.record;
        if record == last {
            return Ok(());
        }
        if record.instance_status != last.instance_status {
            record.observed_at = Some(now);
        }
        let written = Written {
            status: record.status,
            status_reason: record.status_reason.clone(),
            instance_status: record.instance_status,
            asked: record.asked,
            failures: record.failures,
            home_lost: record.home_lost,
            handle: record.handle.clone(),
            opened_apps: record.opened_apps.clone(),
            wake_at: record.wake_at,
            at: record.observed_at.unwrap_or(now),
            by: by.server.to_string(),
        };
        record.generation = self
            .store
            .record(by, &record.id, record.generation, written)
            .await?;
        Ok(())
    }
}
