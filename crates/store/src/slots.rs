//! A group's slots: app instances and the sessions they carry.

use crate::blocks;
use crate::connection::{Connection, first, values};
use crate::error::{Result, StoreError};
use crate::groups::GroupSpec;
use greenroom_model::{AppId, AppInstanceId, Desired, Entropy, NodeId, PersistentId};

/// Slots to be added to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlots {
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
    /// The node it lies on.
    pub node: NodeId,
    /// The persistent session it carries, in a group that gives those out.
    pub session: Option<PersistentId>,
}

impl NewSlots {
    /// The slots of `nodes` nodes of `capacity` each, with new ids.
    pub fn new(
        nodes: u32,
        capacity: u32,
        with_sessions: bool,
        desired: Desired,
        open: Vec<AppId>,
        entropy: &dyn Entropy,
    ) -> Self {
        let mut slots = Vec::new();
        for _ in 0..nodes {
            let node = NodeId::new(entropy);
            slots.extend((0..capacity).map(|_| NewSlot {
                instance: AppInstanceId::new(entropy),
                node: node.clone(),
                session: with_sessions.then(|| PersistentId::new(entropy)),
            }));
        }
        Self {
            slots,
            desired,
            open,
        }
    }
}

/// Adds slots to a group, within the caller's transaction.
pub(crate) fn add(c: &mut dyn Connection, group: &GroupSpec, new: NewSlots) -> Result<()> {
    let NewSlots {
        mut slots,
        desired,
        open,
    } = new;
    // Sessions made in the same millisecond are listed by id, and ordinals follow the listing.
    slots.sort_by(|one, other| one.session.cmp(&other.session));
    let sql = "SELECT next_session, next_instance FROM app_groups WHERE group_id = $1";
    let (first_session, first_instance) = first(c, sql, values![&group.id], |row| {
        Ok((row.integer(0)?, row.integer(1)?))
    })?
    .ok_or(StoreError::NotFound("group"))?;
    let sql = "SELECT value FROM counters WHERE counter = 'session_serial'";
    let serial_before = first(c, sql, &[], |row| row.integer(0))?.unwrap_or(0);
    let open = crate::sessions::apps_to_column(&open);

    let (mut session, mut instance) = (first_session, first_instance);
    for slot in &slots {
        c.execute(
            "INSERT INTO app_instances (instance_id, group_id, ordinal, node_id, status, created_at)
             VALUES ($1, $2, $3, $4, 'INIT', $5)",
            values![&slot.instance, &group.id, instance, &slot.node, group.created],
        )?;
        instance += 1;
        let Some(id) = &slot.session else { continue };
        c.execute(
            "INSERT INTO sessions (session_id, group_id, ordinal, serial, name, instance_id,
                 instance_status, status, status_reason, status_since, desired, generation, failures,
                 home_lost, wake_at,
                 opened_apps, observed_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'INIT', 'PENDING', '', $7, $8, 1, 0, 0, $7, $9, '', $7)",
            values![
                id,
                &group.id,
                session,
                serial_before + 1 + session - first_session,
                format!("{}-{session}", group.name),
                &slot.instance,
                group.created,
                desired.as_str(),
                &open,
            ],
        )?;
        session += 1;
    }
    blocks::count(c, &group.id, first_session..session, 1)?;
    let added = session - first_session;
    c.execute(
        "UPDATE counters SET value = value + $1 WHERE counter = 'session_serial'",
        values![added],
    )?;
    c.execute(
        "UPDATE app_groups SET session_count = session_count + $2, next_session = $3, next_instance = $4
         WHERE group_id = $1",
        values![&group.id, added, session, instance],
    )?;
    Ok(())
}
