//! Unbinding: users' hold on sessions is ended, and what they left in them goes where a group says so.

use crate::bindings::{self, BINDING, Binding, binding};
use crate::connection::{Connection, Value, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::{Store, reconcile, resize, sessions};
use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceId, Ask, AuthMode, BindingId, EndUserId,
    PersistentId, Timestamp,
};

/// Whose hold on what is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbinding {
    /// The group.
    pub group: AppInstanceGroupId,
    /// The user; everybody, when none is named.
    pub user: Option<EndUserId>,
    /// The session; all of the group's, when none is named.
    pub session: Option<PersistentId>,
    /// The instance that carries the session; whichever, when none is named.
    pub instance: Option<AppInstanceId>,
    /// A session that nobody else holds is reset.
    pub reset: bool,
}

impl Store {
    /// Ends the hold of a user, or of everybody, on sessions of a group, all of them at one moment; answers
    /// which bindings that were. An ordinary session ends with it. Who has none has none afterwards either,
    /// which is no mistake.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (`"group"`, `"session"` or `"instance"`) when the account has no such group
    /// with such a session on such an instance, [`StoreError::NonceReplayed`], or the database could not be
    /// written.
    pub async fn unbind(
        &self,
        account: &AccountId,
        what: Unbinding,
        reason: &str,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<Vec<Binding>> {
        let (account, reason) = (account.clone(), reason.to_owned());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            check(c, &account, &what)?;
            let held = held(c, &what)?;
            for binding in &held {
                end(c, binding, &reason, what.reset, at)?;
            }
            Ok(held)
        })
        .await
    }

    /// Ends a binding whose time has run out, unless its user came back meanwhile; answers whether it did.
    /// With `reset`, a session that nobody else holds is reset.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn expire_binding(
        &self,
        id: &BindingId,
        reason: &str,
        reset: bool,
        at: Timestamp,
    ) -> Result<bool> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write_intent(move |c| {
            let sql = format!(
                "{BINDING} WHERE binding_id = $1 AND ended_at IS NULL AND expires_at <= $2"
            );
            let Some(open) = first(c, &sql, values![&id, at], binding)? else {
                return Ok(false);
            };
            end(c, &open, &reason, reset, at)?;
            Ok(true)
        })
        .await
    }
}

/// Everything that is named exists, and belongs together.
fn check(c: &mut dyn Connection, account: &AccountId, what: &Unbinding) -> Result<()> {
    let sql = "SELECT 1 FROM app_groups
         WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
    first(c, sql, values![&what.group, account], |row| row.integer(0))?
        .ok_or(StoreError::NotFound("group"))?;
    if let Some(session) = &what.session {
        let sql = "SELECT instance_id FROM sessions
             WHERE session_id = $1 AND group_id = $2 AND status <> 'DELETED'";
        let carrier = first(c, sql, values![session, &what.group], |row| {
            word(row.text(0)?, AppInstanceId::parse)
        })?
        .ok_or(StoreError::NotFound("session"))?;
        if what
            .instance
            .as_ref()
            .is_some_and(|named| *named != carrier)
        {
            return Err(StoreError::NotFound("instance"));
        }
    } else if let Some(instance) = &what.instance {
        let sql = "SELECT 1 FROM app_instances
             WHERE instance_id = $1 AND group_id = $2 AND status <> 'DELETED'";
        first(c, sql, values![instance, &what.group], |row| row.integer(0))?
            .ok_or(StoreError::NotFound("instance"))?;
    }
    Ok(())
}

fn held(c: &mut dyn Connection, what: &Unbinding) -> Result<Vec<Binding>> {
    let mut parameters = vec![Value::from(&what.group)];
    let mut condition = String::new();
    let named = [
        ("s.session_id", what.session.as_ref().map(Value::from)),
        ("s.instance_id", what.instance.as_ref().map(Value::from)),
        ("end_user_id", what.user.as_ref().map(Value::from)),
    ];
    for (column, value) in named {
        if let Some(value) = value {
            parameters.push(value);
            condition += &format!(" AND {column} = ${}", parameters.len());
        }
    }
    let sql = format!(
        "{BINDING} WHERE ended_at IS NULL AND EXISTS (SELECT 1 FROM sessions s
             WHERE s.session_id = bindings.session_id AND s.group_id = $1{condition})
         ORDER BY created_at, binding_id"
    );
    all(c, &sql, &parameters, binding)
}

fn end(
    c: &mut dyn Connection,
    binding: &Binding,
    reason: &str,
    reset: bool,
    at: Timestamp,
) -> Result<()> {
    bindings::end(c, binding, reason, at)?;
    // What another user does in the session is not this one's to throw away.
    if bindings::open(c, &binding.session)?.is_empty() {
        let author = format!("the end of {}'s hold", binding.user);
        if !is_persistent(c, &binding.session)? {
            sessions::clear_away(c, &binding.session, &author, at)?;
        } else if reset {
            sessions::ask(c, &binding.session, Ask::Reset, &author, at)?;
        }
        resize::let_go(c, &binding.session, at)?;
    }
    reconcile::wake(c, &binding.session, at)
}

fn is_persistent(c: &mut dyn Connection, session: &PersistentId) -> Result<bool> {
    let sql = "SELECT g.auth_mode FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
         WHERE s.session_id = $1";
    let mode = first(c, sql, values![session], |row| {
        word(row.text(0)?, AuthMode::parse)
    })?;
    Ok(mode.is_none_or(AuthMode::has_persistent_sessions))
}
