//! App instances that are deleted one by one.

use crate::world::{START, World, after, nonce, user};
use greenroom_model::{
    AppInstanceGroupId, AppInstanceId, Ask, Desired, PersistentId, PersistentStatus, Timestamp,
};
use greenroom_store::{
    GrantChange, InstanceFilter, InstanceRow, Leave, NewSlots, PageRequest, PoolUsage, Removal,
    RemovalRefusal, Resize, Shape, StoreError,
};
use std::collections::BTreeSet;

const ALL: PageRequest = PageRequest {
    number: 1,
    size: 100,
};

/// A group of so many nodes of its own of two sessions each.
async fn group_of(w: &World, nodes: u32) -> AppInstanceGroupId {
    let mut spec = w.spec("office");
    spec.pool.node_amount = nodes;
    let (id, run) = (spec.id.clone(), Desired::Running);
    let slots = NewSlots::new(nodes, 2, run, Vec::new(), &w.random);
    let created = w
        .store
        .create_group(spec, slots, Vec::new(), None, |_| true);
    created.await.unwrap();
    w.place().await;
    id
}

/// Has scaling give the group so many nodes beside its own.
async fn scale(w: &World, id: &AppInstanceGroupId, scaling: u32, at: Timestamp) {
    let from = shape(w, id).await;
    let more = scaling.saturating_sub(from.scaling);
    let run = Desired::Running;
    let resize = Resize {
        account: w.acme.clone(),
        group: id.clone(),
        from,
        to: Shape { scaling, ..from },
        new: NewSlots::more(more, more * from.capacity, run, Vec::new(), &w.random),
        leave: Leave::Any,
        bought: Vec::new(),
        strategy: None,
        order: None,
        author: "scaling".to_owned(),
    };
    let resized = w.store.resize_group(resize, None, at, |_| true);
    resized.await.unwrap();
    w.place().await;
}

async fn shape(w: &World, id: &AppInstanceGroupId) -> Shape {
    w.store.group(&w.acme, id).await.unwrap().unwrap().shape()
}

/// The group's own nodes, those beside them, and the nodes of all groups.
async fn nodes(w: &World, id: &AppInstanceGroupId) -> (u32, u32, u64) {
    let shape = shape(w, id).await;
    let in_use = w.store.nodes_in_use().await.unwrap();
    (shape.nodes, shape.scaling, in_use[0].nodes)
}

async fn instances(w: &World, id: &AppInstanceGroupId) -> Vec<InstanceRow> {
    let page = w
        .store
        .page_instances(&w.acme, id, InstanceFilter::default(), ALL);
    page.await.unwrap().unwrap().items
}

async fn instance_of(w: &World, session: &PersistentId) -> AppInstanceId {
    w.session(session).await.instance
}

fn removal(w: &World, id: &AppInstanceGroupId, instances: &[&AppInstanceId]) -> Removal {
    Removal {
        account: w.acme.clone(),
        group: id.clone(),
        instances: instances.iter().map(|it| it.as_str().to_owned()).collect(),
        own_stay: false,
        author: "somebody".to_owned(),
    }
}

async fn remove(w: &World, id: &AppInstanceGroupId, instances: &[&AppInstanceId], at: Timestamp) {
    let removal = removal(w, id, instances);
    let refused = w.store.remove_instances(removal, None, at).await.unwrap();
    assert_eq!(refused, []);
}

/// What was asked to go goes.
async fn go(w: &World, id: &AppInstanceGroupId, at: Timestamp) {
    for session in w.ids(id).await {
        let record = w.session(&session).await;
        if record.desired == Desired::Deleted && record.status != PersistentStatus::Deleted {
            w.observe(&session, PersistentStatus::Deleted, at).await;
        }
    }
}

pub async fn a_removed_instance_leaves_a_place_that_nothing_fills(w: World) {
    let id = group_of(&w, 1).await;
    let all = w.ids(&id).await;
    let first = instance_of(&w, &all[0]).await;
    remove(&w, &id, &[&first], after(1)).await;
    let record = w.session(&all[0]).await;
    assert_eq!(
        (record.desired, record.asked, record.wake_at),
        (Desired::Deleted, Some(Ask::Delete), Some(after(1)))
    );
    assert_eq!(w.session(&all[1]).await.desired, Desired::Running);
    assert_eq!(nodes(&w, &id).await, (1, 0, 1), "one slot is left on it");
    let used = w.store.pool_usage(&id, START).await.unwrap();
    let left = PoolUsage {
        slots: 1,
        in_use: 0,
        idle: 1,
    };
    assert_eq!(used, left);

    go(&w, &id, after(2)).await;
    assert_eq!(instances(&w, &id).await.len(), 1);
    scale(&w, &id, 1, after(3)).await;
    assert_eq!(nodes(&w, &id).await, (1, 1, 2));
    assert_eq!(instances(&w, &id).await.len(), 3);
    scale(&w, &id, 0, after(4)).await;
    go(&w, &id, after(5)).await;
    assert_eq!(instances(&w, &id).await.len(), 2, "what a node holds");
}

pub async fn nodes_that_are_too_many_then_are_counted_until_they_are_empty(w: World) {
    let id = group_of(&w, 2).await;
    scale(&w, &id, 1, after(1)).await;
    let rows = instances(&w, &id).await;
    assert_eq!(nodes(&w, &id).await, (2, 1, 3));
    // One slot of each of two nodes: those that stay move together, and scaling's node goes.
    remove(&w, &id, &[&rows[0].id, &rows[2].id], after(2)).await;
    assert_eq!(nodes(&w, &id).await, (2, 0, 3), "still there");
    go(&w, &id, after(3)).await;
    assert_eq!(nodes(&w, &id).await, (2, 0, 2));
    let listed = w.store.page_nodes(&w.acme, &id, ALL).await.unwrap().items;
    let elastic: Vec<bool> = listed.iter().map(|node| node.elastic).collect();
    assert_eq!(elastic, [false, false]);

    let rows = instances(&w, &id).await;
    let left: Vec<&AppInstanceId> = rows.iter().map(|row| &row.id).collect();
    remove(&w, &id, &left, after(4)).await;
    go(&w, &id, after(5)).await;
    assert_eq!(nodes(&w, &id).await, (0, 0, 0));
}

pub async fn what_is_held_granted_going_or_strange_stays_and_keeps_the_rest(w: World) {
    let id = group_of(&w, 3).await;
    let all = w.ids(&id).await;
    let change = GrantChange {
        add: vec![user("alice")],
        remove: Vec::new(),
    };
    w.store
        .authorize_session_users(&w.acme, &id, &all[0], change, None, START)
        .await
        .unwrap();
    w.open_task(&id, &all[1], "alice", after(1)).await;
    w.observe(&all[2], PersistentStatus::Running, after(1))
        .await;
    let going = instance_of(&w, &all[3]).await;
    remove(&w, &id, &[&going], after(2)).await;
    let mut named = Vec::new();
    for session in &all[..5] {
        named.push(instance_of(&w, session).await);
    }
    let named: Vec<&AppInstanceId> = named.iter().collect();
    let mut removal = removal(&w, &id, &named);
    removal.instances.push("no id".to_owned());
    let refused = w
        .store
        .remove_instances(removal.clone(), nonce(1), after(3))
        .await
        .unwrap();
    let in_use = |at: usize| (named[at].to_string(), RemovalRefusal::InUse);
    let expected = [
        (named[0].to_string(), RemovalRefusal::Granted),
        in_use(1),
        in_use(2),
        in_use(3),
        ("no id".to_owned(), RemovalRefusal::NotFound),
    ];
    assert_eq!(refused, expected);
    assert_eq!(w.session(&all[4]).await.desired, Desired::Running);
    assert_eq!(shape(&w, &id).await.nodes, 3);

    removal.instances = vec![named[4].to_string()];
    let replayed = w
        .store
        .remove_instances(removal.clone(), nonce(1), after(4));
    assert!(matches!(replayed.await, Err(StoreError::NonceReplayed)));
    let mut stranger = removal.clone();
    stranger.account = w.globex.clone();
    let strange = w.store.remove_instances(stranger, nonce(2), after(4));
    assert!(matches!(strange.await, Err(StoreError::NotFound("group"))));
    assert_eq!(w.session(&all[4]).await.desired, Desired::Running);

    go(&w, &id, after(5)).await;
    removal.instances = vec![named[3].to_string()];
    let gone = w.store.remove_instances(removal, None, after(6)).await;
    let not_found = (named[3].to_string(), RemovalRefusal::NotFound);
    assert_eq!(gone.unwrap(), [not_found]);
}

pub async fn what_is_paid_for_stays_and_what_scaling_added_goes(w: World) {
    let id = group_of(&w, 1).await;
    scale(&w, &id, 2, after(1)).await;
    let rows = instances(&w, &id).await;
    let named: Vec<&AppInstanceId> = rows.iter().map(|row| &row.id).collect();
    let mut all = removal(&w, &id, &named);
    all.own_stay = true;
    let refused = w.store.remove_instances(all.clone(), None, after(2)).await;
    let paid = |at: usize| (named[at].to_string(), RemovalRefusal::Paid);
    assert_eq!(refused.unwrap(), [paid(0), paid(1)]);
    all.instances.drain(..2);
    let refused = w.store.remove_instances(all, None, after(2)).await;
    assert_eq!(refused.unwrap(), []);
    go(&w, &id, after(3)).await;
    assert_eq!(nodes(&w, &id).await, (1, 0, 1));
    assert_eq!(instances(&w, &id).await.len(), 2);
}

/// A group whose nodes come and go by both ways, against counts kept beside it.
pub async fn counts_stay_right_while_instances_and_nodes_come_and_go(w: World) {
    let id = group_of(&w, 2).await;
    let (mut slots, mut removed) = (4, 0);
    for round in 0..60 {
        let at = 10 * round;
        if w.random.below(3) == 0 {
            let (from, scaling) = (shape(&w, &id).await, w.random.below(4) as u32);
            scale(&w, &id, scaling, after(at)).await;
            let to = shape(&w, &id).await;
            slots = match to.slots().cmp(&from.slots()) {
                std::cmp::Ordering::Greater => slots + to.slots() - from.slots(),
                _ => slots.min(to.slots()),
            };
        } else {
            let rows = instances(&w, &id).await;
            let some = rows.iter().filter(|_| w.random.below(4) == 0);
            let some: Vec<&AppInstanceId> = some.map(|row| &row.id).collect();
            remove(&w, &id, &some, after(at)).await;
            slots -= some.len() as u32;
            removed += some.len();
        }
        go(&w, &id, after(at + 1)).await;
        let rows = instances(&w, &id).await;
        assert_eq!(rows.len() as u32, slots, "round {round}");
        let lie_on: BTreeSet<_> = rows.iter().map(|row| row.node.clone()).collect();
        let shape = shape(&w, &id).await;
        assert_eq!(lie_on.len() as u32, shape.all_nodes(), "round {round}");
        assert!(shape.slots() - slots < shape.capacity, "round {round}");
        let in_use = w.store.nodes_in_use().await.unwrap()[0].nodes;
        assert_eq!(in_use, u64::from(shape.all_nodes()), "round {round}");
    }
    assert!(removed > 20, "only {removed} were removed");
}
