//! Groups get more nodes and lose them again as their strategies say.
//!
//! Nothing that is decided here takes a session from anybody: what goes is held by nobody and granted to
//! nobody. A group keeps what its own nodes are; those change only by an operation.

use super::Progress;
use crate::catalogue::{Catalogue, own};
use crate::delivery_group::{Change, NodePool, Usage, decide, idle_before};
use greenroom_model::{AppInstanceGroupId, Clock, Entropy, NodePoolId, Timestamp};
use greenroom_store::{Group, Leave, Shape, Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Groups that one pass looks at.
const AT_ONCE: u32 = 50;

/// The shortest time between two looks at a group: a thousand users who come at once are no reason to count
/// them a thousand times.
const LOOKS: Duration = Duration::from_secs(1);

/// Whose wish it is, in the history of the sessions that go.
const AUTHOR: &str = "the scaling of the group";

/// What new nodes are made from.
#[derive(Clone)]
pub struct Supply {
    /// The room there is, and what sessions open.
    pub catalogue: Arc<Catalogue>,
    /// For ids.
    pub entropy: Arc<dyn Entropy>,
}

/// The reconciler of capacity.
pub struct Capacity {
    store: Store,
    clock: Arc<dyn Clock>,
    supply: Supply,
    /// The last pool that was looked at, while there are more.
    after: Option<NodePoolId>,
    next_look: Timestamp,
    /// The groups there was no room for, in this look at all and in the one before.
    short: BTreeSet<AppInstanceGroupId>,
    short_before: BTreeSet<AppInstanceGroupId>,
}

impl Capacity {
    /// A reconciler over `store`, which makes nodes from `supply`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, supply: Supply) -> Self {
        Self {
            store,
            clock,
            supply,
            after: None,
            next_look: Timestamp(i64::MIN),
            short: BTreeSet::new(),
            short_before: BTreeSet::new(),
        }
    }

    /// Gives some groups the nodes that their strategies call for now, as far as there is room.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&mut self) -> Result<Progress, StoreError> {
        let now = self.clock.now();
        if self.after.is_none() && now < self.next_look {
            return Ok(Progress::Done);
        }
        let after = self.after.take();
        let groups = self.store.scaling_groups(after.as_ref(), AT_ONCE).await?;
        for group in &groups {
            self.look_at(group, now).await?;
        }
        if groups.len() == AT_ONCE as usize {
            self.after = groups.last().map(|group| group.made.pool.id.clone());
            return Ok(Progress::More);
        }
        self.short_before = std::mem::take(&mut self.short);
        self.next_look = now.after(LOOKS);
        Ok(Progress::Done)
    }

    async fn look_at(&mut self, group: &Group, now: Timestamp) -> Result<(), StoreError> {
        let id = &group.made.id;
        let pool: NodePool = match serde_json::from_str(&group.made.pool.strategy) {
            Ok(pool) => pool,
            Err(error) => {
                tracing::error!(group.id = %id, %error, "a group's strategy in the database cannot be read");
                return Ok(());
            }
        };
        let idle_since = idle_before(&pool, now);
        let usage = Usage {
            shape: group.shape(),
            used: self.store.pool_usage(id, idle_since).await?,
            scaled_at: group.scaled_at,
        };
        let Some(scaling) = decide(&pool, &usage, now) else {
            return Ok(());
        };
        let change = Change {
            group,
            to: Shape {
                scaling,
                ..group.shape()
            },
            leave: Leave::IdleSince(idle_since),
            bought: Vec::new(),
            strategy: None,
            order: None,
            author: AUTHOR.to_owned(),
        };
        let (from, in_use) = (group.scaling_nodes, usage.used.in_use);
        let Supply { catalogue, entropy } = &self.supply;
        let catalogue = own::offered(catalogue, &self.store, &group.made.account).await?;
        match change
            .carry_out(&self.store, &catalogue, &**entropy, None, now)
            .await
        {
            Ok(()) => {
                tracing::info!(group.id = %id, from, to = scaling, in_use, "a group's nodes were scaled");
            }
            Err(StoreError::NoRoom) => {
                // It stays so for as long as it stays so, and would fill the log.
                if !self.short_before.contains(id) {
                    tracing::warn!(group.id = %id, from, to = scaling, in_use, "a group cannot be scaled: there is no room for more nodes");
                }
                self.short.insert(id.clone());
            }
            // Somebody was faster. The next look sees what has become of it.
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
