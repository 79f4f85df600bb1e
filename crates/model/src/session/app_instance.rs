//! The app instance's lifecycle: the slot that carries a session, in the words of `AppInstanceStatus`.
//!
//! An instance has no will of its own. What its session does and who holds it arrive as [`Event`]s, and
//! [`of_session`] says which event a session's status stands for:
//!
//! | session | its app | free | bound |
//! |---|---|---|---|
//! | `PENDING` | – | `INIT` | `INIT` |
//! | `REBUILDING`, a persistent one | – | `INIT` | `INIT` |
//! | `REBUILDING`, an ordinary one | – | `CLOSING` | `CLOSING` |
//! | `STARTING` | – | `STARTING` | `STARTING` |
//! | `RUNNING` | drawn | `RUNNING` | `RUNNING` |
//! | `RUNNING` | launched, not drawn yet | `STARTING` | `STARTING` |
//! | `RUNNING` | closed by its user | `CLOSED` | `CLOSED` |
//! | `STOPPING` | – | `CLOSING` | `CLOSING` |
//! | `STOPPED` | – | `IDLE` | `BOUND` |
//! | `UNAVAILABLE` | – | `UNAVAILABLE` | `UNAVAILABLE` |
//! | `DELETING` | – | `CLOSING` | `CLOSING` |
//! | `DELETED` | – | `DELETED` | `DELETED` |
//!
//! A persistent session is made anew for its users; an ordinary one is cleared away after its user, and its slot is
//! the next one's. Whether somebody holds it shows only where no app does: the vendor has one word for the slot and its app.

use crate::{AppInstanceStatus, AuthMode, PersistentStatus};

/// What happened to the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It is being made, or made anew.
    Initialising,
    /// It is there, and no app runs in it.
    Emptied,
    /// Somebody holds it.
    Bound,
    /// Nobody holds it.
    Unbound,
    /// An app is being started in it.
    AppStarting,
    /// An app in it has a drawn window.
    AppDrawn,
    /// Its apps are being ended.
    AppClosing,
    /// The last app in it was closed by its user.
    AppClosed,
    /// It is not to be had.
    Lost,
    /// It is no more.
    Removed,
}

/// The apps of a session that is `RUNNING`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Apps {
    /// At least one is drawn.
    Drawn,
    /// At least one lives, none is drawn.
    Launched,
    /// None lives.
    Closed,
}

/// What happens to the instance that carries a session of this status, in a group that gives this out.
#[must_use]
pub fn of_session(group: AuthMode, session: PersistentStatus, apps: Apps) -> Event {
    use PersistentStatus as S;
    match session {
        S::Pending => Event::Initialising,
        S::Rebuilding if group.has_persistent_sessions() => Event::Initialising,
        S::Rebuilding => Event::AppClosing,
        S::Starting => Event::AppStarting,
        S::Running => match apps {
            Apps::Drawn => Event::AppDrawn,
            Apps::Launched => Event::AppStarting,
            Apps::Closed => Event::AppClosed,
        },
        S::Stopping | S::Deleting => Event::AppClosing,
        S::Stopped => Event::Emptied,
        S::Unavailable => Event::Lost,
        S::Deleted => Event::Removed,
    }
}

/// The status after `event`. It is what was seen, so no event is refused; only what is removed stays so.
#[must_use]
pub fn step(status: AppInstanceStatus, event: Event) -> AppInstanceStatus {
    use {AppInstanceStatus as A, Event as E};
    match (status, event) {
        (
            A::Deleted,
            E::Initialising
            | E::Emptied
            | E::Bound
            | E::Unbound
            | E::AppStarting
            | E::AppDrawn
            | E::AppClosing
            | E::AppClosed
            | E::Lost
            | E::Removed,
        ) => A::Deleted,
        (
            A::Init
            | A::Idle
            | A::Bound
            | A::Starting
            | A::Running
            | A::Closing
            | A::Closed
            | A::Unavailable,
            event,
        ) => match event {
            E::Initialising => A::Init,
            // Emptied tells of apps, not of who holds the slot.
            E::Emptied if status == A::Bound => A::Bound,
            E::Emptied => A::Idle,
            // Who holds it shows only while no app does.
            E::Bound if status == A::Idle => A::Bound,
            E::Unbound if status == A::Bound => A::Idle,
            E::Bound | E::Unbound => status,
            E::AppStarting => A::Starting,
            E::AppDrawn => A::Running,
            E::AppClosing => A::Closing,
            E::AppClosed => A::Closed,
            E::Lost => A::Unavailable,
            E::Removed => A::Deleted,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AppInstanceStatus as A;

    const EVENTS: [Event; 10] = [
        Event::Initialising,
        Event::Emptied,
        Event::Bound,
        Event::Unbound,
        Event::AppStarting,
        Event::AppDrawn,
        Event::AppClosing,
        Event::AppClosed,
        Event::Lost,
        Event::Removed,
    ];
    const APPS: [Apps; 3] = [Apps::Drawn, Apps::Launched, Apps::Closed];

    /// Everything that a slot can carry: of the groups that give out no sessions, one stands for both.
    fn sessions() -> impl Iterator<Item = (AuthMode, PersistentStatus, Apps)> {
        let groups = [AuthMode::Session, AuthMode::AppInstanceGroup].into_iter();
        groups.flat_map(|group| {
            let statuses = PersistentStatus::ALL.iter();
            statuses.flat_map(move |status| APPS.map(|apps| (group, *status, apps)))
        })
    }

    #[test]
    fn every_status_meets_every_event() {
        let mut table = String::new();
        for status in A::ALL {
            table += &format!("{status}\n");
            for event in EVENTS {
                let next = step(*status, event);
                table += &format!("  {:<13} {next}\n", format!("{event:?}"));
            }
        }
        insta::assert_snapshot!(table);
    }

    /// The table of the module's documentation, from the code.
    #[test]
    fn a_session_and_its_holder_decide_the_word() {
        let mut table = String::new();
        for (group, session, apps) in sessions() {
            let event = of_session(group, session, apps);
            let word = |held| step(step(A::Init, event), held);
            table += &format!(
                "{group:<16} {session:<11} {apps:<9} {:<11} {}\n",
                word(Event::Unbound).as_str(),
                word(Event::Bound).as_str(),
                group = group.as_str(),
                session = session.as_str(),
                apps = format!("{apps:?}"),
            );
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_is_removed_stays_removed() {
        for event in EVENTS {
            assert_eq!(step(A::Deleted, event), A::Deleted, "{event:?}");
        }
    }

    #[test]
    fn a_slot_is_never_free_while_somebody_holds_it() {
        for status in A::ALL {
            let held = step(*status, Event::Bound);
            for (group, session, apps) in sessions() {
                let then = step(step(held, of_session(group, session, apps)), Event::Bound);
                assert_ne!(then, A::Idle, "{status} under {session}");
            }
        }
    }

    #[test]
    fn nothing_runs_in_a_slot_unless_its_session_runs() {
        for status in A::ALL.iter().filter(|status| **status != A::Deleted) {
            for (group, session, apps) in sessions() {
                let then = step(*status, of_session(group, session, apps));
                let runs = matches!(then, A::Running | A::Closed);
                assert!(
                    !runs || session == PersistentStatus::Running,
                    "{session} gives {then}"
                );
            }
        }
    }
}
