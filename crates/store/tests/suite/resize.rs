//! Groups that get more nodes, or fewer.

use crate::world::{START, World, after, nonce, user};
use greenroom_model::{
    AppInstanceGroupId, Ask, ChargeType, Desired, GroupStatus, NodeId, PersistentId,
    PersistentStatus, Timestamp,
};
use greenroom_store::{
    GrantChange, Group, GroupSpec, Leave, NewSlots, NextPeriod, Node, PageRequest, PoolUsage,
    Resize, Shape, StoreError,
};
use std::collections::BTreeSet;
use std::time::Duration;

const ALL: PageRequest = PageRequest {
    number: 1,
    size: 100,
};

const fn shape(nodes: u32, scaling: u32, capacity: u32) -> Shape {
    Shape {
        nodes,
        scaling,
        capacity,
    }
}

/// A group of so many nodes of two sessions each.
async fn group_of(w: &World, nodes: u32) -> AppInstanceGroupId {
    let mut spec = w.spec("office");
    spec.pool.node_amount = nodes;
    made(w, spec).await
}

async fn made(w: &World, spec: GroupSpec) -> AppInstanceGroupId {
    let id = spec.id.clone();
    let (nodes, capacity) = (spec.pool.node_amount, spec.pool.node_capacity);
    let run = Desired::Running;
    let slots = NewSlots::new(nodes, capacity, run, Vec::new(), &w.random);
    let created = w
        .store
        .create_group(spec, slots, Vec::new(), None, |_| true);
    created.await.unwrap();
    w.place().await;
    id
}

async fn group(w: &World, id: &AppInstanceGroupId) -> Group {
    w.store.group(&w.acme, id).await.unwrap().unwrap()
}

/// The change of a group of acme's, as it is now, to another size.
async fn change(w: &World, id: &AppInstanceGroupId, to: Shape) -> Resize {
    let from = group(w, id).await.shape();
    let nodes = to.all_nodes().saturating_sub(from.all_nodes());
    let slots = to.slots().saturating_sub(from.slots());
    let run = Desired::Running;
    Resize {
        account: w.acme.clone(),
        group: id.clone(),
        from,
        to,
        new: NewSlots::more(nodes, slots, run, Vec::new(), &w.random),
        leave: Leave::Any,
        bought: Vec::new(),
        strategy: None,
        order: None,
        author: "somebody".to_owned(),
    }
}

async fn resize(w: &World, id: &AppInstanceGroupId, to: Shape, at: Timestamp) {
    let change = change(w, id, to).await;
    let resized = w.store.resize_group(change, None, at, |_| true);
    resized.await.unwrap();
    w.place().await;
}

async fn nodes(w: &World, id: &AppInstanceGroupId) -> Vec<Node> {
    w.store.page_nodes(&w.acme, id, ALL).await.unwrap().items
}

/// The names of the group's sessions, with what they are meant to be where that is their end.
async fn names(w: &World, id: &AppInstanceGroupId) -> String {
    let mut names = Vec::new();
    for row in w.page(id, 1, 100).await.items {
        let ends = w.session(&row.id).await.desired == Desired::Deleted;
        names.push(row.name.replace("office-", "") + if ends { "x" } else { "" });
    }
    names.join(" ")
}

async fn grant(w: &World, id: &AppInstanceGroupId, session: &PersistentId) {
    let change = GrantChange {
        add: vec![user("alice")],
        remove: Vec::new(),
    };
    w.store
        .authorize_session_users(&w.acme, id, session, change, None, START)
        .await
        .unwrap();
}

pub async fn a_group_grows_by_sessions_with_the_next_numbers(w: World) {
    let id = group_of(&w, 1).await;
    let first = nodes(&w, &id).await;
    resize(&w, &id, shape(2, 0, 2), after(60)).await;
    resize(&w, &id, shape(2, 1, 2), after(60)).await;
    assert_eq!(names(&w, &id).await, "1 2 3 4 5 6");
    let rows = w.page(&id, 1, 100).await.items;
    let listed = |row: &greenroom_store::SessionRow| (row.created, row.id.clone());
    assert!(rows.is_sorted_by_key(listed), "{rows:?}");
    assert_eq!(rows[2].status, PersistentStatus::Pending);
    assert_eq!(rows[2].created, after(60));
    assert!(
        rows[4].created > after(60),
        "made after those of the same moment"
    );

    let after_it = nodes(&w, &id).await;
    assert_eq!(after_it[0], first[0]);
    let elastic: Vec<bool> = after_it.iter().map(|node| node.elastic).collect();
    assert_eq!(elastic, [false, false, true]);
    let group = group(&w, &id).await;
    assert_eq!((group.sessions, group.shape()), (6, shape(2, 1, 2)));
    assert_eq!(group.scaled_at, Some(after(60)));
    // They are due at once, and meant to be what they were made for.
    let session = w.session(&rows[5].id).await;
    assert_eq!(session.desired, Desired::Running);
    assert!(session.wake_at.is_some());
}

pub async fn a_clock_that_was_set_back_does_not_mix_up_the_listing(w: World) {
    let id = group_of(&w, 1).await;
    resize(&w, &id, shape(2, 0, 2), after(-600)).await;
    assert_eq!(names(&w, &id).await, "1 2 3 4");
    let rows = w.page(&id, 1, 100).await.items;
    assert!(rows.is_sorted_by_key(|row| (row.created, row.id.clone())));
}

pub async fn what_is_tied_least_goes_first_and_what_is_held_once_it_is_let_go(w: World) {
    let id = group_of(&w, 3).await;
    let all = w.ids(&id).await;
    grant(&w, &id, &all[1]).await;
    grant(&w, &id, &all[5]).await;
    w.open_task(&id, &all[2], "alice", after(1)).await;

    resize(&w, &id, shape(2, 0, 2), after(2)).await;
    assert_eq!(names(&w, &id).await, "1 2 3 4x 5x 6");
    // Those that go lie on one node, whatever they lay on before.
    let total = async || w.store.nodes_in_use().await.unwrap()[0].nodes;
    assert_eq!((nodes(&w, &id).await.len(), total().await), (3, 3));
    for gone in [&all[3], &all[4]] {
        w.observe(gone, PersistentStatus::Deleted, after(3)).await;
    }
    assert_eq!((nodes(&w, &id).await.len(), total().await), (2, 2));

    resize(&w, &id, shape(1, 0, 1), after(4)).await;
    assert_eq!(names(&w, &id).await, "1x 2x 3 4x 5x 6x");
    w.open_task(&id, &all[2], "bob", after(5)).await;
    resize(&w, &id, shape(1, 0, 2), after(6)).await;
    assert_eq!(names(&w, &id).await, "1x 2x 3 4x 5x 6x 7");
    let unbound = w.unbind_alice(&id, after(7)).await;
    assert_eq!(unbound.len(), 1);
    assert_eq!(names(&w, &id).await, "1x 2x 3 4x 5x 6x 7", "it may stay");
}

pub async fn a_held_session_that_is_to_leave_goes_with_its_last_user(w: World) {
    let id = group_of(&w, 1).await;
    let all = w.ids(&id).await;
    for session in &all {
        w.open_task(&id, session, "alice", after(1)).await;
    }
    w.open_task(&id, &all[1], "bob", after(1)).await;
    resize(&w, &id, shape(0, 0, 2), after(2)).await;
    assert_eq!(names(&w, &id).await, "1 2", "both are held");
    let session = w.session(&all[0]).await;
    assert_eq!((session.desired, session.asked), (Desired::Running, None));

    w.unbind_alice(&id, after(3)).await;
    assert_eq!(names(&w, &id).await, "1x 2", "bob holds the second");
    assert_eq!(w.session(&all[0]).await.asked, Some(Ask::Delete));
    let held = w.store.open_bindings(&all[1]).await.unwrap();
    let away = w
        .store
        .expire_binding(&held[0].id, "away", true, after(9_000));
    assert!(away.await.unwrap());
    assert_eq!(names(&w, &id).await, "1x 2x", "a reset would come too late");
    assert_eq!(w.session(&all[1]).await.asked, Some(Ask::Delete));
}

pub async fn by_itself_nothing_goes_that_is_granted_held_or_just_left(w: World) {
    let id = group_of(&w, 3).await;
    let all = w.ids(&id).await;
    grant(&w, &id, &all[0]).await;
    w.open_task(&id, &all[1], "alice", after(10)).await;
    w.unbind_alice(&id, after(100)).await;
    w.open_task(&id, &all[2], "alice", after(110)).await;

    let used = async |since| w.store.pool_usage(&id, since).await.unwrap();
    let one_in_use = |idle| PoolUsage {
        slots: 6,
        in_use: 1,
        idle,
    };
    assert_eq!(used(after(99)).await, one_in_use(3));
    assert_eq!(used(after(100)).await, one_in_use(4));

    let mut shrink = change(&w, &id, shape(1, 0, 2)).await;
    shrink.leave = Leave::IdleSince(after(99));
    let refused = w
        .store
        .resize_group(shrink.clone(), nonce(1), after(200), |_| true);
    assert!(matches!(refused.await, Err(StoreError::Conflict(_))));
    assert_eq!(names(&w, &id).await, "1 2 3 4 5 6");
    assert_eq!(group(&w, &id).await.shape(), shape(3, 0, 2));

    shrink.leave = Leave::IdleSince(after(100));
    let done = w.store.resize_group(shrink, nonce(1), after(200), |_| true);
    done.await.unwrap();
    assert_eq!(names(&w, &id).await, "1 2x 3 4x 5x 6x");
}

pub async fn without_room_or_after_another_change_nothing_is_changed(w: World) {
    let id = group_of(&w, 1).await;
    let grow = change(&w, &id, shape(2, 0, 2)).await;
    let full = w
        .store
        .resize_group(grow.clone(), nonce(1), after(1), |used| used[0].nodes != 1);
    assert!(matches!(full.await, Err(StoreError::NoRoom)));
    let mut stale = grow.clone();
    stale.from = shape(3, 0, 2);
    let raced = w.store.resize_group(stale, nonce(1), after(1), |_| true);
    assert!(matches!(raced.await, Err(StoreError::Conflict(_))));
    let mut strange = grow.clone();
    strange.account = w.globex.clone();
    let stranger = w.store.resize_group(strange, nonce(1), after(1), |_| true);
    assert!(matches!(stranger.await, Err(StoreError::NotFound("group"))));
    let mut bought = grow.clone();
    bought.bought = nodes(&w, &id)
        .await
        .into_iter()
        .map(|node| node.id)
        .collect();
    let own = w.store.resize_group(bought, nonce(1), after(1), |_| true);
    assert!(matches!(own.await, Err(StoreError::NotFound("node"))));
    assert_eq!(names(&w, &id).await, "1 2");

    let done = w
        .store
        .resize_group(grow.clone(), nonce(1), after(1), |_| true);
    done.await.unwrap();
    let again = w.store.resize_group(grow, nonce(1), after(1), |_| true);
    assert!(matches!(again.await, Err(StoreError::NonceReplayed)));
    assert_eq!(names(&w, &id).await, "1 2 3 4");
}

pub async fn a_bought_node_belongs_to_the_group_from_then_on(w: World) {
    let id = group_of(&w, 1).await;
    resize(&w, &id, shape(1, 2, 2), after(1)).await;
    let bought = nodes(&w, &id).await[2].id.clone();
    let mut buy = change(&w, &id, shape(2, 1, 2)).await;
    buy.bought = vec![bought.clone()];
    buy.order = Some("order-2".to_owned());
    buy.strategy = Some(("NODE_FIXED".to_owned(), "{\"NodeAmount\":2}".to_owned()));
    w.store
        .resize_group(buy, None, after(2), |_| true)
        .await
        .unwrap();
    let own = |node: &Node| (!node.elastic).then(|| node.id.clone());
    let own: Vec<NodeId> = nodes(&w, &id).await.iter().filter_map(own).collect();
    assert_eq!(own.len(), 2);
    assert!(own.contains(&bought));
    let group = group(&w, &id).await;
    assert_eq!(group.made.charge.order_id, "order-2");
    assert_eq!(group.made.pool.strategy, "{\"NodeAmount\":2}");
    assert_eq!(group.scaled_at, Some(after(1)), "nothing was scaled now");
}

pub async fn groups_that_scale_are_found_a_few_at_a_time(w: World) {
    let mut made = Vec::new();
    for (name, strategy) in [
        ("fixed", "NODE_FIXED"),
        ("use", "NODE_SCALING_BY_USAGE"),
        ("week", "NODE_SCALING_BY_SCHEDULE"),
        ("new", "NODE_SCALING_BY_USAGE"),
    ] {
        let mut spec = w.spec(name);
        spec.pool.strategy_type = strategy.to_owned();
        let id = w.with_spec(spec, 1).await;
        if name != "new" {
            let published = GroupStatus::Published;
            w.store.set_group_status(&id, published, "").await.unwrap();
        }
        made.push(id);
    }
    let first = w.store.scaling_groups(None, 1).await.unwrap();
    let second = w
        .store
        .scaling_groups(Some(&first[0].made.pool.id), 5)
        .await
        .unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    let found: BTreeSet<_> = [&first[0], &second[0]].map(|it| it.made.id.clone()).into();
    assert_eq!(found, made[1..3].iter().cloned().collect());
    let pool = &first[0].made.pool.id;
    let by_pool = w.store.group_of_pool(&w.acme, pool).await.unwrap();
    assert_eq!(by_pool.as_ref(), Some(&first[0]));
    assert_eq!(w.store.group_of_pool(&w.globex, pool).await.unwrap(), None);
}

pub async fn a_paid_group_is_renewed_from_the_end_of_its_period(w: World) {
    let week = Duration::from_secs(7 * 24 * 3600);
    let renewal = |order: &str| NextPeriod {
        time: week,
        period: 1,
        period_unit: "Week".to_owned(),
        auto_pay: true,
        order_id: order.to_owned(),
    };
    let mut spec = w.spec("office");
    spec.charge.charge_type = ChargeType::PrePaid;
    spec.charge.expires = Some(after(100));
    let id = w.with_spec(spec, 1).await;
    let renew = async |account, order, key, at| {
        let renewed = w
            .store
            .renew_group(account, &id, renewal(order), nonce(key), at);
        renewed.await
    };
    assert!(
        !renew(&w.acme, "1", 1, after(1)).await.unwrap(),
        "not published"
    );
    let published = GroupStatus::Published;
    w.store.set_group_status(&id, published, "").await.unwrap();
    assert!(!renew(&w.globex, "1", 2, after(1)).await.unwrap());

    assert!(renew(&w.acme, "2", 3, after(1)).await.unwrap());
    let charge = group(&w, &id).await.made.charge;
    assert_eq!(charge.expires, Some(after(100).after(week)));
    assert_eq!((charge.period, charge.period_unit.as_str()), (1, "Week"));
    assert_eq!((charge.auto_pay, charge.order_id.as_str()), (true, "2"));
    let late = after(1_000_000);
    assert!(matches!(
        renew(&w.acme, "3", 3, late).await,
        Err(StoreError::NonceReplayed)
    ));
    assert!(renew(&w.acme, "3", 4, late).await.unwrap());
    let charge = group(&w, &id).await.made.charge;
    assert_eq!(charge.expires, Some(late.after(week)), "it had ended");

    let by_use = w.with_group("by-use", 1).await;
    let published = GroupStatus::Published;
    w.store
        .set_group_status(&by_use, published, "")
        .await
        .unwrap();
    let refused = w
        .store
        .renew_group(&w.acme, &by_use, renewal("4"), None, after(1));
    assert!(!refused.await.unwrap());
}

/// A group through a hundred changes of size, with users who come and go and sessions that are purged, against
/// a list kept beside it.
pub async fn a_listing_stays_right_while_its_group_grows_and_shrinks(w: World) {
    let id = group_of(&w, 2).await;
    let mut listed: Vec<(PersistentId, String)> = Vec::new();
    let mut numbers = 0;
    let mut time = 0;
    for _ in 0..60 {
        time += 10;
        let page = w.page(&id, 1, 100).await;
        let known: BTreeSet<PersistentId> = listed.iter().map(|(id, _)| id.clone()).collect();
        for row in page.items {
            if !known.contains(&row.id) {
                numbers += 1;
                assert_eq!(row.name, format!("office-{numbers}"), "the next number");
                listed.push((row.id, row.name));
            }
        }
        agree(&w, &id, &listed).await;

        for (session, _) in &listed {
            let free = w.store.open_bindings(session).await.unwrap().is_empty();
            let deleted = w.session(session).await.desired == Desired::Deleted;
            if free && !deleted && w.random.below(6) == 0 {
                w.open_task(&id, session, "alice", after(time)).await;
            }
        }
        let (nodes, scaling) = (w.random.below(4) as u32, w.random.below(4) as u32);
        let to = shape(nodes, scaling, 1 + w.random.below(3) as u32);
        resize(&w, &id, to, after(time + 1)).await;
        let staying = stay(&w, &id, &listed).await;
        let held = held(&w, &listed).await;
        assert!(staying <= to.slots() as usize + held, "{staying} of {to:?}");

        if w.random.below(2) == 0 {
            w.unbind_alice(&id, after(time + 2)).await;
            let staying = stay(&w, &id, &listed).await;
            let new = w.page(&id, 1, 100).await.total as usize - listed.len();
            assert_eq!(staying + new, to.slots() as usize, "{to:?}");
        }
        for (session, _) in &listed {
            let session = w.session(session).await;
            if session.desired == Desired::Deleted && session.status != PersistentStatus::Deleted {
                let gone = PersistentStatus::Deleted;
                w.observe(&session.id, gone, after(time + 3)).await;
            }
        }
        let until = after(time + 4);
        while w.store.purge_deleted(until, until).await.unwrap() {}
        let mut left = Vec::new();
        for (session, name) in listed {
            if w.store.session_record(&session).await.unwrap().is_some() {
                left.push((session, name));
            }
        }
        listed = left;
    }
    assert!(numbers > 100, "only {numbers} sessions were made");
}

async fn agree(w: &World, id: &AppInstanceGroupId, listed: &[(PersistentId, String)]) {
    let size = 1 + w.random.below(9) as usize;
    for number in 1..=listed.len().div_ceil(size) + 1 {
        let page = w.page(id, number as u32, size as u32).await;
        let expected = listed.iter().skip((number - 1) * size).take(size).cloned();
        let found = page.items.into_iter().map(|row| (row.id, row.name));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        assert_eq!(page.total, listed.len() as u64);
    }
}

async fn stay(w: &World, id: &AppInstanceGroupId, listed: &[(PersistentId, String)]) -> usize {
    let mut count = 0;
    for (session, _) in listed {
        let session = w.session(session).await;
        assert_eq!(session.group, *id);
        count += usize::from(session.desired != Desired::Deleted);
    }
    count
}

async fn held(w: &World, listed: &[(PersistentId, String)]) -> usize {
    let mut count = 0;
    for (session, _) in listed {
        count += w.store.open_bindings(session).await.unwrap().len();
    }
    count
}
