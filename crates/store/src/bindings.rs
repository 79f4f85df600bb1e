//! Bindings: a user's hold on a session, from the first ticket until it is ended or runs out.

use crate::Store;
use crate::connection::{Connection, Row, all, first, values, word};
use crate::error::{Result, StoreError};
use greenroom_model::session::app_instance;
use greenroom_model::{AppInstanceStatus, BindingId, EndUserId, PersistentId, ServerId, Timestamp};
use std::time::Duration;

/// A user's hold on a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// The session.
    pub session: PersistentId,
    /// Who holds it.
    pub user: EndUserId,
    /// When it began.
    pub created: Timestamp,
    /// Since when no viewer is there; `None` while one is.
    pub disconnected_at: Option<Timestamp>,
    /// When it ends unless its user comes back; `None` when it does not end by itself.
    pub expires_at: Option<Timestamp>,
}

/// Selects what [`binding`] reads.
pub(crate) const BINDING: &str =
    "SELECT binding_id, session_id, end_user_id, created_at, disconnected_at, expires_at
    FROM bindings";

/// Reads a row of [`BINDING`].
pub(crate) fn binding(row: &dyn Row) -> Result<Binding> {
    Ok(Binding {
        id: word(row.text(0)?, BindingId::parse)?,
        session: word(row.text(1)?, PersistentId::parse)?,
        user: word(row.text(2)?, EndUserId::parse)?,
        created: Timestamp(row.integer(3)?),
        disconnected_at: row.maybe_integer(4)?.map(Timestamp),
        expires_at: row.maybe_integer(5)?.map(Timestamp),
    })
}

impl Store {
    /// A viewer of the binding is there: it does not run out. `false` when it has ended.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn connected(&self, id: &BindingId) -> Result<bool> {
        let id = id.clone();
        self.write(move |c| {
            let changed = c.execute(
                "UPDATE bindings SET disconnected_at = NULL, expires_at = NULL
                 WHERE binding_id = $1 AND ended_at IS NULL",
                values![&id],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    /// The binding's last viewer has left: its group's `SessionTimeout` begins. `false` when it has ended.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn disconnected(&self, id: &BindingId, at: Timestamp) -> Result<bool> {
        let id = id.clone();
        self.write_intent(move |c| {
            let changed = c.execute(
                &format!("{DISCONNECT} AND binding_id = $2"),
                values![at, &id],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    /// No binding to a session of the server has a viewer any more, because the process that served all of them
    /// has just begun; answers how many had.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn all_disconnected(&self, server: &ServerId, at: Timestamp) -> Result<usize> {
        let server = server.clone();
        self.write_intent(move |c| {
            let sql = format!(
                "{DISCONNECT} AND session_id IN (SELECT session_id FROM sessions WHERE server_id = $2)"
            );
            c.execute(&sql, values![at, &server])
        })
        .await
    }

    /// Bindings whose time has run out at `now`.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn bindings_to_expire(&self, now: Timestamp, limit: u32) -> Result<Vec<Binding>> {
        self.read(move |c| {
            let sql = format!("{BINDING} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2");
            all(c, &sql, values![now, limit], binding)
        })
        .await
    }

    /// When the next binding runs out; `None` when none will.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn next_expiry(&self) -> Result<Option<Timestamp>> {
        self.read(|c| {
            let sql = "SELECT MIN(expires_at) FROM bindings WHERE expires_at IS NOT NULL";
            Ok(first(c, sql, &[], |row| row.maybe_integer(0))?
                .flatten()
                .map(Timestamp))
        })
        .await
    }

    /// The session's bindings that have not ended, oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn open_bindings(&self, session: &PersistentId) -> Result<Vec<Binding>> {
        let session = session.clone();
        self.read(move |c| open(c, &session)).await
    }
}

const DISCONNECT: &str = "UPDATE bindings SET disconnected_at = $1, expires_at =
        (SELECT CASE WHEN g.session_timeout < 0 THEN NULL ELSE $1 + g.session_timeout * 60000 END
         FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
         WHERE s.session_id = bindings.session_id)
    WHERE ended_at IS NULL AND disconnected_at IS NULL";

/// The session's bindings that have not ended, oldest first, within the caller's transaction.
pub(crate) fn open(c: &mut dyn Connection, session: &PersistentId) -> Result<Vec<Binding>> {
    let sql = format!(
        "{BINDING} WHERE session_id = $1 AND ended_at IS NULL ORDER BY created_at, binding_id"
    );
    all(c, &sql, values![session], binding)
}

/// The user's open binding to the session, made as `new` when there is none, within the caller's
/// transaction. One that nobody ever connects to runs out like one that everybody left.
pub(crate) fn hold(
    c: &mut dyn Connection,
    new: &BindingId,
    session: &PersistentId,
    user: &EndUserId,
    at: Timestamp,
) -> Result<BindingId> {
    let sql = "SELECT g.session_timeout, g.account_id FROM sessions s
             JOIN app_groups g ON g.group_id = s.group_id
         WHERE s.session_id = $1";
    let (timeout, account) = first(c, sql, values![session], |row| {
        Ok((row.integer(0)?, row.text(1)?.to_owned()))
    })?
    .ok_or(StoreError::NotFound("session"))?;
    let minutes = u64::try_from(timeout).ok();
    let expires = minutes.map(|minutes| at.after(Duration::from_secs(minutes * 60)));
    c.execute(
        "INSERT INTO bindings (binding_id, session_id, end_user_id, created_at, disconnected_at,
             expires_at, end_reason, account_id)
         VALUES ($1, $2, $3, $4, $4, $5, '', $6) ON CONFLICT DO NOTHING",
        values![new, session, user, at, expires, account],
    )?;
    note_held(c, session)?;
    let sql = format!("{BINDING} WHERE session_id = $1 AND end_user_id = $2 AND ended_at IS NULL");
    let held = first(c, &sql, values![session, user], binding)?;
    Ok(held.ok_or(StoreError::Conflict("the binding"))?.id)
}

/// Notes at the instance that somebody holds what it carries, where that shows: the hold is made here, so nobody else
/// has to see it first.
fn note_held(c: &mut dyn Connection, session: &PersistentId) -> Result<()> {
    let sql = "SELECT instance_status FROM sessions WHERE session_id = $1";
    let status = first(c, sql, values![session], |row| {
        word(row.text(0)?, AppInstanceStatus::parse)
    })?
    .ok_or(StoreError::NotFound("session"))?;
    let held = app_instance::step(status, app_instance::Event::Bound);
    if held == status {
        return Ok(());
    }
    c.execute(
        "UPDATE sessions SET instance_status = $2, generation = generation + 1 WHERE session_id = $1",
        values![session, held.as_str()],
    )?;
    c.execute(
        "UPDATE app_instances SET status = $2
         WHERE instance_id = (SELECT instance_id FROM sessions WHERE session_id = $1)",
        values![session, held.as_str()],
    )?;
    Ok(())
}

/// Ends every binding of a session within the caller's transaction.
pub(crate) fn end_all(
    c: &mut dyn Connection,
    session: &PersistentId,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    for binding in open(c, session)? {
        end(c, &binding, reason, at)?;
    }
    Ok(())
}

/// Ends a binding within the caller's transaction.
pub(crate) fn end(
    c: &mut dyn Connection,
    binding: &Binding,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let id = &binding.id;
    c.execute(
        "UPDATE bindings SET ended_at = $2, end_reason = $3, expires_at = NULL,
             disconnected_at = COALESCE(disconnected_at, $2)
         WHERE binding_id = $1",
        values![id, at, reason],
    )?;
    c.execute(
        "DELETE FROM resume_tokens WHERE binding_id = $1",
        values![id],
    )?;
    // Used tickets stay for a while, so that using them again is told from having invented them.
    c.execute(
        "DELETE FROM tickets WHERE binding_id = $1 AND used_at IS NULL",
        values![id],
    )?;
    c.execute(
        "UPDATE ticket_tasks SET status = 'Failed', reason = $2
         WHERE binding_id = $1 AND status = 'Running'",
        values![id, reason],
    )?;
    Ok(())
}
