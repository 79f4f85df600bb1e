//! App instances as callers see them: a group's slots, and who holds what each carries.

use crate::Store;
use crate::blocks::{INSTANCES, Layout, Place};
use crate::connection::{Connection, Row, Value, all, first, narrow, placeholders, values, word};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, EndUserId, NodeId, Timestamp,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Which instances of a group are listed. `None` does not filter; a list of nothing finds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceFilter {
    /// One of these.
    pub ids: Option<Vec<AppInstanceId>>,
    /// In one of these statuses.
    pub statuses: Option<Vec<AppInstanceStatus>>,
    /// Carrying a session that one of these users holds.
    pub users: Option<Vec<EndUserId>>,
    /// Those that are `DELETED` as well.
    pub deleted: bool,
}

/// An app instance as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its id.
    pub id: AppInstanceId,
    /// The node it lies on.
    pub node: NodeId,
    /// Its status.
    pub status: AppInstanceStatus,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last seen to be something else than before.
    pub changed: Timestamp,
    /// Who holds the session it carries, if anybody does.
    pub held: Option<Held>,
}

/// A user's hold on the session that an instance carries. Of several users it is one that is there, and the
/// first to have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub user: EndUserId,
    /// Since when.
    pub since: Timestamp,
    /// A viewer is there.
    pub connected: bool,
}

const ROW: &str = "SELECT i.instance_id, i.node_id, i.status, i.created_at,
        COALESCE((SELECT s.observed_at FROM sessions s WHERE s.instance_id = i.instance_id), i.created_at)
    FROM app_instances i";

impl Store {
    /// One page of a group's app instances, oldest first. `None` when the account has no such group, or it
    /// is being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_instances(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        filter: InstanceFilter,
        page: PageRequest,
    ) -> Result<Option<Page<InstanceRow>>> {
        let (account, group) = (account.clone(), group.clone());
        let positions = Arc::clone(&self.known.instance_positions);
        self.read(move |c| {
            let sql = "SELECT next_instance FROM app_groups
                 WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
            let next = first(c, sql, values![&group, &account], |row| row.integer(0))?;
            let Some(next) = next else {
                return Ok(None);
            };
            let mut found = if filter == InstanceFilter::default() {
                let rows = INSTANCES.total(c, &group)?;
                let place = positions.place(c, &group, Layout { rows, next }, page.skipped())?;
                let items = place.map(|place| by_position(c, &group, &place, page.size));
                Page {
                    items: items.transpose()?.unwrap_or_default(),
                    total: narrow(rows)?,
                }
            } else {
                among(c, &group, &filter, page)?
            };
            add_holds(c, &mut found.items)?;
            Ok(Some(found))
        })
        .await
    }
}

fn by_position(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    place: &Place,
    limit: u32,
) -> Result<Vec<InstanceRow>> {
    let sql = format!(
        "{ROW} WHERE i.group_id = $1 AND i.ordinal >= $2 AND i.status <> 'DELETED'
         ORDER BY i.ordinal LIMIT $3 OFFSET $4"
    );
    let parameters = values![group, place.ordinal, limit, place.skip];
    all(c, &sql, parameters, row)
}

fn among(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    filter: &InstanceFilter,
    page: PageRequest,
) -> Result<Page<InstanceRow>> {
    let mut parameters = vec![Value::from(group)];
    let Some(narrowed) = condition(filter, &mut parameters) else {
        return Ok(Page {
            items: Vec::new(),
            total: 0,
        });
    };
    let count = format!("SELECT COUNT(*) FROM app_instances i WHERE i.group_id = $1{narrowed}");
    let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
    let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
    let sql = format!(
        "{ROW} WHERE i.group_id = $1{narrowed} ORDER BY i.ordinal LIMIT ${limit} OFFSET ${offset}"
    );
    parameters.extend([page.size.into(), page.skipped().into()]);
    let items = all(c, &sql, &parameters, row)?;
    Ok(Page { items, total })
}

/// What the filter adds to a condition; `None` when it finds nothing.
fn condition(filter: &InstanceFilter, parameters: &mut Vec<Value>) -> Option<String> {
    let mut text = String::new();
    let ids = filter.ids.as_ref();
    let statuses = filter.statuses.as_ref();
    let users = filter.users.as_ref();
    for (before, list, after) in [
        (
            "i.instance_id IN (",
            ids.map(|ids| ids.iter().map(Value::from).collect::<Vec<_>>()),
            ")",
        ),
        (
            "i.status IN (",
            statuses.map(|all| all.iter().map(|one| one.as_str().into()).collect()),
            ")",
        ),
        (
            "i.instance_id IN (SELECT s.instance_id FROM sessions s JOIN bindings b ON b.session_id = s.session_id
                 WHERE b.ended_at IS NULL AND b.end_user_id IN (",
            users.map(|users| users.iter().map(Value::from).collect()),
            "))",
        ),
    ] {
        let Some(list) = list else { continue };
        if list.is_empty() {
            return None;
        }
        let places = placeholders(parameters.len() + 1, list.len());
        text += &format!(" AND {before}{places}{after}");
        parameters.extend(list);
    }
    if !filter.deleted {
        text += " AND i.status <> 'DELETED'";
    }
    Some(text)
}

fn row(row: &dyn Row) -> Result<InstanceRow> {
    Ok(InstanceRow {
        id: word(row.text(0)?, AppInstanceId::parse)?,
        node: word(row.text(1)?, NodeId::parse)?,
        status: word(row.text(2)?, AppInstanceStatus::parse)?,
        created: Timestamp(row.integer(3)?),
        changed: Timestamp(row.integer(4)?),
        held: None,
    })
}

/// Adds who holds what to a page's rows with one query.
fn add_holds(c: &mut dyn Connection, rows: &mut [InstanceRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT s.instance_id, b.end_user_id, b.created_at, b.disconnected_at
         FROM sessions s JOIN bindings b ON b.session_id = s.session_id
         WHERE s.instance_id IN ({}) AND b.ended_at IS NULL ORDER BY b.created_at, b.binding_id",
        placeholders(1, rows.len())
    );
    let ids: Vec<Value> = rows.iter().map(|row| Value::from(&row.id)).collect();
    let holds = all(c, &sql, &ids, |row| {
        let held = Held {
            user: word(row.text(1)?, EndUserId::parse)?,
            since: Timestamp(row.integer(2)?),
            connected: row.maybe_integer(3)?.is_none(),
        };
        Ok((row.text(0)?.to_owned(), held))
    })?;
    let mut shown = HashMap::<String, Held>::new();
    for (instance, held) in holds {
        match shown.get(&instance) {
            Some(earlier) if earlier.connected || !held.connected => {}
            _ => {
                shown.insert(instance, held);
            }
        }
    }
    for row in rows {
        row.held = shown.remove(row.id.as_str());
    }
    Ok(())
}
