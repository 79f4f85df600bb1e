//! The effects of a session's lifecycle, as calls of its runtime.

use super::Sessions;
use super::decide::Case;
use crate::reconcilers::hosting::Hosting;
use crate::runtime::{Observation, Order, Release, Runtime, RuntimeError, Seen};
use greenroom_model::session::lifecycle::Effect;
use greenroom_model::{AppId, TaskStatus, Timestamp};
use greenroom_session_api::spec;
use greenroom_store::{Lease, StoreError, TicketTask};

/// Words that a task may add to an app's command line; a holder refuses command lines that are far longer.
const MAX_ARGUMENTS: usize = 128;

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
        by: &Lease,
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
                        self.forget(by, case, app).await?;
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
        match case.blueprint.app(&case.record, app) {
            Some(app) if living > 1 => {
                let order = Order::Launch(app);
                self.runtime.order(&case.record.id, order).await
            }
            _ => Ok(()),
        }
    }

    async fn spawn(&self, case: &mut Case, now: Timestamp) -> Result<(), ActError> {
        let mut plan = case.blueprint.plan(&case.record);
        for app in &mut plan.apps {
            add_arguments(app, &case.tasks);
        }
        self.runtime.start(&plan).await?;
        case.seen = self.runtime.observe(&case.record.id);
        match &case.seen {
            Observation::Present(handle, _) | Observation::Unseen(handle) => {
                let hosting =
                    Hosting::started(handle.clone(), &case.record.opened_apps, &plan.files, now);
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
            match case.blueprint.app(&case.record, &app) {
                Some(mut plan) => {
                    add_arguments(&mut plan, &case.tasks);
                    self.runtime
                        .order(&case.record.id, Order::Launch(plan))
                        .await?;
                }
                // The image has lost it since it was opened: there is nothing to launch.
                None => case.record.opened_apps.retain(|open| *open != app),
            }
            if let Some(hosting) = &mut case.hosting {
                hosting.order(&app, &seen);
            }
        }
        if let Some(hosting) = &mut case.hosting {
            hosting.launched_at = now;
        }
        Ok(())
    }

    /// Has the apps of a holder that is heard shown what they are to be shown by now.
    pub(super) async fn show_files(&self, case: &mut Case) -> Result<(), RuntimeError> {
        let (Some(hosting), Observation::Present(..)) = (&mut case.hosting, &case.seen) else {
            return Ok(());
        };
        let files = case.blueprint.files(&case.record);
        if !hosting.shows(&files) {
            hosting.show(&files);
            let order = Order::Show(files);
            self.runtime.order(&case.record.id, order).await?;
        }
        Ok(())
    }

    async fn forget(&self, by: &Lease, case: &mut Case, app: &AppId) -> Result<(), StoreError> {
        case.record.opened_apps.retain(|open| open != app);
        let reason = "the app failed again and again";
        for task in case.tasks.iter().filter(|task| task.app == *app) {
            self.store
                .finish_task(by, &task.id, TaskStatus::Failed, reason)
                .await?;
        }
        case.tasks.retain(|task| task.app != *app);
        Ok(())
    }
}

/// Adds what the newest task that waits for the app gives it (`AppStartParam`), parted at spaces. It is for
/// this launch only: who relaunches the app after a failure may be somebody else.
fn add_arguments(app: &mut spec::App, tasks: &[TicketTask]) {
    let newest = tasks
        .iter()
        .rev()
        .find(|task| task.app.as_str() == app.app_id);
    let words = newest
        .into_iter()
        .flat_map(|task| task.arguments.split_whitespace());
    app.argv
        .extend(words.take(MAX_ARGUMENTS).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::{
        AccountId, AppInstanceGroupId, AppInstanceId, AuthMode, BindingId, EndUserId, PersistentId,
    };

    fn task(app: &str, arguments: &str) -> TicketTask {
        TicketTask {
            id: "task".to_owned(),
            account: AccountId::parse("1000000000000000").unwrap(),
            group: AppInstanceGroupId::parse("aig-1").unwrap(),
            auth_mode: AuthMode::Session,
            session: PersistentId::parse("p-1").unwrap(),
            instance: AppInstanceId::parse("ai-1").unwrap(),
            binding: BindingId::parse("bind-1").unwrap(),
            user: EndUserId::parse("alice").unwrap(),
            app: AppId::parse(app).unwrap(),
            arguments: arguments.to_owned(),
            status: TaskStatus::Running,
            reason: String::new(),
            created: Timestamp(0),
        }
    }

    fn command_line(tasks: &[TicketTask]) -> Vec<String> {
        let mut app = spec::App {
            app_id: "ca-foot".to_owned(),
            argv: vec!["foot".to_owned()],
            env: Vec::new(),
        };
        add_arguments(&mut app, tasks);
        app.argv
    }

    #[test]
    fn an_app_gets_the_words_of_the_newest_task_that_waits_for_it() {
        assert_eq!(command_line(&[]), ["foot"]);
        let tasks = [
            task("ca-foot", "--old"),
            task("ca-foot", " -T  title "),
            task("ca-mousepad", "file"),
        ];
        assert_eq!(command_line(&tasks), ["foot", "-T", "title"]);
    }

    #[test]
    fn a_command_line_stays_one_that_a_holder_takes() {
        assert_eq!(
            command_line(&[task("ca-foot", &"x ".repeat(500))]).len(),
            1 + MAX_ARGUMENTS
        );
    }
}
