//! Who may connect: the users of a group, listed page by page, those granted something last first.

use crate::Store;
use crate::connection::{Connection, Value, all, first, narrow, placeholders, values, word};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{AccountId, AppId, AppInstanceGroupId, AuthMode, EndUserId, PersistentId};
use std::collections::HashMap;

/// Which users of a group are listed; what is `None` does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizedFilter {
    /// This user.
    pub user: Option<EndUserId>,
    /// Users with this in their id, case included.
    pub id_contains: Option<String>,
    /// Users who were granted this session.
    pub session: Option<PersistentId>,
    /// Users who may use this app: granted it, the group, or a session of the group.
    pub app: Option<AppId>,
}

/// A user of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizedUser {
    /// Who.
    pub user: EndUserId,
    /// The sessions of the group granted to the user, oldest first; none where the group does not give out
    /// sessions.
    pub sessions: Vec<PersistentId>,
}

impl Store {
    /// One page of the users who may connect to a group of that account. Where the group gives out
    /// sessions, a page has so many users; else so many grants, those of one user made one, and the total
    /// counts grants.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_authorized_users(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        mode: AuthMode,
        filter: AuthorizedFilter,
        page: PageRequest,
    ) -> Result<Page<AuthorizedUser>> {
        let (account, group) = (account.clone(), group.clone());
        self.read(move |c| {
            let sql = "SELECT 1 FROM app_groups
                 WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
            let known = first(c, sql, values![&group, &account], |row| row.integer(0))?;
            if known.is_none() || (filter.session.is_some() && mode != AuthMode::Session) {
                return Ok(Page {
                    items: Vec::new(),
                    total: 0,
                });
            }
            let mut parameters = vec![Value::from(&group)];
            let grants = grants(mode, &filter, &mut parameters);
            let condition = condition(&filter, &mut parameters);
            let total = first(
                c,
                &format!("SELECT COUNT(*) FROM ({grants}) u WHERE {condition}"),
                &parameters,
                |row| narrow(row.integer(0)?),
            )?;
            let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
            let sql = format!(
                "SELECT u.end_user_id FROM ({grants}) u WHERE {condition}
                 ORDER BY u.created_at DESC, u.end_user_id LIMIT ${limit} OFFSET ${offset}"
            );
            parameters.extend([page.size.into(), page.skipped().into()]);
            let mut items = Vec::<AuthorizedUser>::new();
            for user in all(c, &sql, &parameters, |row| {
                word(row.text(0)?, EndUserId::parse)
            })? {
                if items.iter().all(|listed| listed.user != user) {
                    items.push(AuthorizedUser {
                        user,
                        sessions: Vec::new(),
                    });
                }
            }
            if mode == AuthMode::Session {
                add_sessions(c, &group, &mut items)?;
            }
            Ok(Page {
                items,
                total: total.unwrap_or(0),
            })
        })
        .await
    }

    /// One page of the ids of the users who were granted anything of a group of that account, each once,
    /// sorted as the database sorts text.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_user_ids(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        page: PageRequest,
    ) -> Result<Vec<EndUserId>> {
        let (account, group) = (account.clone(), group.clone());
        self.read(move |c| {
            let sql = "SELECT u.end_user_id FROM (
                     SELECT group_id, end_user_id FROM group_users WHERE group_id = $1
                     UNION SELECT group_id, end_user_id FROM app_users WHERE group_id = $1
                     UNION SELECT s.group_id, o.end_user_id FROM session_users o
                         JOIN sessions s ON s.session_id = o.session_id WHERE s.group_id = $1
                 ) u JOIN app_groups g ON g.group_id = u.group_id
                 WHERE g.account_id = $2 AND g.status <> 'DELETING'
                 ORDER BY u.end_user_id LIMIT $3 OFFSET $4";
            let parameters = values![&group, &account, page.size, page.skipped()];
            all(c, sql, parameters, |row| {
                word(row.text(0)?, EndUserId::parse)
            })
        })
        .await
    }
}

/// The grants of the group in `$1`: who, and when.
fn grants(mode: AuthMode, filter: &AuthorizedFilter, parameters: &mut Vec<Value>) -> String {
    let whole = "SELECT end_user_id, created_at FROM group_users WHERE group_id = $1";
    match mode {
        AuthMode::Session => {
            let mut text =
                "SELECT o.end_user_id, MAX(o.created_at) AS created_at FROM session_users o
                 JOIN sessions s ON s.session_id = o.session_id WHERE s.group_id = $1"
                    .to_owned();
            if let Some(session) = &filter.session {
                parameters.push(session.into());
                text += &format!(" AND o.session_id = ${}", parameters.len());
            }
            text + " GROUP BY o.end_user_id"
        }
        AuthMode::AppInstanceGroup => whole.to_owned(),
        AuthMode::App => {
            let mut text = format!(
                "{whole} UNION ALL SELECT end_user_id, created_at FROM app_users WHERE group_id = $1"
            );
            if let Some(app) = &filter.app {
                parameters.push(app.into());
                text += &format!(" AND app_id = ${}", parameters.len());
            }
            text
        }
    }
}

fn condition(filter: &AuthorizedFilter, parameters: &mut Vec<Value>) -> String {
    let mut text = "1 = 1".to_owned();
    if let Some(user) = &filter.user {
        parameters.push(user.into());
        text += &format!(" AND u.end_user_id = ${}", parameters.len());
    }
    if let Some(part) = filter.id_contains.as_ref().filter(|part| !part.is_empty()) {
        parameters.push(part.into());
        // As for the names of groups: both databases replace alike.
        let place = parameters.len();
        text += &format!(" AND replace(u.end_user_id, ${place}, '') <> u.end_user_id");
    }
    text
}

/// Adds the sessions to a page's rows with one query.
fn add_sessions(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    rows: &mut [AuthorizedUser],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT u.end_user_id, u.session_id FROM session_users u
             JOIN sessions s ON s.session_id = u.session_id
         WHERE s.group_id = $1 AND u.end_user_id IN ({}) ORDER BY s.ordinal",
        placeholders(2, rows.len())
    );
    let mut parameters = vec![Value::from(group)];
    parameters.extend(rows.iter().map(|row| Value::from(&row.user)));
    let granted = all(c, &sql, &parameters, |row| {
        Ok((
            word(row.text(0)?, EndUserId::parse)?,
            word(row.text(1)?, PersistentId::parse)?,
        ))
    })?;
    let mut sessions = HashMap::<EndUserId, Vec<PersistentId>>::new();
    for (user, session) in granted {
        sessions.entry(user).or_default().push(session);
    }
    for row in rows {
        row.sessions = sessions.remove(&row.user).unwrap_or_default();
    }
    Ok(())
}
