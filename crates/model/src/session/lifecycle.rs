//! The persistent session's lifecycle: what each event means in each state, and what is to be done about it.
//!
//! Handlers write what is wanted; the reconciler compares it with what the runtime reports, turns every
//! difference into an [`Event`], asks [`step`] and carries out the [`Effect`]s. Effects are idempotent and
//! are carried out before the new state is written, so a crash in between repeats them and loses none.
//! Deadlines and back-off are data of the caller; here they are events.

#[cfg(test)]
mod tests;

use crate::PersistentStatus;

/// Failures in a row after which a session is no longer relaunched by itself.
pub const GIVE_UP_AFTER: u8 = 3;

/// What is known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    /// The vendor's word for it.
    pub status: PersistentStatus,
    /// A holder was spawned or seen, and has not been seen gone.
    pub hosted: bool,
    /// Failures in a row, at most [`GIVE_UP_AFTER`].
    pub failures: u8,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Somebody wants the session up.
    StartAsked,
    /// Somebody wants its processes ended and its home kept.
    StopAsked,
    /// Somebody wants it back as the image has it.
    ResetAsked,
    /// Somebody wants it removed.
    DeleteAsked,
    /// It is wanted up, an app of it that is to be open is not, and its back-off is over.
    LaunchDue,
    /// What it waits for took too long.
    DeadlinePassed,
    /// It has been `RUNNING` long enough for earlier failures to be forgotten.
    SteadyPassed,
    /// The runtime could not spawn a holder.
    SpawnFailed,
    /// The runtime has a holder of it: a spawn that was not recorded, or an adoption.
    HolderSeen,
    /// An app has a drawn window and has not ended.
    AppDrawn,
    /// No app is left, the last one having been closed by its user: exit 0 after its first frame.
    AppClosed,
    /// An app failed; another one lives.
    AppFailed,
    /// An app failed and none is left.
    LastAppFailed,
    /// The runtime saw that there is no holder.
    HolderGone,
    /// The runtime saw that there is no holder, and that its place was restarted meanwhile: nothing there could have
    /// lasted, and nobody has failed.
    PlaceRestarted,
    /// The holder has missed its heartbeats; whether it lives is not known.
    Unseen,
}

/// What is to be done; each may be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Start a holder with the apps that are to be open.
    Spawn,
    /// Have the holder launch the apps that are to be open and are not.
    Launch,
    /// Ask the holder to end its apps, then itself.
    Stop,
    /// End the holder at once, and its apps with it.
    Kill,
    /// Strike the app that failed from those that are to be open.
    ForgetApp,
    /// Delete the home.
    DropHome,
    /// Release what the session had on its host: sockets, process bookkeeping, the user id.
    FreeSlot,
}

/// The answer to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The session is now in this state, and this is to be done.
    Move(State, &'static [Effect]),
    /// Nothing changes.
    Stay,
    /// The event asks for what cannot be any more.
    Refuse,
}

impl State {
    /// A session that was just recorded and that nothing was done for yet.
    pub const NEW: Self = Self {
        status: PersistentStatus::Pending,
        hosted: false,
        failures: 0,
    };

    /// Whether the session waits to be started by somebody, having failed too often in a row.
    #[must_use]
    pub fn has_given_up(self) -> bool {
        self.status == PersistentStatus::Unavailable && self.failures >= GIVE_UP_AFTER
    }

    /// Whether it can be at all: some statuses say that a holder is there, some that none is.
    #[must_use]
    pub fn is_possible(self) -> bool {
        use PersistentStatus as S;
        let right = match self.status {
            S::Running | S::Stopping => self.hosted,
            S::Stopped | S::Deleted => !self.hosted,
            S::Pending | S::Starting | S::Unavailable | S::Rebuilding | S::Deleting => true,
        };
        right && self.failures <= GIVE_UP_AFTER
    }

    fn to(self, status: PersistentStatus, effects: &'static [Effect]) -> Outcome {
        Outcome::Move(Self { status, ..self }, effects)
    }

    fn forgiven(self) -> Self {
        Self {
            failures: 0,
            ..self
        }
    }

    fn hosted(self) -> Self {
        Self {
            hosted: true,
            ..self
        }
    }

    fn unhosted(self) -> Self {
        Self {
            hosted: false,
            ..self
        }
    }

    fn failed(self) -> Self {
        Self {
            failures: self.failures.saturating_add(1).min(GIVE_UP_AFTER),
            ..self
        }
    }

    /// The next status of a session that never drew: it goes on trying until it gives up.
    fn retry(self) -> Outcome {
        let next = self.failed();
        if next.failures < GIVE_UP_AFTER {
            next.to(self.status, &[])
        } else {
            next.to(PersistentStatus::Unavailable, &[])
        }
    }

    /// Goes to a status in which the holder is to be ended, if there is one.
    fn end(self, status: PersistentStatus) -> Outcome {
        self.to(status, if self.hosted { &[Effect::Stop] } else { &[] })
    }

    /// Goes to `STARTING` by the shortest way: a holder that is there only needs its apps.
    fn start(self) -> Outcome {
        let effects: &[Effect] = if self.hosted {
            &[Effect::Launch]
        } else {
            &[Effect::Spawn]
        };
        self.hosted().to(PersistentStatus::Starting, effects)
    }
}

/// What `event` means for a session in `state`.
#[must_use]
pub fn step(state: State, event: Event) -> Outcome {
    use {Effect as F, Event as E, Outcome::*, PersistentStatus as S};
    let hosted = state.hosted;
    match (state.status, event) {
        // What somebody wants.
        (S::Stopped | S::Unavailable, E::StartAsked) => state.forgiven().start(),
        (S::Pending | S::Starting | S::Running | S::Unavailable, E::StopAsked) => {
            if hosted {
                state.to(S::Stopping, &[F::Stop])
            } else {
                state.forgiven().to(S::Stopped, &[F::FreeSlot])
            }
        }
        (S::Running | S::Stopped | S::Unavailable, E::ResetAsked) => {
            state.forgiven().end(S::Rebuilding)
        }
        (
            S::Pending
            | S::Starting
            | S::Running
            | S::Stopping
            | S::Stopped
            | S::Rebuilding
            | S::Unavailable,
            E::DeleteAsked,
        ) => state.end(S::Deleting),
        // Already so, or so once what is under way has ended: the reconciler asks again.
        (S::Pending | S::Starting | S::Running | S::Stopping | S::Rebuilding, E::StartAsked)
        | (S::Stopping | S::Stopped | S::Rebuilding, E::StopAsked)
        | (S::Rebuilding, E::ResetAsked)
        | (S::Deleting | S::Deleted, E::DeleteAsked) => Stay,
        (S::Pending | S::Starting | S::Stopping, E::ResetAsked)
        | (S::Deleting | S::Deleted, E::StartAsked | E::StopAsked | E::ResetAsked) => Refuse,

        // Launching and its failures.
        (S::Pending | S::Starting, E::LaunchDue) if hosted => state.to(state.status, &[F::Launch]),
        (S::Pending | S::Starting, E::LaunchDue) => state.hosted().to(state.status, &[F::Spawn]),
        (S::Running, E::LaunchDue) => state.to(S::Running, &[F::Launch]),
        (S::Unavailable, E::LaunchDue) if state.has_given_up() => Stay,
        (S::Unavailable, E::LaunchDue) => state.start(),
        (S::Pending | S::Starting, E::SpawnFailed) => state.unhosted().retry(),
        // Only a launch can fail to spawn, and it is asked of a session that is not up.
        (S::Unavailable | S::Stopped, E::SpawnFailed) => {
            state.unhosted().failed().to(S::Unavailable, &[])
        }
        (S::Pending | S::Starting, E::AppFailed | E::LastAppFailed) if hosted => state.retry(),
        (S::Pending | S::Starting, E::HolderGone) if hosted => state.unhosted().retry(),
        (S::Running, E::AppFailed) => {
            let next = state.failed();
            let effects: &[F] = if next.failures < GIVE_UP_AFTER {
                &[]
            } else {
                &[F::ForgetApp]
            };
            next.to(S::Running, effects)
        }
        (S::Running, E::LastAppFailed) => state.failed().to(S::Unavailable, &[]),
        (S::Running, E::HolderGone) => state.unhosted().failed().to(S::Unavailable, &[]),
        (S::Pending | S::Starting, E::PlaceRestarted) if hosted => {
            state.unhosted().to(state.status, &[])
        }
        // What it failed at before was elsewhere, as it were: it begins anew.
        (S::Running, E::PlaceRestarted) => state.unhosted().forgiven().to(S::Unavailable, &[]),
        (S::Running, E::SteadyPassed) if state.failures > 0 => state.forgiven().to(S::Running, &[]),
        // An app that does not draw holds its holder up as well: both go.
        (S::Pending | S::Starting, E::DeadlinePassed) if hosted => {
            state.failed().to(S::Unavailable, &[F::Kill])
        }

        // What was seen. A window that was drawn, even one that was closed since, makes a session RUNNING.
        (S::Pending | S::Starting | S::Unavailable, E::AppDrawn | E::AppClosed) => {
            state.hosted().to(S::Running, &[])
        }
        (S::Pending | S::Starting | S::Unavailable, E::HolderSeen) if !hosted => {
            state.hosted().to(state.status, &[])
        }
        (S::Running, E::Unseen) => state.to(S::Unavailable, &[]),
        (S::Unavailable, E::HolderGone | E::PlaceRestarted) if hosted => {
            state.unhosted().to(S::Unavailable, &[])
        }

        // Ending.
        (S::Stopping | S::Rebuilding | S::Deleting, E::DeadlinePassed) if hosted => {
            state.to(state.status, &[F::Kill])
        }
        (S::Stopping, E::HolderGone | E::PlaceRestarted) => {
            state.unhosted().forgiven().to(S::Stopped, &[F::FreeSlot])
        }
        // A reset ends as STOPPED; whoever wants it up has it started from there, with the new home.
        (S::Rebuilding, E::HolderGone | E::PlaceRestarted) => {
            state.unhosted().to(S::Stopped, &[F::DropHome, F::FreeSlot])
        }
        (S::Deleting, E::HolderGone | E::PlaceRestarted) => {
            state.unhosted().to(S::Deleted, &[F::DropHome, F::FreeSlot])
        }
        // A holder nobody knew of, of a session that is to have none.
        (S::Stopped, E::HolderSeen) => state.hosted().to(S::Stopping, &[F::Stop]),
        (S::Rebuilding | S::Deleting, E::HolderSeen) if !hosted => {
            state.hosted().to(state.status, &[F::Stop])
        }

        // News that changes nothing: late, or already known. It is never refused.
        (
            S::Stopping | S::Stopped | S::Rebuilding | S::Deleting | S::Deleted,
            E::LaunchDue
            | E::AppDrawn
            | E::AppClosed
            | E::AppFailed
            | E::LastAppFailed
            | E::SteadyPassed
            | E::Unseen,
        )
        | (S::Running, E::AppDrawn | E::AppClosed | E::SteadyPassed | E::DeadlinePassed)
        | (S::Unavailable, E::AppFailed | E::LastAppFailed | E::DeadlinePassed)
        | (S::Unavailable, E::SteadyPassed | E::Unseen | E::HolderGone | E::PlaceRestarted)
        | (
            S::Pending | S::Starting,
            E::SteadyPassed | E::Unseen | E::HolderGone | E::PlaceRestarted,
        )
        | (S::Pending | S::Starting, E::DeadlinePassed | E::AppFailed | E::LastAppFailed)
        | (S::Stopped | S::Deleted, E::DeadlinePassed | E::HolderGone | E::PlaceRestarted)
        | (S::Stopping | S::Rebuilding | S::Deleting, E::DeadlinePassed)
        | (S::Running | S::Stopping | S::Rebuilding | S::Deleting | S::Deleted, E::SpawnFailed)
        | (
            S::Pending
            | S::Starting
            | S::Running
            | S::Stopping
            | S::Rebuilding
            | S::Unavailable
            | S::Deleting
            | S::Deleted,
            E::HolderSeen,
        ) => Stay,
    }
}
