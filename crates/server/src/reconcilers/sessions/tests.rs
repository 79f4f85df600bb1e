//! Whole lives of sessions, over a runtime without processes and a clock that is moved.

use crate::reconcilers::world::{FIRST_APP, OTHER_APP, World, app};
use crate::runtime::fake::Script;
use crate::runtime::{AppState, Observation, Order, Runtime};
use greenroom_model::{
    AppInstanceStatus as Instance, Ask, Clock, Desired, GroupStatus, PersistentStatus as Status,
    TaskStatus,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_new_session_is_pending_until_its_first_app_has_drawn() {
    let world = World::new().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let (group, sessions) = world.group(1).await;
    world.settle().await;
    assert_eq!(world.status(&sessions[0]).await, Status::Pending);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Init);
    let deploying = world
        .store
        .group(&world.account, &group)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(deploying.status, GroupStatus::Deploying);
    world
        .fake
        .app_is(&sessions[0], &app(FIRST_APP), AppState::Drawn);
    world.settle().await;
    assert_eq!(world.status(&sessions[0]).await, Status::Running);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Running);
    let published = world
        .store
        .group(&world.account, &group)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(published.status, GroupStatus::Published);
}

#[tokio::test]
async fn a_session_that_is_not_opened_beforehand_is_stopped_and_never_starting() {
    let world = World::new().await;
    let (_, sessions) = world.group_that_is(1, Desired::Stopped).await;
    world.settle().await;
    assert_eq!(world.status(&sessions[0]).await, Status::Stopped);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Idle);
    assert_eq!(world.fake.spawns(), 0);
}

#[tokio::test]
async fn a_holder_that_dies_is_replaced_after_a_pause_and_the_session_says_so() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.die(&session);
    world.settle().await;
    let record = world.record(&session).await;
    assert_eq!(record.status, Status::Unavailable);
    assert!(
        record.status_reason.contains("unexpectedly"),
        "{}",
        record.status_reason
    );
    assert_eq!(record.handle, None);
    for _ in 0..9 {
        world.wait(SECOND / 10).await;
        world.open_task(&session, OTHER_APP).await;
        world.pass(&session).await;
        assert_eq!(world.fake.spawns(), 1, "not before its pause is over");
    }
    // However often it was looked at and written to in between.
    world.wait(SECOND / 10).await;
    let record = world.record(&session).await;
    assert_eq!(
        (record.status, record.status_reason.as_str()),
        (Status::Running, "")
    );
    assert_eq!(world.fake.spawns(), 2);
}

#[tokio::test]
async fn a_session_that_its_runtime_has_ended_says_why() {
    let world = World::new().await;
    let session = world.running().await;
    world
        .fake
        .put_out(&session, "it keeps too much on the disk");
    world.pass(&session).await;
    let record = world.record(&session).await;
    assert_eq!(record.status, Status::Unavailable);
    assert_eq!(record.status_reason, "it keeps too much on the disk");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_put_a_relaunch_off() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.die(&session);
    world.settle().await;
    let now = world.clock.now();
    world
        .clock
        .set(greenroom_model::Timestamp(now.0 - 3_600_000));
    world.pass(&session).await;
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
}

#[tokio::test]
async fn three_failures_in_a_row_make_a_session_unavailable_until_somebody_asks_again() {
    let world = World::new().await;
    world
        .fake
        .script(&app(FIRST_APP), Script::Fails("it ended with exit code 1"));
    let (group, sessions) = world.group(1).await;
    let session = &sessions[0];
    world.settle().await;
    assert_eq!(world.status(session).await, Status::Pending);
    world.wait(SECOND).await;
    assert_eq!(world.status(session).await, Status::Pending);
    world.wait(2 * SECOND).await;
    let record = world.record(session).await;
    assert_eq!((record.status, record.failures), (Status::Unavailable, 3));
    assert!(
        record.status_reason.contains("exit code 1"),
        "{}",
        record.status_reason
    );
    let failed = world
        .store
        .group(&world.account, &group)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(failed.status, GroupStatus::Failed);
    assert!(
        failed.status_reason.contains("exit code 1"),
        "{}",
        failed.status_reason
    );

    world.wait(3600 * SECOND).await;
    assert_eq!(world.status(session).await, Status::Unavailable);
    world.fake.script(&app(FIRST_APP), Script::Draws);
    world.ask(session, Ask::Start).await;
    let record = world.record(session).await;
    assert_eq!((record.status, record.failures), (Status::Running, 0));
}

#[tokio::test]
async fn an_app_that_never_draws_makes_the_session_unavailable_at_its_deadline() {
    let world = World::new().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let session = world.group(1).await.1.remove(0);
    world.settle().await;
    world.wait(world.rules().start - SECOND).await;
    assert_eq!(world.status(&session).await, Status::Pending);
    world.wait(SECOND).await;
    let record = world.record(&session).await;
    assert_eq!(record.status, Status::Unavailable);
    assert_eq!(
        record.status_reason,
        "no app has drawn anything within 60 s"
    );
    assert_eq!(
        world.fake.pid(&session),
        None,
        "its holder is killed with it"
    );
}

#[tokio::test]
async fn a_spawn_that_fails_is_a_failure_with_its_reason() {
    let world = World::new().await;
    world.fake.refuse_spawns(true);
    let session = world.group(1).await.1.remove(0);
    world.settle().await;
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Pending, 1));
    assert!(
        record.status_reason.contains("greenroom-session"),
        "{}",
        record.status_reason
    );
    world.fake.refuse_spawns(false);
    world.wait(SECOND).await;
    assert_eq!(world.status(&session).await, Status::Running);
}

#[tokio::test]
async fn five_minutes_of_running_forget_earlier_failures() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.die(&session);
    world.settle().await;
    world.wait(SECOND).await;
    assert_eq!(world.record(&session).await.failures, 1);
    world.wait(299 * SECOND).await;
    assert_eq!(world.record(&session).await.failures, 1);
    world.wait(SECOND).await;
    assert_eq!(world.record(&session).await.failures, 0);
}

#[tokio::test]
async fn a_stop_keeps_the_home_and_a_start_opens_the_apps_that_were_open() {
    let world = World::new().await;
    let session = world.running().await;
    world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    world.ask(&session, Ask::Stop).await;
    assert_eq!(world.status(&session).await, Status::Stopped);
    assert_eq!(
        world.instance(&session).await,
        Instance::Bound,
        "alice holds it still"
    );
    assert!(world.fake.has_home(&session));
    assert_eq!(world.record(&session).await.handle, None);
    world.ask(&session, Ask::Start).await;
    assert_eq!(world.status(&session).await, Status::Running);
    let Observation::Present(_, seen) = world.fake.observe(&session) else {
        panic!("there must be a holder");
    };
    let open: Vec<&str> = seen.apps.iter().map(|seen| seen.app_id.as_str()).collect();
    assert_eq!(open, [FIRST_APP, OTHER_APP]);
}

#[tokio::test]
async fn a_restart_ends_everything_keeps_the_home_and_opens_what_was_open() {
    let world = World::new().await;
    let session = world.running().await;
    world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    let before = world.fake.pid(&session);
    world.ask(&session, Ask::Restart).await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_ne!(world.fake.pid(&session), before);
    assert_eq!(world.fake.spawns(), 2);
    assert!(world.fake.has_home(&session));
    assert!(!world.record(&session).await.home_lost);
    let open = world.record(&session).await.opened_apps;
    assert_eq!(open, [app(FIRST_APP), app(OTHER_APP)]);
    assert_eq!(
        world.past(&session).await,
        "PENDING>RUNNING RUNNING>STOPPING STOPPING>STOPPED STOPPED>STARTING STARTING>RUNNING"
    );
}

#[tokio::test]
async fn a_restart_brings_back_what_is_stopped_or_has_given_up() {
    let world = World::new().await;
    let session = world.running().await;
    world.ask(&session, Ask::Stop).await;
    world.ask(&session, Ask::Restart).await;
    assert_eq!(world.status(&session).await, Status::Running);

    world.fake.refuse_spawns(true);
    world.fake.die(&session);
    for pause in [0, 1, 2, 4] {
        world.wait(pause * SECOND).await;
    }
    assert_eq!(world.status(&session).await, Status::Unavailable);
    assert_eq!(world.record(&session).await.failures, 3);
    world.fake.refuse_spawns(false);
    world.ask(&session, Ask::Restart).await;
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Running, 0));
}

#[tokio::test]
async fn a_reset_of_a_session_that_is_just_starting_or_stopping_waits_its_turn() {
    let world = World::new().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let session = world.group(1).await.1.remove(0);
    world.settle().await;
    world.ask(&session, Ask::Reset).await;
    let record = world.record(&session).await;
    assert_eq!(
        (record.status, record.asked),
        (Status::Pending, Some(Ask::Reset))
    );
    world.fake.script(&app(FIRST_APP), Script::Draws);
    world
        .fake
        .app_is(&session, &app(FIRST_APP), AppState::Drawn);
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.fake.spawns(), 2, "it was reset once it ran");

    world.fake.ignore_stop(&session);
    world.ask(&session, Ask::Stop).await;
    world.ask(&session, Ask::Reset).await;
    assert_eq!(world.status(&session).await, Status::Stopping);
    world.fake.die(&session);
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Stopped);
    assert!(!world.fake.has_home(&session));
}

#[tokio::test]
async fn a_holder_that_does_not_stop_is_killed_at_the_deadline() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.ignore_stop(&session);
    world.ask(&session, Ask::Stop).await;
    // The holder has longer than its apps: it is the one that ends them.
    world.wait(world.rules().stop + SECOND).await;
    assert_eq!(world.status(&session).await, Status::Stopping);
    world.wait(SECOND).await;
    assert_eq!(world.status(&session).await, Status::Stopped);
    assert_eq!(world.fake.pid(&session), None);
}

#[tokio::test]
async fn a_reset_begins_again_with_another_home() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.ignore_stop(&session);
    world.ask(&session, Ask::Reset).await;
    world.ask(&session, Ask::Reset).await;
    assert_eq!(world.status(&session).await, Status::Rebuilding);
    assert!(
        world.fake.has_home(&session),
        "it is dropped once nothing runs"
    );
    world.fake.die(&session);
    world.pass(&session).await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.fake.spawns(), 2);
    assert!(world.fake.has_home(&session));
}

#[tokio::test]
async fn a_deleted_group_takes_its_sessions_along_and_is_gone_a_day_later() {
    let world = World::new().await;
    let (group, sessions) = world.group(2).await;
    world.settle().await;
    let now = world.clock.now();
    world
        .store
        .delete_group(&world.account, &group, None, now)
        .await
        .unwrap();
    world.settle().await;
    for session in &sessions {
        assert_eq!(world.status(session).await, Status::Deleted);
        assert_eq!(world.instance(session).await, Instance::Deleted);
        assert!(!world.fake.has_home(session));
        assert_eq!(world.fake.pid(session), None);
    }
    world.wait(23 * 3600 * SECOND).await;
    assert!(
        world
            .store
            .session_record(&sessions[0])
            .await
            .unwrap()
            .is_some()
    );
    world.wait(2 * 3600 * SECOND).await;
    assert!(
        world
            .store
            .session_record(&sessions[0])
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_stopped_session_is_reset_and_deleted_without_being_started() {
    let world = World::new().await;
    let session = world.running().await;
    world.ask(&session, Ask::Stop).await;
    world.ask(&session, Ask::Reset).await;
    assert_eq!(world.status(&session).await, Status::Stopped);
    assert!(!world.fake.has_home(&session));
    assert!(world.record(&session).await.home_lost);
    let group = world.record(&session).await.group;
    let now = world.clock.now();
    world
        .store
        .delete_group(&world.account, &group, None, now)
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Deleted);
    assert_eq!(world.fake.spawns(), 1);
}

#[tokio::test]
async fn another_server_over_the_same_store_and_holders_restarts_nothing() {
    let world = World::new().await;
    let session = world.running().await;
    let (before, pid) = (world.record(&session).await, world.fake.pid(&session));
    let world = world.restarted();
    world.pass(&session).await;
    assert_eq!(world.record(&session).await, before);
    assert_eq!((world.fake.spawns(), world.fake.pid(&session)), (1, pid));
}

#[tokio::test]
async fn a_restart_of_the_machine_brings_back_what_ran_and_is_no_failure() {
    let world = World::new().await;
    let session = world.running().await;
    for _ in 0..2 {
        world.fake.die(&session);
        world.settle().await;
        world.wait(4 * SECOND).await;
    }
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Running, 2));

    // One more would be too many.
    world.fake.restart();
    let world = world.restarted();
    world.pass(&session).await;
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Running, 0));
    assert_eq!(world.fake.spawns(), 4);
}

#[tokio::test]
async fn a_restart_of_the_machine_starts_nothing_that_had_given_up() {
    let world = World::new().await;
    world
        .fake
        .script(&app(FIRST_APP), Script::Fails("it ended with exit code 1"));
    let (_, sessions) = world.group(2).await;
    for _ in 0..3 {
        world.wait(4 * SECOND).await;
    }
    let spawns = world.fake.spawns();
    assert!(world.record(&sessions[0]).await.handle.is_some());
    world.fake.restart();
    let world = world.restarted();
    for session in &sessions {
        world.pass(session).await;
        let record = world.record(session).await;
        assert_eq!((record.status, record.failures), (Status::Unavailable, 3));
        assert_eq!(record.handle, None);
    }
    assert_eq!(world.fake.spawns(), spawns);
}

#[tokio::test]
async fn a_holder_whose_start_was_not_written_down_is_adopted() {
    let world = World::new().await;
    let session = world.running().await;
    let pid = world.fake.pid(&session);
    // What a server leaves that is killed between starting a holder and writing that it did.
    let record = world.record(&session).await;
    let forgotten = greenroom_store::Observation {
        status: Status::Pending,
        status_reason: String::new(),
        instance_status: Instance::Init,
        asked: None,
        failures: 0,
        home_lost: false,
        handle: None,
        opened_apps: record.opened_apps,
        wake_at: Some(world.clock.now()),
        at: world.clock.now(),
        by: "killed".into(),
    };
    world
        .store
        .record(
            &world.membership.lease().unwrap(),
            &session,
            record.generation,
            forgotten,
        )
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!((world.fake.spawns(), world.fake.pid(&session)), (1, pid));
    assert!(world.record(&session).await.handle.is_some());
}

#[tokio::test]
async fn a_session_that_is_not_heard_is_unavailable_and_is_not_started_twice() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.freeze(&session, true);
    world.settle().await;
    let record = world.record(&session).await;
    assert_eq!(record.status, Status::Unavailable);
    assert!(
        record.status_reason.contains("heartbeats"),
        "{}",
        record.status_reason
    );
    world.wait(60 * SECOND).await;
    assert_eq!(world.fake.spawns(), 1);
    world.fake.freeze(&session, false);
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.fake.spawns(), 1);
}

#[tokio::test]
async fn a_silent_holder_is_killed_once_somebody_wants_its_session() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.freeze(&session, true);
    world.settle().await;
    world.clock.advance(SECOND);
    let task = world.open_task(&session, FIRST_APP).await;
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Starting);
    assert_eq!(world.fake.spawns(), 1);
    world.wait(world.rules().start).await;
    assert_eq!(world.status(&session).await, Status::Unavailable);
    assert_eq!(world.fake.pid(&session), None);
    world.wait(SECOND).await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.task(&task).await.status, TaskStatus::Finished);
}

#[tokio::test]
async fn an_app_its_user_closed_leaves_the_session_running_and_opens_again_when_asked_for() {
    let world = World::new().await;
    let session = world.running().await;
    world
        .fake
        .app_is(&session, &app(FIRST_APP), AppState::Closed);
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.instance(&session).await, Instance::Closed);
    world.wait(60 * SECOND).await;
    assert_eq!(
        world.instance(&session).await,
        Instance::Closed,
        "nobody asked for it"
    );
    let task = world.open_task(&session, FIRST_APP).await;
    world.settle().await;
    assert_eq!(world.instance(&session).await, Instance::Running);
    assert_eq!(world.task(&task).await.status, TaskStatus::Finished);
    assert_eq!(world.fake.spawns(), 1);
}

#[tokio::test]
async fn an_app_closed_before_anybody_saw_it_drawn_was_drawn_all_the_same() {
    let world = World::new().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let session = world.group(1).await.1.remove(0);
    world.settle().await;
    world
        .fake
        .app_is(&session, &app(FIRST_APP), AppState::Closed);
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.instance(&session).await, Instance::Closed);
}

#[tokio::test]
async fn the_end_of_an_app_that_nobody_wants_open_is_no_failure() {
    let world = World::new().await;
    let session = world.running().await;
    world
        .fake
        .script(&app(OTHER_APP), Script::Fails("it ended with exit code 2"));
    let order = Order::Launch(greenroom_session_api::spec::App {
        app_id: OTHER_APP.into(),
        argv: vec!["other".into()],
        env: Vec::new(),
    });
    world.fake.order(&session, order).await.unwrap();
    world.settle().await;
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Running, 0));
}

#[tokio::test]
async fn an_app_that_crashes_is_launched_again_in_the_same_holder() {
    let world = World::new().await;
    let session = world.running().await;
    let crash = AppState::Failed("it was ended by signal 11".into());
    world.fake.app_is(&session, &app(FIRST_APP), crash);
    world.settle().await;
    let record = world.record(&session).await;
    assert_eq!((record.status, record.failures), (Status::Unavailable, 1));
    assert!(
        record.status_reason.contains("signal 11"),
        "{}",
        record.status_reason
    );
    world.wait(SECOND).await;
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.fake.spawns(), 1);
}

#[tokio::test]
async fn an_app_that_is_launched_again_has_its_whole_time_to_draw() {
    let world = World::new().await;
    let session = world.running().await;
    world.wait(2 * world.rules().start).await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let crash = AppState::Failed("it was ended by signal 11".into());
    world.fake.app_is(&session, &app(FIRST_APP), crash);
    world.settle().await;
    world.wait(SECOND).await;
    assert_eq!(world.status(&session).await, Status::Starting);
    world.wait(world.rules().start).await;
    assert_eq!(world.status(&session).await, Status::Unavailable);
}

#[tokio::test]
async fn a_second_app_that_fails_again_and_again_is_given_up_and_the_first_runs_on() {
    let world = World::new().await;
    let session = world.running().await;
    world
        .fake
        .script(&app(OTHER_APP), Script::Fails("it ended with exit code 2"));
    let task = world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    for pause in [1, 2] {
        assert_eq!(world.status(&session).await, Status::Running);
        assert_eq!(world.task(&task).await.status, TaskStatus::Running);
        world.wait(pause * SECOND).await;
    }
    assert_eq!(world.status(&session).await, Status::Running);
    assert_eq!(world.task(&task).await.status, TaskStatus::Failed);
    assert_eq!(world.record(&session).await.opened_apps, [app(FIRST_APP)]);
}

#[tokio::test]
async fn a_ticket_for_a_stopped_session_starts_it_and_waits_for_the_first_frame() {
    let world = World::new().await;
    let (_, sessions) = world.group_that_is(1, Desired::Stopped).await;
    let session = &sessions[0];
    world.settle().await;
    world.fake.script(&app(OTHER_APP), Script::Hangs);
    let task = world.open_task(session, OTHER_APP).await;
    world.settle().await;
    assert_eq!(world.status(session).await, Status::Starting);
    assert_eq!(world.task(&task).await.status, TaskStatus::Running);
    world.fake.app_is(session, &app(OTHER_APP), AppState::Drawn);
    world.settle().await;
    assert_eq!(world.status(session).await, Status::Running);
    assert_eq!(world.task(&task).await.status, TaskStatus::Finished);
}

#[tokio::test]
async fn a_task_whose_app_never_draws_fails_with_a_reason_and_the_session_runs_on() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.script(&app(OTHER_APP), Script::Hangs);
    let task = world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    assert_eq!(world.task(&task).await.status, TaskStatus::Running);
    world.wait(world.rules().start).await;
    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(task.reason.contains("60 s"), "{}", task.reason);
    assert_eq!(world.status(&session).await, Status::Running);
}

#[tokio::test]
async fn each_task_has_its_own_time_for_an_app_that_does_not_draw() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.script(&app(OTHER_APP), Script::Hangs);
    let first = world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    world.wait(world.rules().start / 2).await;
    let second = world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    world.wait(world.rules().start / 2).await;
    assert_eq!(world.task(&first).await.status, TaskStatus::Failed);
    assert_eq!(world.task(&second).await.status, TaskStatus::Running);
    world.wait(world.rules().start / 2).await;
    assert_eq!(world.task(&second).await.status, TaskStatus::Failed);
}

#[tokio::test]
async fn an_app_that_is_asked_for_and_runs_is_brought_to_the_front() {
    let world = World::new().await;
    let session = world.running().await;
    world.open_task(&session, OTHER_APP).await;
    world.settle().await;
    assert_eq!(world.fake.front(&session), Some(app(OTHER_APP)));
    let task = world.open_task(&session, FIRST_APP).await;
    world.settle().await;
    assert_eq!(world.task(&task).await.status, TaskStatus::Finished);
    assert_eq!(world.fake.front(&session), Some(app(FIRST_APP)));
}

#[tokio::test]
async fn an_app_that_ends_with_its_holder_is_one_failure_and_not_two() {
    let world = World::new().await;
    let session = world.running().await;
    world.fake.begin_to_end(&session);
    let ended = AppState::Failed("it was ended by signal 15".into());
    world.fake.app_is(&session, &app(FIRST_APP), ended);
    world.settle().await;
    assert_eq!(world.record(&session).await.failures, 0);
    world.fake.die(&session);
    world.settle().await;
    assert_eq!(world.record(&session).await.failures, 1);
}

#[tokio::test]
async fn a_ticket_for_a_session_that_gave_up_tries_again_and_fails_with_it() {
    let world = World::new().await;
    world
        .fake
        .script(&app(FIRST_APP), Script::Fails("it ended with exit code 1"));
    let session = world.group(1).await.1.remove(0);
    for pause in [0, 1, 2] {
        world.wait(pause * SECOND).await;
    }
    assert_eq!(world.status(&session).await, Status::Unavailable);
    world.clock.advance(SECOND);
    let task = world.open_task(&session, FIRST_APP).await;
    world.settle().await;
    assert_eq!(world.status(&session).await, Status::Starting);
    for pause in [1, 2] {
        assert_eq!(world.task(&task).await.status, TaskStatus::Running);
        world.wait(pause * SECOND).await;
    }
    assert_eq!(world.status(&session).await, Status::Unavailable);
    let task = world.task(&task).await;
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(task.reason.contains("exit code 1"), "{}", task.reason);
}

#[tokio::test]
async fn a_session_deleted_while_it_starts_is_gone_and_its_task_fails() {
    let world = World::new().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let (group, sessions) = world.group(1).await;
    world.settle().await;
    let task = world.open_task(&sessions[0], FIRST_APP).await;
    let now = world.clock.now();
    world
        .store
        .delete_group(&world.account, &group, None, now)
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.status(&sessions[0]).await, Status::Deleted);
    assert_eq!(world.task(&task).await.status, TaskStatus::Failed);
}

#[tokio::test]
async fn a_binding_ends_when_its_user_stays_away_and_the_session_runs_on() {
    let world = World::new().await;
    let session = world.running().await;
    let task = world.open_task(&session, FIRST_APP).await;
    world.settle().await;
    assert!(world.record(&session).await.bound);
    world.store.connected(&task.binding).await.unwrap();
    world.wait(3600 * SECOND).await;
    assert!(
        world.record(&session).await.bound,
        "nothing ends while a viewer is there"
    );
    let now = world.clock.now();
    world.store.disconnected(&task.binding, now).await.unwrap();
    world.wait(15 * 60 * SECOND - SECOND).await;
    assert!(world.record(&session).await.bound);
    world.wait(SECOND).await;
    assert!(!world.record(&session).await.bound);
    assert_eq!(world.status(&session).await, Status::Running);
}
