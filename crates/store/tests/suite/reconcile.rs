//! What reconcilers read and write.

use crate::world::{World, after, entry, nonce, seen, user};
use greenroom_model::{Ask, Desired, GroupStatus, PersistentId, PersistentStatus, Timestamp};
use greenroom_store::{GrantChange, NewTicket, Observation, Redemption, StoreError};
use std::collections::BTreeMap;

async fn due(w: &World, at: Timestamp) -> Vec<PersistentId> {
    let due = w
        .store
        .sessions_to_act_on(&w.lease.server, at, 100)
        .await
        .unwrap();
    due.into_iter().map(|record| record.id).collect()
}

pub async fn a_new_session_is_due_and_an_observed_one_is_not(w: World) {
    let group = w.with_group("office", 2).await;
    let ids = w.ids(&group).await;
    assert_eq!(due(&w, after(-1)).await, []);
    assert_eq!(due(&w, after(0)).await.len(), 2);

    w.observe(&ids[0], PersistentStatus::Running, after(1))
        .await;
    assert_eq!(due(&w, after(9)).await, [ids[1].clone()]);
    let record = w.session(&ids[1]).await;
    let mut later = seen(&record, PersistentStatus::Starting, after(2));
    later.wake_at = Some(after(60));
    w.record(&record, later).await.unwrap();
    assert_eq!(due(&w, after(59)).await, []);
    assert_eq!(
        w.store.next_due(&w.lease.server).await.unwrap(),
        Some(after(60))
    );
    assert_eq!(due(&w, after(60)).await, [ids[1].clone()]);

    let record = w.session(&ids[0]).await;
    assert_eq!(
        (record.status_since, record.observed_at),
        (after(1), Some(after(1)))
    );
    w.observe(&ids[0], PersistentStatus::Running, after(3))
        .await;
    let record = w.session(&ids[0]).await;
    assert_eq!(
        (record.status_since, record.observed_at),
        (after(1), Some(after(3)))
    );
}

pub async fn an_observation_of_an_older_generation_is_refused(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    let record = w.session(&id).await;
    let write = |status, at| w.record(&record, seen(&record, status, at));
    let (one, other) = tokio::join!(
        write(PersistentStatus::Running, after(1)),
        write(PersistentStatus::Unavailable, after(1))
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let status = w.session(&id).await.status;
    let late = write(PersistentStatus::Stopped, after(2)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    assert_eq!(w.session(&id).await.status, status);
    let next = one.or(other).unwrap();
    assert_eq!(next, w.session(&id).await.generation);
}

pub async fn intent_written_meanwhile_fences_the_observer(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    let record = w.session(&id).await;
    let mut news = w.store.intents();
    news.mark_unchanged();
    w.store
        .ask_sessions(
            &w.acme,
            std::slice::from_ref(&id),
            Ask::Stop,
            "root",
            nonce(1),
            after(1),
        )
        .await
        .unwrap();
    assert!(news.has_changed().unwrap());

    let seen_before = seen(&record, PersistentStatus::Running, after(1));
    let refused = w.record(&record, seen_before).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    let record = w.session(&id).await;
    assert_eq!(
        (record.asked, record.desired),
        (Some(Ask::Stop), Desired::Stopped)
    );
    assert_eq!(due(&w, after(1)).await, [id]);
}

pub async fn a_wake_up_survives_an_observation_made_before_it(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    w.observe(&id, PersistentStatus::Running, after(1)).await;
    for is_due in [false, true] {
        let record = w.session(&id).await;
        let before = Observation {
            wake_at: is_due.then(|| after(1)),
            ..seen(&record, PersistentStatus::Running, after(1))
        };
        w.record(&record, before).await.unwrap();
        let record = w.session(&id).await;
        w.open_task(&group, &id, "alice", after(2)).await;
        let stale = w
            .record(&record, seen(&record, PersistentStatus::Running, after(2)))
            .await;
        assert!(matches!(stale, Err(StoreError::Conflict(_))), "{is_due}");
        assert_eq!(due(&w, after(2)).await, std::slice::from_ref(&id));
    }
}

pub async fn only_what_runs_is_to_be_adopted(w: World) {
    let group = w.with_group("office", 3).await;
    let ids = w.ids(&group).await;
    w.observe(&ids[0], PersistentStatus::Running, after(1))
        .await;
    w.observe(&ids[1], PersistentStatus::Running, after(1))
        .await;
    w.observe(&ids[1], PersistentStatus::Stopped, after(2))
        .await;
    let running = w.store.running_handles(&w.lease.server).await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!(
        (&running[0].id, running[0].handle.as_deref()),
        (&ids[0], Some(&b"pid 42"[..]))
    );
}

pub async fn a_session_to_be_deleted_takes_no_other_wish(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    let ids = [id.clone()];
    let ask = |wish| {
        w.store
            .ask_sessions(&w.acme, &ids, wish, "root", None, after(1))
    };
    ask(Ask::Reset).await.unwrap();
    assert_eq!(w.session(&id).await.desired, Desired::Running);
    ask(Ask::Delete).await.unwrap();
    for wish in Ask::ALL {
        assert!(matches!(ask(*wish).await, Err(StoreError::Conflict(_))));
    }
    assert_eq!(w.session(&id).await.asked, Some(Ask::Delete));
    let stranger = w
        .store
        .ask_sessions(&w.globex, &ids, Ask::Stop, "root", None, after(1))
        .await;
    assert!(matches!(stranger, Err(StoreError::NotFound(_))));
}

pub async fn a_deleted_session_loses_what_led_to_it(w: World) {
    let group = w.with_group("office", 1).await;
    let id = w.ids(&group).await.remove(0);
    let grant = GrantChange {
        add: vec![user("alice")],
        remove: Vec::new(),
    };
    w.store
        .authorize_session_users(&w.acme, &group, &id, grant, None, after(0))
        .await
        .unwrap();
    let task = w.open_task(&group, &id, "alice", after(1)).await;
    let ticket = NewTicket {
        hash: [1; 32],
        binding: task.binding.clone(),
        app: task.app.clone(),
        expires: after(60),
    };
    w.store.mint_ticket(ticket, None).await.unwrap();
    w.observe(&id, PersistentStatus::Deleted, after(2)).await;

    assert_eq!(w.store.open_bindings(&id).await.unwrap(), []);
    let late = w
        .store
        .redeem_ticket([1; 32], [2; 32], after(3), |_| Some(entry()))
        .await
        .unwrap();
    assert_eq!(late, Redemption::Unknown);
    assert!(!w.store.is_authorized(&id, &user("alice")).await.unwrap());
    assert_eq!(w.store.running_tasks_of(&id).await.unwrap(), []);
    // Still listed, and what was seen last is final.
    assert_eq!(
        w.page(&group, 1, 20).await.items[0].status,
        PersistentStatus::Deleted
    );
    let record = w.session(&id).await;
    let revived = seen(&record, PersistentStatus::Running, after(4));
    let refused = w.record(&record, revived).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

pub async fn settling_groups_count_their_sessions(w: World) {
    let group = w.with_group("office", 3).await;
    let ids = w.ids(&group).await;
    w.observe(&ids[0], PersistentStatus::Running, after(1))
        .await;
    let record = w.session(&ids[1]).await;
    let mut failed = seen(&record, PersistentStatus::Unavailable, after(1));
    failed.status_reason = "its app ended with signal 11".to_owned();
    w.record(&record, failed).await.unwrap();

    let settling = w.store.groups_settling().await.unwrap();
    assert_eq!(settling.len(), 1);
    assert_eq!(
        (&settling[0].id, settling[0].status),
        (&group, GroupStatus::Deploying)
    );
    assert_eq!(
        settling[0].reason.as_deref(),
        Some("its app ended with signal 11")
    );
    let expected = [
        (PersistentStatus::Pending, 1),
        (PersistentStatus::Running, 1),
        (PersistentStatus::Unavailable, 1),
    ];
    assert_eq!(settling[0].sessions, BTreeMap::from(expected));
    w.store
        .set_group_status(&group, GroupStatus::Published, "")
        .await
        .unwrap();
    assert_eq!(w.store.groups_settling().await.unwrap(), []);
}

pub async fn a_deleted_group_is_purged_without_a_trace(w: World) {
    let group = w.with_group("office", 2).await;
    let kept = w.with_group("kept", 2).await;
    let ids = w.ids(&group).await;
    w.open_task(&group, &ids[0], "alice", after(1)).await;
    w.store
        .delete_group(&w.acme, &group, None, after(2))
        .await
        .unwrap();
    w.observe(&ids[0], PersistentStatus::Deleted, after(3))
        .await;
    assert!(!w.store.group_deleted(&group, after(3)).await.unwrap());
    w.observe(&ids[1], PersistentStatus::Deleted, after(4))
        .await;
    assert!(w.store.group_deleted(&group, after(5)).await.unwrap());
    assert_eq!(
        w.store.groups_settling().await.unwrap().len(),
        1,
        "the kept one is left"
    );

    while w.store.purge_deleted(after(3), after(5)).await.unwrap() {}
    assert!(w.store.session_record(&ids[0]).await.unwrap().is_some());
    while w.store.purge_deleted(after(6), after(5)).await.unwrap() {}
    for id in &ids {
        assert_eq!(w.store.session_record(id).await.unwrap(), None);
    }
    // The id is free again, so nothing of the group is left.
    w.with_group("office", 1).await;
    assert_eq!(w.page(&kept, 1, 20).await.total, 2);
}

pub async fn serials_are_never_given_twice(w: World) {
    let mut serials = Vec::new();
    for round in 0..2 {
        let group = w.with_group("office", 3).await;
        let ids = w.ids(&group).await;
        for id in &ids {
            serials.push(w.session(id).await.serial);
        }
        w.store
            .delete_group(&w.acme, &group, None, after(round))
            .await
            .unwrap();
        for id in &ids {
            w.observe(id, PersistentStatus::Deleted, after(round)).await;
        }
        w.store.group_deleted(&group, after(round)).await.unwrap();
        while w
            .store
            .purge_deleted(after(round + 1), after(0))
            .await
            .unwrap()
        {}
    }
    assert_eq!(serials, [1, 2, 3, 4, 5, 6]);
}
