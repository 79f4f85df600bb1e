//! Who may connect: users granted single sessions, or groups.

use crate::Store;
use crate::connection::{Connection, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, AppId, AppInstanceGroupId, EndUserId, PersistentId, Timestamp};

/// Users to be granted something and users to lose it; who is in both loses it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantChange {
    /// Granted, if not yet.
    pub add: Vec<EndUserId>,
    /// No longer granted, if they were.
    pub remove: Vec<EndUserId>,
}

impl Store {
    /// Grants users a persistent session of a group, or takes it from them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has no such group with such a session,
    /// [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn authorize_session_users(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        session: &PersistentId,
        change: GrantChange,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, group, session) = (account.clone(), group.clone(), session.clone());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT 1 FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
                 WHERE s.session_id = $1 AND s.group_id = $2 AND g.account_id = $3
                     AND g.auth_mode = 'Session' AND g.status <> 'DELETING'
                     AND s.status <> 'DELETED'";
            first(c, sql, values![&session, &group, &account], |row| {
                row.integer(0)
            })?
            .ok_or(StoreError::NotFound("session"))?;
            record_users(c, &account, &change.add, at)?;
            for user in &change.add {
                grant_session(c, &session, user, at)?;
            }
            for user in &change.remove {
                c.execute(
                    "DELETE FROM session_users WHERE session_id = $1 AND end_user_id = $2",
                    values![&session, user],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Grants users a whole group, or takes it from them.
    ///
    /// # Errors
    /// As [`Store::authorize_session_users`].
    pub async fn authorize_group_users(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        change: GrantChange,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, group) = (account.clone(), group.clone());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT 1 FROM app_groups
                 WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
            first(c, sql, values![&group, &account], |row| row.integer(0))?
                .ok_or(StoreError::NotFound("group"))?;
            grant_group(c, &account, &group, &change.add, at)?;
            for user in &change.remove {
                c.execute(
                    "DELETE FROM group_users WHERE group_id = $1 AND end_user_id = $2",
                    values![&group, user],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Whether the user may connect to the session: granted the session where its group gives out
    /// sessions, else granted the group or, where it gives out apps, one of them; or nobody is checked.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn is_authorized(&self, session: &PersistentId, user: &EndUserId) -> Result<bool> {
        let (session, user) = (session.clone(), user.clone());
        self.read(move |c| is_authorized(c, &session, &user)).await
    }

    /// Whether the user may open the app in an ordinary session of the group: granted the group or, where it gives
    /// out apps, that one; or nobody is checked. Nobody may where the group gives out sessions.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn may_open(
        &self,
        group: &AppInstanceGroupId,
        user: &EndUserId,
        app: &AppId,
    ) -> Result<bool> {
        let (group, user, app) = (group.clone(), user.clone(), app.clone());
        self.read(move |c| {
            let sql = "SELECT 1 FROM app_groups g
                 WHERE g.group_id = $1 AND g.auth_mode <> 'Session' AND (g.skip_user_check = 1
                     OR EXISTS (SELECT 1 FROM group_users u
                         WHERE u.group_id = g.group_id AND u.end_user_id = $2)
                     OR (g.auth_mode = 'App' AND EXISTS (SELECT 1 FROM app_users u
                         WHERE u.group_id = g.group_id AND u.end_user_id = $2 AND u.app_id = $3)))";
            let found = first(c, sql, values![&group, &user, &app], |row| row.integer(0))?;
            Ok(found.is_some())
        })
        .await
    }

    /// The oldest session of the group that is granted to the user and is not to be deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn session_granted_to(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        user: &EndUserId,
    ) -> Result<Option<PersistentId>> {
        let (account, group, user) = (account.clone(), group.clone(), user.clone());
        self.read(move |c| {
            let sql = "SELECT s.session_id FROM session_users u
                 JOIN sessions s ON s.session_id = u.session_id
                 JOIN app_groups g ON g.group_id = s.group_id
                 WHERE u.end_user_id = $1 AND s.group_id = $2 AND g.account_id = $3
                     AND g.status <> 'DELETING' AND s.desired <> 'DELETED'
                 ORDER BY s.ordinal LIMIT 1";
            first(c, sql, values![&user, &group, &account], |row| {
                word(row.text(0)?, PersistentId::parse)
            })
        })
        .await
    }

    /// The users granted the whole group, sorted bytewise.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn group_users(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
    ) -> Result<Vec<EndUserId>> {
        let (account, group) = (account.clone(), group.clone());
        self.read(move |c| {
            let sql = "SELECT u.end_user_id FROM group_users u JOIN app_groups g ON g.group_id = u.group_id
                 WHERE u.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'";
            let mut users = all(c, sql, values![&group, &account], |row| {
                word(row.text(0)?, EndUserId::parse)
            })?;
            users.sort_unstable();
            Ok(users)
        })
        .await
    }
}

pub(crate) fn is_authorized(
    c: &mut dyn Connection,
    session: &PersistentId,
    user: &EndUserId,
) -> Result<bool> {
    let sql = "SELECT 1 FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
         WHERE s.session_id = $1 AND (g.skip_user_check = 1
             OR (g.auth_mode = 'Session' AND EXISTS (SELECT 1 FROM session_users u
                 WHERE u.session_id = s.session_id AND u.end_user_id = $2))
             OR (g.auth_mode <> 'Session' AND EXISTS (SELECT 1 FROM group_users u
                 WHERE u.group_id = s.group_id AND u.end_user_id = $2))
             OR (g.auth_mode = 'App' AND EXISTS (SELECT 1 FROM app_users u
                 WHERE u.group_id = s.group_id AND u.end_user_id = $2)))";
    Ok(first(c, sql, values![session, user], |row| row.integer(0))?.is_some())
}

/// Grants a user a session within the caller's transaction.
fn grant_session(
    c: &mut dyn Connection,
    session: &PersistentId,
    user: &EndUserId,
    at: Timestamp,
) -> Result<()> {
    c.execute(
        "INSERT INTO session_users (session_id, end_user_id, created_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
        values![session, user, at],
    )?;
    Ok(())
}

/// Grants users a session of the group each, in the order of both, within the caller's transaction. Who finds none
/// left is granted nothing.
pub(crate) fn grant_sessions(
    c: &mut dyn Connection,
    account: &AccountId,
    group: &AppInstanceGroupId,
    users: &[EndUserId],
    at: Timestamp,
) -> Result<()> {
    record_users(c, account, users, at)?;
    let sql = "SELECT session_id FROM sessions WHERE group_id = $1 ORDER BY ordinal LIMIT $2";
    let most = u32::try_from(users.len()).unwrap_or(u32::MAX);
    let sessions = all(c, sql, values![group, most], |row| {
        word(row.text(0)?, PersistentId::parse)
    })?;
    for (session, user) in sessions.iter().zip(users) {
        grant_session(c, session, user, at)?;
    }
    Ok(())
}

/// Grants users a group within the caller's transaction.
pub(crate) fn grant_group(
    c: &mut dyn Connection,
    account: &AccountId,
    group: &AppInstanceGroupId,
    users: &[EndUserId],
    at: Timestamp,
) -> Result<()> {
    record_users(c, account, users, at)?;
    for user in users {
        c.execute(
            "INSERT INTO group_users (group_id, end_user_id, created_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            values![group, user, at],
        )?;
    }
    Ok(())
}

/// Remembers that the account has these users: it has no other list of them yet.
pub(crate) fn record_users(
    c: &mut dyn Connection,
    account: &AccountId,
    users: &[EndUserId],
    at: Timestamp,
) -> Result<()> {
    for user in users {
        c.execute(
            "INSERT INTO end_users (account_id, end_user_id, created_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            values![account, user, at],
        )?;
    }
    Ok(())
}
