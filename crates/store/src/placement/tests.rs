//! Slots of seeded groups, made larger and smaller.

use super::*;
use std::collections::BTreeMap;

/// One slot for each character of a node's text (`.` free, `g` granted, `h` held), and whether scaling added
/// the node.
fn slots(nodes: &[(&str, bool)]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (number, (text, elastic)) in nodes.iter().enumerate() {
        for tie in text.chars() {
            slots.push(Slot {
                instance: AppInstanceId::parse(&format!("ai-{}", slots.len())).unwrap(),
                session: PersistentId::parse(&format!("p-{}", slots.len())).unwrap(),
                place: Place {
                    node: node(&format!("n{number}")),
                    elastic: *elastic,
                },
                tie: match tie {
                    'h' => Tie::Held,
                    'g' => Tie::Granted,
                    _ => Tie::Nothing,
                },
                idle_since: Timestamp(slots.len() as i64),
            });
        }
    }
    slots
}

fn node(name: &str) -> NodeId {
    NodeId::parse(&format!("i-{name}")).unwrap()
}

const fn shape(nodes: u32, scaling: u32, capacity: u32) -> Shape {
    Shape {
        nodes,
        scaling,
        capacity,
    }
}

fn gone(slots: &[Slot], keep: usize, leave: Leave) -> Option<Vec<usize>> {
    leavers(slots, keep, leave).map(|go| go.into_iter().collect())
}

/// The nodes and what lies on each, as text.
fn table(places: &[Place]) -> String {
    let mut nodes = BTreeMap::<String, String>::new();
    for (at, place) in places.iter().enumerate() {
        let kind = if place.elastic { "+" } else { "" };
        let name = format!("{}{kind}", place.node.as_str().trim_start_matches("i-"));
        *nodes.entry(name).or_default() += &format!(" {at}");
    }
    let lines: Vec<_> = nodes
        .iter()
        .map(|(node, slots)| format!("{node}:{slots}"))
        .collect();
    lines.join(", ")
}

#[test]
fn a_shape_holds_what_is_left_on_as_few_of_its_nodes_as_can_be() {
    for (from, slots, own_stay, expected) in [
        (shape(2, 2, 3), 12, false, shape(2, 2, 3)),
        (shape(2, 2, 3), 10, false, shape(2, 2, 3)),
        (shape(2, 2, 3), 9, false, shape(2, 1, 3)),
        (shape(2, 2, 3), 6, false, shape(2, 0, 3)),
        (shape(2, 2, 3), 3, false, shape(1, 0, 3)),
        (shape(2, 2, 3), 0, false, shape(0, 0, 3)),
        (shape(2, 2, 3), 9, true, shape(2, 1, 3)),
        (shape(2, 2, 3), 3, true, shape(2, 0, 3)),
    ] {
        let held = from.holding(slots, own_stay);
        assert_eq!(held, expected, "{slots} of {from:?}");
    }
}

#[test]
fn what_is_tied_least_goes_first_and_of_that_the_newest() {
    let slots = slots(&[(".g", false), ("h.", false), ("g.", false)]);
    assert_eq!(gone(&slots, 6, Leave::Any), Some(vec![]));
    assert_eq!(gone(&slots, 5, Leave::Any), Some(vec![5]));
    assert_eq!(gone(&slots, 3, Leave::Any), Some(vec![0, 3, 5]));
    assert_eq!(gone(&slots, 2, Leave::Any), Some(vec![0, 3, 4, 5]));
    assert_eq!(gone(&slots, 1, Leave::Any), Some(vec![0, 1, 3, 4, 5]));
    assert_eq!(gone(&slots, 0, Leave::Any), Some(vec![0, 1, 2, 3, 4, 5]));
}

#[test]
fn by_itself_nothing_goes_that_is_granted_held_or_was_held_a_moment_ago() {
    let slots = slots(&[(".g", false), ("h.", false), ("g.", false)]);
    let since = |then| Leave::IdleSince(Timestamp(then));
    assert_eq!(gone(&slots, 3, since(9)), Some(vec![0, 3, 5]));
    assert_eq!(gone(&slots, 2, since(9)), None);
    assert_eq!(gone(&slots, 4, since(3)), Some(vec![0, 3]));
    assert_eq!(gone(&slots, 3, since(3)), None);
}

#[test]
fn those_that_stay_take_the_places_of_those_that_go() {
    let slots = slots(&[(".g", false), ("g.", false)]);
    let go = leavers(&slots, 2, Leave::Any).unwrap();
    let layout = lay_out(&slots, &go, shape(1, 0, 2), &[], &[]);
    assert_eq!(table(&layout.places), "n0: 1 2, n1: 0 3");
    assert_eq!(layout.free, []);
}

#[test]
fn nodes_that_were_paid_for_are_kept_however_empty_they_are() {
    let slots = slots(&[("..", false), ("gg", true)]);
    let go = leavers(&slots, 2, Leave::Any).unwrap();
    let layout = lay_out(&slots, &go, shape(1, 0, 2), &[], &[]);
    assert_eq!(table(&layout.places), "n0: 2 3, n1+: 0 1");
}

#[test]
fn a_bought_node_is_no_longer_one_that_scaling_added() {
    let slots = slots(&[("..", false), ("..", true), ("..", true)]);
    let none = BTreeSet::new();
    let layout = lay_out(&slots, &none, shape(2, 1, 2), &[node("n2")], &[]);
    assert_eq!(table(&layout.places), "n0: 0 1, n1+: 2 3, n2: 4 5");
}

fn two_on_one() -> Vec<Slot> {
    slots(&[("..", false)])
}

#[test]
fn a_node_of_another_capacity_has_so_many_places() {
    let slots = slots(&[(".", false), (".", false)]);
    let none = BTreeSet::new();
    let wider = lay_out(&slots, &none, shape(2, 0, 2), &[], &[]);
    assert_eq!(table(&wider.places), "n0: 0, n1: 1");
    assert_eq!(table(&wider.free), "n0: 0, n1: 1");
    let fewer = lay_out(&slots, &none, shape(1, 0, 2), &[], &[]);
    assert_eq!(table(&fewer.places), "n0: 0 1");
    let more = two_on_one();
    let narrower = lay_out(&more, &none, shape(2, 0, 1), &[], &[node("new")]);
    assert_eq!(table(&narrower.places), "n0: 0, new: 1");
}

#[test]
fn every_change_of_a_seeded_group_fills_its_nodes_and_loses_nothing() {
    let mut seed = 1_u64;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..2_000 {
        let from = shape(1 + random(4), random(4), 1 + random(3));
        let to = shape(random(5), random(5), 1 + random(3));
        let texts: Vec<(String, bool)> = (0..from.all_nodes())
            .map(|at| {
                let ties = (0..from.capacity).map(|_| ['.', 'g', 'h'][random(3) as usize]);
                (ties.collect(), at >= from.nodes)
            })
            .collect();
        let texts: Vec<_> = texts
            .iter()
            .map(|(text, kind)| (text.as_str(), *kind))
            .collect();
        let slots = slots(&texts);
        let new: Vec<_> = (0..8).map(|at| node(&format!("new{at}"))).collect();
        let go = leavers(&slots, to.slots() as usize, Leave::Any).unwrap();
        let layout = lay_out(&slots, &go, to, &[], &new);

        let mut on = BTreeMap::<String, (u32, bool)>::new();
        let staying = (0..slots.len()).filter(|at| !go.contains(at));
        let taken = staying.map(|at| &layout.places[at]).chain(&layout.free);
        for place in taken {
            let node = on.entry(place.node.to_string()).or_default();
            *node = (node.0 + 1, place.elastic);
        }
        assert!(
            on.values().all(|(slots, _)| *slots == to.capacity),
            "{on:?}"
        );
        let elastic = on.values().filter(|(_, elastic)| *elastic).count();
        assert_eq!(
            (on.len() - elastic, elastic),
            (to.nodes as usize, to.scaling as usize)
        );
        // A node that goes is kept by nothing; one that is kept holds nothing beyond its capacity, unless
        // none goes.
        let nodes_go = from.all_nodes() > to.all_nodes();
        for at in &go {
            let kept = on.contains_key(layout.places[*at].node.as_str());
            assert!(!kept || !nodes_go, "{from:?} {to:?}");
        }
    }
}
