//! How many nodes a group is to have beside its own: what its strategy makes of the use it sees and of the
//! time.
//!
//! The recorded rules, in the words used here. By usage: at the threshold and above it, nodes come by the step
//! until there are as many as may be; with `MaxIdleAppInstanceAmount`, only while fewer sessions than that are
//! free. By schedule: in a period the group has that period's nodes, else its own. A node goes once so many
//! sessions as it holds have been idle for `ScalingDownAfterIdleMinutes`, counted anew from each time that
//! nodes came, and never if that would bring it back.

use super::{NodePool, StrategyType};
use greenroom_model::Timestamp;
use greenroom_store::{PoolUsage, Shape};
use std::time::Duration;

/// `ScalingUsageThreshold` where the group names none, in percent.
const THRESHOLD: u64 = 85;

/// `ScalingDownAfterIdleMinutes` where the group names none.
const IDLE_MINUTES: u64 = 5;

/// How long before a period its nodes come, with `WarmUp`: no two periods are closer to each other.
const WARM_UP: Duration = Duration::from_secs(5 * 60);

/// What a decision goes by.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// How many nodes of how many sessions there are.
    pub shape: Shape,
    /// What of them is used.
    pub used: PoolUsage,
    /// When scaling last added nodes.
    pub scaled_at: Option<Timestamp>,
}

/// A session that nobody has held since then has been idle for long enough at `now`.
#[must_use]
pub fn idle_before(pool: &NodePool, now: Timestamp) -> Timestamp {
    let millis = i64::try_from(idle_time(pool).as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(millis))
}

/// How many nodes the group is to have beside its own from `now` on; `None` when it has as many.
#[must_use]
pub fn decide(pool: &NodePool, usage: &Usage, now: Timestamp) -> Option<u32> {
    let there = usage.shape.scaling;
    let wanted = match pool.strategy_type {
        StrategyType::NodeFixed => there,
        StrategyType::NodeScalingByUsage => by_usage(pool, usage, now),
        StrategyType::NodeScalingBySchedule => {
            let wanted = scheduled(pool, now).saturating_sub(usage.shape.nodes);
            wanted.max(there.saturating_sub(may_go(pool, usage, now)))
        }
    };
    (wanted != there).then_some(wanted)
}

fn by_usage(pool: &NodePool, usage: &Usage, now: Timestamp) -> u32 {
    let there = usage.shape.scaling;
    // Places whose sessions were deleted one by one stay free: nobody can be given them.
    let free_places = usage.shape.slots().saturating_sub(usage.used.slots);
    let crowded = |nodes| {
        let scaling = Shape {
            scaling: nodes,
            ..usage.shape
        };
        let slots = scaling.slots().saturating_sub(free_places);
        is_crowded(pool, slots, usage.used.in_use)
    };
    if crowded(there) {
        let step = pool.scaling_step.map_or(0, |step| step.as_u32());
        let most = pool.max_scaling_amount.map_or(0, |most| most.as_u32());
        return there.max(most.min(there.saturating_add(step)));
    }
    let least = there.saturating_sub(may_go(pool, usage, now));
    (least..there)
        .find(|nodes| !crowded(*nodes))
        .unwrap_or(there)
}

/// Whether so many sessions in use of so many call for more nodes.
fn is_crowded(pool: &NodePool, slots: u32, in_use: u32) -> bool {
    let threshold = pool
        .scaling_usage_threshold
        .map_or(THRESHOLD, |percent| u64::from(percent.get()));
    let reached = u64::from(in_use) * 100 >= threshold * u64::from(slots);
    let free = slots.saturating_sub(in_use);
    let few = pool
        .max_idle_app_instance_amount
        .is_none_or(|most| i64::from(free) < most.get());
    reached && few
}

/// How many nodes the idle sessions would fill, once they have been so for long enough.
fn may_go(pool: &NodePool, usage: &Usage, now: Timestamp) -> u32 {
    let settled = usage
        .scaled_at
        .is_none_or(|at| at.after(idle_time(pool)) <= now);
    if settled {
        usage.used.idle / usage.shape.capacity.max(1)
    } else {
        0
    }
}

fn idle_time(pool: &NodePool) -> Duration {
    let minutes = pool
        .scaling_down_after_idle_minutes
        .map_or(IDLE_MINUTES, |minutes| u64::from(minutes.as_u32()));
    Duration::from_secs(minutes * 60)
}

/// The nodes that the schedule gives at `now`, those that are warming up included.
fn scheduled(pool: &NodePool, now: Timestamp) -> u32 {
    let at = |moment: Timestamp| {
        let begins = pool
            .strategy_enable_date
            .as_ref()
            .and_then(|day| day.begins());
        let ends = pool
            .strategy_disable_date
            .as_ref()
            .and_then(|day| day.begins());
        let enabled =
            begins.is_some_and(|begins| begins <= moment) && ends.is_some_and(|ends| moment < ends);
        let schedules = pool.recurrence_schedules.items().iter();
        let most = schedules.map(|it| it.amount(moment)).max().unwrap_or(0);
        if enabled { most } else { 0 }
    };
    match pool.warm_up {
        Some(true) => at(now).max(at(now.after(WARM_UP))),
        Some(false) | None => at(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn moment(text: &str) -> Timestamp {
        Timestamp::from_request(text).unwrap()
    }

    fn pool(fields: Value) -> NodePool {
        from_value(fields).unwrap()
    }

    fn by_usage(more: Value) -> NodePool {
        let mut fields = json!({"StrategyType": "NODE_SCALING_BY_USAGE", "NodeAmount": 2,
            "MaxScalingAmount": 5, "ScalingStep": 2});
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        pool(fields)
    }

    /// The decision about 2 nodes of its own of `capacity` sessions, ten minutes after scaling last added some.
    fn decided(
        pool: &NodePool,
        capacity: u32,
        scaling: u32,
        in_use: u32,
        idle: u32,
    ) -> Option<u32> {
        let full = (2 + scaling) * capacity;
        decided_of(pool, capacity, scaling, [full, in_use, idle])
    }

    /// As [`decided`], of so many sessions, of which so many are in use and so many idle.
    fn decided_of(pool: &NodePool, capacity: u32, scaling: u32, sessions: [u32; 3]) -> Option<u32> {
        let now = moment("2026-03-10T12:00:00Z");
        let [slots, in_use, idle] = sessions;
        let usage = Usage {
            shape: Shape {
                nodes: 2,
                scaling,
                capacity,
            },
            used: PoolUsage {
                slots,
                in_use,
                idle,
            },
            scaled_at: Some(moment("2026-03-10T11:50:00Z")),
        };
        decide(pool, &usage, now)
    }

    #[test]
    fn with_use_nodes_come_by_the_step_and_go_when_nobody_misses_them() {
        let usual = || by_usage(json!({}));
        let half = || by_usage(json!({"ScalingUsageThreshold": "50"}));
        let scarce = |most| by_usage(json!({"MaxIdleAppInstanceAmount": most}));
        for (what, pool, capacity, scaling, in_use, idle, expected) in [
            ("below the threshold", usual(), 10, 0, 16, 4, None),
            ("at the threshold", usual(), 10, 0, 17, 3, Some(2)),
            ("above it", usual(), 10, 0, 20, 0, Some(2)),
            ("again", usual(), 10, 2, 34, 6, Some(4)),
            ("up to the most", usual(), 10, 4, 60, 0, Some(5)),
            ("and no further", usual(), 10, 5, 70, 0, None),
            ("another threshold", half(), 10, 0, 10, 10, Some(2)),
            ("enough are free", scarce(3), 10, 0, 17, 3, None),
            ("too few are free", scarce(4), 10, 0, 17, 3, Some(2)),
            ("all idle nodes go", usual(), 10, 3, 0, 50, Some(0)),
            ("its own never go", usual(), 10, 0, 0, 20, None),
            ("as far as they are idle", usual(), 10, 3, 10, 25, Some(1)),
            ("not for less than a node", usual(), 10, 3, 10, 9, None),
            ("not to come back at once", usual(), 10, 2, 17, 23, Some(1)),
            ("not at all then", usual(), 10, 1, 17, 13, None),
        ] {
            let found = decided(&pool, capacity, scaling, in_use, idle);
            assert_eq!(found, expected, "{what}");
        }
    }

    /// The numbers of nodes that follow one another while the use stays as it is.
    fn followed(pool: &NodePool, capacity: u32, from: u32, in_use: u32) -> Vec<u32> {
        let mut seen = vec![from];
        while let Some(next) = {
            let there = seen[seen.len() - 1];
            let idle = (2 + there) * capacity - in_use;
            decided(pool, capacity, there, in_use, idle)
        } {
            seen.push(next);
            assert!(seen.len() < 20, "it does not come to rest: {seen:?}");
        }
        seen
    }

    #[test]
    fn nodes_that_went_are_not_called_back_by_the_use_that_let_them_go() {
        for threshold in ["0", "1", "50", "85", "100"] {
            for (capacity, step) in [(1, 1), (1, 3), (2, 2), (4, 1)] {
                let pool =
                    by_usage(json!({"ScalingUsageThreshold": threshold, "ScalingStep": step}));
                for from in 0..=5 {
                    for in_use in 0..=(2 + from) * capacity {
                        let seen = followed(&pool, capacity, from, in_use);
                        let down_and_up = seen.windows(3).any(|it| it[0] > it[1] && it[1] < it[2]);
                        assert!(
                            !down_and_up,
                            "{threshold}%, {capacity} each, {in_use} in use: {seen:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn sessions_that_were_deleted_one_by_one_are_not_taken_for_free_ones() {
        let usual = by_usage(json!({}));
        for (what, sessions, expected) in [
            ("half of those left", [12, 6, 6], None),
            ("all of those left", [12, 12, 0], Some(2)),
            ("the threshold of those left", [12, 11, 1], Some(2)),
            ("one less", [12, 10, 2], None),
        ] {
            assert_eq!(decided_of(&usual, 10, 0, sessions), expected, "{what}");
        }
        let scarce = by_usage(json!({"MaxIdleAppInstanceAmount": 2}));
        assert_eq!(decided_of(&scarce, 10, 0, [14, 12, 2]), None);
        assert_eq!(decided_of(&scarce, 10, 0, [14, 13, 1]), Some(2));
    }

    #[test]
    fn nodes_that_have_just_come_do_not_go() {
        let patient = by_usage(json!({"ScalingDownAfterIdleMinutes": 10}));
        assert_eq!(decided(&patient, 10, 3, 0, 50), Some(0));
        let more = by_usage(json!({"ScalingDownAfterIdleMinutes": 11}));
        assert_eq!(decided(&more, 10, 3, 0, 50), None);
        let now = moment("2026-03-10T12:00:00Z");
        assert_eq!(idle_before(&more, now), moment("2026-03-10T11:49:00Z"));
        assert_eq!(
            idle_before(&by_usage(json!({})), now),
            moment("2026-03-10T11:55:00Z")
        );
    }

    #[test]
    fn a_fixed_group_is_left_alone() {
        let fixed = pool(json!({"NodeAmount": 2}));
        assert_eq!(decided(&fixed, 1, 0, 2, 0), None);
        assert_eq!(decided(&fixed, 1, 3, 0, 5), None);
    }

    #[test]
    fn a_schedule_gives_its_nodes_between_its_days_and_within_its_periods() {
        let schedule = |warm_up: bool| {
            pool(
                json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": warm_up,
                "StrategyEnableDate": "2026-03-09", "StrategyDisableDate": "2026-03-23",
                "RecurrenceSchedules": [
                    {"RecurrenceType": "weekly", "RecurrenceValues": [1, 2, 3, 4, 5],
                        "TimerPeriods": [{"Amount": 3, "StartTime": "09:00", "EndTime": "18:00"}]},
                    {"RecurrenceType": "weekly", "RecurrenceValues": [5],
                        "TimerPeriods": [{"Amount": 6, "StartTime": "12:00", "EndTime": "20:00"}]}]}),
            )
        };
        let usage = |scaling, in_use, idle| Usage {
            shape: Shape {
                nodes: 0,
                scaling,
                capacity: 2,
            },
            used: PoolUsage {
                slots: 2 * scaling,
                in_use,
                idle,
            },
            scaled_at: None,
        };
        for (what, at, warm_up, seen, expected) in [
            (
                "the day before",
                "2026-03-06T02:00:00Z",
                false,
                usage(0, 0, 0),
                None,
            ),
            (
                "before nine",
                "2026-03-09T00:59:59Z",
                false,
                usage(0, 0, 0),
                None,
            ),
            (
                "not warm yet",
                "2026-03-09T00:54:59Z",
                true,
                usage(0, 0, 0),
                None,
            ),
            (
                "warming up",
                "2026-03-09T00:55:00Z",
                true,
                usage(0, 0, 0),
                Some(3),
            ),
            (
                "nine",
                "2026-03-09T01:00:00Z",
                false,
                usage(0, 0, 0),
                Some(3),
            ),
            (
                "all there",
                "2026-03-09T01:00:00Z",
                false,
                usage(3, 6, 0),
                None,
            ),
            (
                "the larger of two",
                "2026-03-13T05:00:00Z",
                false,
                usage(3, 6, 0),
                Some(6),
            ),
            (
                "one is over",
                "2026-03-13T10:00:00Z",
                false,
                usage(6, 0, 12),
                None,
            ),
            (
                "both are over",
                "2026-03-13T12:00:00Z",
                false,
                usage(6, 0, 12),
                Some(0),
            ),
            (
                "some are held",
                "2026-03-13T12:00:00Z",
                false,
                usage(6, 5, 7),
                Some(3),
            ),
            (
                "a free day",
                "2026-03-14T02:00:00Z",
                false,
                usage(0, 0, 0),
                None,
            ),
            (
                "the last day",
                "2026-03-20T02:00:00Z",
                false,
                usage(0, 0, 0),
                Some(3),
            ),
            (
                "after it",
                "2026-03-23T02:00:00Z",
                false,
                usage(0, 0, 0),
                None,
            ),
            (
                "what was left",
                "2026-03-23T02:00:00Z",
                false,
                usage(3, 0, 6),
                Some(0),
            ),
        ] {
            assert_eq!(
                decide(&schedule(warm_up), &seen, moment(at)),
                expected,
                "{what}"
            );
        }
        let own = Usage {
            shape: Shape {
                nodes: 1,
                scaling: 0,
                capacity: 2,
            },
            ..usage(0, 0, 0)
        };
        let nine = moment("2026-03-09T01:00:00Z");
        assert_eq!(
            decide(&schedule(false), &own, nine),
            Some(2),
            "beside its own"
        );
    }
}
