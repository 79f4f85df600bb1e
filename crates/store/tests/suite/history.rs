//! What happened to sessions, and what an administrator sees of them and asks.

use crate::world::{World, after, nonce, seen};
use greenroom_model::{AccountId, Ask, Desired, PersistentId, PersistentStatus, Timestamp};
use greenroom_store::{EVENTS_KEPT, Page, PageRequest, SessionEvent, SessionScope, StoreError};

async fn history(w: &World, id: &PersistentId, number: u32, size: u32) -> Page<SessionEvent> {
    let page = PageRequest { number, size };
    let found = w.store.session_events(&w.acme, id, page).await.unwrap();
    found.expect("the session is there")
}

async fn ask(w: &World, ids: &[PersistentId], wish: Ask, at: Timestamp) -> Result<(), StoreError> {
    w.store
        .ask_sessions(&w.acme, ids, wish, "account acme", None, at)
        .await
}

pub async fn what_is_wished_and_seen_is_kept_and_nothing_twice(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    assert_eq!(history(&w, &id, 1, 10).await.total, 0);
    w.observe(&id, PersistentStatus::Running, after(1)).await;
    w.observe(&id, PersistentStatus::Running, after(2)).await;
    ask(&w, std::slice::from_ref(&id), Ask::Stop, after(3))
        .await
        .unwrap();
    let record = w.session(&id).await;
    let mut lost = seen(&record, PersistentStatus::Unavailable, after(4));
    lost.status_reason = "its process ended".to_owned();
    w.record(&record, lost).await.unwrap();
    let stale = seen(&record, PersistentStatus::Running, after(5));
    w.record(&record, stale).await.unwrap_err();

    let found = history(&w, &id, 1, 10).await;
    let told = |event: &SessionEvent| {
        let SessionEvent {
            number,
            at,
            asked,
            before,
            status,
            reason,
            author,
            ..
        } = event.clone();
        let asked = asked.map_or("", Ask::as_str);
        format!(
            "{number} {} {asked} {before} {status} {reason} {author}",
            at.0 - after(0).0
        )
    };
    let told: Vec<_> = found.items.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "3 4000  RUNNING UNAVAILABLE its process ended the suite",
            "2 3000 STOP RUNNING RUNNING  account acme",
            "1 1000  PENDING RUNNING  the suite",
        ]
    );
    let second = history(&w, &id, 2, 2).await;
    assert_eq!((second.items[0].number, second.total), (1, 3));
    let page = PageRequest { number: 1, size: 1 };
    let stranger = w.store.session_events(&w.globex, &id, page).await.unwrap();
    assert_eq!(stranger, None);
}

pub async fn a_history_keeps_its_latest_events(w: World) {
    let group = w.with_group("office", 2).await;
    let ids = w.ids(&group).await;
    w.observe(&ids[1], PersistentStatus::Running, after(0))
        .await;
    for turn in 0..i64::from(EVENTS_KEPT) + 5 {
        let wish = if turn % 2 == 0 { Ask::Stop } else { Ask::Start };
        ask(&w, &ids[..1], wish, after(turn)).await.unwrap();
    }
    let found = history(&w, &ids[0], 1, 1000).await;
    assert_eq!(found.total, u64::from(EVENTS_KEPT));
    let numbers: Vec<u64> = found.items.iter().map(|event| event.number).collect();
    let expected: Vec<u64> = (6..=u64::from(EVENTS_KEPT) + 5).rev().collect();
    assert_eq!(numbers, expected);
    assert_eq!(history(&w, &ids[1], 1, 1000).await.total, 1, "only its own");
}

pub async fn a_wish_of_several_sessions_is_of_all_or_of_none(w: World) {
    let group = w.with_group("office", 2).await;
    let ids = w.ids(&group).await;
    let stranger = PersistentId::parse("p-stranger").unwrap();
    let with_a_stranger = [ids[0].clone(), stranger];
    let refused = ask(&w, &with_a_stranger, Ask::Stop, after(1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))));
    ask(&w, &ids[1..], Ask::Delete, after(2)).await.unwrap();
    let refused = ask(&w, &ids, Ask::Stop, after(3)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    let refused = w
        .store
        .ask_sessions(
            &w.globex,
            &ids[..1],
            Ask::Stop,
            "globex",
            nonce(1),
            after(3),
        )
        .await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))));
    assert_eq!(w.session(&ids[0]).await.desired, Desired::Running);
    assert_eq!(history(&w, &ids[0], 1, 10).await.total, 0);

    let twice = [ids[0].clone(), ids[0].clone()];
    ask(&w, &twice, Ask::Restart, after(4)).await.unwrap();
    let record = w.session(&ids[0]).await;
    assert_eq!(
        (record.asked, record.desired, record.wake_at),
        (Some(Ask::Restart), Desired::Running, Some(after(4)))
    );
    assert_eq!(history(&w, &ids[0], 1, 10).await.total, 1);
}

pub async fn a_reset_is_not_lost_to_a_later_wish(w: World) {
    let group = w.with_group("office", 1).await;
    let ids = w.ids(&group).await;
    for (first, then, kept, desired) in [
        (Ask::Reset, Ask::Stop, Ask::Reset, Desired::Stopped),
        (Ask::Reset, Ask::Start, Ask::Reset, Desired::Running),
        (Ask::Restart, Ask::Start, Ask::Restart, Desired::Running),
        (Ask::Restart, Ask::Stop, Ask::Stop, Desired::Stopped),
        (Ask::Restart, Ask::Reset, Ask::Reset, Desired::Running),
        (Ask::Reset, Ask::Delete, Ask::Delete, Desired::Deleted),
    ] {
        ask(&w, &ids, first, after(1)).await.unwrap();
        ask(&w, &ids, then, after(2)).await.unwrap();
        let record = w.session(&ids[0]).await;
        assert_eq!(
            (record.asked, record.desired),
            (Some(kept), desired),
            "{first} {then}"
        );
        if desired != Desired::Deleted {
            // It was acted on.
            w.observe(&ids[0], PersistentStatus::Running, after(3))
                .await;
        }
    }
}

pub async fn sessions_of_all_groups_are_listed_until_they_are_purged(w: World) {
    let first = w.with_group("first", 3).await;
    let mut later = w.spec("later");
    later.created = after(10);
    let later = w.with_spec(later, 70).await;
    let mut expected = w.ids(&first).await;
    expected.extend(w.ids(&later).await);
    w.store
        .delete_group(&w.acme, &first, None, after(20))
        .await
        .unwrap();
    w.observe(&expected[0], PersistentStatus::Deleted, after(21))
        .await;

    let list = async |account: &AccountId, scope: SessionScope, number, size| {
        let page = PageRequest { number, size };
        let found = w.store.list_sessions(account, scope, page).await.unwrap();
        let ids: Vec<_> = found.items.into_iter().map(|it| it.row.id).collect();
        (ids, found.total)
    };
    for size in [1, 2, 50, 100] {
        let mut found = Vec::new();
        for number in 1..=73_u32.div_ceil(size) {
            let (ids, total) = list(&w.acme, SessionScope::Account, number, size).await;
            assert_eq!(total, 73);
            found.extend(ids);
        }
        assert_eq!(found, expected, "by {size}");
    }
    let (past, total) = list(&w.acme, SessionScope::Account, 99, 50).await;
    assert_eq!((past, total), (vec![], 73));
    let (of_one, total) = list(&w.acme, SessionScope::Group(first.clone()), 1, 2).await;
    assert_eq!((of_one.as_slice(), total), (&expected[..2], 3));
    for scope in [SessionScope::Account, SessionScope::Group(first)] {
        assert_eq!(list(&w.globex, scope, 1, 10).await, (vec![], 0));
    }

    let detail = async |account: &AccountId| {
        let found = w.store.session_detail(account, &expected[0]).await;
        found.unwrap()
    };
    let seen = detail(&w.acme).await.expect("it is not purged yet");
    assert_eq!(
        (seen.row.status, seen.desired, seen.status_since),
        (PersistentStatus::Deleted, Desired::Deleted, after(21))
    );
    assert_eq!(detail(&w.globex).await, None);
    while w.store.purge_deleted(after(22), after(22)).await.unwrap() {}
    assert_eq!(detail(&w.acme).await, None);
    let (_, total) = list(&w.acme, SessionScope::Account, 1, 1).await;
    assert_eq!(total, 72);
}
