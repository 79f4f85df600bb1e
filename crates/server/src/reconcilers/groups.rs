//! Groups follow their sessions: published once each has settled, gone once each is deleted.

use super::Progress;
use greenroom_model::{Clock, GroupStatus, PersistentStatus, Timestamp};
use greenroom_store::{SettlingGroup, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The reconciler of groups.
pub struct Groups {
    store: Store,
    clock: Arc<dyn Clock>,
    /// How long what was deleted stays listed.
    kept: Duration,
    next_purge: Timestamp,
}

/// What is listed an hour and a minute too long hurts nobody; a purge in every pass would.
const PURGES: Duration = Duration::from_secs(60);

impl Groups {
    /// A reconciler over `store`; what was deleted is removed for good after `kept`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, kept: Duration) -> Self {
        Self {
            store,
            clock,
            kept,
            next_purge: Timestamp(i64::MIN),
        }
    }

    /// Moves every group that can be moved, and removes what has been deleted for long enough.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&mut self) -> Result<Progress, StoreError> {
        for group in self.store.groups_settling().await? {
            match group.status {
                GroupStatus::Deploying => {
                    if let Some((status, reason)) = settled(&group) {
                        self.store
                            .set_group_status(&group.id, status, &reason)
                            .await?;
                        tracing::info!(group.id = %group.id, to = %status, reason, "a group has moved");
                    }
                }
                GroupStatus::Deleting => {
                    if self
                        .store
                        .group_deleted(&group.id, self.clock.now())
                        .await?
                    {
                        tracing::info!(group.id = %group.id, "a group is deleted");
                    }
                }
                GroupStatus::Published | GroupStatus::Failed => {}
            }
        }
        self.purge(self.clock.now()).await
    }

    async fn purge(&mut self, now: Timestamp) -> Result<Progress, StoreError> {
        if now < self.next_purge {
            return Ok(Progress::Done);
        }
        let kept = i64::try_from(self.kept.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(now.0.saturating_sub(kept));
        // It takes a bounded number of rows at a time, so that other writes get their turn.
        if self.store.purge_deleted(before, now).await? {
            return Ok(Progress::More);
        }
        self.next_purge = now.after(PURGES);
        Ok(Progress::Done)
    }
}

/// What a group that is being deployed has become, if each of its sessions has become something.
fn settled(group: &SettlingGroup) -> Option<(GroupStatus, String)> {
    use PersistentStatus as S;
    let count = |wanted: &[S]| -> u64 {
        let of = |status: &S| group.sessions.get(status).copied().unwrap_or(0);
        wanted.iter().map(of).sum()
    };
    if count(&[S::Pending, S::Starting, S::Rebuilding]) > 0 {
        return None;
    }
    let usable = count(&[S::Running, S::Stopping, S::Stopped]);
    let failed = count(&[S::Unavailable]);
    if usable == 0 && failed > 0 {
        let reason = group.reason.clone().unwrap_or_default();
        return Some((
            GroupStatus::Failed,
            format!("no session could be started: {reason}"),
        ));
    }
    Some((GroupStatus::Published, String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::AppInstanceGroupId;
    use std::collections::BTreeMap;

    fn group(sessions: &[(PersistentStatus, u64)]) -> SettlingGroup {
        SettlingGroup {
            id: AppInstanceGroupId::parse("aig-0").unwrap(),
            status: GroupStatus::Deploying,
            sessions: sessions.iter().copied().collect::<BTreeMap<_, _>>(),
            reason: Some("it broke".to_owned()),
        }
    }

    #[test]
    fn a_group_is_published_once_every_session_has_settled() {
        use PersistentStatus as S;
        let status = |sessions| settled(&group(sessions)).map(|(status, _)| status);
        assert_eq!(status(&[]), Some(GroupStatus::Published));
        assert_eq!(status(&[(S::Running, 2)]), Some(GroupStatus::Published));
        assert_eq!(status(&[(S::Stopped, 2)]), Some(GroupStatus::Published));
        assert_eq!(status(&[(S::Running, 1), (S::Pending, 1)]), None);
        assert_eq!(
            status(&[(S::Running, 1), (S::Unavailable, 1)]),
            Some(GroupStatus::Published)
        );
    }

    #[test]
    fn a_group_without_one_usable_session_has_failed_and_says_why() {
        let (status, reason) = settled(&group(&[(PersistentStatus::Unavailable, 2)])).unwrap();
        assert_eq!(status, GroupStatus::Failed);
        assert!(reason.contains("it broke"), "{reason}");
    }
}
