//! What reconcilers read and write: the sessions that are due, and what was seen of them.
//!
//! A session is due when its `wake_at` has passed: every write of intent sets it to now, every observation
//! to the next deadline or to none. So the sweep costs what is due, not what exists.

use crate::connection::{Connection, Row, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::servers::{self, Lease};
use crate::sessions::{apps_from_column, apps_to_column};
use crate::{Store, bindings, history, slots};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, Ask, AuthMode, Desired,
    GroupStatus, ImageId, PersistentId, PersistentStatus, PolicyId, ServerId, Timestamp,
};
use std::collections::BTreeMap;

/// All that is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: PersistentId,
    /// Whose it is.
    pub account: AccountId,
    /// Its group.
    pub group: AppInstanceGroupId,
    /// What the group gives out.
    pub auth_mode: AuthMode,
    /// The group's image.
    pub image: ImageId,
    /// The named policy the group follows, if any.
    pub policy: Option<PolicyId>,
    /// The group's settings, as its creator gave them.
    pub settings: String,
    /// The app the group names to be opened at start.
    pub pre_open_app: Option<AppId>,
    /// Its name.
    pub name: String,
    /// A small number no other session of the installation has or had.
    pub serial: u64,
    /// The app instance that carries it.
    pub instance: AppInstanceId,
    /// That instance's status.
    pub instance_status: AppInstanceStatus,
    /// Its status.
    pub status: PersistentStatus,
    /// Why, when the status is a bad one; else empty.
    pub status_reason: String,
    /// Since when it has this status.
    pub status_since: Timestamp,
    /// What it is meant to be.
    pub desired: Desired,
    /// What was asked and not acted on yet.
    pub asked: Option<Ask>,
    /// The version of this record, to be given to [`Store::record`].
    pub generation: i64,
    /// Failures in a row.
    pub failures: u32,
    /// Its home was lost or dropped; the next start begins with a new one.
    pub home_lost: bool,
    /// When it is due.
    pub wake_at: Option<Timestamp>,
    /// The runtime's own words for what runs; `None` when nothing does.
    pub handle: Option<Vec<u8>>,
    /// The apps that are to be open.
    pub opened_apps: Vec<AppId>,
    /// Some user holds it.
    pub bound: bool,
    /// When it was last seen.
    pub observed_at: Option<Timestamp>,
    /// The type of its group's nodes.
    pub node_type: String,
    /// How many sessions each of them carries.
    pub node_capacity: u32,
    /// The server on which it lives; `None` until one has taken it in.
    pub server: Option<ServerId>,
    /// When it was made.
    pub created: Timestamp,
}

/// What a reconciler saw of a session and did about it; replaces what was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its status.
    pub status: PersistentStatus,
    /// Why, when the status is a bad one; else empty.
    pub status_reason: String,
    /// The status of the app instance that carries it.
    pub instance_status: AppInstanceStatus,
    /// What was asked and is still to be acted on.
    pub asked: Option<Ask>,
    /// Failures in a row.
    pub failures: u32,
    /// Its home was lost or dropped.
    pub home_lost: bool,
    /// The runtime's own words for what runs; `None` when nothing does.
    pub handle: Option<Vec<u8>>,
    /// The apps that are to be open.
    pub opened_apps: Vec<AppId>,
    /// When somebody has to look again; `None` when nothing is due.
    pub wake_at: Option<Timestamp>,
    /// When this was seen.
    pub at: Timestamp,
    /// Who saw it.
    pub by: String,
}

/// A group on its way to being ready, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlingGroup {
    /// Its id.
    pub id: AppInstanceGroupId,
    /// `DEPLOYING` or `DELETING`.
    pub status: GroupStatus,
    /// How many of its sessions have which status.
    pub sessions: BTreeMap<PersistentStatus, u64>,
    /// What an `UNAVAILABLE` one of them gave as its reason.
    pub reason: Option<String>,
}

const RECORD: &str = "SELECT s.session_id, g.account_id, s.group_id, g.image_id, g.policy_id, g.settings,
        g.pre_open_app, s.name, s.serial, s.instance_id, s.instance_status, s.status, s.status_reason,
        s.status_since, s.desired, s.asked, s.generation, s.failures, s.home_lost, s.wake_at, s.handle,
        s.opened_apps, (SELECT COUNT(*) FROM bindings b
            WHERE b.session_id = s.session_id AND b.ended_at IS NULL), s.observed_at, s.created_at,
        g.auth_mode, s.server_id, n.instance_type, n.node_capacity
    FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
        JOIN node_pools n ON n.group_id = s.group_id";

fn record(row: &dyn Row) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: word(row.text(0)?, PersistentId::parse)?,
        account: word(row.text(1)?, AccountId::parse)?,
        group: word(row.text(2)?, AppInstanceGroupId::parse)?,
        image: word(row.text(3)?, ImageId::parse)?,
        policy: row
            .maybe_text(4)?
            .map(|id| word(id, PolicyId::parse))
            .transpose()?,
        settings: row.text(5)?.to_owned(),
        pre_open_app: row
            .maybe_text(6)?
            .map(|id| word(id, AppId::parse))
            .transpose()?,
        name: row.text(7)?.to_owned(),
        serial: narrow(row.integer(8)?)?,
        instance: word(row.text(9)?, AppInstanceId::parse)?,
        instance_status: word(row.text(10)?, AppInstanceStatus::parse)?,
        status: word(row.text(11)?, PersistentStatus::parse)?,
        status_reason: row.text(12)?.to_owned(),
        status_since: Timestamp(row.integer(13)?),
        desired: word(row.text(14)?, Desired::parse)?,
        asked: row
            .maybe_text(15)?
            .map(|ask| word(ask, Ask::parse))
            .transpose()?,
        generation: row.integer(16)?,
        failures: narrow(row.integer(17)?)?,
        home_lost: row.integer(18)? != 0,
        wake_at: row.maybe_integer(19)?.map(Timestamp),
        handle: row.maybe_bytes(20)?.map(ToOwned::to_owned),
        opened_apps: apps_from_column(row.text(21)?)?,
        bound: row.integer(22)? > 0,
        observed_at: row.maybe_integer(23)?.map(Timestamp),
        created: Timestamp(row.integer(24)?),
        auth_mode: word(row.text(25)?, AuthMode::parse)?,
        server: row
            .maybe_text(26)?
            .map(|id| word(id, ServerId::parse))
            .transpose()?,
        node_type: row.text(27)?.to_owned(),
        node_capacity: narrow(row.integer(28)?)?,
    })
}

impl Store {
    /// Sessions of a server that are due at `now`, the longest due first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn sessions_to_act_on(
        &self,
        server: &ServerId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRecord>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = format!(
                "{RECORD} WHERE s.server_id = $1 AND s.wake_at <= $2 ORDER BY s.wake_at LIMIT $3"
            );
            all(c, &sql, values![&server, now, limit], record)
        })
        .await
    }

    /// When the next session of a server becomes due; `None` when none will by itself.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn next_due(&self, server: &ServerId) -> Result<Option<Timestamp>> {
        let server = server.clone();
        self.read(move |c| {
            let sql =
                "SELECT MIN(wake_at) FROM sessions WHERE server_id = $1 AND wake_at IS NOT NULL";
            let least = first(c, sql, values![&server], |row| row.maybe_integer(0))?;
            Ok(least.flatten().map(Timestamp))
        })
        .await
    }

    /// A session, whoever's it is.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn session_record(&self, id: &PersistentId) -> Result<Option<SessionRecord>> {
        let id = id.clone();
        self.read(move |c| {
            first(
                c,
                &format!("{RECORD} WHERE s.session_id = $1"),
                values![&id],
                record,
            )
        })
        .await
    }

    /// Every session of a server of which something runs, as far as was recorded: what it has to find again
    /// when it starts.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn running_handles(&self, server: &ServerId) -> Result<Vec<SessionRecord>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = format!(
                "{RECORD} WHERE s.server_id = $1 AND s.handle IS NOT NULL ORDER BY s.session_id"
            );
            all(c, &sql, values![&server], record)
        })
        .await
    }

    /// Sessions of a server that are said to be up, or to come up.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn sessions_up_on(
        &self,
        server: &ServerId,
        limit: u32,
    ) -> Result<Vec<SessionRecord>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = format!(
                "{RECORD} WHERE s.server_id = $1 AND s.status IN ('PENDING', 'STARTING', 'RUNNING')
                 ORDER BY s.session_id LIMIT $2"
            );
            all(c, &sql, values![&server, limit], record)
        })
        .await
    }

    /// Writes what a server saw of a session, and what is new of it into its history, if nothing was written of
    /// it since `generation`; answers the new generation. A session seen `DELETED` loses its bindings, tickets
    /// and grants.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is not the server's to write, [`StoreError::Conflict`] when the
    /// generation is another one: read the session again; or the database could not be written.
    pub async fn record(
        &self,
        by: &Lease,
        id: &PersistentId,
        generation: i64,
        seen: Observation,
    ) -> Result<i64> {
        let (by, id) = (by.clone(), id.clone());
        self.write(move |c| {
            servers::check(c, &by, &id)?;
            let before = history::standing(c, &id)?;
            update(c, &id, generation, &seen)?;
            history::seen(c, &id, &before, &seen)?;
            if seen.status == PersistentStatus::Deleted {
                servers::count(c, &by.server, -1)?;
                bindings::end_all(c, &id, "the session was deleted", seen.at)?;
                c.execute(
                    "DELETE FROM session_users WHERE session_id = $1",
                    values![&id],
                )?;
            }
            Ok(generation + 1)
        })
        .await
    }

    /// The groups that are not ready or not gone yet.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn groups_settling(&self) -> Result<Vec<SettlingGroup>> {
        self.read(|c| {
            let sql = "SELECT group_id, status FROM app_groups
                 WHERE status IN ('DEPLOYING', 'DELETING') AND deleted_at IS NULL ORDER BY group_id";
            let groups = all(c, sql, &[], |row| {
                Ok((
                    word(row.text(0)?, AppInstanceGroupId::parse)?,
                    word(row.text(1)?, GroupStatus::parse)?,
                ))
            })?;
            groups
                .into_iter()
                .map(|(id, status)| settling(c, id, status))
                .collect()
        })
        .await
    }

    /// Notes that a group being deleted has no session left that is not `DELETED`; answers whether that is
    /// so.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn group_deleted(&self, id: &AppInstanceGroupId, at: Timestamp) -> Result<bool> {
        let id = id.clone();
        self.write(move |c| {
            let changed = c.execute(
                "UPDATE app_groups SET deleted_at = $2
                 WHERE group_id = $1 AND status = 'DELETING' AND deleted_at IS NULL AND NOT EXISTS
                     (SELECT 1 FROM sessions s WHERE s.group_id = $1 AND s.status <> 'DELETED')",
                values![&id, at],
            )?;
            Ok(changed > 0)
        })
        .await
    }
}

/// Makes a session due within the caller's transaction. The generation is raised as well, also of one that is due
/// already: a reconciler that is about to write an observation made before this would else set the alarm off.
pub(crate) fn wake(c: &mut dyn Connection, id: &PersistentId, at: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE sessions SET wake_at = CASE WHEN wake_at < $2 THEN wake_at ELSE $2 END,
             generation = generation + 1
         WHERE session_id = $1 AND status <> 'DELETED'",
        values![id, at],
    )?;
    Ok(())
}

/// The sessions that live on a server, within the caller's transaction.
pub(crate) fn living_on(c: &mut dyn Connection, server: &ServerId) -> Result<Vec<SessionRecord>> {
    let sql = format!("{RECORD} WHERE s.server_id = $1 AND s.status <> 'DELETED'");
    all(c, &sql, values![server], record)
}

/// Replaces what is known of a session and of the instance that carries it, within the caller's transaction.
pub(crate) fn update(
    c: &mut dyn Connection,
    id: &PersistentId,
    generation: i64,
    seen: &Observation,
) -> Result<()> {
    let deleted = (seen.status == PersistentStatus::Deleted).then_some(seen.at);
    let changed = c.execute(
        "UPDATE sessions SET generation = generation + 1,
             status_since = CASE WHEN status = $3 THEN status_since ELSE $4 END,
             status = $3, observed_at = $4, status_reason = $5, asked = $6, failures = $7,
             home_lost = $8, handle = $9, opened_apps = $10, wake_at = $11, observed_by = $12,
             deleted_at = $13, instance_status = $14
         WHERE session_id = $1 AND generation = $2 AND status <> 'DELETED'",
        values![
            id,
            generation,
            seen.status.as_str(),
            seen.at,
            &seen.status_reason,
            seen.asked.map(Ask::as_str),
            seen.failures,
            seen.home_lost,
            seen.handle.as_deref(),
            apps_to_column(&seen.opened_apps),
            seen.wake_at,
            &seen.by,
            deleted,
            seen.instance_status.as_str(),
        ],
    )?;
    if changed == 0 {
        return Err(StoreError::Conflict("the session"));
    }
    let its = "instance_id = (SELECT instance_id FROM sessions WHERE session_id = $1)";
    match seen.instance_status {
        AppInstanceStatus::Deleted => slots::end(c, its, id.into()),
        status => {
            let sql = format!("UPDATE app_instances SET status = $2 WHERE {its}");
            c.execute(&sql, values![id, status.as_str()]).map(drop)
        }
    }
}

fn settling(
    c: &mut dyn Connection,
    id: AppInstanceGroupId,
    status: GroupStatus,
) -> Result<SettlingGroup> {
    let sql = "SELECT status, COUNT(*), MAX(status_reason) FROM sessions
         WHERE group_id = $1 GROUP BY status";
    let counted = all(c, sql, values![&id], |row| {
        Ok((
            word(row.text(0)?, PersistentStatus::parse)?,
            narrow(row.integer(1)?)?,
            row.text(2)?.to_owned(),
        ))
    })?;
    let reason = counted
        .iter()
        .find(|(status, ..)| *status == PersistentStatus::Unavailable)
        .map(|(.., reason)| reason.clone());
    Ok(SettlingGroup {
        id,
        status,
        sessions: counted
            .into_iter()
            .map(|(status, count, _)| (status, count))
            .collect(),
        reason,
    })
}
