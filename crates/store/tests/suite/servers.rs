//! The servers of a database: who may write of a session, and what becomes of those that fall silent.

use crate::world::{LASTS, World, after, nonce, seen, server};
use greenroom_model::{Ask, PersistentId, PersistentStatus, TaskStatus, Timestamp};
use greenroom_store::{Lease, PageRequest, Renewal, ServerStanding, StoreError};
use std::time::Duration;

const ALL: PageRequest = PageRequest {
    number: 1,
    size: 100,
};

/// Another server, whose lease lasts as long as the world's own.
pub async fn another(w: &World, id: &str) -> Lease {
    w.store.join(server(id), LASTS).await.unwrap()
}

/// The world's own server renews its lease no more.
pub async fn fall_silent(w: &World) {
    w.store.renew(&w.lease, Duration::ZERO).await.unwrap();
}

/// Lets `judge` look until it takes somebody for lost: the database's clock has to move past the lease.
pub async fn until_lost(w: &World, judge: &Lease) {
    let look = || w.store.take_for_lost(judge, Duration::ZERO);
    while look().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// A group of so many sessions that live nowhere.
async fn unplaced(w: &World, count: u32) -> Vec<PersistentId> {
    let spec = w.spec("office");
    let (group, slots) = (spec.id.clone(), w.slots(count));
    let made = w
        .store
        .create_group(spec, slots, Vec::new(), None, |_| true);
    made.await.unwrap();
    w.ids(&group).await
}

/// How many sessions the server took in, when they are due since the start and it is so late.
async fn place(w: &World, by: &Lease, at: Timestamp, limit: u32) -> u32 {
    let overdue = Timestamp(at.0 - 3_000);
    let placed = w.store.place_sessions(by, at, overdue, limit).await;
    placed.unwrap().taken
}

pub async fn a_session_lives_where_it_was_placed_and_nowhere_else(w: World) {
    let other = another(&w, "srv-other").await;
    let id = unplaced(&w, 1).await.remove(0);
    let record = w.session(&id).await;
    assert_eq!(record.server, None);
    let running = || seen(&record, PersistentStatus::Running, after(1));
    let homeless = w.record(&record, running()).await;
    assert!(matches!(homeless, Err(StoreError::Fenced)), "{homeless:?}");

    assert_eq!(place(&w, &w.lease, after(0), 10).await, 1);
    assert_eq!(place(&w, &other, after(60), 10).await, 0);
    assert_eq!(w.session(&id).await.server, Some(w.lease.server.clone()));
    let address = w.store.server_of(&id).await.unwrap().unwrap().address;
    assert_eq!(address, "https://srv-7.example");

    let due = async |lease: &Lease| {
        let due = w.store.sessions_to_act_on(&lease.server, after(60), 10);
        due.await.unwrap().len()
    };
    assert_eq!((due(&w.lease).await, due(&other).await), (1, 0));
    let stranger = w
        .store
        .record(&other, &id, record.generation, running())
        .await;
    assert!(matches!(stranger, Err(StoreError::Fenced)), "{stranger:?}");
    w.record(&record, running()).await.unwrap();
}

pub async fn the_emptier_of_two_servers_takes_the_next_session(w: World) {
    let mut small = server("srv-small");
    small.processors = 2;
    let small = w.store.join(small, LASTS).await.unwrap();
    unplaced(&w, 10).await;
    // The world's own server gives out 8 processors, the other one 2.
    let mut taken = (0, 0);
    for _ in 0..10 {
        taken.1 += place(&w, &small, after(1), 1).await;
        taken.0 += place(&w, &w.lease, after(1), 1).await;
    }
    assert_eq!(taken.0 + taken.1, 10);
    assert!((1..=3).contains(&taken.1), "{taken:?}");

    // When the emptier one takes nothing for a while, the other one does.
    w.with_group("full", 8).await;
    let spec = w.spec("more");
    let made = w
        .store
        .create_group(spec, w.slots(1), Vec::new(), None, |_| true);
    made.await.unwrap();
    assert_eq!(place(&w, &w.lease, after(2), 1).await, 0);
    assert_eq!(place(&w, &w.lease, after(3), 1).await, 1);
}

pub async fn a_server_taken_for_lost_writes_nothing_until_it_joins_again(w: World) {
    let late = w.store.join(server("srv-late"), Duration::ZERO).await;
    let late = late.unwrap();
    let ids = unplaced(&w, 2).await;
    assert_eq!(place(&w, &late, after(9), 1).await, 1);
    let placed = async |id: &PersistentId| w.session(id).await.server.is_some();
    let id = ids[usize::from(!placed(&ids[0]).await)].clone();
    let record = w.session(&id).await;
    let seen = |status| seen(&record, status, after(1));
    until_lost(&w, &w.lease).await;
    let late_word = w
        .store
        .record(
            &late,
            &id,
            record.generation,
            seen(PersistentStatus::Running),
        )
        .await;
    assert!(
        matches!(late_word, Err(StoreError::Fenced)),
        "{late_word:?}"
    );
    let refused = w.store.place_sessions(&late, after(9), after(9), 1).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    assert_eq!(w.store.renew(&late, LASTS).await.unwrap(), Renewal::Lost);
    // Meanwhile another server may say that it is not seen.
    let unseen = seen(PersistentStatus::Unavailable);
    let generation = w.record(&record, unseen).await.unwrap();

    let back = another(&w, "srv-late").await;
    assert!(back.epoch > late.epoch);
    assert_eq!(
        w.store.renew(&late, LASTS).await.unwrap(),
        Renewal::Replaced
    );
    let running = || seen(PersistentStatus::Running);
    let stranger = w.store.record(&w.lease, &id, generation, running()).await;
    assert!(matches!(stranger, Err(StoreError::Fenced)), "{stranger:?}");
    let own = w.store.record(&back, &id, generation, running());
    own.await.unwrap();
}

pub async fn a_server_that_has_just_come_back_takes_nobody_for_lost(w: World) {
    // The database was away for so long that every lease is over: who comes first must not judge the others.
    let other = w.store.join(server("srv-other"), Duration::ZERO).await;
    let first = w.store.join(server("srv-first"), Duration::ZERO).await;
    let (other, first) = (other.unwrap(), first.unwrap());
    let held = |renewal| matches!(renewal, Renewal::Held { .. });
    assert!(held(w.store.renew(&first, LASTS).await.unwrap()));
    assert_eq!(w.store.take_for_lost(&first, LASTS).await.unwrap(), []);
    assert!(held(w.store.renew(&other, LASTS).await.unwrap()));
    assert_eq!(w.store.take_for_lost(&first, LASTS).await.unwrap(), []);
}

pub async fn what_was_up_on_a_server_is_found_when_it_is_lost(w: World) {
    let group = w.with_group("office", 3).await;
    let ids = w.ids(&group).await;
    w.observe(&ids[0], PersistentStatus::Running, after(1))
        .await;
    w.observe(&ids[1], PersistentStatus::Stopped, after(1))
        .await;
    let task = w.open_task(&group, &ids[0], "alice", after(2)).await;
    let judge = another(&w, "srv-judge").await;
    let id = &w.lease.server;
    let standing = async || {
        let all = w.store.servers().await.unwrap();
        let all = all.into_iter();
        all.map(|it| (it.id, it.standing, it.sessions))
            .collect::<Vec<_>>()
    };
    let mut expected = [
        (id.clone(), ServerStanding::Member, 3),
        (judge.server.clone(), ServerStanding::Member, 0),
    ];
    assert_eq!(standing().await, expected);

    fall_silent(&w).await;
    until_lost(&w, &judge).await;
    expected[0].1 = ServerStanding::Lost;
    assert_eq!(standing().await, expected);
    let unseen = w.store.sessions_up_on(id, 10).await.unwrap();
    let mut unseen: Vec<_> = unseen.into_iter().map(|record| record.id).collect();
    let mut up = vec![ids[0].clone(), ids[2].clone()];
    unseen.sort();
    up.sort();
    assert_eq!(unseen, up);
    let waiting = w.store.tasks_waiting_for(id, 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].id, task.id);
    assert_eq!(w.store.sessions_up_on(id, 1).await.unwrap().len(), 1);
    let elsewhere = w.store.sessions_up_on(&judge.server, 10).await.unwrap();
    assert_eq!(elsewhere, []);
}

pub async fn a_server_taken_for_lost_ends_no_task(w: World) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    let task = w.open_task(&group, &session, "alice", after(1)).await;
    let judge = another(&w, "srv-judge").await;
    let end = |by, status| w.store.finish_task(by, &task.id, status, "");
    let stranger = end(&judge, TaskStatus::Finished).await;
    assert!(matches!(stranger, Err(StoreError::Fenced)), "{stranger:?}");

    fall_silent(&w).await;
    until_lost(&w, &judge).await;
    let late = end(&w.lease, TaskStatus::Finished).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    assert!(end(&judge, TaskStatus::Failed).await.unwrap());
    let kept = w.store.task(&w.acme, &task.id).await.unwrap().unwrap();
    assert_eq!(kept.status, TaskStatus::Failed);
}

pub async fn a_forgotten_server_comes_back_to_nothing_and_its_sessions_live_elsewhere(w: World) {
    let group = w.with_group("office", 4).await;
    let ids = w.ids(&group).await;
    let (up, stopped, ending, new) = (&ids[0], &ids[1], &ids[2], &ids[3]);
    w.observe(up, PersistentStatus::Running, after(1)).await;
    w.observe(stopped, PersistentStatus::Stopped, after(1))
        .await;
    w.observe(ending, PersistentStatus::Running, after(1)).await;
    let wish = std::slice::from_ref(ending);
    w.store
        .ask_sessions(&w.acme, wish, Ask::Delete, "ann", None, after(2))
        .await
        .unwrap();
    w.observe(ending, PersistentStatus::Deleting, after(2))
        .await;
    let judge = another(&w, "srv-judge").await;
    let server = &w.lease.server;
    let forget = |number| w.store.forget_server(server, nonce(number), after(3));
    let early = forget(1).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "{early:?}");
    assert_eq!(w.session(up).await.server.as_ref(), Some(server));

    fall_silent(&w).await;
    until_lost(&w, &judge).await;
    assert_eq!(forget(2).await.unwrap(), 4);
    let replayed = forget(2).await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    let again = forget(3).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
    let left = w.store.servers().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, judge.server);

    for (id, status) in [
        (up, PersistentStatus::Unavailable),
        (stopped, PersistentStatus::Stopped),
        (ending, PersistentStatus::Deleting),
        (new, PersistentStatus::Pending),
    ] {
        let record = w.session(id).await;
        let told = (record.status, record.home_lost, &record.handle);
        assert_eq!(told, (status, true, &None), "{id}");
        assert_eq!((record.server, record.wake_at), (None, Some(after(3))));
    }
    let events = w.store.session_events(&w.acme, up, ALL).await.unwrap();
    let event = events.unwrap().items.remove(0);
    let told = (event.before, event.status, event.author.as_str());
    let expected = (
        PersistentStatus::Running,
        PersistentStatus::Unavailable,
        "the operator",
    );
    assert_eq!(told, expected);
    assert!(event.reason.contains(server.as_str()), "{}", event.reason);

    // Whoever has the old data folder is kept out, running or started again.
    let late = w.store.renew(&w.lease, LASTS).await.unwrap();
    assert_eq!(late, Renewal::Forgotten);
    let back = w.store.join(crate::world::server(server.as_str()), LASTS);
    let back = back.await;
    assert!(matches!(back, Err(StoreError::ServerForgotten)), "{back:?}");
    assert_eq!(place(&w, &judge, after(3), 10).await, 4);
    let record = w.session(up).await;
    assert_eq!(record.server.as_ref(), Some(&judge.server));
    let stranger = seen(&record, PersistentStatus::Running, after(4));
    let stranger = w.record(&record, stranger).await;
    assert!(matches!(stranger, Err(StoreError::Fenced)), "{stranger:?}");
}
