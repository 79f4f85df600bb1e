//! Who may connect: the users of a group, listed page by page, those granted something last first.

use crate::Store;
use crate::connection::{Connection, Value, all, first, narrow, placeholders, word};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use greenroom_model::{AccountId, AppInstanceGroupId, AuthMode, EndUserId, PersistentId};
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
    /// One page of the users who may connect to a group of that account: granted one of its sessions where
    /// it gives out sessions, else granted the group.
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
            let grants = match mode {
                AuthMode::Session => {
                    "session_users u JOIN sessions s ON s.session_id = u.session_id
                     JOIN app_groups g ON g.group_id = s.group_id"
                }
                AuthMode::App | AuthMode::AppInstanceGroup => {
                    "group_users u JOIN app_groups g ON g.group_id = u.group_id"
                }
            };
            let mut parameters = vec![Value::from(&group), Value::from(&account)];
            let mut condition =
                "g.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'".to_owned();
            if let Some(user) = &filter.user {
                parameters.push(user.into());
                condition += &format!(" AND u.end_user_id = ${}", parameters.len());
            }
            if let Some(part) = filter.id_contains.filter(|part| !part.is_empty()) {
                parameters.push(part.into());
                // As for the names of groups: both databases replace alike.
                let place = parameters.len();
                condition += &format!(" AND replace(u.end_user_id, ${place}, '') <> u.end_user_id");
            }
            if let Some(session) = &filter.session {
                if mode != AuthMode::Session {
                    return Ok(nobody());
                }
                parameters.push(session.into());
                condition += &format!(" AND u.session_id = ${}", parameters.len());
            }
            let count =
                format!("SELECT COUNT(DISTINCT u.end_user_id) FROM {grants} WHERE {condition}");
            let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
            let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
            let sql = format!(
                "SELECT u.end_user_id FROM {grants} WHERE {condition} GROUP BY u.end_user_id
                 ORDER BY MAX(u.created_at) DESC, u.end_user_id LIMIT ${limit} OFFSET ${offset}"
            );
            parameters.extend([page.size.into(), page.skipped().into()]);
            let mut items = all(c, &sql, &parameters, |row| {
                Ok(AuthorizedUser {
                    user: word(row.text(0)?, EndUserId::parse)?,
                    sessions: Vec::new(),
                })
            })?;
            if mode == AuthMode::Session {
                add_sessions(c, &group, &mut items)?;
            }
            Ok(Page { items, total })
        })
        .await
    }
}

fn nobody() -> Page<AuthorizedUser> {
    Page {
        items: Vec::new(),
        total: 0,
    }
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
