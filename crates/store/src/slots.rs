//! A group's slots: app instances and the sessions they carry.

use crate::blocks::{INSTANCES, SESSIONS};
use crate::connection::{Connection, Value, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::placement::Place;
use greenroom_model::{
    AppId, AppInstanceGroupId, AppInstanceId, Desired, Entropy, NodeId, PersistentId, Timestamp,
};
use std::collections::BTreeMap;

/// Slots to be added to a group, and nodes for those that find no place on the nodes that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlots {
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// The slots.
    pub slots: Vec<NewSlot>,
    /// What their sessions are meant to be, to begin with.
    pub desired: Desired,
    /// The apps that are to be open in their sessions, to begin with.
    pub open: Vec<AppId>,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlot {
    /// Its app instance.
    pub instance: AppInstanceId,
    /// The session it carries.
    pub session: PersistentId,
}

impl NewSlots {
    /// The slots of `nodes` nodes of `capacity` each, with new ids.
    pub fn new(
        nodes: u32,
        capacity: u32,
        desired: Desired,
        open: Vec<AppId>,
        entropy: &dyn Entropy,
    ) -> Self {
        let slots = nodes.saturating_mul(capacity);
        Self::more(nodes, slots, desired, open, entropy)
    }

    /// So many slots and so many nodes, with new ids.
    pub fn more(
        nodes: u32,
        slots: u32,
        desired: Desired,
        open: Vec<AppId>,
        entropy: &dyn Entropy,
    ) -> Self {
        let slot = || NewSlot {
            instance: AppInstanceId::new(entropy),
            session: PersistentId::new(entropy),
        };
        Self {
            nodes: (0..nodes).map(|_| NodeId::new(entropy)).collect(),
            slots: (0..slots).map(|_| slot()).collect(),
            desired,
            open,
        }
    }

    /// The places of the slots of a new group: spread evenly over its nodes, in order.
    pub(crate) fn places(&self) -> Vec<Place> {
        let each = self.slots.len().div_ceil(self.nodes.len().max(1));
        let of = |node: &NodeId| {
            let place = Place {
                node: node.clone(),
                elastic: false,
            };
            std::iter::repeat_n(place, each)
        };
        self.nodes.iter().flat_map(of).collect()
    }
}

/// Adds slots to a group, each at the next of the places, within the caller's transaction.
pub(crate) fn add(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    new: NewSlots,
    places: &[Place],
    at: Timestamp,
) -> Result<()> {
    let NewSlots {
        mut slots,
        desired,
        open,
        ..
    } = new;
    // Sessions made in the same millisecond are listed by id, and ordinals follow the listing.
    slots.sort_by(|one, other| one.session.cmp(&other.session));
    let sql = "SELECT next_session, next_instance, name FROM app_groups WHERE group_id = $1";
    let (first_session, first_instance, name) = first(c, sql, values![group], |row| {
        Ok((row.integer(0)?, row.integer(1)?, row.text(2)?.to_owned()))
    })?
    .ok_or(StoreError::NotFound("group"))?;
    let sql = "SELECT value FROM counters WHERE counter = 'session_serial'";
    let serial_before = first(c, sql, &[], |row| row.integer(0))?.unwrap_or(0);
    let open = crate::sessions::apps_to_column(&open);
    let at = after_the_last(c, group, at)?;

    let (mut session, mut instance) = (first_session, first_instance);
    for (slot, place) in slots.iter().zip(places) {
        c.execute(
            "INSERT INTO app_instances (instance_id, group_id, ordinal, node_id, elastic, status,
                 idle_since, created_at)
             VALUES ($1, $2, $3, $4, $5, 'INIT', $6, $6)",
            values![
                &slot.instance,
                group,
                instance,
                &place.node,
                place.elastic,
                at
            ],
        )?;
        instance += 1;
        c.execute(
            "INSERT INTO sessions (session_id, group_id, ordinal, serial, name, instance_id,
                 instance_status, status, status_reason, status_since, desired, generation, failures,
                 home_lost, wake_at,
                 opened_apps, observed_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'INIT', 'PENDING', '', $7, $8, 1, 0, 0, $7, $9, '', $7)",
            values![
                &slot.session,
                group,
                session,
                serial_before + 1 + session - first_session,
                format!("{name}-{session}"),
                &slot.instance,
                at,
                desired.as_str(),
                &open,
            ],
        )?;
        session += 1;
    }
    SESSIONS.count(c, group, first_session..session, 1)?;
    INSTANCES.count(c, group, first_instance..instance, 1)?;
    let added = session - first_session;
    c.execute(
        "UPDATE counters SET value = value + $1 WHERE counter = 'session_serial'",
        values![added],
    )?;
    c.execute(
        "UPDATE app_groups SET session_count = session_count + $2, next_session = $3, next_instance = $4
         WHERE group_id = $1",
        values![group, added, session, instance],
    )?;
    Ok(())
}

/// Ends app instances within the caller's transaction: those for which `such` holds, about `$1`, are `DELETED`, and
/// listed and counted no more.
pub(crate) fn end(c: &mut dyn Connection, such: &str, about: Value) -> Result<()> {
    let about = [about];
    let sql =
        format!("SELECT group_id, ordinal FROM app_instances WHERE {such} AND status <> 'DELETED'");
    let mut ending = BTreeMap::<_, Vec<i64>>::new();
    for (group, ordinal) in all(c, &sql, &about, |row| {
        Ok((
            word(row.text(0)?, AppInstanceGroupId::parse)?,
            row.integer(1)?,
        ))
    })? {
        ending.entry(group).or_default().push(ordinal);
    }
    c.execute(
        &format!("UPDATE app_instances SET status = 'DELETED' WHERE {such}"),
        &about,
    )?;
    for (group, ordinals) in ending {
        INSTANCES.count(c, &group, ordinals.into_iter(), -1)?;
    }
    Ok(())
}

/// When the slots are made as far as the listing is concerned, which is oldest first, then by id: later than
/// those that are there, whatever the clock says.
fn after_the_last(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    at: Timestamp,
) -> Result<Timestamp> {
    let sql =
        "SELECT created_at FROM app_instances WHERE group_id = $1 ORDER BY ordinal DESC LIMIT 1";
    let last = first(c, sql, values![group], |row| row.integer(0))?;
    Ok(last.map_or(at, |last| at.max(Timestamp(last + 1))))
}
