//! The task that looks after the audit trail: it writes what was counted, and removes what is old.

use super::refusals::{self, Refusals};
use greenroom_model::{Clock, Timestamp};
use greenroom_store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often what was counted is written.
const MINUTE: Duration = Duration::from_secs(60);

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The task. Dropping it without [`Keeper::stop`] leaves unwritten what was counted last.
#[derive(Debug)]
pub struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Work {
    store: Store,
    refusals: Arc<Refusals>,
    clock: Arc<dyn Clock>,
    /// Days that rows are kept; 0: for ever.
    kept_days: u32,
    /// The start of the day that rows were last removed for.
    trimmed: Timestamp,
}

impl Keeper {
    /// Starts it; rows are kept for so many days, 0: for ever.
    #[must_use]
    pub fn start(
        store: Store,
        refusals: Arc<Refusals>,
        clock: Arc<dyn Clock>,
        kept_days: u32,
    ) -> Self {
        let mut work = Work {
            store,
            refusals,
            clock,
            kept_days,
            trimmed: Timestamp(i64::MIN),
        };
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                work.pass().await;
                tokio::select! {
                    _ = &mut stopped => break,
                    () = tokio::time::sleep(MINUTE) => {}
                }
            }
            work.note(
                "what was counted is not in the audit trail",
                work.flush().await,
            );
        });
        Self { stop, task }
    }

    /// Writes what is still unwritten, and ends.
    pub async fn stop(self) {
        // A task that ended by itself has panicked, and said so.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

impl Work {
    async fn pass(&mut self) {
        self.note(
            "what was counted is not in the audit trail yet",
            self.flush().await,
        );
        let trimmed = self.trim().await;
        self.note("old rows of the audit trail are not removed yet", trimmed);
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let taken = self.refusals.take();
        if taken.is_empty() {
            return Ok(());
        }
        let rows = refusals::rows(&taken, self.clock.now());
        let written = self.store.append_audit(rows).await;
        if written.is_err() {
            self.refusals.put_back(taken);
        }
        written
    }

    /// Once a day, so that there is a checkpoint for each day and not for each minute.
    async fn trim(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let today = now.0 - now.0.rem_euclid(DAY_MS);
        if self.kept_days == 0 || self.trimmed == Timestamp(today) {
            return Ok(());
        }
        let kept = DAY_MS.saturating_mul(i64::from(self.kept_days));
        let before = Timestamp(today.saturating_sub(kept));
        while self.store.trim_audit(before, now).await? {}
        self.trimmed = Timestamp(today);
        Ok(())
    }

    fn note(&self, trouble: &'static str, done: Result<(), StoreError>) {
        if let Err(error) = done {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "{trouble}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::TestServer;
    use greenroom_store::AuditRow;
    use serde_json::json;
    use tokio::time::Instant;

    fn work(server: &TestServer, kept_days: u32) -> Work {
        Work {
            store: server.store.clone(),
            refusals: server.api.refusals(),
            clock: server.clock.clone(),
            kept_days,
            trimmed: Timestamp(i64::MIN),
        }
    }

    /// The rows, once there are so many.
    async fn rows(server: &TestServer, count: usize) -> Vec<AuditRow> {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let rows = server.audit().await;
            if rows.len() == count {
                return rows;
            }
            assert!(Instant::now() < limit, "{rows:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_was_counted_is_written_by_the_minute_and_at_the_end() {
        let server = TestServer::start().await;
        for _ in 0..3 {
            server.unsigned("ListRegions").await;
        }
        let (store, refusals) = (server.store.clone(), server.api.refusals());
        let keeper = Keeper::start(store, refusals, server.clock.clone(), 0);
        let entry = rows(&server, 1).await.remove(0).entry;
        let told = (entry.outcome.as_str(), entry.count, &entry.account);
        let root = Some(server.account_id("acme").clone());
        assert_eq!(told, ("MissingAccessKeyId", 3, &root));
        server.unsigned("ListRegions").await;
        keeper.stop().await;
        assert_eq!(rows(&server, 2).await[1].entry.count, 1);
        work(&server, 0).flush().await.unwrap();
        assert_eq!(server.audit().await.len(), 2, "nothing is written twice");
    }

    #[tokio::test]
    async fn rows_go_once_they_are_older_than_the_days_that_are_kept() {
        let server = TestServer::start().await;
        let day = Duration::from_secs(86_400);
        let mut three_days = work(&server, 3);
        for _ in 0..6 {
            server.ok("CreateGroup", json!({"GroupName": "x"})).await;
            server.ok("DeleteGroup", json!({"GroupName": "x"})).await;
            three_days.pass().await;
            three_days.pass().await;
            server.clock.advance(day);
        }
        // Of the first two days; since each of them was over, a checkpoint was left.
        let rows = server.audit().await;
        assert_eq!(rows[0].sequence, 5);
        let actions = rows.iter().map(|row| row.entry.action.as_str());
        let checkpoints = actions.filter(|it| *it == "RemoveAuditEvents").count();
        assert_eq!((rows.len(), checkpoints), (8 + 2, 2));
        work(&server, 0).pass().await;
        assert_eq!(server.audit().await, rows, "for ever is for ever");
    }
}
