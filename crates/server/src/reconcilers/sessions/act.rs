//! The effects of a session's lifecycle, as calls of its runtime.

use super::Sessions;
use super::decide::Case;
use crate::reconcilers::hosting::Hosting;
use crate::runtime::{Observation, Order, Release, Runtime, RuntimeError, Seen};
use greenroom_model::session::lifecycle::Effect;
use greenroom_model::{AppId, TaskStatus, Timestamp};
use greenroom_store::StoreError;

/// Why an effect could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The runtime could not.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A holder was started, and had ended before it could be looked at.
    #[error("the session's process ended at once")]
    EndedAtOnce,
    /// A waiting task could not be told.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<R: Runtime> Sessions<R> {
    /// Carries out the effects of a move, in order. `failed` is the app whose failure was met.
    pub(super) async fn carry_out(
        &self,
        case: &mut Case,
        effects: &[Effect],
        failed: Option<&AppId>,
        now: Timestamp,
    ) -> Result<(), ActError> {
        for effect in effects {
            let session = &case.record.id;
            match effect {
                Effect::Spawn => self.spawn(case, now).await?,
                Effect::Launch => self.launch(case, now).await?,
                Effect::Stop => {
                    self.runtime
                        .order(session, Order::Stop(self.rules.stop))
                        .await?
                }
                Effect::Kill => self.runtime.order(session, Order::Kill).await?,
                Effect::ForgetApp => {
                    if let Some(app) = failed {
                        self.forget(case, app).await?;
                    }
                }
                Effect::DropHome => {
                    self.runtime.release(session, Release::Home).await?;
                    case.record.home_lost = true;
                }
                Effect::FreeSlot => self.runtime.release(session, Release::Slot).await?,
            }
        }
        // A holder that was found, not started: what is known of it is where it is.
        if case.hosting.is_none() {
            case.hosting = match &case.seen {
                Observation::Present(handle, _) | Observation::Unseen(handle) => {
                    Some(Hosting::found(handle.clone(), now))
                }
                Observation::Absent => None,
            };
        }
        Ok(())
    }

    /// Brings an app that somebody waits for to the front, where the holder shows more than one.
    pub(super) async fn raise(&self, case: &Case, app: &AppId) -> Result<(), RuntimeError> {
        let apps = case.report().map_or(&[][..], |seen| &seen.apps);
        let living = apps.iter().filter(|app| app.state.lives()).count();
        match self.blueprint.app(&case.record, app) {
            Some(app) if living > 1 => {
                let order = Order::Launch(app);
                self.runtime.order(&case.record.id, order).await
            }
            _ => Ok(()),
        }
    }

    async fn spawn(&self, case: &mut Case, now: Timestamp) -> Result<(), ActError> {
        let plan = self.blueprint.plan(&case.record);
        self.runtime.start(&plan).await?;
        case.seen = self.runtime.observe(&case.record.id);
        match &case.seen {
            Observation::Present(handle, _) | Observation::Unseen(handle) => {
                let hosting = Hosting::started(handle.clone(), &case.record.opened_apps, now);
                case.hosting = Some(hosting);
                case.record.home_lost = false;
                Ok(())
            }
            Observation::Absent => Err(ActError::EndedAtOnce),
        }
    }

    async fn launch(&self, case: &mut Case, now: Timestamp) -> Result<(), RuntimeError> {
        let seen = case.report().cloned().unwrap_or_else(Seen::default);
        for app in case.lacking() {
            match self.blueprint.app(&case.record, &app) {
                Some(plan) => {
                    self.runtime
                        .order(&case.record.id, Order::Launch(plan))
                        .await?;
                }
                // The image has lost it since it was opened: there is nothing to launch.
                None => case.record.opened_apps.retain(|open| *open != app),
            }
            if let Some(hosting) = &mut case.hosting {
                hosting.order(&app, &seen, now);
            }
        }
        if let Some(hosting) = &mut case.hosting {
            hosting.launched_at = now;
        }
        Ok(())
    }

    async fn forget(&self, case: &mut Case, app: &AppId) -> Result<(), StoreError> {
        case.record.opened_apps.retain(|open| open != app);
        let reason = "the app failed again and again";
        for task in case.tasks.iter().filter(|task| task.app == *app) {
            self.store
                .finish_task(&task.id, TaskStatus::Failed, reason)
                .await?;
        }
        case.tasks.retain(|task| task.app != *app);
        Ok(())
    }
}
