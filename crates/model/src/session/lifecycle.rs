//! The persistent session's lifecycle: what each event means in each state, and what is to be done about it.
//!
//! Handlers write what is wanted; the reconciler compares it with what the runtime reports, turns every
//! difference into an [`Event`], asks [`step`] and carries out the [`Effect`]s. Effects are idempotent and
//! are carried out before the new state is written, so a crash in between repeats them and loses none.
//! Deadlines and back-off are data of the caller; here they are events.

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
        (S::Unavailable, E::HolderGone) if hosted => state.unhosted().to(S::Unavailable, &[]),

        // Ending.
        (S::Stopping | S::Rebuilding | S::Deleting, E::DeadlinePassed) if hosted => {
            state.to(state.status, &[F::Kill])
        }
        (S::Stopping, E::HolderGone) => state.unhosted().forgiven().to(S::Stopped, &[F::FreeSlot]),
        // A reset ends as STOPPED; whoever wants it up has it started from there, with the new home.
        (S::Rebuilding, E::HolderGone) => {
            state.unhosted().to(S::Stopped, &[F::DropHome, F::FreeSlot])
        }
        (S::Deleting, E::HolderGone) => {
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
        | (S::Unavailable, E::SteadyPassed | E::Unseen | E::HolderGone)
        | (S::Pending | S::Starting, E::SteadyPassed | E::Unseen | E::HolderGone)
        | (S::Pending | S::Starting, E::DeadlinePassed | E::AppFailed | E::LastAppFailed)
        | (S::Stopped | S::Deleted, E::DeadlinePassed | E::HolderGone)
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

#[cfg(test)]
mod tests {
    use super::*;
    use PersistentStatus as S;

    const EVENTS: [Event; 15] = [
        Event::StartAsked,
        Event::StopAsked,
        Event::ResetAsked,
        Event::DeleteAsked,
        Event::LaunchDue,
        Event::DeadlinePassed,
        Event::SteadyPassed,
        Event::SpawnFailed,
        Event::HolderSeen,
        Event::AppDrawn,
        Event::AppClosed,
        Event::AppFailed,
        Event::LastAppFailed,
        Event::HolderGone,
        Event::Unseen,
    ];

    fn states() -> impl Iterator<Item = State> {
        S::ALL.iter().flat_map(|&status| {
            [false, true].into_iter().flat_map(move |hosted| {
                (0..=GIVE_UP_AFTER)
                    .map(move |failures| State {
                        status,
                        hosted,
                        failures,
                    })
                    .filter(|state| state.is_possible())
            })
        })
    }

    fn all() -> impl Iterator<Item = (State, Event, Outcome)> {
        states().flat_map(|state| EVENTS.map(|event| (state, event, step(state, event))))
    }

    /// Every move, with where it starts and why.
    fn moves() -> impl Iterator<Item = (State, Event, State, &'static [Effect])> {
        all().filter_map(|(from, event, outcome)| match outcome {
            Outcome::Move(to, effects) => Some((from, event, to, effects)),
            Outcome::Stay | Outcome::Refuse => None,
        })
    }

    fn line(outcome: Outcome) -> String {
        match outcome {
            Outcome::Move(to, effects) => {
                let host = if to.hosted { " (hosted)" } else { "" };
                format!("{}{host} failures {} {effects:?}", to.status, to.failures)
            }
            Outcome::Stay => "stay".to_owned(),
            Outcome::Refuse => "refuse".to_owned(),
        }
    }

    /// Failures are told for none and for one short of giving up; the second is shown where it differs.
    #[test]
    fn every_state_meets_every_event() {
        let mut table = String::new();
        for state in states().filter(|state| state.failures == 0) {
            let host = if state.hosted { " (hosted)" } else { "" };
            table += &format!("{}{host}\n", state.status);
            for event in EVENTS {
                let first = step(state, event);
                let last = step(
                    State {
                        failures: GIVE_UP_AFTER - 1,
                        ..state
                    },
                    event,
                );
                table += &format!("  {:<15} {}\n", format!("{event:?}"), line(first));
                let forgets = |outcome| match outcome {
                    Outcome::Move(to, effects) => Some((to.status, to.hosted, effects)),
                    Outcome::Stay | Outcome::Refuse => None,
                };
                if forgets(first) != forgets(last) {
                    table += &format!("  {:<15} {}\n", "  third failure", line(last));
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_move_never_leads_to_a_state_that_cannot_be() {
        for (from, event, to, _) in moves() {
            assert!(to.is_possible(), "{from:?} + {event:?} -> {to:?}");
        }
    }

    #[test]
    fn only_a_wish_is_ever_refused_and_a_delete_never() {
        for (from, event, outcome) in all() {
            let wish = matches!(
                event,
                Event::StartAsked | Event::StopAsked | Event::ResetAsked
            );
            assert!(
                outcome != Outcome::Refuse || wish,
                "{from:?} + {event:?} is refused"
            );
        }
    }

    #[test]
    fn a_slot_is_freed_and_a_home_dropped_only_once_the_host_is_gone() {
        for (from, event, to, effects) in moves() {
            let frees = effects.contains(&Effect::FreeSlot) || effects.contains(&Effect::DropHome);
            if frees {
                assert!(
                    event == Event::HolderGone || !from.hosted,
                    "{from:?} + {event:?}"
                );
                assert!(!to.hosted, "{from:?} + {event:?}");
            }
        }
    }

    #[test]
    fn a_home_is_dropped_only_by_a_reset_or_a_delete() {
        for (from, event, _, effects) in moves() {
            if effects.contains(&Effect::DropHome) {
                assert!(
                    matches!(from.status, S::Rebuilding | S::Deleting),
                    "{from:?} + {event:?}"
                );
            }
        }
    }

    #[test]
    fn running_is_only_ever_said_of_a_session_that_drew() {
        for (from, event, to, _) in moves() {
            if to.status == S::Running && from.status != S::Running {
                assert!(
                    matches!(event, Event::AppDrawn | Event::AppClosed),
                    "{from:?} + {event:?}"
                );
            }
        }
    }

    #[test]
    fn starting_only_comes_after_stopped_or_unavailable() {
        for (from, event, to, _) in moves() {
            if to.status == S::Starting && from.status != S::Starting {
                assert!(
                    matches!(from.status, S::Stopped | S::Unavailable),
                    "{from:?} + {event:?}"
                );
            }
        }
    }

    #[test]
    fn a_delete_passes_deleting_and_ends_deleted() {
        for (from, event, to, _) in moves() {
            if to.status == S::Deleted {
                assert_eq!(from.status, S::Deleting, "{from:?} + {event:?}");
            }
        }
        for state in states().filter(|state| state.status != S::Deleted) {
            let deleting = match step(state, Event::DeleteAsked) {
                Outcome::Move(to, _) => to,
                Outcome::Stay => state,
                Outcome::Refuse => unreachable!("a delete is never refused"),
            };
            assert_eq!(deleting.status, S::Deleting);
            let Outcome::Move(gone, effects) = step(deleting, Event::HolderGone) else {
                panic!("{deleting:?} must end");
            };
            assert_eq!(gone.status, S::Deleted);
            assert!(effects.contains(&Effect::DropHome));
        }
    }

    #[test]
    fn a_holder_that_is_to_go_is_told_or_killed() {
        for (from, event, to, effects) in moves() {
            let ending = matches!(to.status, S::Stopping | S::Rebuilding | S::Deleting);
            if ending && to.hosted {
                assert!(
                    effects.contains(&Effect::Stop) || effects.contains(&Effect::Kill),
                    "{from:?} + {event:?}"
                );
            }
        }
    }

    #[test]
    fn a_second_holder_is_never_spawned_beside_one_that_may_live() {
        for (from, event, _, effects) in moves() {
            if effects.contains(&Effect::Spawn) {
                assert!(!from.hosted, "{from:?} + {event:?}");
            }
        }
    }

    /// Walks of the machine from its beginning, nobody asking for anything: however the news fall, at most
    /// three launches end in failure and then the session rests.
    #[test]
    fn a_session_nobody_touches_gives_up_after_three_failures_in_a_row() {
        let failing = [
            Event::LaunchDue,
            Event::SpawnFailed,
            Event::LastAppFailed,
            Event::HolderGone,
            Event::DeadlinePassed,
        ];
        let mut seed = 1_u32;
        for _ in 0..1000 {
            let mut state = State::NEW;
            let mut launches = 0;
            for _ in 0..200 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let event = failing[(seed >> 16) as usize % failing.len()];
                let launchable = state.status != S::Unavailable || !state.has_given_up();
                if let Outcome::Move(to, effects) = step(state, event) {
                    if effects.contains(&Effect::Spawn) {
                        assert!(launchable);
                        launches += 1;
                    }
                    state = to;
                }
            }
            assert!(state.has_given_up(), "{state:?}");
            assert!(launches <= GIVE_UP_AFTER, "{launches}");
            let Outcome::Move(again, _) = step(state, Event::StartAsked) else {
                panic!("somebody may always ask again");
            };
            assert_eq!((again.status, again.failures), (S::Starting, 0));
        }
    }

    #[test]
    fn five_steady_minutes_forget_earlier_failures() {
        let running = State {
            status: S::Running,
            hosted: true,
            failures: 2,
        };
        let Outcome::Move(next, effects) = step(running, Event::SteadyPassed) else {
            panic!("failures must be forgotten");
        };
        assert_eq!((next.failures, effects), (0, &[][..]));
    }
}
