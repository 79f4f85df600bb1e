//! What a session needs next: its record and what is seen of it go in, at most one event comes out.
//!
//! Nothing here acts or waits, so every rule about time, back-off and intent can be tested by arithmetic.

use crate::reconcilers::blueprint::Blueprint;
use crate::reconcilers::hosting::Hosting;
use crate::runtime::{AppSeen, AppState, Observation, Seen};
use greenroom_model::session::app_instance::{self, Apps};
use greenroom_model::session::lifecycle::{Event, State};
use greenroom_model::{
    AppId, AppInstanceStatus, Ask, Desired, PersistentStatus, TaskStatus, Timestamp,
};
use greenroom_store::{SessionRecord, TicketTask};
use std::time::Duration;

/// The times of a session's life.
#[derive(Debug, Clone)]
pub struct Rules {
    /// From the launch of an app to its first frame.
    pub start: Duration,
    /// From the wish that a session end to the last of its processes.
    pub stop: Duration,
    /// How long it must have been `RUNNING` for earlier failures to be forgotten.
    pub steady: Duration,
    /// From a first failure to the relaunch; twice as long after the second.
    pub backoff: Duration,
}

/// A holder is given this much longer than its apps before it is killed with them.
const HOLDER_GRACE: Duration = Duration::from_secs(2);

/// A session under the reconciler's eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What the store knows, and what will be written back.
    pub record: SessionRecord,
    /// The record's handle, read.
    pub hosting: Option<Hosting>,
    /// What the runtime sees.
    pub seen: Observation,
    /// The place where it runs has begun from nothing since its holder was started.
    pub restarted: bool,
    /// Who waits for an app of it.
    pub tasks: Vec<TicketTask>,
    /// How it runs.
    pub blueprint: Blueprint,
}

/// What is to be done about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This happened; the text says why, where that is worth keeping.
    Event(Event, String),
    /// Nothing, until then at the latest.
    Rest(Option<Timestamp>),
}

/// The lifecycle's state, as it is written.
pub fn state_of(record: &SessionRecord) -> State {
    State {
        status: record.status,
        hosted: record.handle.is_some(),
        failures: u8::try_from(record.failures).unwrap_or(u8::MAX),
    }
}

impl Case {
    /// The lifecycle's state.
    pub fn state(&self) -> State {
        State {
            hosted: self.hosting.is_some(),
            ..state_of(&self.record)
        }
    }

    /// What the holder last said; nothing when it is not there or not heard.
    pub fn report(&self) -> Option<&Seen> {
        match &self.seen {
            Observation::Present(_, seen) => Some(seen),
            Observation::Absent | Observation::Unseen(_) => None,
        }
    }

    /// Brings the list of apps that are to be open up to date: what its user closed is not, what somebody
    /// waits for is, and a session that is to be up has at least one.
    pub fn update_open_apps(&mut self, default_app: Option<&AppId>) {
        let ended: Vec<AppSeen> = match (self.report(), &self.hosting) {
            (Some(seen), Some(hosting)) => {
                let news = seen.apps.iter().filter(|app| hosting.is_news(app));
                news.cloned().collect()
            }
            _ => Vec::new(),
        };
        for app in ended {
            let closed = app.state == AppState::Closed;
            if closed || !self.record.opened_apps.contains(&app.app_id) {
                self.record.opened_apps.retain(|open| *open != app.app_id);
                if let Some(hosting) = &mut self.hosting {
                    hosting.handle_end(&app);
                }
            }
        }
        if let (Observation::Present(_, seen), Some(hosting)) = (&self.seen, &mut self.hosting) {
            hosting.forget_old(seen);
        }
        if self.record.desired != Desired::Running {
            return;
        }
        let asked_for: Vec<AppId> = self.tasks.iter().map(|task| task.app.clone()).collect();
        for app in asked_for {
            if !self.record.opened_apps.contains(&app) {
                self.record.opened_apps.push(app);
            }
        }
        // A session whose last app was closed is RUNNING without any; one that is yet to start needs one.
        let to_start = self.hosting.is_none();
        if let (true, true, Some(app)) = (to_start, self.record.opened_apps.is_empty(), default_app)
        {
            self.record.opened_apps.push(app.clone());
        }
    }

    /// The apps that are to be open and that the holder has to be told to open.
    pub fn lacking(&self) -> Vec<AppId> {
        match (self.report(), &self.hosting) {
            (Some(seen), Some(hosting)) => {
                let open = self.record.opened_apps.iter();
                open.filter(|app| hosting.lacks(app, seen))
                    .cloned()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The first app whose failure was not counted yet.
    pub fn fresh_failure(&self) -> Option<&AppSeen> {
        let (seen, hosting) = (self.report()?, self.hosting.as_ref()?);
        seen.apps.iter().find(|app| hosting.is_news(app))
    }

    /// The status of the app instance that carries the session.
    pub fn instance_status(&self) -> AppInstanceStatus {
        let status = match self.apps() {
            Some(apps) => {
                let record = &self.record;
                let carried = app_instance::of_session(record.auth_mode, record.status, apps);
                app_instance::step(record.instance_status, carried)
            }
            None => self.record.instance_status,
        };
        let held = if self.record.bound {
            app_instance::Event::Bound
        } else {
            app_instance::Event::Unbound
        };
        app_instance::step(status, held)
    }

    /// How far the apps are; `None` when the session runs and its holder has not said yet.
    fn apps(&self) -> Option<Apps> {
        let said_nothing = self.report().is_none_or(|seen| seen.apps.is_empty());
        if self.record.status == PersistentStatus::Running && said_nothing {
            return None;
        }
        Some(if self.lives(|app| app.state == AppState::Drawn) {
            Apps::Drawn
        } else if self.record.opened_apps.is_empty() {
            Apps::Closed
        } else {
            Apps::Launched
        })
    }

    /// What is to be done next.
    pub fn next(&self, rules: &Rules, now: Timestamp) -> Next {
        let event = self
            .seen_event()
            .or_else(|| self.wish())
            .map(|(event, reason)| Next::Event(event, reason));
        event.unwrap_or_else(|| self.in_time(rules, now))
    }

    /// How a task that waits for an app ends now, if it does.
    pub fn ends(
        &self,
        task: &TicketTask,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<(TaskStatus, String)> {
        if self.record.desired != Desired::Running {
            return Some((TaskStatus::Failed, "the session is being ended".to_owned()));
        }
        if self.state().has_given_up() {
            return Some((TaskStatus::Failed, self.record.status_reason.clone()));
        }
        if self.record.status != PersistentStatus::Running {
            return None;
        }
        if self.lives(|app| app.app_id == task.app && app.state == AppState::Drawn) {
            return Some((TaskStatus::Finished, String::new()));
        }
        (now >= self.task_deadline(task, rules)).then(|| {
            (
                TaskStatus::Failed,
                format!(
                    "the app has drawn nothing within {} s",
                    rules.start.as_secs()
                ),
            )
        })
    }

    /// News of the holder and its apps.
    fn seen_event(&self) -> Option<(Event, String)> {
        use PersistentStatus as S;
        let hosted = self.hosting.is_some();
        let ending = match self.record.status {
            S::Deleted => return None,
            S::Stopping | S::Stopped | S::Rebuilding | S::Deleting => true,
            S::Pending | S::Starting | S::Running | S::Unavailable => false,
        };
        let leaving = matches!(self.record.status, S::Rebuilding | S::Deleting);
        let seen = match &self.seen {
            Observation::Absent if hosted && self.restarted => {
                let reason = "the machine was restarted".to_owned();
                return Some((Event::PlaceRestarted, reason));
            }
            Observation::Absent if hosted || leaving => {
                let reason = "the session's process ended unexpectedly".to_owned();
                return Some((Event::HolderGone, reason));
            }
            Observation::Absent => return None,
            Observation::Unseen(_) | Observation::Present(..) if !hosted => {
                return Some((Event::HolderSeen, String::new()));
            }
            Observation::Unseen(_) if self.record.status == S::Running => {
                let reason = "the session's process has not been heard for 3 heartbeats";
                return Some((Event::Unseen, reason.to_owned()));
            }
            Observation::Unseen(_) => return None,
            Observation::Present(_, seen) => seen,
        };
        if ending || seen.stopping {
            return None;
        }
        if let Some(failed) = self.fresh_failure() {
            let event = if self.lives(|_| true) {
                Event::AppFailed
            } else {
                Event::LastAppFailed
            };
            let how = match &failed.state {
                AppState::Failed(how) => how.as_str(),
                AppState::Launched | AppState::Drawn | AppState::Closed => "it ended",
            };
            return Some((event, format!("the app {} failed: {how}", failed.app_id)));
        }
        if self.record.status == S::Running {
            return None;
        }
        if self.lives(|app| app.state == AppState::Drawn) {
            return Some((Event::AppDrawn, String::new()));
        }
        // With nothing left to be opened, the session is as its user left it: up, and empty.
        let latest = seen.apps.iter().max_by_key(|app| app.launch);
        let closed = latest.is_some_and(|app| app.state == AppState::Closed);
        let empty = closed && !self.lives(|_| true) && self.record.opened_apps.is_empty();
        empty.then(|| (Event::AppClosed, String::new()))
    }

    /// What somebody wants and is not so.
    fn wish(&self) -> Option<(Event, String)> {
        use PersistentStatus as S;
        let wish = match (self.record.desired, self.record.asked, self.record.status) {
            (_, _, S::Deleted) => return None,
            (Desired::Deleted, _, S::Deleting) => return None,
            (Desired::Deleted, _, _) => Event::DeleteAsked,
            // Elsewhere it waits: for what is under way to have become something.
            (_, Some(Ask::Reset), S::Running | S::Stopped | S::Unavailable | S::Rebuilding) => {
                Event::ResetAsked
            }
            (
                Desired::Running,
                Some(Ask::Restart),
                S::Pending | S::Starting | S::Running | S::Unavailable,
            ) => Event::StopAsked,
            (Desired::Running, Some(Ask::Start), S::Unavailable) => Event::StartAsked,
            (Desired::Running, _, S::Unavailable) if self.is_asked_anew() => Event::StartAsked,
            (Desired::Running, _, S::Stopped) => Event::StartAsked,
            (Desired::Stopped, _, S::Pending | S::Starting | S::Running | S::Unavailable) => {
                Event::StopAsked
            }
            (
                Desired::Running,
                _,
                S::Pending
                | S::Starting
                | S::Running
                | S::Stopping
                | S::Rebuilding
                | S::Unavailable
                | S::Deleting,
            )
            | (Desired::Stopped, _, S::Stopping | S::Stopped | S::Rebuilding | S::Deleting) => {
                return None;
            }
        };
        Some((wish, String::new()))
    }

    /// What is asked and still to be acted on after `event`, which was met just now.
    pub fn asked_after(&self, event: Event) -> Option<Ask> {
        let met = match event {
            Event::StartAsked | Event::ResetAsked | Event::DeleteAsked => true,
            Event::StopAsked => self.record.asked != Some(Ask::Reset),
            Event::LaunchDue
            | Event::DeadlinePassed
            | Event::SteadyPassed
            | Event::SpawnFailed
            | Event::HolderSeen
            | Event::AppDrawn
            | Event::AppClosed
            | Event::AppFailed
            | Event::LastAppFailed
            | Event::HolderGone
            | Event::PlaceRestarted
            | Event::Unseen => false,
        };
        self.record.asked.filter(|_| !met)
    }

    /// What is asked and still to be acted on when there is nothing more to be done for now.
    pub fn asked_at_rest(&self) -> Option<Ask> {
        use PersistentStatus as S;
        let waits = match self.record.status {
            S::Pending | S::Starting | S::Stopping => true,
            S::Running | S::Stopped | S::Rebuilding | S::Unavailable | S::Deleting | S::Deleted => {
                false
            }
        };
        self.record
            .asked
            .filter(|asked| waits && *asked == Ask::Reset)
    }

    /// A person asked for a ticket after the session had given up, or had fallen silent: it will not come
    /// back by itself, or not soon.
    fn is_asked_anew(&self) -> bool {
        let since = self.record.status_since;
        let lost = self.state().has_given_up() || matches!(self.seen, Observation::Unseen(_));
        lost && self.tasks.iter().any(|task| task.created > since)
    }

    /// What time brings: a deadline, a relaunch, forgiveness; or rest until one of them.
    fn in_time(&self, rules: &Rules, now: Timestamp) -> Next {
        use PersistentStatus as S;
        let mut times: Vec<(Timestamp, Option<Event>)> = Vec::new();
        if let Some(hosting) = &self.hosting {
            match self.record.status {
                S::Pending | S::Starting => times.push((
                    hosting.launched_at.after(rules.start),
                    Some(Event::DeadlinePassed),
                )),
                S::Stopping | S::Rebuilding | S::Deleting => times.push((
                    self.record
                        .status_since
                        .after(rules.stop)
                        .after(HOLDER_GRACE),
                    Some(Event::DeadlinePassed),
                )),
                S::Running if self.record.failures > 0 => {
                    times.push((
                        self.last_written().after(rules.steady),
                        Some(Event::SteadyPassed),
                    ));
                }
                S::Running | S::Stopped | S::Unavailable | S::Deleted => {}
            }
        }
        if self.is_to_launch() {
            let failed_at = self.last_written();
            // A clock that was set back must not put a relaunch off for as long.
            let due = if failed_at > now {
                now
            } else {
                failed_at.after(self.pause(rules))
            };
            times.push((due, Some(Event::LaunchDue)));
        }
        if self.record.status == S::Running {
            let deadlines = self
                .tasks
                .iter()
                .map(|task| (self.task_deadline(task, rules), None));
            times.extend(deadlines.filter(|(at, _)| *at > now));
        }
        times.sort_by_key(|(at, _)| *at);
        let due = times
            .iter()
            .find(|(at, event)| *at <= now && event.is_some());
        match due {
            Some((_, Some(event))) => Next::Event(*event, self.lateness(*event, rules)),
            Some((_, None)) | None => Next::Rest(times.first().map(|(at, _)| *at)),
        }
    }

    /// Whether something is to be launched as soon as its back-off is over.
    fn is_to_launch(&self) -> bool {
        use PersistentStatus as S;
        if self.record.desired != Desired::Running || self.state().has_given_up() {
            return false;
        }
        let idle = match (&self.hosting, &self.seen) {
            (None, Observation::Absent) => true,
            (Some(_), Observation::Present(_, seen)) => {
                !seen.stopping && !self.lacking().is_empty()
            }
            _ => false,
        };
        match self.record.status {
            S::Pending | S::Starting | S::Running | S::Unavailable => idle,
            S::Stopping | S::Stopped | S::Rebuilding | S::Deleting | S::Deleted => false,
        }
    }

    fn pause(&self, rules: &Rules) -> Duration {
        match self.record.failures {
            0 => Duration::ZERO,
            failures => rules.backoff * 2_u32.saturating_pow(failures.saturating_sub(1).min(16)),
        }
    }

    /// Failures are written when they happen, so this is when the last one did.
    fn last_written(&self) -> Timestamp {
        let since = self.record.status_since;
        self.record.observed_at.map_or(since, |at| at.max(since))
    }

    fn task_deadline(&self, task: &TicketTask, rules: &Rules) -> Timestamp {
        let launched = self
            .hosting
            .as_ref()
            .map_or(task.created, |h| h.launched_at);
        task.created.max(launched).after(rules.start)
    }

    fn lateness(&self, event: Event, rules: &Rules) -> String {
        match (event, self.record.status) {
            (Event::DeadlinePassed, PersistentStatus::Pending | PersistentStatus::Starting) => {
                format!(
                    "no app has drawn anything within {} s",
                    rules.start.as_secs()
                )
            }
            _ => String::new(),
        }
    }

    fn lives(&self, such: impl Fn(&AppSeen) -> bool) -> bool {
        let apps = self.report().map_or(&[][..], |seen| &seen.apps);
        apps.iter().any(|app| app.state.lives() && such(app))
    }
}
