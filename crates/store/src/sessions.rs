//! Persistent sessions as callers see them: listed page by page, looked at one by one, asked for things.

use crate::blocks::{Layout, Place};
use crate::connection::{Connection, Row, Value, all, first, narrow, placeholders, values, word};
use crate::error::Result;
use crate::page::{Page, PageRequest, SharedPage};
use crate::{Store, history};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, Ask, AuthMode, Desired,
    EndUserId, PersistentId, PersistentStatus, ProductType, ServerId, Timestamp,
};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A persistent session as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: PersistentId,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: PersistentStatus,
    /// The app instance that carries it now.
    pub instance: AppInstanceId,
    /// That instance's status.
    pub instance_status: AppInstanceStatus,
    /// The users granted this session, sorted bytewise.
    pub users: Vec<EndUserId>,
    /// When it was made.
    pub created: Timestamp,
}

/// Which sessions of a group are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionFilter {
    /// All of them.
    All,
    /// Those of these that exist; the order given and repetitions do not matter.
    Ids(Vec<PersistentId>),
}

/// A persistent session, looked at by a tenant's call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What a listing shows.
    pub row: SessionRow,
    /// Its group.
    pub group: AppInstanceGroupId,
    /// What its group delivers.
    pub product_type: ProductType,
    /// Why its status is a bad one; else empty.
    pub status_reason: String,
    /// What it is meant to be.
    pub desired: Desired,
}

const ROW: &str =
    "SELECT s.session_id, s.name, s.status, s.instance_id, s.instance_status, s.created_at
    FROM sessions s";

pub(crate) fn row(row: &dyn Row) -> Result<SessionRow> {
    Ok(SessionRow {
        id: word(row.text(0)?, PersistentId::parse)?,
        name: row.text(1)?.to_owned(),
        status: word(row.text(2)?, PersistentStatus::parse)?,
        instance: word(row.text(3)?, AppInstanceId::parse)?,
        instance_status: word(row.text(4)?, AppInstanceStatus::parse)?,
        users: Vec::new(),
        created: Timestamp(row.integer(5)?),
    })
}

impl Store {
    /// How many of the sessions that live on a server have which status; those without any are left out.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn count_sessions(
        &self,
        server: &ServerId,
    ) -> Result<BTreeMap<PersistentStatus, u64>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = "SELECT status, COUNT(*) FROM sessions WHERE server_id = $1 GROUP BY status";
            let counted = all(c, sql, values![&server], |row| {
                let status = word(row.text(0)?, PersistentStatus::parse)?;
                Ok((status, narrow(row.integer(1)?)?))
            })?;
            Ok(counted.into_iter().collect())
        })
        .await
    }

    /// One page of a group's persistent sessions, oldest first. `None` when the account has no such group of that
    /// product type, or it is being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_sessions(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        product_type: ProductType,
        filter: SessionFilter,
        page: PageRequest,
    ) -> Result<Option<Arc<SharedPage<SessionRow>>>> {
        let whole = matches!(filter, SessionFilter::All);
        let key = (account.clone(), group.clone(), product_type, page);
        let (account, group, positions) = (
            account.clone(),
            group.clone(),
            Arc::clone(&self.known.positions),
        );
        let read = move |c: &mut dyn Connection| {
            let sql = "SELECT session_count, next_session, auth_mode FROM app_groups
                 WHERE group_id = $1 AND account_id = $2 AND product_type = $3 AND status <> 'DELETING'";
            let parameters = values![&group, &account, product_type.as_str()];
            let found = first(c, sql, parameters, |row| {
                let layout = Layout {
                    rows: row.integer(0)?,
                    next: row.integer(1)?,
                };
                Ok((layout, word(row.text(2)?, AuthMode::parse)?))
            })?;
            let Some((layout, mode)) = found else {
                return Ok(None);
            };
            let found = match filter {
                _ if !mode.has_persistent_sessions() => Page {
                    items: Vec::new(),
                    total: 0,
                },
                SessionFilter::All => {
                    let place = positions.place(c, &group, layout, page.skipped())?;
                    let items = place.map(|place| by_position(c, &group, &place, page.size));
                    Page {
                        items: items.transpose()?.unwrap_or_default(),
                        total: narrow(layout.rows)?,
                    }
                }
                SessionFilter::Ids(ids) => among(c, &group, ids, page)?,
            };
            Ok(Some(Arc::new(SharedPage::new(found))))
        };
        match whole {
            true => self.recently(|known| &known.pages, key, read).await,
            false => self.read(read).await,
        }
    }

    /// A persistent session of this account, if its group is not being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn session(&self, account: &AccountId, id: &PersistentId) -> Result<Option<Session>> {
        let (account, id) = (account.clone(), id.clone());
        self.read(move |c| {
            let sql = "SELECT s.session_id, s.name, s.status, s.instance_id, s.instance_status,
                     s.created_at, s.group_id, g.product_type, s.status_reason, s.desired
                 FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
                 WHERE s.session_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'
                     AND g.auth_mode = 'Session'";
            let mut found = first(c, sql, values![&id, &account], |it| {
                Ok(Session {
                    row: row(it)?,
                    group: word(it.text(6)?, AppInstanceGroupId::parse)?,
                    product_type: word(it.text(7)?, ProductType::parse)?,
                    status_reason: it.text(8)?.to_owned(),
                    desired: word(it.text(9)?, Desired::parse)?,
                })
            })?;
            if let Some(session) = &mut found {
                add_users(c, std::slice::from_mut(&mut session.row))?;
            }
            Ok(found)
        })
        .await
    }
}

/// Writes an ask of `author`'s within the caller's transaction; `false` when the session is to be deleted.
pub(crate) fn ask(
    c: &mut dyn Connection,
    id: &PersistentId,
    ask: Ask,
    author: &str,
    at: Timestamp,
) -> Result<bool> {
    let desired = match ask {
        Ask::Start | Ask::Restart => Some(Desired::Running),
        Ask::Stop => Some(Desired::Stopped),
        Ask::Delete => Some(Desired::Deleted),
        // What was meant to run runs again from its image; what was stopped stays stopped.
        Ask::Reset => None,
    };
    // A reset that nobody has acted on yet is carried out on the way to whatever is wished after it, and a
    // start asks for nothing that a restart does not bring.
    let changed = c.execute(
        "UPDATE sessions SET desired = COALESCE($3, desired), wake_at = $4, generation = generation + 1,
             asked = CASE WHEN asked = 'RESET' AND $2 <> 'DELETE' THEN asked
                 WHEN asked = 'RESTART' AND $2 = 'START' THEN asked ELSE $2 END
         WHERE session_id = $1 AND desired <> 'DELETED'",
        values![id, ask.as_str(), desired.map(Desired::as_str), at],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    history::asked(c, id, ask, author, at)?;
    Ok(true)
}

/// Ends an ordinary session within the caller's transaction, because nobody holds it any more: its home goes, and
/// nothing is open in it for whoever comes next.
pub(crate) fn clear_away(
    c: &mut dyn Connection,
    id: &PersistentId,
    author: &str,
    at: Timestamp,
) -> Result<()> {
    c.execute(
        "UPDATE sessions SET opened_apps = '' WHERE session_id = $1",
        values![id],
    )?;
    ask(c, id, Ask::Reset, author, at)?;
    ask(c, id, Ask::Stop, author, at)?;
    Ok(())
}

/// With the users in the same query: a second one, with the ids of a page, takes as long as the first.
fn by_position(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    place: &Place,
    limit: u32,
) -> Result<Vec<SessionRow>> {
    let sql = "SELECT s.session_id, s.name, s.status, s.instance_id, s.instance_status, s.created_at,
             s.ordinal, u.end_user_id
         FROM (SELECT session_id, name, status, instance_id, instance_status, created_at, ordinal
             FROM sessions WHERE group_id = $1 AND ordinal >= $2 ORDER BY ordinal LIMIT $3 OFFSET $4) s
         LEFT JOIN session_users u ON u.session_id = s.session_id";
    // In order of ordinals, which no database promises of a join.
    let mut rows = BTreeMap::<i64, SessionRow>::new();
    let parameters = values![group, place.ordinal, limit, place.skip];
    c.query(sql, parameters, &mut |it| {
        let seen = match rows.entry(it.integer(6)?) {
            Entry::Vacant(free) => free.insert(row(it)?),
            Entry::Occupied(seen) => seen.into_mut(),
        };
        if let Some(user) = it.maybe_text(7)? {
            seen.users.push(word(user, EndUserId::parse)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut rows: Vec<SessionRow> = rows.into_values().collect();
    for row in &mut rows {
        sort_users(row);
    }
    Ok(rows)
}

fn among(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    mut ids: Vec<PersistentId>,
    page: PageRequest,
) -> Result<Page<SessionRow>> {
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Page {
            items: Vec::new(),
            total: 0,
        });
    }
    let mut parameters = vec![Value::from(group)];
    parameters.extend(ids.iter().map(Value::from));
    // A caller names at most a hundred: all of them are read, and the page is cut out here.
    let sql = format!(
        "{ROW} WHERE s.group_id = $1 AND s.session_id IN ({}) ORDER BY s.ordinal",
        placeholders(2, ids.len())
    );
    let found = all(c, &sql, &parameters, row)?;
    let total = found.len() as u64;
    let skip = usize::try_from(page.skipped()).unwrap_or(usize::MAX);
    let mut items: Vec<SessionRow> = found
        .into_iter()
        .skip(skip)
        .take(page.size as usize)
        .collect();
    add_users(c, &mut items)?;
    Ok(Page { items, total })
}

/// Adds the users to a page's rows with one query.
pub(crate) fn add_users(c: &mut dyn Connection, rows: &mut [SessionRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT session_id, end_user_id FROM session_users WHERE session_id IN ({})",
        placeholders(1, rows.len())
    );
    let ids: Vec<Value> = rows.iter().map(|row| Value::from(&row.id)).collect();
    let granted = all(c, &sql, &ids, |row| {
        Ok((
            row.text(0)?.to_owned(),
            word(row.text(1)?, EndUserId::parse)?,
        ))
    })?;
    let mut users = HashMap::<String, Vec<EndUserId>>::new();
    for (id, user) in granted {
        users.entry(id).or_default().push(user);
    }
    for row in rows {
        row.users = users.remove(row.id.as_str()).unwrap_or_default();
        sort_users(row);
    }
    Ok(())
}

/// Sorted here and not by the database, whose collation is its own.
fn sort_users(row: &mut SessionRow) {
    row.users.sort_unstable();
}

/// App ids have no spaces.
pub(crate) fn apps_to_column(apps: &[AppId]) -> String {
    apps.iter().map(AppId::as_str).collect::<Vec<_>>().join(" ")
}

pub(crate) fn apps_from_column(column: &str) -> Result<Vec<AppId>> {
    column
        .split_whitespace()
        .map(|id| word(id, AppId::parse))
        .collect()
}
