//! Groups get more nodes, or fewer, or others: what that means for their slots and sessions, in one
//! transaction.

use crate::connection::{Connection, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::groups::NodesInUse;
use crate::nonces::{self, Nonce};
use crate::placement::{self, Leave, Place, Shape, Slot, Tie};
use crate::slots::{self, NewSlots};
use crate::{Store, groups, sessions};
use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceId, Ask, NodeId, PersistentId, Timestamp,
};
use std::collections::BTreeSet;

/// A group's change to another size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    /// Whose the group is.
    pub account: AccountId,
    /// The group.
    pub group: AppInstanceGroupId,
    /// The size that it had when this was decided.
    pub from: Shape,
    /// The size that it is to have.
    pub to: Shape,
    /// What is added; not all of it, if less is needed.
    pub new: NewSlots,
    /// What may go.
    pub leave: Leave,
    /// Nodes that scaling added and that are the group's own from now on.
    pub bought: Vec<NodeId>,
    /// The strategy from now on, and the rest of it as JSON; as it was, when `None`.
    pub strategy: Option<(String, String)>,
    /// The order by which this was bought, if it was.
    pub order: Option<String>,
    /// Who wants it, for the history of the sessions that go.
    pub author: String,
}

/// What of the slots that stay is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUsage {
    /// All of them: fewer than the nodes have places, once some were deleted one by one.
    pub slots: u32,
    /// Those whose session somebody holds.
    pub in_use: u32,
    /// Those that [`Leave::IdleSince`] lets go.
    pub idle: u32,
}

/// A slot that is neither gone nor going.
const STAYS: &str = "i.group_id = $1 AND i.leaving_since IS NULL AND i.status <> 'DELETED'
    AND s.desired <> 'DELETED'";

impl Store {
    /// Gives a group another size, all or nothing. Slots that go are marked, and their sessions asked to go:
    /// at once, or once nobody holds them any more. `fits` is shown what all groups take already, when this
    /// one is to take more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (`"group"`, or `"node"` for a bought one that scaling has not added),
    /// [`StoreError::Conflict`] when the group's size is no longer `from` or too few slots may go,
    /// [`StoreError::NoRoom`] when `fits` says no, [`StoreError::NonceReplayed`], or the database could not be
    /// written.
    pub async fn resize_group(
        &self,
        resize: Resize,
        nonce: Option<Nonce>,
        at: Timestamp,
        fits: impl FnOnce(&[NodesInUse]) -> bool + Send + 'static,
    ) -> Result<()> {
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            if shape(c, &resize.account, &resize.group)? != resize.from {
                return Err(StoreError::Conflict("the node pool"));
            }
            let grows = resize.to.all_nodes() > resize.from.all_nodes();
            if grows && !fits(&groups::nodes_in_use(c)?) {
                return Err(StoreError::NoRoom);
            }
            let slots = staying(c, &resize.group)?;
            check_bought(&slots, &resize.bought)?;
            write_pool(c, &resize, at)?;
            carry_out(c, resize, slots, at)
        })
        .await
    }

    /// What of a group's slots is used; `since` is from when on a slot that nobody has held is idle.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn pool_usage(
        &self,
        group: &AppInstanceGroupId,
        since: Timestamp,
    ) -> Result<PoolUsage> {
        let group = group.clone();
        self.read(move |c| {
            let slots = staying(c, &group)?;
            let count = |such: &dyn Fn(&Slot) -> bool| {
                narrow(slots.iter().filter(|slot| such(slot)).count() as i64)
            };
            Ok(PoolUsage {
                slots: count(&|_| true)?,
                in_use: count(&|slot| slot.tie == Tie::Held)?,
                idle: count(&|slot| Leave::IdleSince(since).lets(slot))?,
            })
        })
        .await
    }
}

/// The session's last user has let it go, within the caller's transaction: a slot that was only kept by that
/// goes.
pub(crate) fn let_go(c: &mut dyn Connection, session: &PersistentId, at: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE app_instances SET idle_since = $2
         WHERE instance_id = (SELECT instance_id FROM sessions WHERE session_id = $1)",
        values![session, at],
    )?;
    let sql = "SELECT 1 FROM app_instances i JOIN sessions s ON s.instance_id = i.instance_id
         WHERE s.session_id = $1 AND i.leaving_since IS NOT NULL";
    if first(c, sql, values![session], |row| row.integer(0))?.is_some() {
        sessions::ask(c, session, Ask::Delete, "the node pool", at)?;
    }
    Ok(())
}

/// How many nodes of how many slots the account's group has, within the caller's transaction.
pub(crate) fn shape(
    c: &mut dyn Connection,
    account: &AccountId,
    group: &AppInstanceGroupId,
) -> Result<Shape> {
    let sql = "SELECT n.node_amount, n.scaling_amount, n.node_capacity
         FROM node_pools n JOIN app_groups g ON g.group_id = n.group_id
         WHERE g.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'";
    first(c, sql, values![group, account], |row| {
        Ok(Shape {
            nodes: narrow(row.integer(0)?)?,
            scaling: narrow(row.integer(1)?)?,
            capacity: narrow(row.integer(2)?)?,
        })
    })?
    .ok_or(StoreError::NotFound("group"))
}

/// The group's slots that stay, in the order of their making.
pub(crate) fn staying(c: &mut dyn Connection, group: &AppInstanceGroupId) -> Result<Vec<Slot>> {
    let sql = format!(
        "SELECT i.instance_id, s.session_id, i.node_id, i.elastic, i.idle_since,
             (SELECT COUNT(*) FROM bindings b WHERE b.session_id = s.session_id AND b.ended_at IS NULL),
             (SELECT COUNT(*) FROM session_users u WHERE u.session_id = s.session_id)
         FROM app_instances i JOIN sessions s ON s.instance_id = i.instance_id
         WHERE {STAYS} ORDER BY i.ordinal"
    );
    all(c, &sql, values![group], |row| {
        let (holds, grants) = (row.integer(5)?, row.integer(6)?);
        Ok(Slot {
            instance: word(row.text(0)?, AppInstanceId::parse)?,
            session: word(row.text(1)?, PersistentId::parse)?,
            place: Place {
                node: word(row.text(2)?, NodeId::parse)?,
                elastic: row.integer(3)? != 0,
            },
            tie: match (holds, grants) {
                (0, 0) => Tie::Nothing,
                (0, _) => Tie::Granted,
                (_, _) => Tie::Held,
            },
            idle_since: Timestamp(row.integer(4)?),
        })
    })
}

fn check_bought(slots: &[Slot], bought: &[NodeId]) -> Result<()> {
    let elastic = |node: &NodeId| {
        slots
            .iter()
            .any(|slot| slot.place.elastic && slot.place.node == *node)
    };
    if bought.iter().all(elastic) {
        Ok(())
    } else {
        Err(StoreError::NotFound("node"))
    }
}

fn write_pool(c: &mut dyn Connection, resize: &Resize, at: Timestamp) -> Result<()> {
    let (to, strategy) = (resize.to, resize.strategy.as_ref());
    let scaled = (to.scaling > resize.from.scaling).then_some(at);
    c.execute(
        "UPDATE node_pools SET node_amount = $2, scaling_amount = $3, node_capacity = $4,
             strategy_type = COALESCE($5, strategy_type), strategy = COALESCE($6, strategy),
             scaled_at = COALESCE($7, scaled_at)
         WHERE group_id = $1",
        values![
            &resize.group,
            to.nodes,
            to.scaling,
            to.capacity,
            strategy.map(|(kind, _)| kind),
            strategy.map(|(_, rest)| rest),
            scaled,
        ],
    )?;
    if let Some(order) = &resize.order {
        c.execute(
            "UPDATE app_groups SET order_id = $2 WHERE group_id = $1",
            values![&resize.group, order],
        )?;
    }
    Ok(())
}

fn carry_out(
    c: &mut dyn Connection,
    resize: Resize,
    slots: Vec<Slot>,
    at: Timestamp,
) -> Result<()> {
    let Resize { from, to, .. } = resize;
    let go = placement::leavers(&slots, to.slots() as usize, resize.leave)
        .ok_or(StoreError::Conflict("the use of the node pool"))?;
    let layout = placement::lay_out(&slots, &go, to, &resize.bought, &resize.new.nodes);
    rearrange(c, &slots, &layout.places)?;
    dismiss(c, &slots, &go, &resize.author, at)?;
    // A slot that was deleted by itself leaves a place free, and is not brought back by a change of size.
    let added = to.slots().saturating_sub(from.slots()) as usize;
    let mut new = resize.new;
    new.slots.truncate(added);
    slots::add(c, &resize.group, new, &layout.free, at)
}

/// Writes where the slots lie from now on.
pub(crate) fn rearrange(c: &mut dyn Connection, slots: &[Slot], places: &[Place]) -> Result<()> {
    for (slot, place) in slots.iter().zip(places) {
        if slot.place != *place {
            c.execute(
                "UPDATE app_instances SET node_id = $2, elastic = $3 WHERE instance_id = $1",
                values![&slot.instance, &place.node, place.elastic],
            )?;
        }
    }
    Ok(())
}

/// Marks the slots that `go`, and asks their sessions to go unless somebody holds them.
pub(crate) fn dismiss(
    c: &mut dyn Connection,
    slots: &[Slot],
    go: &BTreeSet<usize>,
    author: &str,
    at: Timestamp,
) -> Result<()> {
    for slot in go.iter().map(|at| &slots[*at]) {
        c.execute(
            "UPDATE app_instances SET leaving_since = $2 WHERE instance_id = $1",
            values![&slot.instance, at],
        )?;
        if slot.tie != Tie::Held {
            sessions::ask(c, &slot.session, Ask::Delete, author, at)?;
        }
    }
    Ok(())
}
