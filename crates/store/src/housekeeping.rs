//! What keeps the database small, and what tells whether it works.

use crate::Store;
use crate::blocks::SESSIONS;
use crate::connection::{Connection, Value, all, placeholders, values, word};
use crate::error::Result;
use greenroom_model::{AppInstanceGroupId, PersistentId, Timestamp};
use std::collections::BTreeMap;

/// Rows that one transaction removes at most, so that no other write waits long for it.
const AT_ONCE: i64 = 500;

impl Store {
    /// Whether the database can be written: it writes.
    ///
    /// # Errors
    /// It cannot.
    pub async fn ping(&self) -> Result<()> {
        self.write(|c| {
            let sql = "UPDATE counters SET value = value + 1 WHERE counter = 'heartbeat'";
            c.execute(sql, &[]).map(drop)
        })
        .await
    }

    /// Removes for good what was deleted or has ended before `before` (sessions, groups, images,
    /// bindings, tasks, tickets) and forgets nonces expired by `now`; answers whether there may be more to remove.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn purge_deleted(&self, before: Timestamp, now: Timestamp) -> Result<bool> {
        self.write(move |c| {
            let mut more = sessions(c, before)?;
            more |= groups(c, before)?;
            more |= some(c, "tickets", "ticket_hash", "expires_at < $1", before)?;
            let finished = "created_at < $1 AND status <> 'Running'";
            more |= some(c, "ticket_tasks", "task_id", finished, before)?;
            // Whatever still names a binding is removed first, in this call or an earlier one.
            let unnamed = "ended_at < $1
                AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.binding_id = bindings.binding_id)
                AND NOT EXISTS (SELECT 1 FROM ticket_tasks t WHERE t.binding_id = bindings.binding_id)";
            more |= some(c, "bindings", "binding_id", unnamed, before)?;
            let gone = "changed_at < $1 AND status = 'DELETED'";
            more |= some(c, "images", "image_id", gone, before)?;
            more |= some(c, "used_nonces", "nonce_hash", "expires_at < $1", now)?;
            Ok(more)
        })
        .await
    }
}

/// Removes at most [`AT_ONCE`] rows; `true` when it removed that many.
fn some(
    c: &mut dyn Connection,
    table: &str,
    key: &str,
    condition: &str,
    before: Timestamp,
) -> Result<bool> {
    let sql = format!(
        "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT $2)"
    );
    Ok(c.execute(&sql, values![before, AT_ONCE])? as i64 == AT_ONCE)
}

fn sessions(c: &mut dyn Connection, before: Timestamp) -> Result<bool> {
    let sql = "SELECT session_id, instance_id, group_id, ordinal FROM sessions
         WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2";
    let gone = all(c, sql, values![before, AT_ONCE], |row| {
        Ok((
            word(row.text(0)?, PersistentId::parse)?,
            row.text(1)?.to_owned(),
            word(row.text(2)?, AppInstanceGroupId::parse)?,
            row.integer(3)?,
        ))
    })?;
    if gone.is_empty() {
        return Ok(false);
    }
    let ids: Vec<Value> = gone.iter().map(|(id, ..)| id.into()).collect();
    let of_them = format!("IN ({})", placeholders(1, ids.len()));
    for sql in [
        format!("DELETE FROM ticket_tasks WHERE session_id {of_them}"),
        format!(
            "DELETE FROM tickets WHERE binding_id IN (SELECT binding_id FROM bindings WHERE session_id {of_them})"
        ),
        format!(
            "DELETE FROM resume_tokens WHERE binding_id IN (SELECT binding_id FROM bindings WHERE session_id {of_them})"
        ),
        format!("DELETE FROM bindings WHERE session_id {of_them}"),
        format!("DELETE FROM session_users WHERE session_id {of_them}"),
        format!("DELETE FROM session_events WHERE session_id {of_them}"),
        format!("DELETE FROM sessions WHERE session_id {of_them}"),
    ] {
        c.execute(&sql, &ids)?;
    }
    let instances: Vec<Value> = gone
        .iter()
        .map(|(_, instance, ..)| instance.into())
        .collect();
    c.execute(
        &format!("DELETE FROM app_instances WHERE instance_id {of_them}"),
        &instances,
    )?;

    let mut ordinals = BTreeMap::<_, Vec<i64>>::new();
    for (.., group, ordinal) in gone {
        ordinals.entry(group).or_default().push(ordinal);
    }
    let removed = ids.len() as i64;
    for (group, ordinals) in ordinals {
        c.execute(
            "UPDATE app_groups SET session_count = session_count - $2 WHERE group_id = $1",
            values![&group, ordinals.len() as i64],
        )?;
        SESSIONS.count(c, &group, ordinals.into_iter(), -1)?;
    }
    Ok(removed == AT_ONCE)
}

fn groups(c: &mut dyn Connection, before: Timestamp) -> Result<bool> {
    let sql = "SELECT group_id FROM app_groups
         WHERE status = 'DELETING' AND deleted_at < $1 AND session_count = 0 LIMIT 1";
    let Some(group) = all(c, sql, values![before], |row| Ok(row.text(0)?.to_owned()))?.pop() else {
        return Ok(false);
    };
    let instances = c.execute(
        "DELETE FROM app_instances WHERE instance_id IN
             (SELECT instance_id FROM app_instances WHERE group_id = $1 LIMIT $2)",
        values![&group, AT_ONCE],
    )?;
    if instances as i64 == AT_ONCE {
        return Ok(true);
    }
    c.execute(
        "DELETE FROM resource_tags WHERE resource_type = 'AppInstanceGroupId' AND resource_id = $1",
        values![&group],
    )?;
    for table in [
        "session_blocks",
        "instance_blocks",
        "group_users",
        "app_users",
        "node_pools",
        "app_groups",
    ] {
        c.execute(
            &format!("DELETE FROM {table} WHERE group_id = $1"),
            values![&group],
        )?;
    }
    Ok(true)
}
