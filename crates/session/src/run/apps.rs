//! Launching apps, hearing what becomes of them, and ending it all.

use super::io::{Taken, give, take};
use super::{Holder, KERNEL_GRACE, Stop};
use crate::apps::Decision;
use greenroom_session_api::FrameError;
use greenroom_session_api::control::{self, Limit};
use greenroom_session_api::init::{
    Bound, Ended, FromInit, Keep, Launch, Signal, ToInit, from_init::News, to_init::Order,
};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MAX_GRACE: Duration = Duration::from_secs(600);

impl Holder {
    /// Runs an app, or raises it when it runs already.
    pub(super) fn launch(&mut self, order: &control::Launch) {
        if self.stop.is_some() {
            return;
        }
        self.due.report = true;
        let launch = match self.apps.want(&order.app_id) {
            Decision::Raise(launch) => {
                self.guarded(|holder| holder.stage.raise(launch));
                return;
            }
            Decision::Refuse => {
                tracing::error!(app.id = %order.app_id, "refused: too many different apps");
                return;
            }
            Decision::Start(launch) => launch,
        };
        if let Some(program) = order.argv.first() {
            self.listen_to(program);
        }
        let begun = self.open_app_door(launch).and_then(|display| {
            let x_display = self.offer_x_server(launch, &display);
            self.tell_init(Order::Launch(Launch {
                launch,
                argv: order.argv.clone(),
                env: self.environment(&display, x_display.as_deref(), &order.env),
            }))
        });
        if let Err(error) = begun {
            let end = Ended {
                launch,
                failure: format!("cannot be launched: {error}"),
                ..Default::default()
            };
            self.apps.ended(end, Limit::None);
            self.close_app_door(launch);
        }
    }

    /// Has init keep what programs of this name print.
    pub(super) fn listen_to(&mut self, name: &str) {
        let kept = self.setup.logs.open(name).and_then(|file| match file {
            Some(file) => {
                let name = name.to_owned();
                self.send_init(Order::Keep(Keep { name }), Some(file))
            }
            None => Ok(()),
        });
        if let Err(error) = kept {
            // It runs all the same, unheard.
            tracing::error!(%error, "what a program prints is lost");
        }
    }

    /// Bounds what init starts; to be told before anything else.
    pub(super) fn bound_apps(&mut self) -> std::io::Result<()> {
        let limits = &self.setup.spec.limits;
        let bound = Bound {
            processes: limits.processes.unwrap_or(0),
            data_bytes: limits.data_bytes.unwrap_or(0),
            file_bytes: limits.file_bytes.unwrap_or(0),
        };
        self.tell_init(Order::Bound(bound))
    }

    pub(super) fn tell_init(&mut self, order: Order) -> std::io::Result<()> {
        self.send_init(order, None)
    }

    fn send_init(&mut self, order: Order, descriptor: Option<OwnedFd>) -> std::io::Result<()> {
        let init = self
            .init
            .as_mut()
            .ok_or_else(|| std::io::Error::other("the sandbox has ended"))?;
        init.outbox.push(&ToInit { order: Some(order) }, descriptor);
        Ok(())
    }

    /// Sends init what waits for it.
    pub(super) fn tend_init(&mut self) {
        let Some(init) = &mut self.init else { return };
        if give(&init.stream, &mut init.outbox).is_err() {
            self.close_sandbox();
        }
    }

    pub(super) fn hear_init(&mut self) {
        while let Some(init) = &mut self.init {
            match take(&init.stream) {
                Taken::Bytes(bytes) => init.inbox.push(&bytes),
                Taken::Nothing => return,
                Taken::Closed => return self.close_sandbox(),
            }
            if let Err(error) = self.take_all_init_news() {
                tracing::error!(%error, "init cannot be understood");
                return self.close_sandbox();
            }
        }
    }

    fn take_all_init_news(&mut self) -> Result<(), FrameError> {
        while let Some(init) = &mut self.init {
            match init.inbox.take::<FromInit>()? {
                Some(FromInit { news }) => {
                    news.into_iter().for_each(|news| self.take_init_news(news))
                }
                None => break,
            }
        }
        Ok(())
    }

    fn take_init_news(&mut self, news: News) {
        self.due.report = true;
        match news {
            News::Ready(_) => tracing::info!(after = ?self.began.elapsed(), "the sandbox is up"),
            News::Started(started) => {
                let init = self
                    .sandbox
                    .as_ref()
                    .and_then(|outer| only_child(outer.id()));
                let pid = init.and_then(|init| find_process(init, started.pid));
                self.apps.started(started.launch, pid.unwrap_or(0));
            }
            News::Ended(ended) => {
                tracing::info!(
                    launch = ended.launch, exit_code = ?ended.exit_code, signal = ?ended.signal,
                    failure = ended.failure, "an app has ended"
                );
                if ended.exit_code == Some(0) {
                    self.depart(ended, Instant::now());
                } else {
                    self.end_launch(ended);
                }
            }
        }
    }

    /// Nothing of a launch is left to wait for.
    pub(super) fn end_launch(&mut self, ended: Ended) {
        self.due.report = true;
        self.close_app_door(ended.launch);
        self.faults.remove(&ended.launch);
        let limit = self.limit_that_ended(&ended);
        self.apps.ended(ended, limit);
    }

    /// The kernel does not say whom it ended, only that it did: it was this app if it ended so, or a shell that
    /// tells of its child.
    fn limit_that_ended(&mut self, ended: &Ended) -> Limit {
        let kill = rustix::process::Signal::KILL.as_raw();
        let killed = ended.signal == Some(kill) || ended.exit_code == Some(128 + kill);
        // Asked in any case, so that an older end of another process is not taken for this one's.
        if self.setup.oom_kills.fresh() && killed {
            Limit::Memory
        } else {
            Limit::None
        }
    }

    /// Ends every app, then the holder.
    pub(super) fn begin_stop(&mut self, grace_ms: u32, exit: ExitCode) {
        let now = Instant::now();
        let grace = Duration::from_millis(grace_ms.into()).min(MAX_GRACE);
        match &mut self.stop {
            // Asked again, perhaps in more of a hurry.
            Some(stop) => {
                stop.kill_at = stop.kill_at.min(now + grace);
                stop.gone_by = stop.kill_at + KERNEL_GRACE;
            }
            None => {
                tracing::info!(?grace, "stopping");
                let asked = self.guarded(|holder| holder.stage.close_windows());
                self.close_x_windows();
                self.announce_end("the session stops");
                self.due.report = true;
                self.stop = Some(Stop {
                    // Without a window to close there is nothing to wait for.
                    term_at: Some(if asked == Some(0) {
                        now
                    } else {
                        now + grace / 2
                    }),
                    kill_at: now + grace,
                    gone_by: now + grace + KERNEL_GRACE,
                    exit,
                });
            }
        }
    }

    pub(super) fn go_on_stopping(&mut self, now: Instant) {
        let Some(stop) = &mut self.stop else { return };
        let terminate = stop.term_at.take_if(|at| now >= *at).is_some();
        let kill = now >= stop.kill_at;
        let gone = now >= stop.gone_by;
        if terminate {
            let everything = Signal {
                launch: 0,
                signal: rustix::process::Signal::TERM.as_raw(),
            };
            // A sandbox that is gone has nothing left to end.
            let _ = self.tell_init(Order::Signal(everything));
        }
        if kill || !self.apps.any_runs() {
            self.close_sandbox();
        }
        if gone && self.exit.is_none() {
            tracing::error!("the sandbox does not end; leaving it to the kernel");
            self.sandbox_ended();
        }
    }

    /// Closes init's link: init ends, and the kernel ends everything in its process namespace.
    fn close_sandbox(&mut self) {
        if let Some(init) = self.init.take() {
            self.handle.remove(init.token);
            // Not only dropped: a duplicate may be about.
            let _ = init.stream.shutdown(std::net::Shutdown::Both);
            if self.sandbox.is_none() {
                self.sandbox_ended();
            }
        }
    }

    /// Nothing of the sandbox is left, by our will or not.
    pub(super) fn sandbox_ended(&mut self) {
        let asked = self.stop.is_some();
        let process = self.sandbox.as_mut();
        let status = process.and_then(|process| process.try_wait().ok().flatten());
        if !asked {
            tracing::error!(?status, "the sandbox has ended by itself");
            self.announce_end("the session's sandbox has ended");
        }
        // What init said last is read before the end is called unknown.
        self.hear_init();
        self.apps
            .all_ended(if asked { "" } else { "the sandbox has ended" });
        self.report();
        // Without a sandbox there is no session: the server starts another holder, or says why it cannot.
        let code = self
            .stop
            .as_ref()
            .map_or(ExitCode::FAILURE, |stop| stop.exit);
        self.exit = Some(code);
    }

    /// Nothing carries the apps' packets any more. Who could start another has given that right up.
    pub(super) fn uplink_ended(&mut self) {
        let uplink = self.setup.sandbox.uplink.take();
        let status = uplink.and_then(|mut uplink| uplink.ended());
        tracing::error!(
            ?status,
            "pasta has ended: the apps have no network any more"
        );
    }
}

fn only_child(pid: u32) -> Option<u32> {
    children(pid).next()
}

/// The machine's number of the process that is `inside` in init's process namespace.
fn find_process(init: u32, inside: u32) -> Option<u32> {
    children(init).find(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let innermost =
            numbers.and_then(|numbers| numbers.split_ascii_whitespace().last()?.parse().ok());
        innermost == Some(inside)
    })
}

fn children(pid: u32) -> impl Iterator<Item = u32> {
    let list =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let pids: Vec<u32> = list
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.into_iter()
}
