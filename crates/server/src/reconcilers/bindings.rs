//! Bindings end when their user has been away for longer than the group's `SessionTimeout`.

use super::Progress;
use greenroom_model::Clock;
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

    /// Ends every binding whose time has run out. The session goes on: its user only has to ask again.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&self) -> Result<Progress, StoreError> {
        let now = self.clock.now();
        let due = self.store.bindings_to_expire(now, AT_ONCE).await?;
        for binding in &due {
            let reason = "the user did not come back in time";
            if self.store.end_binding(&binding.id, reason, now).await? {
                tracing::info!(binding.id = %binding.id, session.id = %binding.session, "a binding has run out");
            }
        }
        let all = due.len() < AT_ONCE as usize;
        Ok(if all { Progress::Done } else { Progress::More })
    }
}
