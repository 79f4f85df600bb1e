//! This server among those of its database: its lease, which it renews while it lives.

use greenroom_model::ServerId;
use greenroom_store::{Lease, NewServer, Renewal, Store, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a server may be silent before the others take it for lost: three heartbeats.
pub const LEASE: Duration = Duration::from_secs(9);

/// The membership of one server. Clones share it.
#[derive(Clone)]
pub struct Membership(Arc<Inner>);

struct Inner {
    store: Store,
    server: NewServer,
    lasts: Duration,
    standing: Mutex<Standing>,
}

#[derive(Debug, Clone)]
enum Standing {
    /// The lease is ours.
    Member { lease: Lease, others: usize },
    /// Another process has joined as this server, and this one must touch nothing any more.
    Replaced,
    /// Others have its sessions now, and it must touch nothing any more.
    Forgotten,
}

impl Membership {
    /// Joins with a lease that lasts so long without being renewed.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn join(
        store: Store,
        server: NewServer,
        lasts: Duration,
    ) -> Result<Self, StoreError> {
        let lease = store.join(server.clone(), lasts).await?;
        let joined = Self(Arc::new(Inner {
            store,
            server,
            lasts,
            standing: Mutex::new(Standing::Member { lease, others: 0 }),
        }));
        // Only a renewal says who else is there.
        joined.renew().await?;
        Ok(joined)
    }

    /// This server.
    #[must_use]
    pub fn id(&self) -> &ServerId {
        &self.0.server.id
    }

    /// How long a lease lasts.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.0.lasts
    }

    /// What this server shows when it writes of its sessions; `None` when they are not its own any more.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        match &*self.standing() {
            Standing::Member { lease, .. } => Some(lease.clone()),
            Standing::Replaced | Standing::Forgotten => None,
        }
    }

    /// Whether no other server had a lease when this one was last renewed.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(&*self.standing(), Standing::Member { others: 0, .. })
    }

    /// Renews the lease; joins again when another server has taken this one for lost.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let Some(lease) = self.lease() else {
            return Ok(());
        };
        let inner = &*self.0;
        let renewed = inner.store.renew(&lease, inner.lasts).await?;
        *self.standing() = match renewed {
            Renewal::Held { others } => Standing::Member { lease, others },
            Renewal::Lost => {
                tracing::warn!(server.id = %inner.server.id, "other servers had taken this one for lost; it joins again");
                let lease = inner.store.join(inner.server.clone(), inner.lasts).await?;
                Standing::Member { lease, others: 1 }
            }
            Renewal::Replaced => {
                tracing::error!(server.id = %inner.server.id, "another process serves as this server: no two may have copies of one data folder");
                Standing::Replaced
            }
            Renewal::Forgotten => {
                tracing::error!(server.id = %inner.server.id, "this server was forgotten, and what lived on it lives elsewhere: it needs a new data folder");
                Standing::Forgotten
            }
        };
        Ok(())
    }

    /// Renews the lease for ever, three times before it is over.
    pub async fn keep(self) {
        let mut heartbeat = tokio::time::interval(self.0.lasts / 3);
        loop {
            heartbeat.tick().await;
            if let Err(error) = self.renew().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the lease cannot be renewed");
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // It is whole at every moment, so a panic elsewhere does not spoil it.
        self.0
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(3600);

    fn server(id: &str) -> NewServer {
        NewServer {
            id: ServerId::parse(id).unwrap(),
            address: String::new(),
            processors: 4,
        }
    }

    #[tokio::test]
    async fn a_server_that_was_taken_for_lost_joins_again_at_its_next_heartbeat() {
        let store = Store::in_memory().unwrap();
        let late = Membership::join(store.clone(), server("srv-late"), Duration::ZERO);
        let late = late.await.unwrap();
        let before = late.lease().unwrap();
        let judge = store.join(server("srv-judge"), LASTS).await.unwrap();
        // Its lease was over when it was given; the clock only has to move on.
        while store
            .take_for_lost(&judge, Duration::ZERO)
            .await
            .unwrap()
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        late.renew().await.unwrap();
        let after = late.lease().unwrap();
        assert!(after.epoch > before.epoch + 1, "{before:?} {after:?}");
    }

    #[tokio::test]
    async fn a_server_whose_place_was_taken_touches_nothing_any_more() {
        let store = Store::in_memory().unwrap();
        let join = || Membership::join(store.clone(), server("srv-one"), LASTS);
        let (old, new) = (join().await.unwrap(), join().await.unwrap());
        old.renew().await.unwrap();
        new.renew().await.unwrap();
        assert_eq!(old.lease(), None);
        assert!(new.lease().is_some());
        old.renew().await.unwrap();
        assert_eq!(old.lease(), None);
    }

    #[tokio::test]
    async fn a_server_knows_whether_it_is_alone() {
        let store = Store::in_memory().unwrap();
        let one = Membership::join(store.clone(), server("srv-one"), LASTS);
        let one = one.await.unwrap();
        assert!(one.is_alone());
        store.join(server("srv-other"), LASTS).await.unwrap();
        one.renew().await.unwrap();
        assert!(!one.is_alone());
    }
}
