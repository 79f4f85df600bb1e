//! Every status that a persistent session and an app instance can have, reached by what really leads to it, as
//! `ListPersistentAppInstances` and `ListAppInstances` show it.

use crate::reconcilers::world::{FIRST_APP, World, alice, app};
use crate::runtime::AppState;
use crate::runtime::fake::Script;
use greenroom_model::{
    AppInstanceGroupId, AppInstanceStatus as Instance, Ask, Clock, PersistentId,
    PersistentStatus as Status, ProductType,
};
use greenroom_store::{InstanceFilter, PageRequest, SessionFilter};
use std::time::Duration;

const ALL: PageRequest = PageRequest {
    number: 1,
    size: 100,
};

/// One session's life, written down as it is listed.
struct Life {
    world: World,
    group: AppInstanceGroupId,
    session: PersistentId,
    table: String,
    statuses: Vec<Status>,
    instances: Vec<Instance>,
}

impl Life {
    fn new(world: World, group: AppInstanceGroupId, session: PersistentId) -> Self {
        Self {
            world,
            group,
            session,
            table: String::new(),
            statuses: Vec::new(),
            instances: Vec::new(),
        }
    }

    /// Lets everything happen that follows from the event, and writes down what it has led to.
    async fn after(&mut self, event: &str) {
        self.world.settle().await;
        self.now(event).await;
    }

    /// Writes down how things are listed after an event, before anybody has looked.
    async fn now(&mut self, event: &str) {
        let World { store, account, .. } = &self.world;
        let (product, any) = (ProductType::CloudApp, SessionFilter::All);
        let listed = store.page_sessions(account, &self.group, product, any, ALL);
        let session = listed.await.unwrap().unwrap().items.last().cloned();
        let any = InstanceFilter {
            deleted: true,
            ..InstanceFilter::default()
        };
        let listed = store.page_instances(account, &self.group, any, ALL);
        let instance = listed.await.unwrap().unwrap().items.pop().unwrap().status;
        let status = session.as_ref().map_or("-", |row| row.status.as_str());
        if let Some(row) = session {
            assert_eq!(
                row.instance_status, instance,
                "both listings after: {event}"
            );
            self.statuses.push(row.status);
        }
        self.instances.push(instance);
        self.table += &format!(
            "{event:<66} {status:<11} {instance}\n",
            instance = instance.as_str()
        );
    }

    fn draws(&self, draws: bool) {
        let script = if draws { Script::Draws } else { Script::Hangs };
        self.world.fake.script(&app(FIRST_APP), script);
    }

    fn app_is(&self, state: AppState) {
        self.world
            .fake
            .app_is(&self.session, &app(FIRST_APP), state);
    }

    async fn wishes(&self, wish: Ask) {
        let World { store, account, .. } = &self.world;
        let (ids, now) = (std::slice::from_ref(&self.session), self.world.clock.now());
        store
            .ask_sessions(account, ids, wish, "root", None, now)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_persistent_session_shows_every_status_when_it_is_so() {
    let world = World::new().await;
    let (group, mut sessions) = world.group(1).await;
    let mut life = Life::new(world, group, sessions.remove(0));
    life.draws(false);
    life.now("its group is made").await;
    life.after("its holder is started and its app has drawn nothing")
        .await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.app_is(AppState::Closed);
    life.after("its user closes the app").await;
    life.world.open_task(&life.session, FIRST_APP).await;
    life.after("alice asks for the app, which has drawn nothing")
        .await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.world.fake.ignore_stop(&life.session);
    life.wishes(Ask::Stop).await;
    life.after("it is to stop, and its processes take their time")
        .await;
    life.world.fake.die(&life.session);
    life.after("the last of them has ended, and alice holds it still")
        .await;
    life.world.unbind(alice().as_str(), &life.group).await;
    life.after("alice lets it go").await;
    life.world.open_task(&life.session, FIRST_APP).await;
    life.now("alice asks for the app").await;
    life.after("its holder is started and the app has drawn nothing")
        .await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.world.fake.die(&life.session);
    life.after("its holder dies").await;
    life.world.clock.advance(Duration::from_secs(1));
    life.after("it is started again after a pause").await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.world.fake.freeze(&life.session, true);
    life.after("its holder is not heard for three heartbeats")
        .await;
    life.world.fake.freeze(&life.session, false);
    life.after("it is heard again").await;
    life.world.fake.ignore_stop(&life.session);
    life.wishes(Ask::Reset).await;
    life.after("it is to be reset, and its processes take their time")
        .await;
    life.world.fake.die(&life.session);
    life.after("the last of them has ended, and it is started anew")
        .await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.world.fake.ignore_stop(&life.session);
    life.wishes(Ask::Delete).await;
    life.after("it is to be deleted, and its processes take their time")
        .await;
    life.world.fake.die(&life.session);
    life.after("the last of them has ended").await;

    insta::assert_snapshot!(life.table);
    for status in Status::ALL {
        assert!(life.statuses.contains(status), "{status} was never shown");
    }
    for status in Instance::ALL {
        assert!(life.instances.contains(status), "{status} was never shown");
    }
}

#[tokio::test]
async fn the_slot_of_an_ordinary_session_shows_every_status_when_it_is_so() {
    let world = World::new().await;
    let (group, mut sessions) = world.ordinary_group(1).await;
    let mut life = Life::new(world, group, sessions.remove(0));
    life.draws(false);
    life.now("its group is made").await;
    life.after("its group is published").await;
    life.world
        .come("alice", &life.group, FIRST_APP)
        .await
        .unwrap();
    life.now("alice asks for the app").await;
    life.after("its holder is started and the app has drawn nothing")
        .await;
    life.app_is(AppState::Drawn);
    life.after("the app has drawn").await;
    life.app_is(AppState::Closed);
    life.after("alice closes the app").await;
    life.world.fake.ignore_stop(&life.session);
    life.world.unbind("alice", &life.group).await;
    life.after("alice lets it go, and its processes take their time")
        .await;
    life.world.fake.die(&life.session);
    life.after("the last of them has ended").await;
    life.draws(true);
    life.world
        .come("bob", &life.group, FIRST_APP)
        .await
        .unwrap();
    life.after("bob asks for the app, and it has drawn").await;
    life.world.fake.die(&life.session);
    life.after("its holder dies").await;
    life.wishes(Ask::Delete).await;
    life.after("it is deleted").await;

    insta::assert_snapshot!(life.table);
    assert_eq!(life.statuses, [], "it is no persistent session");
    for status in Instance::ALL {
        assert!(life.instances.contains(status), "{status} was never shown");
    }
}
