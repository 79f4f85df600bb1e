//! The real reconcilers over a store in memory, with a clock that is moved.

use super::Capacity;
use crate::reconcilers::world::{FIRST_APP, World, alice, app};
use greenroom_model::{
    AppInstanceGroupId, AppInstanceStatus, Ask, ChargeType, Clock, Desired, GroupStatus,
    PersistentId, PersistentStatus, Timestamp,
};
use greenroom_store::{NewSlots, PageRequest, SessionFilter, SessionRow, Unbinding};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A published group of so many nodes of one session each, with a strategy.
async fn group(world: &World, nodes: u32, strategy: Value) -> AppInstanceGroupId {
    paid_group(world, nodes, strategy, ChargeType::PostPaid).await
}

async fn paid_group(
    world: &World,
    nodes: u32,
    strategy: Value,
    charge: ChargeType,
) -> AppInstanceGroupId {
    let id = AppInstanceGroupId::new(&*world.entropy);
    let mut spec = world.spec(id.clone(), nodes);
    spec.charge.charge_type = charge;
    spec.pool.strategy_type = strategy["StrategyType"].as_str().unwrap().to_owned();
    spec.pool.strategy = strategy.to_string();
    let (run, open) = (Desired::Running, vec![app(FIRST_APP)]);
    let slots = NewSlots::new(nodes, 1, run, open, &*world.entropy);
    let made = world
        .store
        .create_group(spec, slots, Vec::new(), None, |_| true);
    made.await.unwrap();
    world.settle().await;
    id
}

fn by_usage(more: Value) -> Value {
    let mut fields = json!({"StrategyType": "NODE_SCALING_BY_USAGE", "NodeAmount": 1,
        "MaxScalingAmount": 3, "ScalingStep": 2});
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    fields
}

async fn sessions(world: &World, group: &AppInstanceGroupId) -> Vec<SessionRow> {
    let record = world.store.group(&world.account, group).await.unwrap();
    let product = record.unwrap().made.product_type;
    let page = PageRequest {
        number: 1,
        size: 100,
    };
    let listed =
        world
            .store
            .page_sessions(&world.account, group, product, SessionFilter::All, page);
    listed.await.unwrap().unwrap().items.clone()
}

async fn ids(world: &World, group: &AppInstanceGroupId) -> Vec<PersistentId> {
    let rows = sessions(world, group).await.into_iter();
    rows.map(|row| row.id).collect()
}

/// How many nodes the group has beside its own, and how many of its sessions run.
async fn size(world: &World, group: &AppInstanceGroupId) -> (u32, usize) {
    let record = world.store.group(&world.account, group).await.unwrap();
    let rows = sessions(world, group).await;
    let running = rows
        .iter()
        .filter(|row| row.status == PersistentStatus::Running);
    (record.unwrap().scaling_nodes, running.count())
}

/// Alice comes to a session, and stays.
async fn hold(world: &World, session: &PersistentId) {
    world.open_task(session, FIRST_APP).await;
    world.settle().await;
    for binding in world.store.open_bindings(session).await.unwrap() {
        assert!(world.store.connected(&binding.id).await.unwrap());
    }
}

/// Alice is parted from a session.
async fn part(world: &World, group: &AppInstanceGroupId, session: &PersistentId) {
    let what = Unbinding {
        group: group.clone(),
        user: Some(alice()),
        session: Some(session.clone()),
        instance: None,
        reset: false,
    };
    let now = world.clock.now();
    world
        .store
        .unbind(&world.account, what, "unbound", None, now)
        .await
        .unwrap();
}

/// The numbers of nodes beside its own that a group has in the course of some time.
async fn course(world: &World, group: &AppInstanceGroupId, time: Duration) -> Vec<u32> {
    let end = world.clock.now().after(time);
    let mut seen = vec![size(world, group).await.0];
    while world.clock.now() < end {
        world.wait(MINUTE / 2).await;
        seen.push(size(world, group).await.0);
        seen.dedup();
    }
    seen
}

#[tokio::test]
async fn a_group_grows_with_its_use_by_the_step_and_no_further_than_it_may() {
    let world = World::new().await;
    let group = group(&world, 1, by_usage(json!({}))).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (0, 1));

    hold(&world, &ids(&world, &group).await[0]).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (2, 3), "by the step");
    for session in &ids(&world, &group).await[1..] {
        hold(&world, session).await;
    }
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (3, 4), "up to the most");
    hold(&world, &ids(&world, &group).await[3]).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (3, 4));
    let names = sessions(&world, &group).await.into_iter().map(|it| it.name);
    let expected = (1..=4).map(|number| format!("{group}-{number}"));
    assert_eq!(names.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn of_two_servers_that_look_at_a_group_at_once_one_scales_it() {
    let world = World::new().await;
    let group = group(&world, 1, by_usage(json!({"MaxScalingAmount": 9}))).await;
    hold(&world, &ids(&world, &group).await[0]).await;
    // Past what any look since has decided.
    world.clock.advance(MINUTE);
    let server = || {
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        Capacity::new(world.store.clone(), clock, world.supply())
    };
    let (mut one, mut other) = (server(), server());
    let before = size(&world, &group).await.0;
    let (first, second) = tokio::join!(one.pass(), other.pass());
    first.unwrap();
    second.unwrap();
    assert_eq!((before, size(&world, &group).await.0), (0, 2));
    assert_eq!(sessions(&world, &group).await.len(), 3);
}

#[tokio::test]
async fn with_enough_free_sessions_a_group_does_not_grow() {
    let world = World::new().await;
    let scarce = json!({"ScalingUsageThreshold": "50", "MaxIdleAppInstanceAmount": 1});
    let group = group(&world, 2, by_usage(scarce)).await;
    let all = ids(&world, &group).await;
    hold(&world, &all[0]).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (0, 2), "one of two is free");
    hold(&world, &all[1]).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (2, 4));
}

#[tokio::test]
async fn the_number_of_nodes_comes_to_rest_under_a_use_that_does_not_change() {
    let world = World::new().await;
    let group = group(&world, 1, by_usage(json!({}))).await;
    hold(&world, &ids(&world, &group).await[0]).await;
    let seen = course(&world, &group, 120 * MINUTE).await;
    // One of the two that came is not needed: with it gone, half of what is there is used.
    assert_eq!(seen, [0, 2, 1]);
}

#[tokio::test]
async fn a_group_shrinks_only_after_the_idle_minutes_and_by_no_session_that_is_somebodys() {
    let world = World::new().await;
    let idle = json!({"ScalingDownAfterIdleMinutes": 10, "MaxScalingAmount": 4, "ScalingStep": 4});
    let group = group(&world, 1, by_usage(idle)).await;
    let own = ids(&world, &group).await.remove(0);
    hold(&world, &own).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (4, 5));
    let all = ids(&world, &group).await;
    hold(&world, &all[1]).await;
    hold(&world, &all[2]).await;
    world.authorize(&all[3]).await;
    part(&world, &group, &own).await;

    // The fifth is idle since it came, which was 5 seconds ago at the least.
    world.wait(8 * MINUTE).await;
    assert_eq!(size(&world, &group).await, (4, 5), "they have just come");
    world.wait(MINUTE).await;
    part(&world, &group, &all[1]).await;
    world.wait(2 * MINUTE).await;
    let (nodes, _) = size(&world, &group).await;
    let status = |session: PersistentId| {
        let world = &world;
        async move { world.status(&session).await }
    };
    assert_eq!(nodes, 2, "the first and the fifth are idle for long enough");
    assert_eq!(status(all[4].clone()).await, PersistentStatus::Deleted);
    assert_eq!(status(own.clone()).await, PersistentStatus::Deleted);
    assert_eq!(
        status(all[1].clone()).await,
        PersistentStatus::Running,
        "just left"
    );

    world.wait(7 * MINUTE).await;
    assert_eq!(size(&world, &group).await.0, 2);
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await.0, 1);
    assert_eq!(status(all[1].clone()).await, PersistentStatus::Deleted);
    assert_eq!(course(&world, &group, 120 * MINUTE).await, [1]);
    assert_eq!(
        status(all[2].clone()).await,
        PersistentStatus::Running,
        "held"
    );
    assert_eq!(
        status(all[3].clone()).await,
        PersistentStatus::Running,
        "granted"
    );
    let instance = world.instance(&all[4]).await;
    assert_eq!(instance, AppInstanceStatus::Deleted);
    let page = PageRequest {
        number: 1,
        size: 10,
    };
    let nodes = world.store.page_nodes(&world.account, &group, page).await;
    assert_eq!(nodes.unwrap().total, 2);
}

#[tokio::test]
async fn a_group_has_the_nodes_of_its_week() {
    let world = World::new().await;
    // It is Thursday, eight in the morning in China.
    let start = Timestamp::from_request("2026-01-01T00:00:00Z").unwrap();
    assert_eq!(world.clock.now(), start);
    let week = json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": false,
        "StrategyEnableDate": "2026-01-01", "StrategyDisableDate": "2026-01-09",
        "RecurrenceSchedules": [{"RecurrenceType": "weekly", "RecurrenceValues": [4],
            "TimerPeriods": [{"Amount": 2, "StartTime": "09:00", "EndTime": "10:00"}]}]});
    let group = group(&world, 0, week).await;
    world.wait(60 * MINUTE - Duration::from_secs(1)).await;
    assert_eq!(size(&world, &group).await, (0, 0));
    world.wait(Duration::from_secs(1)).await;
    assert_eq!(size(&world, &group).await, (2, 2), "nine");

    let all = ids(&world, &group).await;
    hold(&world, &all[0]).await;
    world.wait(60 * MINUTE).await;
    assert_eq!(size(&world, &group).await, (1, 1), "ten, and one is held");
    assert_eq!(world.status(&all[0]).await, PersistentStatus::Running);
    world.wait(600 * MINUTE).await;
    assert_eq!(size(&world, &group).await, (1, 1));
    part(&world, &group, &all[0]).await;
    world.wait(5 * MINUTE).await;
    assert_eq!(size(&world, &group).await, (0, 0));

    let rest_of_the_week = start.after(7 * 24 * 60 * MINUTE).after(60 * MINUTE);
    world.wait(rest_of_the_week.since(world.clock.now())).await;
    assert_eq!(size(&world, &group).await, (2, 2), "the next Thursday");
    world.wait(7 * 24 * 60 * MINUTE).await;
    assert_eq!(size(&world, &group).await, (0, 0), "the strategy has ended");
}

#[tokio::test]
async fn nodes_that_are_paid_for_stay_however_little_they_are_used() {
    let world = World::new().await;
    let group = paid_group(&world, 3, by_usage(json!({})), ChargeType::PrePaid).await;
    assert_eq!(course(&world, &group, 120 * MINUTE).await, [0]);
    assert_eq!(size(&world, &group).await, (0, 3));
}

#[tokio::test]
async fn what_was_deleted_comes_again_only_where_a_strategy_calls_for_it() {
    let world = World::new().await;
    let idle = Desired::Stopped;
    let (fixed, _) = world.group_that_is(2, idle).await;
    world.settle().await;
    let sessions = ids(&world, &fixed).await;
    assert!(world.remove(&sessions[0]).await);
    assert_eq!(course(&world, &fixed, 30 * MINUTE).await, [0]);
    assert_eq!(world.status(&sessions[0]).await, PersistentStatus::Deleted);
    assert_eq!(ids(&world, &fixed).await, sessions, "nothing has come");

    let always = json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": false,
        "StrategyEnableDate": "2026-01-01", "StrategyDisableDate": "2026-01-09",
        "RecurrenceSchedules": [{"RecurrenceType": "weekly", "RecurrenceValues": [4],
            "TimerPeriods": [{"Amount": 2, "StartTime": "08:00", "EndTime": "23:59"}]}]});
    let scheduled = group(&world, 0, always).await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &scheduled).await, (2, 2));
    let first = ids(&world, &scheduled).await.remove(0);
    assert!(!world.remove(&first).await, "it runs");
    world.ask(&first, Ask::Stop).await;
    world.settle().await;
    assert!(world.remove(&first).await);
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &scheduled).await, (2, 2));
    assert_eq!(world.status(&first).await, PersistentStatus::Deleted);
    assert_eq!(ids(&world, &scheduled).await.len(), 3);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn count(&self, text: &str) -> usize {
        let bytes = self.0.lock().unwrap();
        String::from_utf8_lossy(&bytes).matches(text).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_group_without_room_stays_as_it_is_and_says_so_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let world = World::new().await;
    // The world has room for sixteen nodes.
    let (full, _) = world.group(15).await;
    let group = group(&world, 1, by_usage(json!({"ScalingStep": 1}))).await;
    hold(&world, &ids(&world, &group).await[0]).await;
    assert_eq!(course(&world, &group, 10 * MINUTE).await, [0]);
    assert_eq!(log.count("there is no room"), 1);

    let now = world.clock.now();
    let gone = world.store.delete_group(&world.account, &full, None, now);
    assert!(gone.await.unwrap());
    world.settle().await;
    world.wait(MINUTE).await;
    assert_eq!(size(&world, &group).await, (1, 2));
}

#[tokio::test]
async fn every_group_is_looked_at_whatever_is_wrong_with_another() {
    let world = World::new().await;
    let always = json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": true,
        "StrategyEnableDate": "2026-01-01", "StrategyDisableDate": "2026-01-09",
        "RecurrenceSchedules": [{"RecurrenceType": "weekly", "RecurrenceValues": [1, 2, 3, 4, 5, 6, 7],
            "TimerPeriods": [{"Amount": 1, "StartTime": "08:00", "EndTime": "23:59"}]}]});
    let mut damaged = always.clone();
    damaged["WarmUp"] = json!("perhaps");
    group(&world, 0, damaged).await;
    let mut groups = Vec::new();
    // More than one pass looks at, with room for the nodes of sixteen.
    for number in 0..60 {
        let mut week = always.clone();
        if number >= 12 {
            week["RecurrenceSchedules"] = json!([]);
        }
        groups.push(group(&world, 0, week).await);
    }
    world.wait(MINUTE).await;
    for (number, group) in groups.iter().enumerate() {
        let nodes = u32::from(number < 12);
        assert_eq!(size(&world, group).await, (nodes, nodes as usize));
        let record = world.store.group(&world.account, group).await.unwrap();
        assert_eq!(record.unwrap().status, GroupStatus::Published);
    }
}
