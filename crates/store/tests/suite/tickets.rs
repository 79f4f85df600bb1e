//! Ticket tasks, tickets and resume tokens.

use crate::world::{World, after, entry, user};
use greenroom_model::{
    AppInstanceGroupId, Ask, BindingId, Desired, PersistentId, PersistentStatus, TaskStatus,
};
use greenroom_store::{
    Admitted, Digest, GrantChange, NewTicket, Redemption, Resumption, StoreError,
};

const TICKET: Digest = [1; 32];
const RESUME: Digest = [2; 32];

/// A ticket for alice, who is granted the session, good for a minute.
async fn ticket_for_alice(w: &World) -> (AppInstanceGroupId, PersistentId, BindingId) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    let grant = GrantChange {
        add: vec![user("alice")],
        remove: Vec::new(),
    };
    w.store
        .authorize_session_users(&w.acme, &group, &session, grant, None, after(0))
        .await
        .unwrap();
    let task = w.open_task(&group, &session, "alice", after(1)).await;
    mint(w, TICKET, &task.binding).await.unwrap();
    (group, session, task.binding)
}

async fn mint(w: &World, hash: Digest, binding: &BindingId) -> Result<(), StoreError> {
    let ticket = NewTicket {
        hash,
        binding: binding.clone(),
        app: "ca-foot".to_owned().try_into().unwrap(),
        expires: after(60),
    };
    w.store.mint_ticket(ticket, None).await
}

fn admitted(redemption: Redemption) -> Admitted {
    match redemption {
        Redemption::Admitted(admitted) => *admitted,
        other => panic!("not admitted: {other:?}"),
    }
}

pub async fn a_task_gives_the_user_one_binding_and_starts_what_is_stopped(w: World) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    w.store
        .ask_sessions(
            &w.acme,
            std::slice::from_ref(&session),
            Ask::Stop,
            "root",
            None,
            after(1),
        )
        .await
        .unwrap();
    w.observe(&session, PersistentStatus::Stopped, after(2))
        .await;

    let first = w.open_task(&group, &session, "alice", after(3)).await;
    assert_eq!((first.status, &first.group), (TaskStatus::Running, &group));
    let record = w.session(&session).await;
    assert_eq!(
        (record.desired, record.asked),
        (Desired::Running, Some(Ask::Start))
    );
    assert!(record.bound);
    let second = w.open_task(&group, &session, "alice", after(4)).await;
    assert_eq!(second.binding, first.binding);
    let other = w.open_task(&group, &session, "bob", after(5)).await;
    assert_ne!(other.binding, first.binding);

    let waiting = w.store.running_tasks_of(&session).await.unwrap();
    assert_eq!(waiting, [first.clone(), second, other]);
    assert_eq!(
        w.store.task(&w.acme, &first.id).await.unwrap(),
        Some(first.clone())
    );
    assert_eq!(w.store.task(&w.globex, &first.id).await.unwrap(), None);
}

pub async fn a_task_for_a_session_of_another_account_or_group_is_refused(w: World) {
    let (group, other) = (
        w.with_group("office", 1).await,
        w.with_group("other", 1).await,
    );
    let session = w.ids(&group).await.remove(0);
    let right = w.task(&group, &session, "alice", after(1));
    let mut foreign = right.clone();
    foreign.account = w.globex.clone();
    let mut misplaced = right.clone();
    misplaced.group = other;
    for task in [foreign, misplaced] {
        let refused = w.store.open_task(task, None).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))));
    }
    w.store
        .delete_group(&w.acme, &group, None, after(2))
        .await
        .unwrap();
    assert!(matches!(
        w.store.open_task(right, None).await,
        Err(StoreError::NotFound(_))
    ));
    assert_eq!(w.store.running_tasks_of(&session).await.unwrap(), []);
    assert_eq!(w.store.open_bindings(&session).await.unwrap(), []);
}

pub async fn a_task_ends_once(w: World) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    let task = w.open_task(&group, &session, "alice", after(1)).await;
    let end = |status, reason| w.store.finish_task(&w.lease, &task.id, status, reason);
    assert!(end(TaskStatus::Finished, "").await.unwrap());
    assert!(!end(TaskStatus::Failed, "too late").await.unwrap());
    let kept = w.store.task(&w.acme, &task.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.status, kept.reason.as_str()),
        (TaskStatus::Finished, "")
    );
    assert_eq!(w.store.running_tasks_of(&session).await.unwrap(), []);
}

pub async fn of_two_viewers_with_one_ticket_one_is_let_in(w: World) {
    let (_, session, binding) = ticket_for_alice(&w).await;
    let show = |resume| {
        let store = w.store.clone();
        tokio::spawn(async move {
            store
                .redeem_ticket(TICKET, resume, after(2), |_| Some(entry()))
                .await
                .unwrap()
        })
    };
    let (one, other) = tokio::join!(show([11; 32]), show([12; 32]));
    let (mut let_in, mut refused) = (Vec::new(), Vec::new());
    for (resume, outcome) in [([11; 32], one.unwrap()), ([12; 32], other.unwrap())] {
        match outcome {
            Redemption::Admitted(admitted) => let_in.push((resume, admitted)),
            other => refused.push((resume, other)),
        }
    }
    let [(token, winner)] = &let_in[..] else {
        panic!("{} were let in", let_in.len());
    };
    assert_eq!((&winner.binding, &winner.session), (&binding, &session));
    assert!(winner.authorized);
    let [(loser, Redemption::Used)] = refused[..] else {
        panic!("{refused:?}");
    };
    assert!(matches!(
        w.store.resume(*token).await.unwrap(),
        Resumption::Admitted(_)
    ));
    assert_eq!(w.store.resume(loser).await.unwrap(), Resumption::Unknown);
}

pub async fn a_ticket_that_is_spent_late_or_invented_is_told_apart(w: World) {
    let (group, _, binding) = ticket_for_alice(&w).await;
    let show = |ticket, at| {
        w.store
            .redeem_ticket(ticket, RESUME, after(at), |_| Some(entry()))
    };
    assert_eq!(show([99; 32], 2).await.unwrap(), Redemption::Unknown);
    assert_eq!(show(TICKET, 60).await.unwrap(), Redemption::Expired);
    assert_eq!(w.store.resume(RESUME).await.unwrap(), Resumption::Unknown);
    admitted(show(TICKET, 59).await.unwrap());
    assert_eq!(show(TICKET, 59).await.unwrap(), Redemption::Used);

    let again = mint(&w, TICKET, &binding).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    mint(&w, [3; 32], &binding).await.unwrap();
    assert_eq!(
        w.unbind_alice(&group, after(5)).await,
        std::slice::from_ref(&binding)
    );
    assert_eq!(show([3; 32], 6).await.unwrap(), Redemption::Unknown);
    assert_eq!(show(TICKET, 6).await.unwrap(), Redemption::Used);
    let ended = mint(&w, [4; 32], &binding).await;
    assert!(matches!(ended, Err(StoreError::Conflict(_))));
}

pub async fn a_ticket_shown_too_early_is_not_spent(w: World) {
    ticket_for_alice(&w).await;
    let show = |ready: bool| {
        w.store
            .redeem_ticket(TICKET, RESUME, after(2), move |_| ready.then(entry))
    };
    let held = show(false).await.unwrap();
    assert!(matches!(held, Redemption::Held(_)), "{held:?}");
    assert_eq!(w.store.resume(RESUME).await.unwrap(), Resumption::Unknown);
    admitted(show(true).await.unwrap());
    assert_eq!(show(false).await.unwrap(), Redemption::Used);
}

pub async fn a_resume_token_stays_good_until_the_binding_ends(w: World) {
    let (group, session, binding) = ticket_for_alice(&w).await;
    w.observe(&session, PersistentStatus::Running, after(2))
        .await;
    let first = admitted(
        w.store
            .redeem_ticket(TICKET, RESUME, after(3), |_| Some(entry()))
            .await
            .unwrap(),
    );
    assert_eq!(first.handle.as_deref(), Some(&b"pid 42"[..]));
    assert_eq!(first.status, PersistentStatus::Running);
    for _ in 0..2 {
        let again = w.store.resume(RESUME).await.unwrap();
        assert_eq!(again, Resumption::Admitted(Box::new(first.clone())));
    }
    assert_eq!(
        w.unbind_alice(&group, after(4)).await,
        std::slice::from_ref(&binding)
    );
    assert_eq!(w.store.resume(RESUME).await.unwrap(), Resumption::Unknown);
}

pub async fn what_has_ended_long_ago_is_purged(w: World) {
    let (group, session, binding) = ticket_for_alice(&w).await;
    let task = w.store.running_tasks_of(&session).await.unwrap().remove(0);
    let show = || {
        w.store
            .redeem_ticket(TICKET, RESUME, after(2), |_| Some(entry()))
    };
    admitted(show().await.unwrap());
    assert_eq!(
        w.unbind_alice(&group, after(3)).await,
        std::slice::from_ref(&binding)
    );

    while w.store.purge_deleted(after(1), after(9)).await.unwrap() {}
    assert_eq!(show().await.unwrap(), Redemption::Used);
    assert!(w.store.task(&w.acme, &task.id).await.unwrap().is_some());
    while w.store.purge_deleted(after(99), after(99)).await.unwrap() {}
    assert_eq!(show().await.unwrap(), Redemption::Unknown);
    assert_eq!(w.store.task(&w.acme, &task.id).await.unwrap(), None);
    // The session itself is there, and can be held anew.
    assert_eq!(w.session(&session).await.id, session);
}

pub async fn whoever_lost_the_grant_comes_in_unauthorized(w: World) {
    let (group, session, _) = ticket_for_alice(&w).await;
    assert!(
        admitted(
            w.store
                .redeem_ticket(TICKET, RESUME, after(2), |_| Some(entry()))
                .await
                .unwrap()
        )
        .authorized
    );
    let revoke = GrantChange {
        add: Vec::new(),
        remove: vec![user("alice")],
    };
    w.store
        .authorize_session_users(&w.acme, &group, &session, revoke, None, after(3))
        .await
        .unwrap();
    let Resumption::Admitted(back) = w.store.resume(RESUME).await.unwrap() else {
        panic!("the binding has not ended");
    };
    assert!(!back.authorized);
}

pub async fn a_group_that_checks_nobody_authorizes_everybody(w: World) {
    let mut spec = w.spec("open-house");
    spec.skip_user_check = true;
    let group = w.with_spec(spec, 1).await;
    let session = w.ids(&group).await.remove(0);
    assert!(
        w.store
            .is_authorized(&session, &user("anybody"))
            .await
            .unwrap()
    );
}
