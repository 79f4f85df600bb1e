//! Bindings: how long a user's hold on a session lasts.

use crate::world::{World, after};
use greenroom_model::{BindingId, ServerId, Timestamp};
use greenroom_store::TicketTask;

async fn bound(w: &World, timeout: i32) -> BindingId {
    task_of_alice(w, timeout).await.binding
}

async fn task_of_alice(w: &World, timeout: i32) -> TicketTask {
    let mut spec = w.spec("office");
    spec.session_timeout = timeout;
    let group = w.with_spec(spec, 1).await;
    let session = w.ids(&group).await.remove(0);
    w.open_task(&group, &session, "alice", after(0)).await
}

async fn expiring(w: &World, at: Timestamp) -> Vec<BindingId> {
    let expiring = w.store.bindings_to_expire(at, 10).await.unwrap();
    expiring.into_iter().map(|binding| binding.id).collect()
}

pub async fn the_session_timeout_counts_from_the_last_viewers_leaving(w: World) {
    let binding = bound(&w, 3).await;
    assert!(w.store.connected(&binding).await.unwrap());
    assert_eq!(expiring(&w, Timestamp(i64::MAX)).await, []);
    assert_eq!(w.store.next_expiry().await.unwrap(), None);

    assert!(w.store.disconnected(&binding, after(100)).await.unwrap());
    assert_eq!(w.store.next_expiry().await.unwrap(), Some(after(280)));
    assert_eq!(expiring(&w, after(279)).await, []);
    assert_eq!(
        expiring(&w, after(280)).await,
        std::slice::from_ref(&binding)
    );

    w.store.connected(&binding).await.unwrap();
    assert_eq!(expiring(&w, after(280)).await, []);
}

pub async fn a_timeout_of_minus_one_never_ends_a_binding(w: World) {
    let binding = bound(&w, -1).await;
    w.store.connected(&binding).await.unwrap();
    w.store.disconnected(&binding, after(1)).await.unwrap();
    assert_eq!(expiring(&w, Timestamp(i64::MAX)).await, []);
}

pub async fn a_binding_nobody_came_to_runs_out(w: World) {
    let binding = bound(&w, 3).await;
    assert_eq!(expiring(&w, after(180)).await, [binding]);
}

pub async fn a_server_that_starts_finds_nobody_connected(w: World) {
    let binding = bound(&w, 3).await;
    w.store.connected(&binding).await.unwrap();
    let begins = |server: &str, at| {
        let server = ServerId::parse(server).unwrap();
        let store = w.store.clone();
        async move { store.all_disconnected(&server, at).await.unwrap() }
    };
    assert_eq!(begins("srv-another", after(900)).await, 0);
    assert_eq!(begins(w.lease.server.as_str(), after(1_000)).await, 1);
    assert_eq!(begins(w.lease.server.as_str(), after(2_000)).await, 0);
    assert_eq!(w.store.next_expiry().await.unwrap(), Some(after(1_180)));
}

pub async fn an_ended_binding_stays_ended(w: World) {
    let task = task_of_alice(&w, 3).await;
    let binding = task.binding;
    let ended = w.unbind_alice(&task.group, after(1)).await;
    assert_eq!(ended, std::slice::from_ref(&binding));
    assert_eq!(w.unbind_alice(&task.group, after(2)).await, []);
    assert!(!w.store.connected(&binding).await.unwrap());
    assert!(!w.store.disconnected(&binding, after(3)).await.unwrap());
    assert_eq!(expiring(&w, Timestamp(i64::MAX)).await, []);
    let waiting = w.store.running_tasks_of(&task.session).await.unwrap();
    assert_eq!(waiting, []);
}
