//! The one loop of the holder: the only module with live sockets, clocks and an event loop. What is decided is
//! decided elsewhere; here it is carried.

mod apps;
mod bus;
mod clients;
mod clipboard;
mod departed;
mod desktop;
mod files;
mod io;
mod patience;
mod peers;
mod picture;
mod questions;
mod states;
mod x11;

use crate::apps::Apps;
use crate::display::{Geometry, News, Stage};
use crate::input::Streams;
use crate::links::{Door, Link, Outbox};
use crate::setup::Setup;
use calloop::generic::Generic;
use calloop::signals::{Signal, Signals};
use calloop::{EventLoop, Interest, LoopHandle, Mode, PostAction, RegistrationToken};
use greenroom_session_api::viewer::Want;
use greenroom_session_api::{FrameBuffer, PROTOCOL, Role, Welcome, control, viewer};
use patience::Patience;
use smithay::reexports::wayland_server::Display;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitCode};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Between two frames at least: bursts of damage become one frame, and a lone one hardly waits.
const COMPOSE_EVERY: Duration = Duration::from_millis(4);
/// Between two rounds of frame callbacks, which is what paces an app that animates.
const CALLBACKS_WATCHED: Duration = Duration::from_millis(16);
/// The same while nobody watches, and for windows that are covered: enough to make progress, too little to
/// cost anything.
const CALLBACKS_UNSEEN: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A peer that has not presented its key by then goes.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// What SIGTERM to the holder grants the apps.
const DEFAULT_GRACE_MS: u32 = 5000;
/// After the sandbox was ended the kernel needs this long at most; then the holder goes all the same.
const KERNEL_GRACE: Duration = Duration::from_secs(5);

/// The holder could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The event loop failed.
    #[error("the event loop failed")]
    Loop(#[from] calloop::Error),
    /// A call of the kernel's failed.
    #[error("cannot {0}")]
    Kernel(&'static str, #[source] std::io::Error),
    /// There is no compositor.
    #[error("cannot begin the compositor")]
    Compositor(#[source] Box<dyn std::error::Error + Send + Sync>),
}

struct Holder {
    setup: Setup,
    door: Door,
    handle: LoopHandle<'static, Holder>,
    began: Instant,

    display: Display<Stage>,
    stage: Stage,
    clients: Vec<clients::Connected>,
    patience: Patience,
    /// Where the apps of each launch connect.
    app_doors: HashMap<u64, RegistrationToken>,
    x_servers: x11::XServers,
    /// How often clients of a launch had to be expelled.
    faults: HashMap<u64, u32>,

    apps: Apps,
    departed: departed::Departed,
    /// What puts the files that were last shown in place again.
    shown_once_more: Option<RegistrationToken>,
    /// The way into the sandbox, until it is closed, which ends the sandbox.
    init: Option<Init>,
    sandbox: Option<Child>,

    peers: HashMap<u64, Peer>,
    peers_ever: u64,
    streams: Streams,
    /// Whose input came last.
    typing: Option<u64>,
    clipboard: clipboard::Clipboard,

    streamer: Option<picture::Streamer>,
    frames: u64,
    damaged_pixels: u64,

    due: Due,
    stop: Option<Stop>,
    exit: Option<ExitCode>,
}

/// The link to init.
struct Init {
    stream: Rc<UnixStream>,
    inbox: FrameBuffer,
    outbox: Outbox,
    token: RegistrationToken,
}

/// A connection at the door.
struct Peer {
    stream: Rc<UnixStream>,
    link: Link,
    token: Option<RegistrationToken>,
    came: Instant,
    states: states::States,
}

/// What is to be done when.
struct Due {
    compose_after: Instant,
    callbacks: Option<Callbacks>,
    callbacks_after: Instant,
    all_callbacks_after: Instant,
    heartbeat_at: Instant,
    /// Something the server would like to know has changed.
    report: bool,
}

/// Frame callbacks that are owed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callbacks {
    /// To the windows that are to be seen, then to the others.
    Visible,
    /// Only to the others any more.
    Others,
}

/// A stop under way.
struct Stop {
    term_at: Option<Instant>,
    kill_at: Instant,
    gone_by: Instant,
    exit: ExitCode,
}

/// Holds the session until it is told to stop or its sandbox ends.
///
/// # Errors
/// The holder cannot begin, or its event loop fails.
pub fn run(mut setup: Setup) -> Result<ExitCode, RunError> {
    let compositor = |error: Box<dyn std::error::Error + Send + Sync>| RunError::Compositor(error);
    let mut events = EventLoop::try_new()?;
    let handle: LoopHandle<'static, Holder> = events.handle();
    // Blocks these signals, also in threads to come. SIGHUP is taken so that it does nothing: the terminal
    // the server was started from may close.
    let signals = Signals::new(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])?;
    handle
        .insert_source(signals, |event, (), holder| match event.signal() {
            Signal::SIGTERM | Signal::SIGINT => {
                holder.begin_stop(DEFAULT_GRACE_MS, ExitCode::SUCCESS)
            }
            _ => {}
        })
        .map_err(|error| error.error)?;

    let display = Display::<Stage>::new().map_err(|error| compositor(error.into()))?;
    let geometry = geometry(setup.spec.width, setup.spec.height, setup.spec.scale_120);
    let stage =
        Stage::new(&display.handle(), geometry).map_err(|error| compositor(error.into()))?;
    let now = Instant::now();
    let mut holder = Holder {
        door: Door {
            key: setup.key,
            welcome: Welcome {
                protocol: PROTOCOL,
                persistent_id: setup.spec.persistent_id.clone(),
                boot_id: boot_id(),
                pid: std::process::id(),
                build: env!("CARGO_PKG_VERSION").to_owned(),
            },
        },
        sandbox: setup.sandbox.process.take(),
        setup,
        handle,
        began: now,
        display,
        stage,
        clients: Vec::new(),
        patience: Patience::of_this_thread()
            .map_err(|error| RunError::Kernel("count our own time", error))?,
        app_doors: HashMap::new(),
        x_servers: x11::XServers::default(),
        faults: HashMap::new(),
        apps: Apps::default(),
        departed: departed::Departed::default(),
        shown_once_more: None,
        init: None,
        peers: HashMap::new(),
        peers_ever: 0,
        streams: Streams::default(),
        typing: None,
        clipboard: clipboard::Clipboard::default(),
        streamer: None,
        frames: 0,
        damaged_pixels: 0,
        due: Due {
            compose_after: now,
            callbacks: None,
            callbacks_after: now,
            all_callbacks_after: now,
            heartbeat_at: now,
            report: false,
        },
        stop: None,
        exit: None,
    };
    holder.listen()?;
    holder
        .bound_apps()
        .map_err(|error| RunError::Kernel("bound the apps", error))?;
    holder.offer_desktop();
    for app in holder.setup.spec.apps.clone() {
        holder.launch(&control::Launch {
            app_id: app.app_id,
            argv: app.argv,
            env: app.env,
        });
    }
    tracing::info!(session.id = %holder.setup.spec.persistent_id, "the session is held");
    let code = loop {
        holder.settle(Instant::now());
        if let Some(code) = holder.exit {
            break code;
        }
        let now = Instant::now();
        let wait = holder
            .wake_at(now)
            .map(|at| at.saturating_duration_since(now));
        match events.dispatch(wait, &mut holder) {
            Ok(()) => {}
            Err(calloop::Error::IoError(error))
                if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    };
    holder.leave();
    Ok(code)
}

impl Holder {
    /// Puts every source but the signals into the loop.
    fn listen(&mut self) -> Result<(), RunError> {
        let failed = |doing| move |error| RunError::Kernel(doing, error);
        let door = self
            .setup
            .door
            .try_clone()
            .map_err(failed("listen at the door"))?;
        let door = Generic::new(door, Interest::READ, Mode::Level);
        self.handle
            .insert_source(door, |_, door, holder| {
                holder.admit_peers(door);
                Ok(PostAction::Continue)
            })
            .map_err(|error| RunError::Loop(error.error))?;

        let requests = self.display.backend().poll_fd().try_clone_to_owned();
        let requests = requests.map_err(failed("listen to the apps"))?;
        self.handle
            .insert_source(
                Generic::new(requests, Interest::READ, Mode::Level),
                |_, _, holder| {
                    holder.dispatch_clients();
                    Ok(PostAction::Continue)
                },
            )
            .map_err(|error| RunError::Loop(error.error))?;

        let init = self.setup.sandbox.link.try_clone();
        let init = Rc::new(init.map_err(failed("listen to init"))?);
        init.set_nonblocking(true)
            .map_err(failed("listen to init"))?;
        let source = Generic::new(Rc::clone(&init), Interest::BOTH, Mode::Edge);
        let token = self
            .handle
            .insert_source(source, |_, _, holder| {
                holder.hear_init();
                Ok(PostAction::Continue)
            })
            .map_err(|error| RunError::Loop(error.error))?;
        self.init = Some(Init {
            stream: init,
            // Init says little at once.
            inbox: FrameBuffer::new(1 << 16),
            outbox: Outbox::default(),
            token,
        });
        if let Some(process) = &self.sandbox {
            self.watch_end(process, "watch the sandbox", Self::sandbox_ended)?;
        }
        if let Some(uplink) = &self.setup.sandbox.uplink {
            self.watch_end(uplink.process(), "watch pasta", Self::uplink_ended)?;
        }
        Ok(())
    }

    /// Does something once a process has ended.
    fn watch_end(
        &self,
        process: &Child,
        step: &'static str,
        then: fn(&mut Self),
    ) -> Result<(), RunError> {
        let ended = process_descriptor(process).map_err(|error| RunError::Kernel(step, error))?;
        let source = Generic::new(ended, Interest::READ, Mode::Level);
        let inserted = self.handle.insert_source(source, move |_, _, holder| {
            then(holder);
            Ok(PostAction::Remove)
        });
        inserted.map_err(|error| RunError::Loop(error.error))?;
        Ok(())
    }

    /// Does what is due.
    fn settle(&mut self, now: Instant) {
        self.spread_news();
        self.tend_clipboard(now);
        self.draw(now);
        let expelled = self.stage.take_expelled();
        if !expelled.is_empty() {
            expelled.into_iter().for_each(|launch| self.blame(launch));
            self.dispatch_clients();
        }
        self.tend_departed(now);
        self.go_on_stopping(now);
        if self.due.report || now >= self.due.heartbeat_at {
            self.due.report = false;
            self.due.heartbeat_at = now + HEARTBEAT;
            self.report();
        }
        self.tend_init();
        self.tend_x_servers();
        // The apps first: input is acknowledged after they were given it.
        self.guarded(|holder| {
            // Errors are about single clients, which are disconnected by it.
            let _ = holder.display.flush_clients();
        });
        self.tend_peers(now);
    }

    /// When there is something to do even if nothing happens.
    fn wake_at(&self, now: Instant) -> Option<Instant> {
        let control = self
            .peers
            .values()
            .any(|peer| peer.link.role() == Some(Role::Control));
        let waiting = self
            .peers
            .values()
            .filter(|peer| peer.link.role().is_none());
        let stop = self.stop.as_ref().map(|stop| {
            let term = stop.term_at.unwrap_or(stop.kill_at);
            // Each is passed once: afterwards the next one counts.
            [term, stop.kill_at, stop.gone_by]
                .into_iter()
                .find(|at| *at > now)
                .unwrap_or(now)
        });
        [
            self.picture_due(),
            control.then_some(self.due.heartbeat_at),
            waiting.map(|peer| peer.came + HELLO_WITHIN).min(),
            stop,
            self.departed.due(now),
            self.clipboard.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn spread_news(&mut self) {
        for news in self.stage.take_news() {
            match news {
                News::Drawn { launch } => {
                    let first = self.apps.drawn(launch);
                    self.due.report |= first;
                    if first {
                        let after = self.began.elapsed();
                        tracing::info!(launch, ?after, "the first window is drawn");
                    }
                }
                News::Cursor => {
                    let name = self.stage.cursor().to_owned();
                    let cursor = viewer::from_holder::News::Cursor(viewer::Cursor { name });
                    for peer in self.peers.values_mut() {
                        peer.link.tell_viewer(cursor.clone());
                    }
                }
                News::CursorImage => self.note_changed(Want {
                    cursor_images: true,
                    ..Want::default()
                }),
                News::Unfit => self.repaint_x_servers(),
                News::Copied => self.note_copied(),
                News::TextField => self.note_changed(Want {
                    text_fields: true,
                    ..Want::default()
                }),
            }
        }
    }

    fn report(&mut self) {
        let geometry = self.stage.geometry();
        let viewers = self
            .peers
            .values()
            .filter(|peer| peer.link.role() == Some(Role::Viewer))
            .count();
        let report = control::Report {
            apps: self.apps.reports().to_vec(),
            width: geometry.width.unsigned_abs(),
            height: geometry.height.unsigned_abs(),
            viewers: u32::try_from(viewers).unwrap_or(u32::MAX),
            frames: self.frames,
            damaged_pixels: self.damaged_pixels,
            stopping: self.stop.is_some(),
        };
        for peer in self.peers.values_mut() {
            peer.link
                .tell_control(control::from_holder::News::Report(report.clone()));
        }
    }

    /// Runs what handles an app's doing. Its coordinates or requests may drive the compositor's library into
    /// a panic; then that app's connection ends, not the session.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(self)));
        if acted.is_err() {
            tracing::error!("an app broke the compositor; its window goes");
            crate::display::expel_broken(&self.stage);
        }
        acted.ok()
    }

    fn since_began(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// The last thing the holder does.
    fn leave(&mut self) {
        self.close_streamer();
        // What the peers were not told yet, they learn from the closed connection.
        self.tend_peers(Instant::now());
        self.setup.clear();
        self.setup.sandbox.uplink = None;
        tracing::info!("the session is not held any more");
    }
}

fn geometry(width: u32, height: u32, scale_120: u32) -> Geometry {
    use greenroom_session_api::spec::OUTPUT_SIZES;
    let within = |pixels: u32| pixels.clamp(*OUTPUT_SIZES.start(), *OUTPUT_SIZES.end());
    // The largest is 8192.
    let pixels = |pixels| i32::try_from(within(pixels)).unwrap_or(i32::MAX);
    Geometry {
        width: pixels(width),
        height: pixels(height),
        scale_120: match scale_120 {
            0 => 120,
            given => given.clamp(60, 960),
        },
    }
}

fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

fn process_descriptor(process: &Child) -> std::io::Result<std::os::fd::OwnedFd> {
    let pid = i32::try_from(process.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or(std::io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(
        pid,
        rustix::process::PidfdFlags::empty(),
    )?)
}
