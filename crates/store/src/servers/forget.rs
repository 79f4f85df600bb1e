//! Servers that will not come back: what lived there is placed anew, without what only that machine had.

use super::{ServerStanding, known};
use crate::connection::{Connection, values};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::reconcile::{self, Observation, SessionRecord};
use crate::{Store, history, images};
use greenroom_model::session::app_instance::{self, Apps};
use greenroom_model::{PersistentStatus, ServerId, Timestamp};

impl Store {
    /// Forgets a server that is taken for lost: nobody may join under its id again, and its sessions live nowhere,
    /// to be taken in by another server with a new home. Answers how many those are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a server that is not there, [`StoreError::Conflict`] for one that is not taken
    /// for lost, [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn forget_server(
        &self,
        id: &ServerId,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<usize> {
        let id = id.clone();
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            match known(c, &id)?.map(|server| server.standing) {
                None | Some(ServerStanding::Forgotten) => {
                    return Err(StoreError::NotFound("server"));
                }
                Some(ServerStanding::Member) => return Err(StoreError::Conflict("the server")),
                Some(ServerStanding::Lost) => {}
            }
            let sessions = reconcile::living_on(c, &id)?;
            for session in &sessions {
                unsettle(c, session, &id, at)?;
            }
            let sql = "UPDATE sessions SET server_id = NULL
                 WHERE server_id = $1 AND status <> 'DELETED'";
            c.execute(sql, values![&id])?;
            let sql = "UPDATE servers SET forgotten_at = $2, sessions = 0 WHERE server_id = $1";
            let now = c.now()?;
            c.execute(sql, values![&id, now])?;
            images::forget(c, &id, at)?;
            Ok(sessions.len())
        })
        .await
    }
}

/// Writes of a session what is known once its server is forgotten: nothing of it runs where anybody could reach
/// it, and its home is not to be had.
fn unsettle(
    c: &mut dyn Connection,
    session: &SessionRecord,
    server: &ServerId,
    at: Timestamp,
) -> Result<()> {
    use PersistentStatus as S;
    let status = match session.status {
        S::Starting | S::Running | S::Stopping | S::Unavailable => S::Unavailable,
        // They say what is to become of it, not that anything runs.
        other @ (S::Pending | S::Stopped | S::Rebuilding | S::Deleting | S::Deleted) => other,
    };
    let carried = app_instance::of_session(session.auth_mode, status, Apps::Launched);
    let seen = Observation {
        status,
        status_reason: format!("its server {server} was forgotten, and its home with it"),
        instance_status: app_instance::step(session.instance_status, carried),
        asked: session.asked,
        failures: session.failures,
        home_lost: true,
        handle: None,
        opened_apps: session.opened_apps.clone(),
        wake_at: Some(at),
        at,
        // Who it was is in the audit trail of the installation, and not for every account.
        by: "the operator".to_owned(),
    };
    let before = history::standing(c, &session.id)?;
    reconcile::update(c, &session.id, session.generation, &seen)?;
    history::seen(c, &session.id, &before, &seen)
}
