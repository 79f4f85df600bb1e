//! What `/metrics` says of the servers and of the sessions of this one, as the database has it.

use super::family;
use greenroom_model::{PersistentStatus, ServerId};
use greenroom_store::{ServerStanding, Store, StoreError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a count is good for: it looks at every session, and anybody may ask for it.
const AGE: Duration = Duration::from_secs(15);

/// How long the database may take to count; without an answer the figures are left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts what lives on one server, now and then.
pub struct Census {
    store: Store,
    server: ServerId,
    /// The last count and when it was made. Who asks meanwhile waits for it instead of counting too.
    last: Mutex<Option<(Instant, Option<Count>)>>,
}

#[derive(Debug, Clone)]
struct Count {
    sessions: BTreeMap<PersistentStatus, u64>,
    active: usize,
    lost: usize,
    holds_lease: bool,
}

impl Census {
    /// A census of the sessions on `server`.
    #[must_use]
    pub fn new(store: Store, server: ServerId) -> Self {
        Self {
            store,
            server,
            last: Mutex::new(None),
        }
    }

    /// Writes the figures as Prometheus reads them; none when the database does not tell.
    pub async fn render(&self, text: &mut String) {
        let mut last = self.last.lock().await;
        let count = match &*last {
            Some((at, count)) if at.elapsed() < AGE => count.clone(),
            _ => {
                let counted = tokio::time::timeout(PATIENCE, self.count()).await;
                let count = counted.ok().and_then(Result::ok);
                *last = Some((Instant::now(), count.clone()));
                count
            }
        };
        drop(last);
        if let Some(count) = count {
            count.render(text);
        }
    }

    async fn count(&self) -> Result<Count, StoreError> {
        let servers = self.store.servers().await?;
        let of = |standing| servers.iter().filter(|it| it.standing == standing).count();
        Ok(Count {
            sessions: self.store.count_sessions(&self.server).await?,
            active: of(ServerStanding::Member),
            lost: of(ServerStanding::Lost),
            holds_lease: servers
                .iter()
                .any(|it| it.id == self.server && it.standing == ServerStanding::Member),
        })
    }
}

impl Count {
    fn render(&self, text: &mut String) {
        let statuses = PersistentStatus::ALL.iter().map(|status| {
            let count = self.sessions.get(status).copied().unwrap_or(0);
            (format!("{{status=\"{status}\"}}"), count as f64)
        });
        family(
            text,
            "greenroom_sessions",
            "gauge",
            "Sessions that live on this server, by status.",
            statuses,
        );
        family(
            text,
            "greenroom_servers",
            "gauge",
            "Servers that share the database, by whether they are heard.",
            [
                ("{status=\"ACTIVE\"}".to_owned(), self.active as f64),
                ("{status=\"LOST\"}".to_owned(), self.lost as f64),
            ],
        );
        family(
            text,
            "greenroom_lease_held",
            "gauge",
            "Whether this server has its lease: 0 when others took it for lost or it was forgotten.",
            [(String::new(), f64::from(u8::from(self.holds_lease)))],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::TestServer;

    async fn rendered(census: &Census) -> String {
        let mut text = String::new();
        census.render(&mut text).await;
        text
    }

    #[tokio::test]
    async fn sessions_are_counted_on_the_server_where_they_live_and_not_at_every_call() {
        let server = TestServer::start().await;
        server.create_group_of_two().await;
        let lost = server.lost_server().await;
        let own = server.lease().await.server;
        let census = |id: &ServerId| Census::new(server.store.clone(), id.clone());
        let (here, there) = (census(&own), census(&lost));
        let text = rendered(&there).await;
        for line in [
            "greenroom_sessions{status=\"PENDING\"} 2\n",
            "greenroom_sessions{status=\"RUNNING\"} 0\n",
            "greenroom_servers{status=\"ACTIVE\"} 2\n",
            "greenroom_servers{status=\"LOST\"} 1\n",
            "greenroom_lease_held 0\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let text = rendered(&here).await;
        assert!(text.contains("greenroom_lease_held 1\n"), "{text}");
        assert!(text.contains("{status=\"PENDING\"} 0\n"), "{text}");
        server.create_group_of_two().await;
        server.lease().await;
        assert_eq!(rendered(&here).await, text, "it is too soon to count again");
        let text = rendered(&census(&own)).await;
        assert!(text.contains("{status=\"PENDING\"} 2\n"), "{text}");
    }
}
