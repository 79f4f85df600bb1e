//! Sessions as detached processes of this machine.
//!
//! A holder is a child in a session of its own, so neither the server's death nor its terminal's ends it.
//! It is known by its pid file, spoken to over its socket, and its end is told by the kernel, so all of it
//! works the same for a holder an earlier server started.

mod asking;
mod desktop;
pub mod disk;
mod folder;
pub mod images;
mod layers;
mod limits;
mod link;
mod logs;
mod network;
mod process;
mod removal;
mod spawn;
mod users;
mod walls;

use super::{
    ANSWER_WITHIN, Answer, AskError, Changes, Failure, Figures, FolderImage, Handle, Layer,
    Observation, Order, Plan, Question, Release, Runtime, RuntimeError, Seen, Tally, Usage,
};
use crate::config::Config;
use asking::Errand;
use greenroom_model::{Entropy, ImageId, PersistentId};
use greenroom_session_api::control::{self, to_holder};
use greenroom_session_api::spec::Network;
use limits::{Limiter, Processes};
use process::Process;
use spawn::{Places, files, make_dir};
use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use users::Users;

pub use desktop::desktop;
pub use walls::{Standing, Wall, walls};

/// The program that keeps X servers, in [`Settings::install_dir`].
const X11: &str = "greenroom-x11";

/// Orders that wait for a holder that does not take them.
const WAITING_ORDERS: usize = 32;

/// How long [`Runtime::adopt`] waits for the holders it found to speak. Those that do not are unseen soon.
const ADOPTION: Duration = Duration::from_secs(2);

/// What is the same for every session of this machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's data folder, an absolute path.
    pub data_dir: PathBuf,
    /// Where `greenroom-session`, `greenroom-init`, `greenroom-x11` and `greenroom-stream` lie.
    pub install_dir: PathBuf,
    /// When the server is root: the ids that sessions run as.
    pub uids: Option<Range<u32>>,
    /// The apps' locale.
    pub locale: String,
    /// The apps' time zone.
    pub timezone: String,
    /// What of the network they reach.
    pub network: Network,
    /// Names the time since this machine was started.
    pub boot_id: String,
    /// What they may have on the disk.
    pub disk: disk::Rules,
}

/// This machine as a place where sessions run.
pub struct Local {
    settings: Settings,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
    seats: Mutex<HashMap<PersistentId, Arc<Seat>>>,
    /// What was counted of each session whose home is here.
    tallies: Mutex<HashMap<PersistentId, Arc<Mutex<Tally>>>>,
    users: Mutex<Users>,
    limiter: Arc<Limiter>,
}

/// One session's place in the runtime.
#[derive(Debug)]
struct Seat {
    session: PersistentId,
    /// Held by whoever starts, or clears up after, the session's holder.
    turn: tokio::sync::Mutex<()>,
    view: Mutex<View>,
    /// Told when a holder that was unseen speaks again.
    spoke: Notify,
    changes: Changes,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug)]
struct View {
    observation: Observation,
    heard: Instant,
    /// The holder has given a report since it is watched.
    reported: bool,
    reach: Option<(Arc<Process>, mpsc::Sender<Errand>)>,
    /// Its end is wanted.
    ending: bool,
    /// It is another server's, which has counted what it says at first.
    adopted: bool,
    /// Why this server ended it.
    put_out: Option<String>,
}

/// This machine, as `config` describes it.
///
/// # Errors
/// The data folder cannot be made or used.
pub fn from_config(
    config: &Config,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
) -> Result<Local, RuntimeError> {
    let network = network::chosen(config.sessions.network, runs_as_others());
    Local::new(settings(config, network)?, entropy, changes)
}

/// Whether sessions are users of their own, which only root can make them.
fn runs_as_others() -> bool {
    rustix::process::geteuid().is_root()
}

/// What `config` says of every session of this machine, with what its network setting comes to.
fn settings(config: &Config, network: Network) -> Result<Settings, RuntimeError> {
    let data_dir = &config.general.data_dir;
    let sessions = &config.sessions;
    Ok(Settings {
        data_dir: std::path::absolute(data_dir).map_err(files("find", data_dir))?,
        install_dir: config.program_dir(),
        uids: runs_as_others()
            .then(|| sessions.first_uid..sessions.first_uid.saturating_add(sessions.uids)),
        locale: sessions.locale.clone(),
        timezone: sessions.timezone.clone(),
        network,
        boot_id: crate::system::boot_id(),
        disk: disk::Rules {
            limit: (sessions.disk_mib > 0).then_some(sessions.disk_mib << 20),
            reserve: sessions.reserve_mib << 20,
        },
    })
}

impl Local {
    /// A runtime over the sessions below the data folder; holders that run are found by
    /// [`Runtime::adopt`].
    ///
    /// # Errors
    /// The folders for sessions cannot be made.
    pub fn new(
        settings: Settings,
        entropy: Arc<dyn Entropy>,
        changes: Changes,
    ) -> Result<Self, RuntimeError> {
        let sessions = settings.data_dir.join("sessions");
        make_dir(&sessions, 0o711)?;
        make_dir(&settings.data_dir.join("run"), 0o711)?;
        make_dir(&images::place(&settings.data_dir), 0o700)?;
        let users = Users::of(settings.uids.clone().unwrap_or(0..0), &sessions);
        let limiter = Arc::new(Limiter::find(&settings.data_dir));
        Ok(Self {
            settings,
            entropy,
            changes,
            seats: Mutex::default(),
            tallies: Mutex::default(),
            users: Mutex::new(users),
            limiter,
        })
    }

    /// The trees in which the kernel counts what each session takes, if it counts all of it.
    #[cfg(test)]
    pub fn counted_in(&self) -> Option<Vec<PathBuf>> {
        let all = self.limiter.counts_all();
        all.then(|| self.limiter.folders())
    }

    /// Figures of every session that was here since this server began.
    pub fn figures(&self) -> Vec<Figures> {
        // The kernel is asked without a lock.
        let tallies: Vec<_> = lock(&self.tallies)
            .iter()
            .map(|(session, tally)| (session.clone(), lock(tally).clone()))
            .collect();
        let processes = match self.limiter.counts_all() {
            true => Processes::default(),
            false => Processes::now(),
        };
        let usage = |session: &PersistentId| match self.observe(session) {
            Observation::Absent => None,
            Observation::Unseen(holder) | Observation::Present(holder, _) => {
                let (counted, summed) = (self.limiter.usage(session), processes.usage(holder.pid));
                Some(Usage {
                    memory_bytes: counted.memory_bytes.or(summed.memory_bytes),
                    cpu: counted.cpu.or(summed.cpu),
                    processes: counted.processes.or(summed.processes),
                })
            }
        };
        let of = |(session, tally)| Figures {
            usage: usage(&session),
            session,
            tally,
        };
        tallies.into_iter().map(of).collect()
    }

    fn seat(&self, session: &PersistentId) -> Arc<Seat> {
        let mut seats = lock(&self.seats);
        let seat = seats.entry(session.clone()).or_insert_with(|| {
            let tally = lock(&self.tallies)
                .entry(session.clone())
                .or_default()
                .clone();
            Arc::new(Seat::empty(session.clone(), self.changes.clone(), tally))
        });
        Arc::clone(seat)
    }

    fn places(&self, session: &PersistentId) -> Places {
        Places::of(&self.settings.data_dir, session)
    }

    /// Watches the holder of a session that has one and is not watched yet.
    async fn found(&self, session: &PersistentId) -> Result<bool, RuntimeError> {
        let seat = self.seat(session);
        let _turn = seat.turn.lock().await;
        if seat.observation() != Observation::Absent {
            return Ok(true);
        }
        match spawn::find(&self.settings, &self.places(session))? {
            Some((process, handle)) => {
                seat.watch(process, handle, None);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn spawn(&self, seat: &Arc<Seat>, plan: &Plan) -> Result<(), RuntimeError> {
        let session = &plan.persistent_id;
        let uid = match self.settings.uids {
            Some(_) => Some(lock(&self.users).take(session)?),
            None => None,
        };
        let mut key = [0; 32];
        self.entropy.fill(&mut key);
        let (settings, places, owned) = (self.settings.clone(), self.places(session), plan.clone());
        let limiter = Arc::clone(&self.limiter);
        let (mut child, handle) =
            off_the_loop(move || spawn::spawn(&settings, &limiter, &places, &owned, key, uid))
                .await?;
        let process = Process::find(handle.pid, handle.started);
        match process.map_err(files("look at the process in", &handle.run_dir))? {
            Some(process) => seat.watch(process, handle, Some(child)),
            // It ended before it could be looked at, which is told as any other end.
            None => {
                reap(&mut child);
                seat.absent();
            }
        }
        Ok(())
    }
}

impl Runtime for Local {
    async fn adopt(&self) -> Result<Vec<PersistentId>, RuntimeError> {
        let run = self.settings.data_dir.join("run");
        let mut adopted = Vec::new();
        for entry in std::fs::read_dir(&run).map_err(files("list", &run))? {
            let name = entry.map_err(files("list", &run))?.file_name();
            let Some(session) = name
                .to_str()
                .and_then(|name| PersistentId::parse(name).ok())
            else {
                continue;
            };
            match self.found(&session).await {
                Ok(true) => adopted.push(session),
                Ok(false) => {}
                // One session's broken files are no reason to lose sight of the others.
                Err(error) => {
                    tracing::error!(session.id = %session, error = &error as &dyn std::error::Error, "cannot adopt a holder");
                }
            }
        }
        let (limiter, held) = (Arc::clone(&self.limiter), adopted.clone());
        off_the_loop(move || limiter.sweep(&held)).await;
        let until = Instant::now() + ADOPTION;
        for session in &adopted {
            self.seat(session).reported(until).await;
        }
        Ok(adopted)
    }

    fn boot_id(&self) -> String {
        self.settings.boot_id.clone()
    }

    async fn start(&self, plan: &Plan) -> Result<(), RuntimeError> {
        if self.found(&plan.persistent_id).await? {
            return Ok(());
        }
        let seat = self.seat(&plan.persistent_id);
        let _turn = seat.turn.lock().await;
        if seat.observation() != Observation::Absent {
            return Ok(());
        }
        self.spawn(&seat, plan).await
    }

    fn observe(&self, session: &PersistentId) -> Observation {
        let seat = lock(&self.seats).get(session).cloned();
        seat.map_or(Observation::Absent, |seat| seat.observation())
    }

    fn why_ended(&self, session: &PersistentId) -> Option<String> {
        let seat = lock(&self.seats).get(session).cloned()?;
        let view = lock(&seat.view);
        match view.observation {
            Observation::Absent => view.put_out.clone(),
            Observation::Unseen(_) | Observation::Present(..) => None,
        }
    }

    async fn order(&self, session: &PersistentId, order: Order) -> Result<(), RuntimeError> {
        let seat = lock(&self.seats).get(session).cloned();
        let reach = seat.and_then(|seat| {
            let mut view = lock(&seat.view);
            view.ending |= matches!(order, Order::Kill | Order::Stop(_));
            view.reach.clone()
        });
        let Some((process, orders)) = reach else {
            return Ok(());
        };
        let order = match order {
            Order::Kill => {
                process.kill();
                return Ok(());
            }
            Order::Launch(app) => to_holder::Order::Launch(control::Launch {
                app_id: app.app_id,
                argv: app.argv,
                env: app.env,
            }),
            Order::Show(files) => to_holder::Order::Show(control::Show { files }),
            Order::Stop(grace) => to_holder::Order::Stop(control::Stop {
                grace_ms: u32::try_from(grace.as_millis()).unwrap_or(u32::MAX),
            }),
        };
        match orders.try_send(Errand::Order(order)) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(RuntimeError::Deaf(WAITING_ORDERS)),
            // Closed: the holder has just gone, which will be observed.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    async fn ask(&self, session: &PersistentId, question: Question) -> Result<Answer, AskError> {
        if let Question::Log(source) = question {
            let places = self.places(session);
            let read = off_the_loop(move || logs::read(&places, source)).await;
            return match read {
                Ok(logs) => Ok(Answer::Logs(logs)),
                Err(error) => Err(AskError::Failed(error.to_string())),
            };
        }
        let seat = lock(&self.seats).get(session).cloned();
        let reach = seat.and_then(|seat| lock(&seat.view).reach.clone());
        let (_, errands) = reach.ok_or(AskError::NoHolder)?;
        let asked = asking::ask(&errands, question);
        match tokio::time::timeout(ANSWER_WITHIN, asked).await {
            Ok(answered) => answered,
            Err(_) => Err(AskError::Silent),
        }
    }

    async fn release(&self, session: &PersistentId, what: Release) -> Result<(), RuntimeError> {
        if self.found(session).await? {
            return Err(RuntimeError::StillThere);
        }
        let seat = self.seat(session);
        let _turn = seat.turn.lock().await;
        if seat.observation() != Observation::Absent {
            return Err(RuntimeError::StillThere);
        }
        let places = self.places(session);
        let home = what == Release::Home;
        let (limiter, whose) = (Arc::clone(&self.limiter), session.clone());
        off_the_loop(move || {
            limiter.remove(&whose)?;
            spawn::clear(&places, home)
        })
        .await?;
        if home {
            lock(&self.users).give_back(session);
            lock(&self.tallies).remove(session);
        }
        lock(&self.seats).remove(session);
        Ok(())
    }

    async fn snapshot(
        &self,
        session: &PersistentId,
        of: &ImageId,
        image: &ImageId,
    ) -> Result<Layer, RuntimeError> {
        self.take_image(session, of, image).await
    }

    async fn discard_image(&self, image: &ImageId) -> Result<(), RuntimeError> {
        self.remove_image(image).await
    }
}

impl Seat {
    fn empty(session: PersistentId, changes: Changes, tally: Arc<Mutex<Tally>>) -> Self {
        Self {
            session,
            turn: tokio::sync::Mutex::default(),
            view: Mutex::new(View {
                observation: Observation::Absent,
                heard: Instant::now(),
                reported: false,
                reach: None,
                ending: false,
                adopted: false,
                put_out: None,
            }),
            spoke: Notify::new(),
            changes,
            tally,
        }
    }

    fn observation(&self) -> Observation {
        lock(&self.view).observation.clone()
    }

    fn heard(&self) -> Instant {
        lock(&self.view).heard
    }

    /// Follows the holder to its end; `child` is its process if it is this server's own.
    fn watch(self: &Arc<Self>, process: Process, handle: Handle, child: Option<Child>) {
        let (orders, waiting) = mpsc::channel(WAITING_ORDERS);
        let process = Arc::new(process);
        {
            let mut view = lock(&self.view);
            view.observation = Observation::Present(handle.clone(), Seen::default());
            view.heard = Instant::now();
            view.reported = false;
            view.reach = Some((Arc::clone(&process), orders));
            view.ending = false;
            view.adopted = child.is_none();
            view.put_out = None;
        }
        if child.is_some() {
            lock(&self.tally).started();
        }
        self.changes.tell(&self.session);
        let seat = Arc::clone(self);
        tokio::spawn(async move {
            link::follow(&seat, &process, &handle, waiting).await;
            if let Some(mut child) = child {
                reap(&mut child);
            }
            seat.absent();
        });
    }

    fn present(&self, handle: &Handle, report: &control::Report, now: Instant) {
        let changed = {
            let mut view = lock(&self.view);
            let next = Observation::Present(handle.clone(), Seen::from_report(report));
            let changed = view.observation != next || !view.reported;
            view.observation = next;
            view.heard = now;
            let mut tally = lock(&self.tally);
            tally.hear(&report.apps, view.adopted && !view.reported);
            (tally.frames, tally.damaged_pixels) = (report.frames, report.damaged_pixels);
            view.reported = true;
            changed
        };
        self.spoke.notify_waiters();
        if changed {
            self.changes.tell(&self.session);
        }
    }

    /// Its end is this server's will, and this is why.
    fn put_out(&self, why: &str, failure: Failure) {
        let mut view = lock(&self.view);
        view.ending = true;
        if view.put_out.is_none() {
            view.put_out = Some(why.to_owned());
            lock(&self.tally).failed(failure);
        }
    }

    fn unseen(&self, handle: &Handle) {
        lock(&self.view).observation = Observation::Unseen(handle.clone());
        self.changes.tell(&self.session);
    }

    fn absent(&self) {
        {
            let mut view = lock(&self.view);
            let stopping =
                matches!(&view.observation, Observation::Present(_, seen) if seen.stopping);
            if !view.ending && !stopping {
                lock(&self.tally).failed(Failure::Holder);
            }
            view.observation = Observation::Absent;
            view.reach = None;
        }
        self.spoke.notify_waiters();
        self.changes.tell(&self.session);
    }

    /// Waits until something was heard after `before`.
    async fn heard_again(&self, before: Instant) {
        loop {
            let spoke = self.spoke.notified();
            if self.heard() != before {
                return;
            }
            spoke.await;
        }
    }

    /// Waits for the first report of the holder, or its end, or `until`.
    async fn reported(&self, until: Instant) {
        let settled = async {
            loop {
                let spoke = self.spoke.notified();
                {
                    let view = lock(&self.view);
                    if view.reported || view.observation == Observation::Absent {
                        return;
                    }
                }
                spoke.await;
            }
        };
        // What is not settled by then is left to its heartbeats.
        let _ = tokio::time::timeout_at(until, settled).await;
    }
}

/// Takes note of the end of a child that has ended, or it would stay a zombie.
fn reap(child: &mut Child) {
    match child.wait() {
        Ok(status) => tracing::info!(pid = child.id(), %status, "a holder has ended"),
        Err(error) => tracing::warn!(pid = child.id(), %error, "a holder's end cannot be read"),
    }
}

async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// A view of a session is whole at every moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
