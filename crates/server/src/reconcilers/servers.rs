//! Servers that fall silent: what ran there is out of sight, and is said to be.
//!
//! Nothing of theirs is started elsewhere. Its home and its processes are there, and the processes may well run
//! on; the server looks again when it is back, and until then wishes for its sessions wait.

use super::Progress;
use super::membership::Membership;
use greenroom_model::session::app_instance::{self, Apps};
use greenroom_model::{Clock, PersistentStatus, TaskStatus};
use greenroom_store::{
    Lease, Observation, ServerRecord, ServerStanding, SessionRecord, Store, StoreError,
};
use std::sync::Arc;

/// Sessions, and tasks, that one pass writes at most.
const AT_ONCE: u32 = 200;

/// The reconciler of servers.
pub struct Servers {
    store: Store,
    clock: Arc<dyn Clock>,
    membership: Membership,
}

impl Servers {
    /// A reconciler over `store`, for the other servers.
    pub fn new(store: Store, clock: Arc<dyn Clock>, membership: Membership) -> Self {
        Self {
            store,
            clock,
            membership,
        }
    }

    /// This server's own place among them.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Takes servers for lost whose lease is over, and says of what they had that it is out of sight.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&self) -> Result<Progress, StoreError> {
        let Some(lease) = self.membership.lease() else {
            return Ok(Progress::Done);
        };
        let lost = self.store.take_for_lost(&lease, self.membership.lasts());
        for server in lost.await? {
            tracing::warn!(server.id = %server.id, seen = server.seen.to_wire(), "a server is lost");
        }
        let mut progress = Progress::Done;
        for server in self.store.servers().await? {
            if server.standing == ServerStanding::Lost
                && self.lose_sight_of(&lease, &server).await? == Progress::More
            {
                progress = Progress::More;
            }
        }
        Ok(progress)
    }

    async fn lose_sight_of(
        &self,
        by: &Lease,
        server: &ServerRecord,
    ) -> Result<Progress, StoreError> {
        let sessions = self.store.sessions_up_on(&server.id, AT_ONCE).await?;
        for session in &sessions {
            self.lose(by, session, server).await?;
        }
        let tasks = self.store.tasks_waiting_for(&server.id, AT_ONCE).await?;
        for task in &tasks {
            let (failed, reason) = (TaskStatus::Failed, reason(server));
            match self.store.finish_task(by, &task.id, failed, &reason).await {
                // Its server is back, and answers for it.
                Ok(_) | Err(StoreError::Fenced) => {}
                Err(error) => return Err(error),
            }
        }
        let all = sessions.len().max(tasks.len()) < AT_ONCE as usize;
        Ok(if all { Progress::Done } else { Progress::More })
    }

    async fn lose(
        &self,
        by: &Lease,
        session: &SessionRecord,
        server: &ServerRecord,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let status = PersistentStatus::Unavailable;
        let carried = app_instance::of_session(session.auth_mode, status, Apps::Launched);
        let unseen = Observation {
            status,
            status_reason: reason(server),
            instance_status: app_instance::step(session.instance_status, carried),
            asked: session.asked,
            failures: session.failures,
            home_lost: session.home_lost,
            handle: session.handle.clone(),
            opened_apps: session.opened_apps.clone(),
            // Its own server looks at once when it is back.
            wake_at: Some(now),
            at: now,
            by: by.server.to_string(),
        };
        let written = self
            .store
            .record(by, &session.id, session.generation, unseen);
        match written.await {
            Ok(_) => {
                tracing::warn!(session.id = %session.id, server.id = %server.id, "a session is out of sight");
                Ok(())
            }
            // Somebody has a wish for it, or its server is back: the next pass sees which.
            Err(StoreError::Conflict(_) | StoreError::Fenced) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn reason(server: &ServerRecord) -> String {
    let name = match server.address.as_str() {
        "" => server.id.to_string(),
        address => format!("{} ({address})", server.id),
    };
    format!(
        "its server {name} has not been seen since {}",
        server.seen.to_wire()
    )
}
