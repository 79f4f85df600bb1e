//! Measures pages of one large delivery group: first, random and last, before and after a tenth of its
//! sessions went, and while statuses are written.
//!
//! `cargo run --release -p greenroom-store --example paging -- [SESSIONS] [FOLDER]` makes the database in a
//! new folder below FOLDER (the system's temporary one), removes it at the end, and prints one line for each
//! figure: workload, metric, unit and value, separated by tabs.

#![allow(clippy::print_stdout, reason = "the figures are its answer")]

use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceStatus, AuthMode, ChargeType, Desired, Entropy,
    ImageId, NodePoolId, PersistentId, PersistentStatus, ProductType, ServerId, SpecId, Timestamp,
};
use greenroom_store::{
    Charge, GroupSpec, Lease, NewServer, NewSlots, NodePool, Observation, PageRequest, Result,
    Secret, SessionFilter, SessionRecord, Store,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SIZE: u32 = 20;
const SAMPLES: usize = 2_000;
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);
const LATER: Timestamp = Timestamp(1_700_000_060_000);

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let sessions = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let below = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = below.join(format!("greenroom-paging-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?;
    let measured = runtime.block_on(measure(&folder, sessions));
    std::fs::remove_dir_all(&folder)?;
    Ok(measured?)
}

async fn measure(folder: &std::path::Path, sessions: u32) -> Result<()> {
    let random = Arc::new(Seeded(AtomicU64::new(1)));
    let store = Store::open(&folder.join("greenroom.db"))?;
    let server = NewServer {
        id: ServerId::new(&*random),
        address: String::new(),
        processors: 1,
    };
    let bench = Bench {
        lease: store.join(server, Duration::from_secs(3600)).await?,
        store,
        account: AccountId::new(&*random),
        group: AppInstanceGroupId::new(&*random),
        random,
    };
    let begun = Instant::now();
    bench.seed(sessions).await?;
    println!(
        "create {sessions} sessions\ttime\ts\t{:.1}",
        begun.elapsed().as_secs_f64()
    );
    bench.pages("all sessions").await?;

    let begun = Instant::now();
    let gone = bench.delete_a_tenth().await?;
    println!(
        "delete {gone} sessions\ttime\ts\t{:.1}",
        begun.elapsed().as_secs_f64()
    );
    bench.pages("a tenth deleted at random").await?;
    bench.pages_while_written().await
}

struct Bench {
    store: Store,
    lease: Lease,
    account: AccountId,
    group: AppInstanceGroupId,
    random: Arc<Seeded>,
}

impl Bench {
    async fn seed(&self, sessions: u32) -> Result<()> {
        let (key, secret) = ("key".to_owned(), Secret::new("secret"));
        self.store
            .first_start(self.account.clone(), key, secret, BEGIN)
            .await?;
        let slots = NewSlots::new(
            1,
            sessions,
            true,
            Desired::Running,
            Vec::new(),
            &*self.random,
        );
        self.store
            .create_group(self.spec(sessions), slots, Vec::new(), None, |_| true)
            .await?;
        self.store
            .place_sessions(&self.lease, LATER, LATER, sessions)
            .await
            .map(drop)
    }

    fn spec(&self, sessions: u32) -> GroupSpec {
        GroupSpec {
            id: self.group.clone(),
            account: self.account.clone(),
            name: "office".to_owned(),
            product_type: ProductType::CloudApp,
            auth_mode: AuthMode::Session,
            region: "cn-shanghai".to_owned(),
            image: ImageId::new(&*self.random),
            spec_id: SpecId::new(&*self.random),
            policy: None,
            pre_open_app: None,
            session_timeout: 15,
            skip_user_check: false,
            settings: "{}".to_owned(),
            charge: Charge {
                charge_type: ChargeType::PostPaid,
                resource_mode: "Node".to_owned(),
                sub_pay_type: None,
                period: 1,
                period_unit: "Month".to_owned(),
                auto_pay: false,
                auto_renew: false,
                order_id: "1".to_owned(),
                expires: None,
            },
            pool: NodePool {
                id: NodePoolId::new(&*self.random),
                instance_type: "appstreaming.general.4c8g".to_owned(),
                node_amount: 1,
                node_capacity: sessions,
                strategy_type: "NODE_FIXED".to_owned(),
                strategy: "{}".to_owned(),
            },
            created: BEGIN,
        }
    }

    /// Rows listed and rows in all.
    async fn page(&self, number: u32) -> Result<(Vec<PersistentId>, u64)> {
        let page = PageRequest { number, size: SIZE };
        let found = self
            .store
            .page_sessions(
                &self.account,
                &self.group,
                ProductType::CloudApp,
                SessionFilter::All,
                page,
            )
            .await?;
        Ok(found.map_or((Vec::new(), 0), |page| {
            (
                page.items.into_iter().map(|row| row.id).collect(),
                page.total,
            )
        }))
    }

    async fn pages(&self, workload: &str) -> Result<()> {
        let last = self.last_page().await?;
        // Once around, so that no kind of page is measured on a cold cache.
        self.time(|| self.random.page(last)).await?;
        self.report(&format!("first page, {workload}"), || 1)
            .await?;
        self.report(&format!("random page, {workload}"), || {
            self.random.page(last)
        })
        .await?;
        self.report(&format!("last page, {workload}"), || last)
            .await
    }

    async fn last_page(&self) -> Result<u32> {
        let (_, total) = self.page(1).await?;
        Ok(u32::try_from(total.div_ceil(u64::from(SIZE)))
            .unwrap_or(u32::MAX)
            .max(1))
    }

    async fn report(&self, workload: &str, number: impl Fn() -> u32) -> Result<()> {
        let times = self.time(number).await?;
        for (metric, percent) in [("p50", 50), ("p99", 99)] {
            let value = times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
            println!("{workload}\t{metric}\tms\t{value:.3}");
        }
        Ok(())
    }

    async fn time(&self, number: impl Fn() -> u32) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let begun = Instant::now();
            let (rows, _) = self.page(number()).await?;
            times.push(begun.elapsed());
            assert!(!rows.is_empty(), "an empty page was measured");
        }
        times.sort_unstable();
        Ok(times)
    }

    async fn delete_a_tenth(&self) -> Result<usize> {
        let last = self.last_page().await?;
        let mut doomed = Vec::new();
        for number in 1..=last {
            let (rows, _) = self.page(number).await?;
            doomed.extend(
                rows.into_iter()
                    .filter(|_| self.random.next().is_multiple_of(10)),
            );
        }
        // Many at a time share a commit, as many reconcilers' observations would.
        for some in doomed.chunks(64) {
            let mut writes = tokio::task::JoinSet::new();
            for id in some {
                let (store, lease, id) = (self.store.clone(), self.lease.clone(), id.clone());
                writes.spawn(
                    async move { see(&store, &lease, &id, PersistentStatus::Deleted).await },
                );
            }
            while let Some(written) = writes.join_next().await {
                assert!(matches!(written, Ok(Ok(()))), "a write failed: {written:?}");
            }
        }
        let after = Timestamp(LATER.0 + 1);
        while self.store.purge_deleted(after, after).await? {}
        Ok(doomed.len())
    }

    /// Random pages while a hundred statuses a second are written.
    async fn pages_while_written(&self) -> Result<()> {
        let (ids, _) = self.page(1).await?;
        let (store, lease) = (self.store.clone(), self.lease.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let writer = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            for id in ids.iter().cycle() {
                tick.tick().await;
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                see(&store, &lease, id, PersistentStatus::Running).await?;
            }
            Ok(())
        });
        let last = self.last_page().await?;
        self.report("random page, 100 statuses/s written", || {
            self.random.page(last)
        })
        .await?;
        stop.store(true, Ordering::Relaxed);
        writer.await.unwrap_or(Ok(()))
    }
}

async fn see(store: &Store, by: &Lease, id: &PersistentId, status: PersistentStatus) -> Result<()> {
    let Some(record) = store.session_record(id).await? else {
        return Ok(());
    };
    let seen = observation(&record, status);
    store
        .record(by, id, record.generation, seen)
        .await
        .map(drop)
}

fn observation(record: &SessionRecord, status: PersistentStatus) -> Observation {
    Observation {
        status,
        status_reason: String::new(),
        instance_status: AppInstanceStatus::Idle,
        asked: None,
        failures: 0,
        home_lost: false,
        handle: None,
        opened_apps: record.opened_apps.clone(),
        wake_at: None,
        at: LATER,
        by: "bench".to_owned(),
    }
}

/// Randomness that is the same at every run.
struct Seeded(AtomicU64);

impl Seeded {
    fn next(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn page(&self, last: u32) -> u32 {
        1 + (self.next() % u64::from(last)) as u32
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
