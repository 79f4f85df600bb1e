//! What happened to each session: the statuses it was seen to take and the wishes somebody had for it,
//! written in the transaction that makes them so.

use crate::Store;
use crate::connection::{Connection, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::page::{Page, PageRequest};
use crate::reconcile::Observation;
use greenroom_model::{
    AccountId, AppInstanceStatus, Ask, PersistentId, PersistentStatus, Timestamp,
};

/// Events kept of a session. One that fails and comes back for ever must not fill the disk.
pub const EVENTS_KEPT: u32 = 200;

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEvent {
    /// Its place among the session's events, from 1; the oldest events are dropped.
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The wish, when the event is one; `None` when it is a change that was seen.
    pub asked: Option<Ask>,
    /// The session's status before it.
    pub before: PersistentStatus,
    /// The session's status after it; a wish by itself changes none.
    pub status: PersistentStatus,
    /// The status of the session's app instance after it.
    pub instance_status: AppInstanceStatus,
    /// Why, where that is worth keeping; else empty.
    pub reason: String,
    /// Who wished it, or who saw it.
    pub author: String,
}

/// What of a session shows in its history.
pub(crate) struct Standing {
    status: PersistentStatus,
    instance_status: AppInstanceStatus,
    reason: String,
}

impl Store {
    /// One page of a session's history, the latest first. `None` when the account has no such session.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn session_events(
        &self,
        account: &AccountId,
        id: &PersistentId,
        page: PageRequest,
    ) -> Result<Option<Page<SessionEvent>>> {
        let (account, id) = (account.clone(), id.clone());
        self.read(move |c| {
            let sql =
                "SELECT (SELECT COUNT(*) FROM session_events e WHERE e.session_id = s.session_id)
                 FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
                 WHERE s.session_id = $1 AND g.account_id = $2";
            let total = first(c, sql, values![&id, &account], |row| {
                narrow(row.integer(0)?)
            })?;
            let Some(total) = total else {
                return Ok(None);
            };
            let sql =
                "SELECT number, at, asked, status_before, status, instance_status, reason, author
                 FROM session_events WHERE session_id = $1 ORDER BY number DESC LIMIT $2 OFFSET $3";
            let items = all(c, sql, values![&id, page.size, page.skipped()], |row| {
                Ok(SessionEvent {
                    number: narrow(row.integer(0)?)?,
                    at: Timestamp(row.integer(1)?),
                    asked: row
                        .maybe_text(2)?
                        .map(|ask| word(ask, Ask::parse))
                        .transpose()?,
                    before: word(row.text(3)?, PersistentStatus::parse)?,
                    status: word(row.text(4)?, PersistentStatus::parse)?,
                    instance_status: word(row.text(5)?, AppInstanceStatus::parse)?,
                    reason: row.text(6)?.to_owned(),
                    author: row.text(7)?.to_owned(),
                })
            })?;
            Ok(Some(Page { items, total }))
        })
        .await
    }
}

/// How a session stands, within the caller's transaction.
pub(crate) fn standing(c: &mut dyn Connection, id: &PersistentId) -> Result<Standing> {
    let sql = "SELECT status, instance_status, status_reason FROM sessions WHERE session_id = $1";
    let found = first(c, sql, values![id], |row| {
        Ok(Standing {
            status: word(row.text(0)?, PersistentStatus::parse)?,
            instance_status: word(row.text(1)?, AppInstanceStatus::parse)?,
            reason: row.text(2)?.to_owned(),
        })
    })?;
    found.ok_or(StoreError::NotFound("session"))
}

/// Notes that somebody wishes something of a session.
pub(crate) fn asked(
    c: &mut dyn Connection,
    id: &PersistentId,
    ask: Ask,
    author: &str,
    at: Timestamp,
) -> Result<()> {
    let now = standing(c, id)?;
    let status = now.status;
    let author = Author { name: author, at };
    add(c, id, &now, Some(ask), status, "", author)
}

/// Notes what was seen of a session that stood so, if that is anything new.
pub(crate) fn seen(
    c: &mut dyn Connection,
    id: &PersistentId,
    before: &Standing,
    seen: &Observation,
) -> Result<()> {
    let now = Standing {
        status: seen.status,
        instance_status: seen.instance_status,
        reason: seen.status_reason.clone(),
    };
    let changed = now.status != before.status || now.instance_status != before.instance_status;
    // That a reason no longer holds is the end of an old story, not a new one.
    if changed || (now.reason != before.reason && !now.reason.is_empty()) {
        let by = Author {
            name: &seen.by,
            at: seen.at,
        };
        add(c, id, &now, None, before.status, &now.reason, by)?;
    }
    Ok(())
}

/// Who writes an event, and when.
struct Author<'a> {
    name: &'a str,
    at: Timestamp,
}

fn add(
    c: &mut dyn Connection,
    id: &PersistentId,
    now: &Standing,
    asked: Option<Ask>,
    before: PersistentStatus,
    reason: &str,
    author: Author<'_>,
) -> Result<()> {
    // Whoever is here has written the session's row in this transaction, so no other takes the same number.
    let sql = "SELECT COALESCE(MAX(number), 0) FROM session_events WHERE session_id = $1";
    let number = first(c, sql, values![id], |row| row.integer(0))?.unwrap_or(0) + 1;
    c.execute(
        "INSERT INTO session_events (session_id, number, at, asked, status_before, status,
             instance_status, reason, author)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            id,
            number,
            author.at,
            asked.map(Ask::as_str),
            before.as_str(),
            now.status.as_str(),
            now.instance_status.as_str(),
            reason,
            author.name,
        ],
    )?;
    c.execute(
        "DELETE FROM session_events WHERE session_id = $1 AND number <= $2",
        values![id, number - i64::from(EVENTS_KEPT)],
    )?;
    Ok(())
}
