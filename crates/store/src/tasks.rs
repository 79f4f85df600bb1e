//! Ticket tasks: a user asked for an app, and polls until it has drawn.

use crate::connection::{Row, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::{Store, bindings, reconcile, sessions};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceId, Ask, BindingId, Desired, EndUserId,
    PersistentId, TaskStatus, Timestamp,
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
    /// The session, which must be the group's.
    pub session: PersistentId,
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

/// A ticket task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketTask {
    /// Its id.
    pub id: String,
    /// Whose call it was.
    pub account: AccountId,
    /// The group.
    pub group: AppInstanceGroupId,
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
        t.end_user_id, t.app_id, t.app_arguments, t.status, t.reason, t.created_at
    FROM ticket_tasks t JOIN sessions s ON s.session_id = t.session_id";

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
    })
}

impl Store {
    /// Opens a task: the user holds the session from now on, a session that is meant to be stopped is asked
    /// to start, and its reconciler is told that an app is wanted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has no such session in such a group or it is to be
    /// deleted, [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn open_task(&self, new: NewTask, nonce: Option<Nonce>) -> Result<TicketTask> {
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql =
                "SELECT s.desired FROM sessions s JOIN app_groups g ON g.group_id = s.group_id
                 WHERE s.session_id = $1 AND s.group_id = $2 AND g.account_id = $3
                     AND g.status <> 'DELETING' AND s.desired <> 'DELETED'";
            let desired = first(
                c,
                sql,
                values![&new.session, &new.group, &new.account],
                |row| word(row.text(0)?, Desired::parse),
            )?
            .ok_or(StoreError::NotFound("session"))?;
            let binding = bindings::hold(c, &new.binding, &new.session, &new.user, new.created)?;
            if desired == Desired::Stopped {
                let author = format!("user {}", new.user);
                sessions::ask(c, &new.session, Ask::Start, &author, new.created)?;
            } else {
                reconcile::wake(c, &new.session, new.created)?;
            }
            c.execute(
                "INSERT INTO ticket_tasks (task_id, account_id, session_id, binding_id, end_user_id,
                     app_id, app_arguments, status, reason, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'Running', '', $8)",
                values![
                    &new.id,
                    &new.account,
                    &new.session,
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

    /// Ends a task that waits, as `Finished` or `Failed`; `false` when it waits no more.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn finish_task(&self, id: &str, status: TaskStatus, reason: &str) -> Result<bool> {
        let (id, reason) = (id.to_owned(), reason.to_owned());
        self.write(move |c| {
            let changed = c.execute(
                "UPDATE ticket_tasks SET status = $2, reason = $3
                 WHERE task_id = $1 AND status = 'Running'",
                values![id, status.as_str(), reason],
            )?;
            Ok(changed > 0)
        })
        .await
    }
}
