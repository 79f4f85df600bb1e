//! Bindings end when their user has been away for longer than the group's `SessionTimeout`.

use super::Progress;
use crate::delivery_group::Settings;
use greenroom_model::{Clock, PersistentId};
use greenroom_store::{Store, StoreError};
use std::sync::Arc;

/// Bindings that one pass ends at most.
const AT_ONCE: u32 = 200;

/// The reconciler of bindings.
pub struct Bindings {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Bindings {
    /// A reconciler over `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Ends every binding whose time has run out. The session goes on, unless its group wants it reset: its
    /// user only has to ask again.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&self) -> Result<Progress, StoreError> {
        let now = self.clock.now();
        let due = self.store.bindings_to_expire(now, AT_ONCE).await?;
        for binding in &due {
            let reason = "the user did not come back in time";
            let reset = self.resets(&binding.session).await?;
            let expired = self.store.expire_binding(&binding.id, reason, reset, now);
            if expired.await? {
                tracing::info!(binding.id = %binding.id, session.id = %binding.session, "a binding has run out");
            }
        }
        let all = due.len() < AT_ONCE as usize;
        Ok(if all { Progress::Done } else { Progress::More })
    }

    /// Whether the session's group has its sessions reset after their users.
    async fn resets(&self, session: &PersistentId) -> Result<bool, StoreError> {
        let record = self.store.session_record(session).await?;
        let settings = record.and_then(|record| Settings::from_json(&record.settings).ok());
        Ok(settings.is_some_and(|settings| settings.reset_after_unbind()))
    }
}

#[cfg(test)]
mod tests {
    use crate::reconcilers::world::{FIRST_APP, World, app};
    use greenroom_model::{AppInstanceGroupId, Desired, NodePoolId, PersistentId, SpecId};
    use greenroom_store::NewSlots;
    use std::time::Duration;

    /// A session that runs, in a group with these settings.
    async fn running(world: &World, settings: &str) -> PersistentId {
        let (other, _) = world.group(1).await;
        let other = world.store.group(&world.account, &other).await;
        let mut spec = other.unwrap().unwrap().made;
        spec.id = AppInstanceGroupId::new(&*world.entropy);
        spec.spec_id = SpecId::new(&*world.entropy);
        spec.pool.id = NodePoolId::new(&*world.entropy);
        spec.settings = settings.to_owned();
        let open = vec![app(FIRST_APP)];
        let slots = NewSlots::new(1, 1, Desired::Running, open, &*world.entropy);
        let session = slots.slots[0].session.clone();
        world
            .store
            .create_group(spec, slots, Vec::new(), None, |_| true)
            .await
            .unwrap();
        world.settle().await;
        session
    }

    #[tokio::test]
    async fn a_session_goes_on_after_its_user_unless_its_group_has_it_reset() {
        for (settings, starts) in [
            ("{}", 0),
            (r#"{"SecurityPolicy":{"ResetAfterUnbind":false}}"#, 0),
            (r#"{"SecurityPolicy":{"ResetAfterUnbind":true}}"#, 1),
        ] {
            let world = World::new().await;
            let session = running(&world, settings).await;
            world.open_task(&session, FIRST_APP).await;
            world.settle().await;
            let before = world.fake.spawns();
            world.wait(Duration::from_secs(15 * 60 - 1)).await;
            assert_eq!(world.store.open_bindings(&session).await.unwrap().len(), 1);
            world.wait(Duration::from_secs(1)).await;
            assert_eq!(world.store.open_bindings(&session).await.unwrap(), []);
            world.wait(Duration::from_secs(5)).await;
            assert_eq!(world.fake.spawns() - before, starts, "{settings}");
        }
    }
}
