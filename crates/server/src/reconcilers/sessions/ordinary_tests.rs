//! Lives of ordinary sessions: each for one user, and nothing of them for the next.

use crate::reconcilers::world::{FIRST_APP, OTHER_APP, World, app};
use crate::runtime::fake::Script;
use greenroom_model::{
    AppInstanceStatus as Instance, Clock, GroupStatus, PersistentStatus as Status, TaskStatus,
};
use std::time::Duration;

#[tokio::test]
async fn a_group_without_users_is_published_with_its_slots_free_and_nothing_running() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(2).await;
    world.settle().await;
    for session in &sessions {
        assert_eq!(world.instance(session).await, Instance::Idle);
    }
    let made = world.store.group(&world.account, &group).await;
    assert_eq!(made.unwrap().unwrap().status, GroupStatus::Published);
    assert_eq!(world.fake.spawns(), 0);
}

#[tokio::test]
async fn a_user_gets_the_app_in_a_session_of_their_own() {
    let world = World::new().await;
    let (group, _) = world.ordinary_group(2).await;
    world.settle().await;
    let alice = world.come("alice", &group, FIRST_APP).await.unwrap();
    let bob = world.come("bob", &group, OTHER_APP).await.unwrap();
    assert_ne!(alice.session, bob.session);
    assert!(world.come("carol", &group, FIRST_APP).await.is_none());
    world.settle().await;
    for (task, wanted) in [(&alice, FIRST_APP), (&bob, OTHER_APP)] {
        assert_eq!(world.task(task).await.status, TaskStatus::Finished);
        assert_eq!(world.instance(&task.session).await, Instance::Running);
        assert_eq!(
            world.record(&task.session).await.opened_apps,
            [app(wanted)],
            "what was asked for, and nothing beside it"
        );
    }
    let more = world.come("alice", &group, OTHER_APP).await.unwrap();
    world.settle().await;
    assert_eq!(more.session, alice.session);
    assert_eq!(world.task(&more).await.status, TaskStatus::Finished);
    assert_eq!(world.fake.spawns(), 2);
}

#[tokio::test]
async fn the_next_user_finds_nothing_of_the_one_before() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(1).await;
    world.settle().await;
    world.come("alice", &group, FIRST_APP).await.unwrap();
    world.settle().await;
    world.unbind("alice", &group).await;
    world.settle().await;
    assert_eq!(world.status(&sessions[0]).await, Status::Stopped);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Idle);
    assert_eq!(world.fake.pid(&sessions[0]), None);
    assert!(!world.fake.has_home(&sessions[0]));
    let bob = world.come("bob", &group, OTHER_APP).await.unwrap();
    world.settle().await;
    assert_eq!(world.task(&bob).await.status, TaskStatus::Finished);
    let record = world.record(&sessions[0]).await;
    assert_eq!(record.opened_apps, [app(OTHER_APP)]);
}

#[tokio::test]
async fn a_user_who_stays_away_for_the_session_timeout_loses_the_session() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(1).await;
    world.settle().await;
    let task = world.come("alice", &group, FIRST_APP).await.unwrap();
    world.settle().await;
    world.store.connected(&task.binding).await.unwrap();
    world.wait(Duration::from_secs(3600)).await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Running);
    let now = world.clock.now();
    world.store.disconnected(&task.binding, now).await.unwrap();
    world.wait(Duration::from_secs(15 * 60 - 1)).await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Running);
    world.wait(Duration::from_secs(1)).await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Idle);
    assert!(!world.fake.has_home(&sessions[0]));
}

#[tokio::test]
async fn one_let_go_while_it_starts_is_cleared_away_all_the_same() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(1).await;
    world.settle().await;
    world.fake.script(&app(FIRST_APP), Script::Hangs);
    let task = world.come("alice", &group, FIRST_APP).await.unwrap();
    world.settle().await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Starting);
    world.unbind("alice", &group).await;
    world.settle().await;
    assert_eq!(world.task(&task).await.status, TaskStatus::Failed);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Idle);
    assert!(!world.fake.has_home(&sessions[0]));
}

#[tokio::test]
async fn one_that_gave_up_is_good_again_for_the_next_user() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(1).await;
    world.settle().await;
    let broken = Script::Fails("it ended with exit code 1");
    world.fake.script(&app(FIRST_APP), broken);
    let task = world.come("alice", &group, FIRST_APP).await.unwrap();
    for pause in [0, 1, 2] {
        world.wait(Duration::from_secs(pause)).await;
    }
    assert_eq!(world.task(&task).await.status, TaskStatus::Failed);
    assert_eq!(world.instance(&sessions[0]).await, Instance::Unavailable);
    world.unbind("alice", &group).await;
    world.settle().await;
    let bob = world.come("bob", &group, OTHER_APP).await.unwrap();
    world.settle().await;
    assert_eq!(world.task(&bob).await.status, TaskStatus::Finished);
}

#[tokio::test]
async fn a_free_slot_that_is_deleted_is_nobodys_from_then_on_and_goes() {
    let world = World::new().await;
    let (group, sessions) = world.ordinary_group(2).await;
    world.settle().await;
    assert!(world.remove(&sessions[0]).await);
    let alice = world.come("alice", &group, FIRST_APP).await.unwrap();
    assert_eq!(alice.session, sessions[1]);
    assert!(!world.remove(&sessions[1]).await, "it is alice's");
    world.settle().await;
    let past = world.past(&sessions[0]).await;
    let end = "STOPPED>DELETING DELETING>DELETED";
    assert!(past.ends_with(end), "{past}");
    assert_eq!(world.instance(&sessions[0]).await, Instance::Deleted);
    assert_eq!(world.task(&alice).await.status, TaskStatus::Finished);
    let made = world.store.group(&world.account, &group).await;
    assert_eq!(made.unwrap().unwrap().shape().nodes, 1);
}

#[tokio::test]
async fn a_slot_that_is_deleted_before_anybody_has_looked_at_it_goes() {
    let world = World::new().await;
    let (_, sessions) = world.ordinary_group(1).await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Init);
    assert!(world.remove(&sessions[0]).await);
    world.settle().await;
    assert_eq!(world.instance(&sessions[0]).await, Instance::Deleted);
    assert_eq!(world.fake.spawns(), 0);
}
