//! `greenroom-init`: the first process of a sandbox. It starts the apps it is told to, reaps whatever ends and
//! says what became of its launches. Its standard input is the link to the holder; when that closes, it
//! ends, and the kernel ends everything else in its process namespace with it.

#[path = "../bounds.rs"]
mod bounds;
mod children;
mod limits;
mod locale;
mod printed;
#[path = "../privileges.rs"]
mod privileges;
mod program;
#[path = "../received.rs"]
mod received;
mod services;

use greenroom_session_api::init::{
    Ended, FromInit, Keep, Launch, Ready, Serve, Started, ToInit, from_init::News, to_init::Order,
};
use greenroom_session_api::{FrameBuffer, encode};
use printed::Printed;
use program::Program;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, WaitOptions};
use services::Services;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Instant;

/// More than the largest launch the control link carries.
const MAX_ORDER: usize = 2 << 20;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if holder_has_gone(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the holder's log; when that is broken nobody is left to tell.
            let _ = writeln!(std::io::stderr(), "greenroom-init: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    // It signals every process it can see, so it must see those of its sandbox only.
    if !rustix::process::getpid().is_init() {
        return Err("this is the first process of a sandbox, not a program to run by hand".into());
    }
    privileges::close_inherited()?;
    let mut arguments = std::env::args().skip(1);
    if let (Some(uid), Some(gid)) = (arguments.next(), arguments.next()) {
        privileges::give_up(uid.parse()?, gid.parse()?)?;
    }
    // Else an app, which has the same user, could trace this process and speak for it.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;

    let link = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    rustix::io::fcntl_setfd(&link, rustix::io::FdFlags::CLOEXEC)?;
    // The apps' standard input is not the link.
    let nothing = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    let children = children::ended_signal()?;
    Init {
        link,
        launches: HashMap::new(),
        services: Services::default(),
        printed: Printed::default(),
        descriptors: VecDeque::new(),
    }
    .run(&children)
}

/// Ending while something was still to be said is no failure of ours.
fn holder_has_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind);
    matches!(
        kind,
        Some(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
    )
}

struct Init {
    link: UnixStream,
    /// The launch of each process that runs.
    launches: HashMap<i32, u64>,
    services: Services,
    printed: Printed,
    /// Those whose message has not come whole yet.
    descriptors: VecDeque<OwnedFd>,
}

impl Init {
    fn run(&mut self, children: &File) -> Result<(), Box<dyn std::error::Error>> {
        self.tell(News::Ready(Ready {}))?;
        let mut inbox = FrameBuffer::new(MAX_ORDER);
        let mut bytes = vec![0; 64 << 10];
        loop {
            let mut ready = vec![
                PollFd::new(&self.link, PollFlags::IN),
                PollFd::new(children, PollFlags::IN),
            ];
            let waited_for = |at| PollFd::from_borrowed_fd(at, PollFlags::IN);
            ready.extend(self.services.idle().map(waited_for));
            let doors = ready.len();
            ready.extend(self.printed.pipes().map(waited_for));
            match rustix::event::poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready: Vec<bool> = ready.iter().map(|it| !it.revents().is_empty()).collect();
            let (orders, ended, knocked) = (ready[0], ready[1], &ready[2..doors]);
            self.printed.take(&ready[doors..]);
            self.services
                .answer(knocked, &mut self.printed, Instant::now());
            if ended {
                // How many signals wait does not matter: every child that ended is reaped.
                let _ = (&*children).read(&mut bytes);
                self.reap()?;
            }
            if orders {
                let descriptors = &mut self.descriptors;
                let read = match received::with_descriptors(&self.link, &mut bytes, descriptors) {
                    Ok(0) => return Ok(()),
                    Ok(read) => read,
                    Err(rustix::io::Errno::INTR) => continue,
                    Err(error) => return Err(std::io::Error::from(error).into()),
                };
                inbox.push(&bytes[..read]);
                while let Some(ToInit { order }) = inbox.take()? {
                    match order {
                        Some(Order::Launch(launch)) => self.launch(&launch)?,
                        Some(Order::Serve(order)) => self.serve(order),
                        Some(Order::Signal(order)) => self.signal(order.launch, order.signal),
                        Some(Order::Bound(bound)) => limits::apply(bound)?,
                        Some(Order::Keep(order)) => self.keep(order),
                        None => {}
                    }
                }
            }
        }
    }

    fn keep(&mut self, order: Keep) {
        if let Some(file) = self.descriptors.pop_front() {
            self.printed.keep(order.name, File::from(file));
        }
    }

    fn launch(&mut self, order: &Launch) -> std::io::Result<()> {
        let program = Program {
            name: order.argv.first().map_or("", String::as_str),
            argv: &order.argv,
            env: &order.env,
        };
        match program.start(Stdio::null(), self.printed.pipe(program.name)) {
            Ok(pid) => {
                self.launches.insert(pid, order.launch);
                self.tell(News::Started(Started {
                    launch: order.launch,
                    pid: pid.unsigned_abs(),
                }))
            }
            Err(error) => self.tell(News::Ended(Ended {
                launch: order.launch,
                exit_code: None,
                signal: None,
                failure: error.to_string(),
            })),
        }
    }

    fn serve(&mut self, order: Serve) {
        let name = order.name.clone();
        if let Err(error) = self.services.offer(order) {
            // Apps do without, as on a desktop that lacks it.
            let _ = writeln!(
                std::io::stderr(),
                "greenroom-init: cannot offer {name}: {error}"
            );
        }
    }

    fn signal(&self, launch: u64, signal: i32) {
        let Some(signal) = Signal::from_named_raw(signal) else {
            return;
        };
        // Each app leads a process group of its own. One that is gone already needs no signal.
        if launch == 0 {
            // Not by process group: what the apps left behind in groups of its own is meant as well.
            // SAFETY: the call takes no pointer. As process 1 we reach only this namespace's processes.
            let _ = unsafe { libc::kill(-1, signal.as_raw()) };
        } else {
            let its = self.launches.iter().find(|(_, known)| **known == launch);
            if let Some(pid) = its.and_then(|(pid, _)| Pid::from_raw(*pid)) {
                let _ = rustix::process::kill_process_group(pid, signal);
            }
        }
    }

    fn reap(&mut self) -> std::io::Result<()> {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_nonzero().get();
            let status = ExitStatus::from_raw(status.as_raw());
            self.services.ended(pid, status.success(), Instant::now());
            // Others are orphans of the apps: reaped, and nobody asks what became of them.
            let Some(launch) = self.launches.remove(&pid) else {
                continue;
            };
            self.services.retire(launch);
            self.tell(News::Ended(Ended {
                launch,
                exit_code: status.code(),
                signal: status.signal(),
                failure: String::new(),
            }))?;
        }
        Ok(())
    }

    fn tell(&self, news: News) -> std::io::Result<()> {
        (&self.link).write_all(&encode(&FromInit { news: Some(news) }))
    }
}
