//! Ordinary sessions: those of groups that give out apps or themselves.

use crate::servers::{another, fall_silent, until_lost};
use crate::world::{World, after, user};
use greenroom_model::{
    AppId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, Ask, AuthMode, Desired,
    PersistentId, PersistentStatus,
};
use greenroom_store::{
    GrantChange, InstanceFilter, NewTask, PageRequest, SessionScope, StoreError, TicketTask, Wanted,
};

/// A group `aig-lab` of so many slots, all of them free.
async fn lab(w: &World, mode: AuthMode, slots: u32) -> (AppInstanceGroupId, Vec<PersistentId>) {
    let mut spec = w.spec("lab");
    spec.auth_mode = mode;
    let mut new = w.slots(slots);
    (new.desired, new.open) = (Desired::Stopped, Vec::new());
    let id = spec.id.clone();
    w.store
        .create_group(spec, new, Vec::new(), None, |_| true)
        .await
        .unwrap();
    w.place().await;
    let all = PageRequest {
        number: 1,
        size: 100,
    };
    let scope = SessionScope::Group(id.clone());
    let found = w.store.list_sessions(&w.acme, scope, all).await.unwrap();
    let sessions: Vec<_> = found.items.into_iter().map(|it| it.row.id).collect();
    for session in &sessions {
        w.observe(session, PersistentStatus::Stopped, after(1))
            .await;
    }
    (id, sessions)
}

/// Somebody asks for an app, on an instance if one is named.
async fn come(
    w: &World,
    group: &AppInstanceGroupId,
    name: &str,
    instance: Option<AppInstanceId>,
) -> Result<TicketTask, StoreError> {
    let any = PersistentId::parse("p-none").unwrap();
    let task = NewTask {
        wanted: Wanted::Ordinary(instance),
        ..w.task(group, &any, name, after(2))
    };
    w.store.open_task(task, None).await
}

async fn instance_statuses(w: &World, group: &AppInstanceGroupId) -> Vec<AppInstanceStatus> {
    let all = PageRequest {
        number: 1,
        size: 100,
    };
    let filter = InstanceFilter::default();
    let found = w.store.page_instances(&w.acme, group, filter, all).await;
    let found = found.unwrap().unwrap();
    found.items.into_iter().map(|row| row.status).collect()
}

pub async fn each_user_gets_a_free_session_and_keeps_it(w: World) {
    let (group, sessions) = lab(&w, AuthMode::AppInstanceGroup, 2).await;
    let first = come(&w, &group, "alice", None).await.unwrap();
    assert_eq!(first.session, sessions[0]);
    assert_eq!(
        instance_statuses(&w, &group).await,
        [AppInstanceStatus::Bound, AppInstanceStatus::Idle]
    );
    let record = w.session(&first.session).await;
    assert_eq!(
        (record.desired, record.instance_status),
        (Desired::Running, AppInstanceStatus::Bound)
    );
    let again = come(&w, &group, "alice", None).await.unwrap();
    assert_eq!(
        (again.session, again.binding),
        (first.session, first.binding)
    );
    let other = come(&w, &group, "bob", None).await.unwrap();
    assert_eq!(other.session, sessions[1]);
    for instance in [None, Some(other.instance)] {
        let late = come(&w, &group, "carol", instance).await;
        assert!(matches!(late, Err(StoreError::NoRoom)), "{late:?}");
    }
}

pub async fn a_session_on_the_instance_that_is_named_is_given_if_it_is_free(w: World) {
    let (group, sessions) = lab(&w, AuthMode::App, 2).await;
    let second = w.session(&sessions[1]).await.instance;
    let task = come(&w, &group, "alice", Some(second)).await.unwrap();
    assert_eq!(task.session, sessions[1]);
    let first = w.session(&sessions[0]).await.instance;
    let two = come(&w, &group, "alice", Some(first)).await.unwrap();
    assert_eq!(two.session, sessions[0]);
}

pub async fn a_free_session_of_a_lost_server_is_given_to_nobody(w: World) {
    let (group, sessions) = lab(&w, AuthMode::App, 2).await;
    let held = come(&w, &group, "alice", None).await.unwrap();
    let judge = another(&w, "srv-judge").await;
    fall_silent(&w).await;
    until_lost(&w, &judge).await;
    let late = come(&w, &group, "bob", None).await;
    assert!(matches!(late, Err(StoreError::NoRoom)), "{late:?}");
    // What alice holds is hers, wherever it is.
    let again = come(&w, &group, "alice", None).await.unwrap();
    assert_eq!(again.session, held.session);
    another(&w, w.lease.server.as_str()).await;
    let then = come(&w, &group, "bob", None).await.unwrap();
    assert_eq!(then.session, sessions[1]);
}

pub async fn what_is_let_go_is_cleared_away_before_anybody_else_gets_it(w: World) {
    let (group, sessions) = lab(&w, AuthMode::App, 1).await;
    come(&w, &group, "alice", None).await.unwrap();
    let mut record = w.session(&sessions[0]).await;
    record.opened_apps = vec![AppId::parse("ca-foot").unwrap()];
    let seen = crate::world::seen(&record, PersistentStatus::Running, after(3));
    w.record(&record, seen).await.unwrap();
    assert_eq!(w.unbind_alice(&group, after(4)).await.len(), 1);
    let record = w.session(&sessions[0]).await;
    assert_eq!(
        (record.desired, record.asked, &*record.opened_apps),
        (Desired::Stopped, Some(Ask::Reset), &[][..])
    );
    // Even one whose processes have ended by themselves still has the home of whoever was there.
    let seen = greenroom_store::Observation {
        asked: Some(Ask::Reset),
        ..crate::world::seen(&record, PersistentStatus::Stopped, after(5))
    };
    let record = w.session(&sessions[0]).await;
    w.record(&record, seen).await.unwrap();
    let early = come(&w, &group, "bob", None).await;
    assert!(matches!(early, Err(StoreError::NoRoom)), "{early:?}");
    w.observe(&sessions[0], PersistentStatus::Stopped, after(6))
        .await;
    come(&w, &group, "bob", None).await.unwrap();
}

pub async fn an_ordinary_session_is_no_persistent_one(w: World) {
    let (group, sessions) = lab(&w, AuthMode::App, 2).await;
    let page = w.page(&group, 1, 20).await;
    assert_eq!((page.items, page.total), (Vec::new(), 0));
    let session = w.store.session(&w.acme, &sessions[0]).await.unwrap();
    assert_eq!(session, None);
    let grant = GrantChange {
        add: vec![user("alice")],
        remove: Vec::new(),
    };
    let granted = w
        .store
        .authorize_session_users(&w.acme, &group, &sessions[0], grant, None, after(2))
        .await;
    assert!(matches!(granted, Err(StoreError::NotFound("session"))));
    let persistent = w.with_group("office", 1).await;
    let none = come(&w, &persistent, "alice", None).await;
    assert!(matches!(none, Err(StoreError::NoRoom)), "{none:?}");
}

pub async fn an_app_may_be_opened_by_whoever_was_granted_it_or_the_group(w: World) {
    let (foot, other) = (
        AppId::parse("ca-foot").unwrap(),
        AppId::parse("ca-other").unwrap(),
    );
    let (group, sessions) = lab(&w, AuthMode::App, 1).await;
    let add = |name: &str| GrantChange {
        add: vec![user(name)],
        remove: Vec::new(),
    };
    w.store
        .authorize_app_users(&w.acme, &group, &foot, add("alice"), None, after(1))
        .await
        .unwrap();
    w.store
        .authorize_group_users(&w.acme, &group, add("bob"), None, after(1))
        .await
        .unwrap();
    for (name, app, may) in [
        ("alice", &foot, true),
        ("alice", &other, false),
        ("bob", &other, true),
        ("carol", &foot, false),
    ] {
        let found = w.store.may_open(&group, &user(name), app).await.unwrap();
        assert_eq!(found, may, "{name} {app}");
    }
    for (name, may) in [("alice", true), ("bob", true), ("carol", false)] {
        let found = w.store.is_authorized(&sessions[0], &user(name)).await;
        assert_eq!(found.unwrap(), may, "{name}");
    }
    let persistent = w.with_group("office", 1).await;
    w.store
        .authorize_group_users(&w.acme, &persistent, add("bob"), None, after(1))
        .await
        .unwrap();
    assert!(
        !w.store
            .may_open(&persistent, &user("bob"), &foot)
            .await
            .unwrap()
    );
}
