//! `greenroom-init`: the first process of a sandbox. It starts the apps it is told to, reaps whatever ends and
//! says what became of its launches. Its standard input is the link to the holder; when that closes, it
//! ends, and the kernel ends everything else in its process namespace with it.

#[path = "../privileges.rs"]
mod privileges;

use greenroom_session_api::init::{
    Bound, Ended, FromInit, Launch, Ready, Started, ToInit, from_init::News, to_init::Order,
};
use greenroom_session_api::{FrameBuffer, encode};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions};
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

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
    let children = children_signal()?;
    Init {
        link,
        launches: HashMap::new(),
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
}

impl Init {
    fn run(&mut self, children: &File) -> Result<(), Box<dyn std::error::Error>> {
        self.tell(News::Ready(Ready {}))?;
        let mut inbox = FrameBuffer::new(MAX_ORDER);
        let mut bytes = vec![0; 64 << 10];
        loop {
            let mut ready = [
                PollFd::new(&self.link, PollFlags::IN),
                PollFd::new(children, PollFlags::IN),
            ];
            match rustix::event::poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let (orders, ended) = (
                !ready[0].revents().is_empty(),
                !ready[1].revents().is_empty(),
            );
            if ended {
                // How many signals wait does not matter: every child that ended is reaped.
                let _ = (&*children).read(&mut bytes);
                self.reap()?;
            }
            if orders {
                let read = match (&self.link).read(&mut bytes) {
                    Ok(0) => return Ok(()),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error.into()),
                };
                inbox.push(&bytes[..read]);
                while let Some(ToInit { order }) = inbox.take()? {
                    match order {
                        Some(Order::Launch(launch)) => self.launch(&launch)?,
                        Some(Order::Signal(order)) => self.signal(order.launch, order.signal),
                        Some(Order::Bound(bound)) => apply(bound)?,
                        None => {}
                    }
                }
            }
        }
    }

    fn launch(&mut self, order: &Launch) -> std::io::Result<()> {
        match spawn(order) {
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
            // Others are orphans of the apps: reaped, and nobody asks what became of them.
            let Some(launch) = self.launches.remove(&pid.as_raw_nonzero().get()) else {
                continue;
            };
            let status = ExitStatus::from_raw(status.as_raw());
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

/// Takes on what every process started from here inherits.
fn apply(bound: Bound) -> std::io::Result<()> {
    let asked = [
        (Resource::Nproc, bound.processes),
        (Resource::Data, bound.data_bytes),
        (Resource::Fsize, bound.file_bytes),
    ];
    for (resource, most) in asked.into_iter().filter(|(_, most)| *most > 0) {
        limit(resource, most)?;
    }
    // What was in an app's memory does not belong in a file of its home, and may be larger than that.
    limit(Resource::Core, 0)
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    // Never more than whoever started the server allows.
    let allowed = rustix::process::getrlimit(resource).maximum;
    let most = Some(allowed.map_or(most, |allowed| allowed.min(most)));
    let both = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(rustix::process::setrlimit(resource, both)?)
}

/// Starts a process that leads its own group; what it says goes to a file of its user's.
fn spawn(order: &Launch) -> std::io::Result<i32> {
    let Some((program, arguments)) = order.argv.split_first() else {
        return Err(std::io::Error::new(
            ErrorKind::InvalidInput,
            "no program is named",
        ));
    };
    let environment: Vec<(&str, &str)> = order
        .env
        .iter()
        .filter_map(|entry| entry.split_once('='))
        .collect();
    let value = |name: &str| {
        environment
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .process_group(0)
        .stdin(Stdio::null());
    // A full or read-only home must not keep an app from starting.
    let (out, err) = match value("HOME").and_then(|home| output_file(home, program).ok()) {
        Some(file) => (Stdio::from(file.try_clone()?), Stdio::from(file)),
        None => (Stdio::null(), Stdio::null()),
    };
    command.stdout(out).stderr(err);
    if let Some(home) = value("HOME") {
        command.current_dir(home);
    }
    let child = command.spawn().map_err(|error| {
        std::io::Error::new(error.kind(), format!("cannot start {program}: {error}"))
    })?;
    // Reaped by `reap`, like every other process; a `Child` does nothing when it is dropped.
    Ok(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// `~/.local/state/greenroom/PROGRAM.log`, of the latest launch only.
fn output_file(home: &str, program: &str) -> std::io::Result<File> {
    let folder = PathBuf::from(home).join(".local/state/greenroom");
    std::fs::create_dir_all(&folder)?;
    let name = program.rsplit('/').next().unwrap_or(program);
    File::create(folder.join(format!("{name}.log")))
}

/// A descriptor that can be read when a child has ended.
fn children_signal() -> std::io::Result<File> {
    // SAFETY: `set` is plain data that sigemptyset initialises before it is read; the calls take no other
    // pointer, and the descriptor that signalfd answers is new and ours alone.
    let descriptor = unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        let descriptor = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if descriptor < 0 {
            return Err(std::io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(descriptor)
    };
    Ok(File::from(descriptor))
}
