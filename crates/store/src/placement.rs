//! Which slots go when a group is given another size, and on which nodes the others lie then. Pure: slots go
//! in, places come out.
//!
//! A node is a slice of a machine, so which slots lie on which is bookkeeping. That is what lets the sessions
//! that matter least go, wherever they lie, and still leaves whole nodes empty: a session that stays takes the
//! place of one that goes.

use greenroom_model::{AppInstanceId, NodeId, PersistentId, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How many nodes of how many slots a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Nodes that stay until somebody says otherwise.
    pub nodes: u32,
    /// Nodes beside them that scaling has added.
    pub scaling: u32,
    /// Slots of each node.
    pub capacity: u32,
}

impl Shape {
    /// The nodes of both kinds.
    #[must_use]
    pub const fn all_nodes(self) -> u32 {
        self.nodes.saturating_add(self.scaling)
    }

    /// The slots of all nodes.
    #[must_use]
    pub const fn slots(self) -> u32 {
        self.all_nodes().saturating_mul(self.capacity)
    }

    /// The fewest of these nodes that hold so many slots. Those that scaling has added go first; the others go
    /// as well unless `own_stay`.
    #[must_use]
    pub(crate) fn holding(self, slots: usize, own_stay: bool) -> Self {
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        let needed = slots.div_ceil(self.capacity.max(1));
        let nodes = if own_stay {
            self.nodes
        } else {
            self.nodes.min(needed)
        };
        let scaling = self.scaling.min(needed.saturating_sub(nodes));
        Self {
            nodes,
            scaling,
            ..self
        }
    }
}

/// Which slots may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// All of them: those held by nobody and granted to nobody first, then those held by nobody. One that is
    /// held goes once nobody holds it.
    Any,
    /// Those that nobody was granted, and that nobody has held since then.
    IdleSince(Timestamp),
}

/// What keeps a session, the loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    /// Nothing.
    Nothing,
    /// Some user was granted it.
    Granted,
    /// Some user holds it.
    Held,
}

/// A slot that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) instance: AppInstanceId,
    pub(crate) session: PersistentId,
    pub(crate) place: Place,
    pub(crate) tie: Tie,
    pub(crate) idle_since: Timestamp,
}

/// Where a slot lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    /// The node was added by scaling.
    pub(crate) elastic: bool,
}

/// Where everything lies after a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The place of each slot, in the order in which they were given. A slot that goes lies on a node that
    /// goes, if any does, so that no node is kept by it.
    pub(crate) places: Vec<Place>,
    /// The places that are left, for new slots.
    pub(crate) free: Vec<Place>,
}

impl Leave {
    /// Whether the slot may go.
    pub(crate) fn lets(self, slot: &Slot) -> bool {
        match self {
            Self::Any => true,
            Self::IdleSince(then) => slot.tie == Tie::Nothing && slot.idle_since <= then,
        }
    }
}

/// Which of the slots, which are in the order of their making, go so that `keep` stay: those with the loosest
/// ties, and of those the newest. `None` when too few may go.
pub(crate) fn leavers(slots: &[Slot], keep: usize, leave: Leave) -> Option<BTreeSet<usize>> {
    let surplus = slots.len().saturating_sub(keep);
    let mut may: Vec<usize> = (0..slots.len())
        .filter(|at| leave.lets(&slots[*at]))
        .collect();
    may.sort_by_key(|at| (slots[*at].tie, Reverse(*at)));
    (may.len() >= surplus).then(|| may.into_iter().take(surplus).collect())
}

struct Node {
    place: Place,
    /// The slots on it that stay.
    stay: Vec<usize>,
}

/// Lays the slots out in the shape `to`. Nodes that scaling has not added are kept first, then those that
/// were `bought`, then those with the most slots that stay; `new` are the nodes that may be added.
pub(crate) fn lay_out(
    slots: &[Slot],
    go: &BTreeSet<usize>,
    to: Shape,
    bought: &[NodeId],
    new: &[NodeId],
) -> Layout {
    let mut kept = nodes(slots, go);
    kept.sort_by_key(|node| {
        let elastic = node.place.elastic && !bought.contains(&node.place.node);
        (elastic, Reverse(node.stay.len()))
    });
    let all = to.all_nodes() as usize;
    let gone = kept.split_off(kept.len().min(all));
    let lacking = all - kept.len();
    kept.extend(new.iter().take(lacking).map(|node| Node {
        place: Place {
            node: node.clone(),
            elastic: true,
        },
        stay: Vec::new(),
    }));
    for (at, node) in kept.iter_mut().enumerate() {
        node.place.elastic = at >= to.nodes as usize;
    }
    settle(slots, go, to.capacity as usize, kept, &gone)
}

/// The nodes on which the slots lie, in the order of their first slots.
fn nodes(slots: &[Slot], go: &BTreeSet<usize>) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (at, slot) in slots.iter().enumerate() {
        let known = nodes
            .iter()
            .position(|node| node.place.node == slot.place.node);
        let known = known.unwrap_or_else(|| {
            nodes.push(Node {
                place: slot.place.clone(),
                stay: Vec::new(),
            });
            nodes.len() - 1
        });
        if !go.contains(&at) {
            nodes[known].stay.push(at);
        }
    }
    nodes
}

/// Gives every slot its place: its own where that is kept and not full, else the next that is free.
fn settle(
    slots: &[Slot],
    go: &BTreeSet<usize>,
    capacity: usize,
    mut kept: Vec<Node>,
    gone: &[Node],
) -> Layout {
    let mut places: Vec<Place> = slots.iter().map(|slot| slot.place.clone()).collect();
    let mut homeless: Vec<usize> = gone.iter().flat_map(|node| node.stay.clone()).collect();
    let mut free = Vec::new();
    for node in &mut kept {
        homeless.extend(node.stay.drain(capacity.min(node.stay.len())..));
        for at in &node.stay {
            places[*at] = node.place.clone();
        }
        let left = capacity - node.stay.len();
        free.extend(std::iter::repeat_n(node.place.clone(), left));
    }
    let taken = homeless.len().min(free.len());
    for (at, place) in homeless.into_iter().zip(free.drain(..taken)) {
        places[at] = place;
    }
    let leaves_a_kept_node = |at: &&usize| {
        kept.iter()
            .any(|it| it.place.node == slots[**at].place.node)
    };
    for (at, node) in go
        .iter()
        .filter(leaves_a_kept_node)
        .zip(gone.iter().cycle())
    {
        places[*at] = node.place.clone();
    }
    Layout { places, free }
}

#[cfg(test)]
mod tests;
