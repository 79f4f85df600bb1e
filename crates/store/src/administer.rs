//! Sessions under an administrator's eyes: those of all groups, in full, until they are purged.

use crate::Store;
use crate::blocks::{Layout, Place};
use crate::connection::{Connection, Row, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::page::{Page, PageRequest};
use crate::sessions::{SessionRow, add_users, apps_from_column, ask, row};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, Ask, Desired, PersistentId, ProductType, ServerId,
    Timestamp,
};
use std::sync::Arc;

/// All of a session that an administrator is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDetail {
    /// What a listing shows.
    pub row: SessionRow,
    /// Its group.
    pub group: AppInstanceGroupId,
    /// What its group delivers.
    pub product_type: ProductType,
    /// Why its status is a bad one; else empty.
    pub status_reason: String,
    /// Since when it has its status.
    pub status_since: Timestamp,
    /// What it is meant to be.
    pub desired: Desired,
    /// What was asked of it and not acted on yet.
    pub asked: Option<Ask>,
    /// Failures in a row.
    pub failures: u32,
    /// The apps that are to be open in it.
    pub opened_apps: Vec<AppId>,
    /// When it was last seen to become something else; `None` before anybody looked.
    pub observed_at: Option<Timestamp>,
    /// The server on which it lives; `None` until one has taken it in.
    pub server: Option<ServerId>,
}

/// Whose sessions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionScope {
    /// Those of every group of the account.
    Account,
    /// Those of this group of the account; none, if it has no such group.
    Group(AppInstanceGroupId),
}

const DETAIL: &str =
    "SELECT s.session_id, s.name, s.status, s.instance_id, s.instance_status, s.created_at,
        s.group_id, g.product_type, s.status_reason, s.status_since, s.desired, s.asked, s.failures,
        s.opened_apps, s.observed_at, s.server_id
    FROM sessions s JOIN app_groups g ON g.group_id = s.group_id";

fn detail(it: &dyn Row) -> Result<SessionDetail> {
    Ok(SessionDetail {
        row: row(it)?,
        group: word(it.text(6)?, AppInstanceGroupId::parse)?,
        product_type: word(it.text(7)?, ProductType::parse)?,
        status_reason: it.text(8)?.to_owned(),
        status_since: Timestamp(it.integer(9)?),
        desired: word(it.text(10)?, Desired::parse)?,
        asked: it
            .maybe_text(11)?
            .map(|ask| word(ask, Ask::parse))
            .transpose()?,
        failures: narrow(it.integer(12)?)?,
        opened_apps: apps_from_column(it.text(13)?)?,
        observed_at: it.maybe_integer(14)?.map(Timestamp),
        server: it
            .maybe_text(15)?
            .map(|id| word(id, ServerId::parse))
            .transpose()?,
    })
}

impl Store {
    /// One page of the account's sessions: those of the oldest group first, oldest first within each. Groups
    /// that are being deleted, and sessions that are deleted and not purged yet, are among them.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn list_sessions(
        &self,
        account: &AccountId,
        scope: SessionScope,
        page: PageRequest,
    ) -> Result<Page<SessionDetail>> {
        let (account, positions) = (account.clone(), Arc::clone(&self.known.positions));
        self.read(move |c| {
            let groups = groups(c, &account, &scope)?;
            let total = groups.iter().map(|(_, layout)| layout.rows).sum();
            let mut found = Vec::new();
            let mut skip = page.skipped();
            for (group, layout) in groups {
                let wanted = i64::from(page.size) - found.len() as i64;
                if wanted <= 0 {
                    break;
                }
                if skip >= layout.rows {
                    skip -= layout.rows;
                    continue;
                }
                if let Some(place) = positions.place(c, &group, layout, skip)? {
                    found.extend(of_group(c, &group, &place, wanted)?);
                }
                skip = 0;
            }
            Ok(Page {
                items: with_users(c, found)?,
                total: narrow::<u64>(total)?,
            })
        })
        .await
    }

    /// A session of this account, until it is purged.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn session_detail(
        &self,
        account: &AccountId,
        id: &PersistentId,
    ) -> Result<Option<SessionDetail>> {
        let (account, id) = (account.clone(), id.clone());
        self.read(move |c| {
            let sql = format!("{DETAIL} WHERE s.session_id = $1 AND g.account_id = $2");
            let found = all(c, &sql, values![&id, &account], detail)?;
            Ok(with_users(c, found)?.pop())
        })
        .await
    }

    /// Writes down what `author` asks of sessions, for a reconciler to act on: of all of them or, when that
    /// cannot be, of none. A session that is deleted, or is to be, takes nothing else.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account lacks one of them, [`StoreError::Conflict`] when one is to
    /// be deleted, [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn ask_sessions(
        &self,
        account: &AccountId,
        ids: &[PersistentId],
        wish: Ask,
        author: &str,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, mut ids, author) = (account.clone(), ids.to_vec(), author.to_owned());
        // In one order, so that two calls about the same sessions wait for each other and not in a circle.
        ids.sort();
        ids.dedup();
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            for id in &ids {
                let sql = "SELECT 1 FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
                     WHERE s.session_id = $1 AND g.account_id = $2";
                first(c, sql, values![id, &account], |row| row.integer(0))?
                    .ok_or(StoreError::NotFound("session"))?;
                if !ask(c, id, wish, &author, at)? {
                    return Err(StoreError::Conflict("the session"));
                }
            }
            Ok(())
        })
        .await
    }
}

/// The groups in question, oldest first, each with how its sessions lie.
fn groups(
    c: &mut dyn Connection,
    account: &AccountId,
    scope: &SessionScope,
) -> Result<Vec<(AppInstanceGroupId, Layout)>> {
    let mut sql =
        "SELECT group_id, session_count, next_session FROM app_groups WHERE account_id = $1"
            .to_owned();
    let mut parameters = values![account].to_vec();
    if let SessionScope::Group(group) = scope {
        sql += " AND group_id = $2";
        parameters.push(group.into());
    }
    sql += " ORDER BY created_at, group_id";
    all(c, &sql, &parameters, |row| {
        Ok((
            word(row.text(0)?, AppInstanceGroupId::parse)?,
            Layout {
                rows: row.integer(1)?,
                next: row.integer(2)?,
            },
        ))
    })
}

fn of_group(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    place: &Place,
    limit: i64,
) -> Result<Vec<SessionDetail>> {
    let sql = format!(
        "{DETAIL} WHERE s.group_id = $1 AND s.ordinal >= $2 ORDER BY s.ordinal LIMIT $3 OFFSET $4"
    );
    all(
        c,
        &sql,
        values![group, place.ordinal, limit, place.skip],
        detail,
    )
}

fn with_users(c: &mut dyn Connection, found: Vec<SessionDetail>) -> Result<Vec<SessionDetail>> {
    let mut rows: Vec<SessionRow> = found.iter().map(|it| it.row.clone()).collect();
    add_users(c, &mut rows)?;
    let both = found.into_iter().zip(rows);
    Ok(both.map(|(it, row)| SessionDetail { row, ..it }).collect())
}
