//! Ticket tasks: a user asked for an app, and polls until it has drawn.

use crate::connection::{Connection, Row, Value, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::servers::{self, Lease};
use crate::{Store, audit, bindings, reconcile, sessions};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceId, Ask, AuthMode, BindingId, Desired,
    EndUserId, PersistentId, ServerId, TaskStatus, Timestamp,
};

/// A ticket task to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Its id.
    pub id: String,
    /// Whose call it is.
    pub account: AccountId,
    /// The group, which must be the account's.
    pub group: AppInstanceGroupId,
    /// Which session of the group's.
    pub wanted: Wanted,
    /// Who is to come in.
    pub user: EndUserId,
    /// What is to be open for them.
    pub app: AppId,
    /// With which arguments.
    pub arguments: String,
    /// The id of the user's binding, if they do not hold the session yet.
    pub binding: BindingId,
    /// Now.
    pub created: Timestamp,
}

/// Which session a task is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Session(PersistentId),
    /// The ordinary session that the user holds, else the oldest that is free; on this instance, if one is named.
    Ordinary(Option<AppInstanceId>),
}

/// A ticket task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketTask {
    /// Its id.
    pub id: String,
    /// Whose call it was.
    pub account: AccountId,
    /// The group.
    pub group: AppInstanceGroupId,
    /// What the group gives out.
    pub auth_mode: AuthMode,
    /// The session.
    pub session: PersistentId,
    /// The app instance that carries the session now.
    pub instance: AppInstanceId,
    /// The user's hold on the session, to mint tickets for.
    pub binding: BindingId,
    /// Who is to come in.
    pub user: EndUserId,
    /// What is to be open for them.
    pub app: AppId,
    /// With which arguments.
    pub arguments: String,
    /// How far it is.
    pub status: TaskStatus,
    /// Why it failed; else empty.
    pub reason: String,
    /// When it was opened.
    pub created: Timestamp,
}

const TASK: &str =
    "SELECT t.task_id, t.account_id, s.group_id, t.session_id, s.instance_id, t.binding_id,
        t.end_user_id, t.app_id, t.app_arguments, t.status, t.reason, t.created_at, g.auth_mode
    FROM ticket_tasks t JOIN sessions s ON s.session_id = t.session_id
        JOIN app_groups g ON g.group_id = s.group_id";

fn task(row: &dyn Row) -> Result<TicketTask> {
    Ok(TicketTask {
        id: row.text(0)?.to_owned(),
        account: word(row.text(1)?, AccountId::parse)?,
        group: word(row.text(2)?, AppInstanceGroupId::parse)?,
        session: word(row.text(3)?, PersistentId::parse)?,
        instance: word(row.text(4)?, AppInstanceId::parse)?,
        binding: word(row.text(5)?, BindingId::parse)?,
        user: word(row.text(6)?, EndUserId::parse)?,
        app: word(row.text(7)?, AppId::parse)?,
        arguments: row.text(8)?.to_owned(),
        status: word(row.text(9)?, TaskStatus::parse)?,
        reason: row.text(10)?.to_owned(),
        created: Timestamp(row.integer(11)?),
        auth_mode: word(row.text(12)?, AuthMode::parse)?,
    })
}

impl Store {
    /// Opens a task: the user holds the session from now on, a session that is meant to be stopped is asked
    /// to start, and its reconciler is told that an app is wanted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has no such session in such a group or it is to be
    /// deleted, [`StoreError::NoRoom`] when no ordinary session is free, [`StoreError::NonceReplayed`], or the
    /// database could not be written.
    pub async fn open_task(&self, new: NewTask, nonce: Option<Nonce>) -> Result<TicketTask> {
        let call = self.call.clone();
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let (session, desired) = choose(c, &new)?;
            audit::tells(call.as_ref(), "AppInstanceGroupId", new.group.as_str());
            audit::tells(call.as_ref(), "AppInstancePersistentId", session.as_str());
            audit::tells(call.as_ref(), "TaskId", &new.id);
            let binding = bindings::hold(c, &new.binding, &session, &new.user, new.created)?;
            if desired == Desired::Stopped {
                let author = format!("user {}", new.user);
                sessions::ask(c, &session, Ask::Start, &author, new.created)?;
            } else {
                reconcile::wake(c, &session, new.created)?;
            }
            c.execute(
                "INSERT INTO ticket_tasks (task_id, account_id, session_id, binding_id, end_user_id,
                     app_id, app_arguments, status, reason, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'Running', '', $8)",
                values![
                    &new.id,
                    &new.account,
                    &session,
                    &binding,
                    &new.user,
                    &new.app,
                    &new.arguments,
                    new.created
                ],
            )?;
            first(
                c,
                &format!("{TASK} WHERE t.task_id = $1"),
                values![&new.id],
                task,
            )?
            .ok_or(StoreError::NotFound("task"))
        })
        .await
    }

    /// The account's task with this id.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn task(&self, account: &AccountId, id: &str) -> Result<Option<TicketTask>> {
        let (account, id) = (account.clone(), id.to_owned());
        self.read(move |c| {
            let sql = format!("{TASK} WHERE t.task_id = $1 AND t.account_id = $2");
            first(c, &sql, values![id, &account], task)
        })
        .await
    }

    /// The tasks that wait for an app of this session, oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn running_tasks_of(&self, session: &PersistentId) -> Result<Vec<TicketTask>> {
        let session = session.clone();
        self.read(move |c| {
            let sql = format!(
                "{TASK} WHERE t.session_id = $1 AND t.status = 'Running' ORDER BY t.created_at, t.task_id"
            );
            all(c, &sql, values![&session], task)
        })
        .await
    }

    /// The tasks that wait for sessions of a server, oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn tasks_waiting_for(
        &self,
        server: &ServerId,
        limit: u32,
    ) -> Result<Vec<TicketTask>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = format!(
                "{TASK} WHERE t.status = 'Running' AND s.server_id = $1
                 ORDER BY t.created_at, t.task_id LIMIT $2"
            );
            all(c, &sql, values![&server, limit], task)
        })
        .await
    }

    /// Ends a task that waits, as `Finished` or `Failed`; `false` when it waits no more.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the task's session is not the server's to write of, or the database could not
    /// be written.
    pub async fn finish_task(
        &self,
        by: &Lease,
        id: &str,
        status: TaskStatus,
        reason: &str,
    ) -> Result<bool> {
        let (by, id, reason) = (by.clone(), id.to_owned(), reason.to_owned());
        self.write(move |c| {
            let sql = "SELECT session_id FROM ticket_tasks WHERE task_id = $1";
            let session = first(c, sql, values![&id], |row| {
                word(row.text(0)?, PersistentId::parse)
            })?;
            let Some(session) = session else {
                return Ok(false);
            };
            servers::check(c, &by, &session)?;
            let changed = c.execute(
                "UPDATE ticket_tasks SET status = $2, reason = $3
                 WHERE task_id = $1 AND status = 'Running'",
                values![&id, status.as_str(), reason],
            )?;
            Ok(changed > 0)
        })
        .await
    }
}

/// The session that a task is for, and what it is meant to be.
fn choose(c: &mut dyn Connection, new: &NewTask) -> Result<(PersistentId, Desired)> {
    match &new.wanted {
        Wanted::Session(session) => {
            let named = Among {
                rows: "sessions s",
                condition: "s.session_id = $3",
                about: session.into(),
            };
            let found = one_of(c, new, named, None)?;
            found.ok_or(StoreError::NotFound("session"))
        }
        Wanted::Ordinary(instance) => {
            let held = one_of(c, new, held_by(&new.user), instance.as_ref())?;
            if let Some(found) = held {
                return Ok(found);
            }
            let free = one_of(c, new, free(), instance.as_ref())?;
            free.ok_or(StoreError::NoRoom)
        }
    }
}

/// Where a session is looked for: in `rows`, where `condition` holds about `$3`.
struct Among {
    rows: &'static str,
    condition: &'static str,
    about: Value,
}

/// The ordinary sessions that the user holds. They are few: SQLite goes from left to right where it says CROSS.
fn held_by(user: &EndUserId) -> Among {
    Among {
        rows: "bindings b CROSS JOIN sessions s",
        condition: "g.auth_mode <> 'Session' AND b.session_id = s.session_id
            AND b.end_user_id = $3 AND b.ended_at IS NULL",
        about: user.into(),
    }
}

/// The ordinary sessions that are free. Whoever is bound is in the status; what is asked of it is still to come. On a
/// server that is taken for lost nothing can be started.
fn free() -> Among {
    Among {
        rows: "sessions s",
        // The words of the index `sessions_free`, which no parameter may stand for.
        condition: "g.auth_mode <> $3 AND s.instance_status = 'IDLE' AND s.desired = 'STOPPED'
            AND s.asked IS NULL AND NOT EXISTS (SELECT 1 FROM servers v
                WHERE v.server_id = s.server_id AND v.lost_at IS NOT NULL)",
        about: AuthMode::Session.as_str().into(),
    }
}

impl Among {
    /// The oldest of the group `$1` of the account `$2`; on the instance `$4`, if one is named.
    fn sql(&self, on_instance: bool) -> String {
        let Self {
            rows, condition, ..
        } = self;
        let on_it = if on_instance {
            " AND s.instance_id = $4"
        } else {
            ""
        };
        format!(
            "SELECT s.session_id, s.desired FROM {rows} JOIN app_groups g ON g.group_id = s.group_id
             WHERE s.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'
                 AND s.desired <> 'DELETED' AND {condition}{on_it} ORDER BY s.ordinal LIMIT 1"
        )
    }
}

/// The oldest such session of the task's group.
fn one_of(
    c: &mut dyn Connection,
    new: &NewTask,
    among: Among,
    instance: Option<&AppInstanceId>,
) -> Result<Option<(PersistentId, Desired)>> {
    let sql = among.sql(instance.is_some());
    let mut parameters = values![&new.group, &new.account].to_vec();
    parameters.push(among.about);
    parameters.extend(instance.map(Value::from));
    first(c, &sql, &parameters, |row| {
        Ok((
            word(row.text(0)?, PersistentId::parse)?,
            word(row.text(1)?, Desired::parse)?,
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate;
    use crate::sqlite::Sqlite;

    #[test]
    fn what_is_held_and_what_is_free_is_found_without_looking_through_a_group() {
        let mut c = Sqlite::in_memory().unwrap();
        migrate::run(&mut c).unwrap();
        let mut plan = |among: &Among| {
            let sql = format!("EXPLAIN QUERY PLAN {}", among.sql(false));
            let parameters = values!["aig-1", "1", "about"];
            let steps = all(&mut c, &sql, parameters, |row| Ok(row.text(3)?.to_owned()));
            steps.unwrap().join("; ")
        };
        let free = plan(&free());
        assert!(free.contains("sessions_free"), "{free}");
        let held = plan(&held_by(&EndUserId::parse("alice").unwrap()));
        assert!(held.contains("bindings_by_user"), "{held}");
        assert!(!held.contains("sessions_position"), "{held}");
    }
}
