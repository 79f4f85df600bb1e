//! The workloads. Prints one line for each figure: workload, metric, unit and value, separated by tabs.

use crate::bare::Bare;
use crate::client::Connection;
use crate::requests::Requests;
use crate::{PAGE, Result, open_store, seed};
use greenroom_model::{Clock, PersistentId, PersistentStatus};
use greenroom_server::system::SystemClock;
use greenroom_store::Store;
use greenroom_testkit::SeededEntropy;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Connections that ask at the same time.
const CONNECTIONS: usize = 8;

/// Times that server and baseline take turns.
const ROUNDS: usize = 11;

/// Requests that each answers in its turn. A server takes half a million of one key in half an hour, because
/// it remembers their nonces; all workloads together stay well below.
const TURN: usize = 4_000;

/// Requests whose latency is taken, for each kind of page.
const SAMPLES: usize = 2_000;

/// Requests while statuses are written: some seconds of them, so that there are many writes among them.
const SAMPLES_WHILE_WRITTEN: usize = 40_000;

/// Between two statuses.
const STATUS_EVERY: Duration = Duration::from_millis(10);

/// Measures everything against the server at `address`, which runs on `folder`.
pub fn measure(folder: &Path, address: SocketAddr) -> Result {
    let requests = Requests::new(folder, address)?;
    let first = First::ask(&requests, address)?;
    let load = Load {
        server: address,
        bare: Bare::start(&first.content_type, &first.request_id, &first.body)?,
        requests,
        random: SeededEntropy::new(7),
        last: first.pages,
    };
    // Once around, so that nothing is measured on cold caches.
    load.run_batch(address, &load.random_pages(TURN))?;

    load.rates("one hot page", || load.requests.pages(TURN, || 1))?;
    load.rates("pages at random", || load.random_pages(TURN))?;
    load.latencies()?;
    let writer = Writer::start(folder.to_owned(), first.sessions);
    let times = load.run_batch(address, &load.random_pages(SAMPLES_WHILE_WRITTEN))?;
    print_times("pages at random, 100 statuses/s written", times.latencies);
    load.rates("one hot page, 100 statuses/s written", || {
        load.requests.pages(TURN, || 1)
    })?;
    writer.stop()
}

/// What the first answer says of the rest.
struct First {
    content_type: String,
    request_id: String,
    body: String,
    pages: u32,
    sessions: Vec<PersistentId>,
}

impl First {
    fn ask(requests: &Requests, address: SocketAddr) -> Result<Self> {
        let mut connection = Connection::open(address)?;
        let answer = connection.exchange(&requests.page(1))?;
        let header = |name| answer.header(name).unwrap_or_default().to_owned();
        let (content_type, request_id) = (header("content-type"), header("x-acs-request-id"));
        let body: Value = serde_json::from_slice(answer.body)?;
        let total = body["TotalCount"].as_u64().unwrap_or_default();
        let rows = body["PersistentAppInstanceModels"].as_array();
        let ids = rows.into_iter().flatten();
        let sessions: Vec<_> = ids
            .filter_map(|row| PersistentId::parse(row["AppInstancePersistentId"].as_str()?).ok())
            .collect();
        if sessions.len() < PAGE as usize {
            return Err("the first page is not full".into());
        }
        Ok(Self {
            content_type,
            request_id,
            body: String::from_utf8(answer.body.to_vec())?,
            pages: u32::try_from(total.div_ceil(u64::from(PAGE)))?,
            sessions,
        })
    }
}

struct Load {
    server: SocketAddr,
    bare: Bare,
    requests: Requests,
    random: SeededEntropy,
    last: u32,
}

/// How a batch of requests went.
struct Times {
    whole: Duration,
    latencies: Vec<Duration>,
}

impl Times {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.whole.as_secs_f64()
    }
}

impl Load {
    fn random_pages(&self, count: usize) -> Vec<Vec<u8>> {
        let page = || 1 + u32::try_from(self.random.below(self.last as usize)).unwrap_or(0);
        self.requests.pages(count, page)
    }

    /// Server and baseline in turns, each with the same requests: what else the machine does meets both.
    fn rates(&self, workload: &str, batch: impl Fn() -> Vec<Vec<u8>>) -> Result {
        let (mut ratios, mut ours, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let batch = batch();
            let server = self.run_batch(self.server, &batch)?.rate();
            let baseline = self.run_batch(self.bare.address, &batch)?.rate();
            ratios.push(server / baseline);
            ours.push(server);
            bare.push(baseline);
        }
        print(workload, "rate over baseline", "×", median(ratios));
        print(workload, "rate", "requests/s", median(ours));
        print(workload, "baseline's rate", "requests/s", median(bare));
        Ok(())
    }

    /// Sends the requests over all connections at once, each as soon as the one before it is answered.
    fn run_batch(&self, address: SocketAddr, requests: &[Vec<u8>]) -> Result<Times> {
        let next = AtomicUsize::new(0);
        let connections: Result<Vec<_>> = (0..CONNECTIONS)
            .map(|_| Connection::open(address))
            .collect();
        let begun = Instant::now();
        let latencies = thread::scope(|scope| -> Result<Vec<Duration>> {
            let work = |mut connection: Connection| {
                let mut latencies = Vec::with_capacity(requests.len());
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = Instant::now();
                    connection.exchange(request)?;
                    latencies.push(sent.elapsed());
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(latencies)
            };
            let begin = |connection| scope.spawn(move || work(connection));
            let threads: Vec<_> = connections?.into_iter().map(begin).collect();
            let mut all = Vec::with_capacity(requests.len());
            for thread in threads {
                all.extend(thread.join().map_err(|_| "a client panicked")??);
            }
            Ok(all)
        })?;
        Ok(Times {
            whole: begun.elapsed(),
            latencies,
        })
    }

    /// The first, the middle and the last page in turns, over one connection.
    fn latencies(&self) -> Result {
        let pages = [
            ("first page", 1),
            ("middle page", self.last.div_ceil(2)),
            ("last page", self.last),
        ];
        let mut times = pages.map(|_| Vec::with_capacity(SAMPLES));
        let mut connection = Connection::open(self.server)?;
        for _ in 0..SAMPLES {
            for ((_, number), times) in pages.iter().zip(&mut times) {
                let request = self.requests.page(*number);
                let sent = Instant::now();
                connection.exchange(&request)?;
                times.push(sent.elapsed());
            }
        }
        let medians = times
            .clone()
            .map(|times| median(times.iter().map(Duration::as_secs_f64).collect()));
        for ((workload, _), times) in pages.iter().zip(times) {
            print_times(workload, times);
        }
        for ((workload, _), median) in pages.iter().zip(medians).skip(1) {
            print(
                workload,
                "latency over the first's",
                "×",
                median / medians[0],
            );
        }
        Ok(())
    }
}

/// Writes the statuses of some sessions, a hundred a second, from a process of its own: to a server's readers it
/// is all one who writes.
struct Writer {
    end: watch::Sender<()>,
    thread: thread::JoinHandle<Result>,
}

impl Writer {
    fn start(folder: PathBuf, sessions: Vec<PersistentId>) -> Self {
        let (end, ended) = watch::channel(());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?;
            runtime.block_on(write(&open_store(&folder)?, &sessions, ended))
        });
        Self { end, thread }
    }

    fn stop(self) -> Result {
        drop(self.end);
        self.thread.join().map_err(|_| "the writer panicked")?
    }
}

async fn write(store: &Store, sessions: &[PersistentId], mut ended: watch::Receiver<()>) -> Result {
    let lease = seed::join(store).await?;
    let mut tick = tokio::time::interval(STATUS_EVERY);
    for id in sessions.iter().cycle() {
        tokio::select! {
            _ = tick.tick() => {}
            _ = ended.changed() => break,
        }
        let (status, now) = (PersistentStatus::Running, SystemClock.now());
        seed::see(store, &lease, id, status, now).await?;
    }
    Ok(())
}

fn print_times(workload: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    for (metric, percent) in [("latency p50", 50), ("latency p99", 99)] {
        if let Some(time) = times.get((times.len().saturating_sub(1)) * percent / 100) {
            print(workload, metric, "ms", time.as_secs_f64() * 1e3);
        }
    }
}

fn print(workload: &str, metric: &str, unit: &str, value: f64) {
    println!("{workload}\t{metric}\t{unit}\t{value}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
