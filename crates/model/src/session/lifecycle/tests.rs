//! Every state with every event as a golden table, and what must hold whatever the table says.

use super::*;
use PersistentStatus as S;

const EVENTS: [Event; 16] = [
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
    Event::PlaceRestarted,
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
            let gone = [Event::HolderGone, Event::PlaceRestarted].contains(&event);
            assert!(gone || !from.hosted, "{from:?} + {event:?}");
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

#[test]
fn a_restarted_place_fails_nobody() {
    for (from, event, to, _) in moves() {
        if event == Event::PlaceRestarted {
            assert!(to.failures <= from.failures, "{from:?}");
            assert!(!to.hosted, "{from:?}");
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
