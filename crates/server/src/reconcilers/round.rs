//! The loop that gives every reconciler its turn: on a hint, when something is due, and now and then anyway.

use super::bindings::Bindings;
use super::capacity::Capacity;
use super::groups::Groups;
use super::membership::Membership;
use super::orphans::{Orphan, is_known};
use super::servers::Servers;
use super::sessions::Sessions;
use super::{Health, Progress};
use crate::runtime::{Changes, Runtime};
use greenroom_model::{Clock, PersistentId, Timestamp};
use greenroom_store::{Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

/// Sessions that are worked on at once: starting one is a fork and some files.
const AT_ONCE: usize = 8;

/// Sessions that one sweep takes from the store.
const BATCH: u32 = 500;

/// The longest time between two sweeps. Hints and due times make most of them sooner.
const SWEEP: Duration = Duration::from_secs(5);

/// The same where there are other servers, whose intent gives no hint here.
const SWEEP_AMONG_OTHERS: Duration = Duration::from_secs(1);

/// How long a new session waits for the emptiest server to take it in.
const PATIENCE: Duration = Duration::from_secs(3);

/// The shortest: a thousand sessions that change at once are no reason for a thousand sweeps.
const BREATH: Duration = Duration::from_millis(20);

/// When a session is tried again whose pass has failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Each of so many sweeps also looks at every session that has a holder, due or not: a hint that was lost
/// costs this long.
const ROUND: u64 = 12;

/// The reconcilers that are given a turn in every sweep.
pub struct Turns {
    pub groups: Groups,
    pub bindings: Bindings,
    pub servers: Servers,
    pub capacity: Capacity,
}

impl Turns {
    async fn pass(&mut self) -> Result<Progress, StoreError> {
        let passes = [
            self.groups.pass().await?,
            self.bindings.pass().await?,
            self.servers.pass().await?,
            self.capacity.pass().await?,
        ];
        let more = passes.contains(&Progress::More);
        Ok(if more { Progress::More } else { Progress::Done })
    }
}

/// All reconcilers, and what wakes them.
pub struct Round<R> {
    sessions: Arc<Sessions<R>>,
    turns: Turns,
    store: Store,
    clock: Arc<dyn Clock>,
    health: Health,
    membership: Membership,
    /// Passes under way; each says whether it succeeded.
    tasks: JoinSet<bool>,
    /// Whose passes they are: no session is worked on by two at once.
    busy: HashMap<tokio::task::Id, PersistentId>,
    waiting: HashSet<PersistentId>,
    /// Those whose last pass failed. The store cannot be asked to remember them: it may be what failed.
    failed: HashSet<PersistentId>,
}

impl<R: Runtime> Round<R> {
    /// A round that has not begun.
    pub fn new(
        sessions: Sessions<R>,
        turns: Turns,
        store: Store,
        clock: Arc<dyn Clock>,
        health: Health,
    ) -> Self {
        Self {
            membership: turns.servers.membership().clone(),
            sessions: Arc::new(sessions),
            turns,
            store,
            clock,
            health,
            tasks: JoinSet::new(),
            busy: HashMap::new(),
            waiting: HashSet::new(),
            failed: HashSet::new(),
        }
    }

    /// Makes one pass over every session that has a holder or is said to have one. `found` are those the
    /// runtime has found; one that the store does not know is told of and left alone.
    pub async fn take_over(&mut self, found: Vec<PersistentId>) -> Result<(), StoreError> {
        // The gateway of this process has just begun, so it serves nobody yet.
        let me = self.membership.id();
        self.store.all_disconnected(me, self.clock.now()).await?;
        self.look_at_all_hosted().await?;
        self.sort_out(found).await?;
        self.begin_passes();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.end_pass(ended);
        }
        Ok(())
    }

    /// Has those looked after that the store knows, and tells of the others.
    async fn sort_out(&mut self, found: Vec<PersistentId>) -> Result<(), StoreError> {
        let before = self.health.report().orphans;
        let mut orphans = Vec::new();
        for session in found {
            if is_known(&self.store, &self.membership, &session).await? {
                self.waiting.insert(session);
            } else if let Some(orphan) = Orphan::seen(&session, &self.sessions.observe(&session)) {
                if !before.contains(&orphan) {
                    tracing::error!(session.id = %session, "{orphan}");
                }
                orphans.push(orphan);
            }
        }
        self.health.lock().orphans = orphans;
        Ok(())
    }

    /// Looks whether what was an orphan still is one: it may have ended, or become known.
    async fn look_at_orphans(&mut self) -> Result<(), StoreError> {
        let orphans = self.health.report().orphans;
        self.sort_out(orphans.into_iter().map(|it| it.session).collect())
            .await
    }

    /// Reconciles for ever.
    pub async fn run(&mut self, changes: Changes) {
        let mut intents = self.store.intents();
        let mut sweeps: u64 = 0;
        let mut swept = Instant::now();
        let mut next = swept;
        let mut failed_at = None;
        loop {
            let retry = match self.failed.is_empty() {
                true => None,
                false => Some(*failed_at.get_or_insert_with(Instant::now) + AGAIN),
            };
            tokio::select! {
                told = changes.next() => {
                    let orphans = self.health.report().orphans;
                    if orphans.iter().any(|orphan| told.contains(&orphan.session)) {
                        // What the store cannot say now it is asked again in the next look at all.
                        let _ = self.look_at_orphans().await;
                    }
                    self.waiting.extend(told);
                }
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.end_pass(ended);
                    // Groups follow their sessions.
                    next = next.min(swept + BREATH);
                }
                // Without a sender there is no store left either; the sweep will say so.
                Ok(()) = intents.changed() => next = next.min(swept + BREATH),
                () = sleep_until(retry.unwrap_or(next)), if retry.is_some() => {
                    self.waiting.extend(self.failed.drain());
                    failed_at = None;
                }
                () = sleep_until(next) => {
                    sweeps += 1;
                    let rest = self.sweep(sweeps.is_multiple_of(ROUND)).await;
                    swept = Instant::now();
                    next = swept + rest.max(BREATH);
                }
            }
            self.begin_passes();
        }
    }

    /// Finds what is to be done; answers how long nothing more will be, as far as is known.
    async fn sweep(&mut self, all: bool) -> Duration {
        let found = self.find_work(all).await;
        let mut report = self.health.lock();
        match found {
            Ok(rest) => {
                report.failure = None;
                report.swept_at = Some(self.clock.now());
                rest
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store cannot be swept"
                );
                report.failure = Some(error.to_string());
                SWEEP
            }
        }
    }

    async fn find_work(&mut self, all: bool) -> Result<Duration, StoreError> {
        let Some(lease) = self.membership.lease() else {
            return Err(StoreError::Fenced);
        };
        let mut rest = match self.membership.is_alone() {
            true => SWEEP,
            false => SWEEP_AMONG_OTHERS,
        };
        let now = self.clock.now();
        let overdue = Timestamp(now.0 - i64::try_from(PATIENCE.as_millis()).unwrap_or(0));
        let placed = self.store.place_sessions(&lease, now, overdue, BATCH);
        if placed.await?.left > 0 {
            rest = SWEEP_AMONG_OTHERS;
        }
        let due = self
            .store
            .sessions_to_act_on(&lease.server, now, BATCH)
            .await?;
        if due.len() == BATCH as usize {
            rest = BREATH;
        }
        self.waiting.extend(due.into_iter().map(|record| record.id));
        if all {
            self.look_at_all_hosted().await?;
            self.look_at_orphans().await?;
        }
        if self.turns.pass().await? == Progress::More {
            rest = BREATH;
        }
        let coming = [
            self.store.next_due(&lease.server).await?,
            self.store.next_expiry().await?,
        ];
        let now = self.clock.now();
        let soonest = coming.into_iter().flatten().map(|at| at.since(now)).min();
        Ok(soonest.map_or(rest, |soonest| soonest.min(rest)))
    }

    async fn look_at_all_hosted(&mut self) -> Result<(), StoreError> {
        let hosted = self.store.running_handles(self.membership.id()).await?;
        self.waiting
            .extend(hosted.into_iter().map(|record| record.id));
        Ok(())
    }

    fn begin_passes(&mut self) {
        while self.tasks.len() < AT_ONCE {
            let busy: HashSet<&PersistentId> = self.busy.values().collect();
            let ready = self.waiting.iter().find(|id| !busy.contains(id));
            let Some(session) = ready.cloned() else {
                return;
            };
            self.waiting.remove(&session);
            let sessions = Arc::clone(&self.sessions);
            let id = session.clone();
            let pass = self
                .tasks
                .spawn(async move { sessions.pass(&id).await.is_ok() });
            self.busy.insert(pass.id(), session);
        }
    }

    fn end_pass(&mut self, ended: Result<(tokio::task::Id, bool), JoinError>) {
        let (pass, succeeded) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a pass over a session has panicked");
                (error.id(), false)
            }
        };
        let session = self.busy.remove(&pass);
        if !succeeded {
            self.failed.extend(session);
        }
        {
            let mut report = self.health.lock();
            report.passes += 1;
            report.failed_passes += u64::from(!succeeded);
        }
        self.begin_passes();
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::reconcilers::world::{FIRST_APP, World, app};
    use crate::reconcilers::{self, Reconcilers};
    use crate::runtime::{Observation, Plan, Runtime, Share};
    use greenroom_model::{Ask, Clock, GroupStatus, PersistentId, PersistentStatus};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    const LIMIT: Duration = Duration::from_secs(20);

    async fn begin(world: &World) -> Reconcilers {
        reconcilers::spawn(
            &Config::default(),
            world.store.clone(),
            Arc::clone(&world.fake),
            world.changes.clone(),
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            world.supply(),
            world.membership.clone(),
        )
        .await
        .unwrap()
    }

    async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let limit = Instant::now() + LIMIT;
        while !holds().await {
            assert!(Instant::now() < limit, "waited in vain until {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn the_loop_acts_on_intent_on_news_and_on_time() {
        let world = World::new().await;
        let reconcilers = begin(&world).await;
        let (group, sessions) = world.group(20).await;
        until("every session runs", async || {
            let mut running = 0;
            for session in &sessions {
                running += u32::from(world.status(session).await == PersistentStatus::Running);
            }
            running == 20
        })
        .await;
        until("the group is published", async || {
            let group = world
                .store
                .group(&world.account, &group)
                .await
                .unwrap()
                .unwrap();
            group.status == GroupStatus::Published
        })
        .await;
        world.fake.die(&sessions[7]);
        until("the death is written down", async || {
            world.status(&sessions[7]).await == PersistentStatus::Unavailable
        })
        .await;
        world.clock.advance(Duration::from_secs(1));
        until("the session is started again", async || {
            world.status(&sessions[7]).await == PersistentStatus::Running
        })
        .await;
        assert_eq!(world.fake.spawns(), 21);
        let report = reconcilers.health().report();
        assert!(
            report.passes >= 20 && report.failed_passes == 0,
            "{report:?}"
        );
        assert_eq!(reconcilers.health().trouble(world.clock.now()), None);
    }

    #[tokio::test]
    async fn a_session_whose_pass_failed_is_tried_again() {
        let world = World::new().await;
        let session = world.running().await;
        let _reconcilers = begin(&world).await;
        world.fake.refuse_releases(true);
        world
            .store
            .ask_sessions(
                &world.account,
                std::slice::from_ref(&session),
                Ask::Stop,
                "root",
                None,
                world.clock.now(),
            )
            .await
            .unwrap();
        until("the session has been told to end", async || {
            world.fake.pid(&session).is_none()
        })
        .await;
        assert_eq!(world.status(&session).await, PersistentStatus::Stopping);
        world.fake.refuse_releases(false);
        until("it is written down that it has ended", async || {
            world.status(&session).await == PersistentStatus::Stopped
        })
        .await;
    }

    #[tokio::test]
    async fn a_new_server_is_ready_only_when_what_is_written_is_what_is_seen() {
        let world = World::new().await;
        let session = world.running().await;
        world.fake.die(&session);
        let _reconcilers = begin(&world).await;
        assert_eq!(world.status(&session).await, PersistentStatus::Unavailable);
    }

    #[tokio::test]
    async fn a_holder_nobody_knows_is_reported_and_left_alone() {
        let world = World::new().await;
        let stranger = PersistentId::parse("p-stranger").unwrap();
        let plan = Plan {
            persistent_id: stranger.clone(),
            apps: vec![greenroom_session_api::spec::App {
                app_id: app(FIRST_APP).as_str().to_owned(),
                argv: vec!["first".into()],
                env: Vec::new(),
            }],
            width: 640,
            height: 480,
            share: Share::SMALL,
            files: Vec::new(),
            image: None,
        };
        world.fake.start(&plan).await.unwrap();
        let reconcilers = begin(&world).await;
        let orphans = reconcilers.health().report().orphans;
        assert_eq!(orphans.len(), 1);
        assert_eq!(orphans[0].session, stranger);
        let session = world.running().await;
        assert_eq!(world.status(&session).await, PersistentStatus::Running);
        assert!(matches!(
            world.fake.observe(&stranger),
            Observation::Present(..)
        ));
        world.fake.die(&stranger);
        until("no orphan", async || {
            reconcilers.health().report().orphans.is_empty()
        })
        .await;
    }
}
