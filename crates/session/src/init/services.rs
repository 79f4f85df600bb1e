//! Sockets whose program is started by the first who connects: what no app of a session asks for costs nothing.

use crate::printed::Printed;
use crate::program::Program;
use greenroom_session_api::init::Serve;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A program that ends within this time, and not well, has failed.
const SHORT: Duration = Duration::from_secs(5);
/// Failures in a row after which the socket is taken away: an app is then told at once that nobody is there, where
/// it would wait for ever, and the processor is not spent on trying.
const MAX_FAILURES: u32 = 3;

/// Passes the socket on as systemd does, which is what such programs understand: as descriptor 3, with the number
/// of sockets and the process they are meant for. Only the process itself knows that number in time.
const HAND_OVER: &str = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\" 3<&0 </dev/null";

/// Every socket that is offered.
#[derive(Debug, Default)]
pub struct Services {
    all: Vec<Service>,
}

#[derive(Debug)]
struct Service {
    order: Serve,
    /// `None` when nobody may connect any more.
    door: Option<UnixListener>,
    running: Option<Running>,
    failures: u32,
}

#[derive(Debug)]
struct Running {
    pid: i32,
    since: Instant,
    /// The connection that the opening was said by; a program may forget what was asked by somebody who has gone.
    _spoken: Option<OwnedFd>,
}

impl Services {
    /// Listens at the socket of an order. Without its program there is no socket either.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn offer(&mut self, order: Serve) -> std::io::Result<()> {
        if !is_installed(&order) {
            return Ok(());
        }
        let path = Path::new(&order.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let door = UnixListener::bind(path)?;
        self.all.push(Service {
            order,
            door: Some(door),
            running: None,
            failures: 0,
        });
        Ok(())
    }

    /// The sockets at which somebody may knock in vain: those whose program does not run.
    pub fn idle(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.all
            .iter()
            .filter(|service| service.running.is_none())
            .filter_map(|service| service.door.as_ref().map(AsFd::as_fd))
    }

    /// Somebody has connected to some of the idle sockets, told in their order.
    pub fn answer(&mut self, knocked: &[bool], printed: &mut Printed, now: Instant) {
        let idle = self
            .all
            .iter_mut()
            .filter(|service| service.running.is_none() && service.door.is_some());
        for (service, _) in idle.zip(knocked).filter(|(_, knocked)| **knocked) {
            match service.start(printed) {
                Ok(pid) => {
                    service.running = Some(Running {
                        pid,
                        since: now,
                        // Without it the program runs all the same.
                        _spoken: service.speak().ok(),
                    });
                }
                Err(_) => service.fail(),
            }
        }
    }

    /// A process has ended, well or not; the next connection starts its service again.
    pub fn ended(&mut self, pid: i32, well: bool, now: Instant) {
        for service in &mut self.all {
            if let Some(running) = service.running.take_if(|running| running.pid == pid) {
                if !well && now.saturating_duration_since(running.since) < SHORT {
                    service.fail();
                } else {
                    service.failures = 0;
                }
            }
        }
        self.forget();
    }

    /// A launch is over: nobody connects any more to what was offered for it alone. What of it runs goes on for
    /// those who have connected.
    pub fn retire(&mut self, launch: u64) {
        for service in &mut self.all {
            if service.order.launch == launch {
                service.close();
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.all
            .retain(|service| service.door.is_some() || service.running.is_some());
    }
}

impl Service {
    fn start(&self, printed: &mut Printed) -> std::io::Result<i32> {
        let Some(door) = &self.door else {
            return Err(ErrorKind::NotConnected.into());
        };
        let door: OwnedFd = door.as_fd().try_clone_to_owned()?;
        let mut argv = ["/bin/sh", "-c", HAND_OVER, "sh"]
            .map(str::to_owned)
            .to_vec();
        argv.extend(self.order.argv.iter().cloned());
        let program = Program {
            name: &self.order.name,
            argv: &argv,
            env: &self.order.env,
        };
        program.start(Stdio::from(door), printed.pipe(program.name))
    }

    /// Says the opening to whoever accepts. It never waits: apps may have filled the queue at the socket.
    fn speak(&self) -> std::io::Result<OwnedFd> {
        if self.order.opening.is_empty() {
            return Err(ErrorKind::NotFound.into());
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let stream =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&stream, &SocketAddrUnix::new(self.order.path.as_str())?)?;
        rustix::io::write(&stream, &self.order.opening)?;
        Ok(stream)
    }

    fn fail(&mut self) {
        self.failures += 1;
        if self.failures == MAX_FAILURES {
            self.close();
        }
    }

    fn close(&mut self) {
        if self.door.take().is_some() {
            // Whoever connects learns it from the closed socket too.
            let _ = std::fs::remove_file(&self.order.path);
        }
    }
}

fn is_installed(order: &Serve) -> bool {
    let Some(program) = order.argv.first() else {
        return false;
    };
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let of = Program {
        name: &order.name,
        argv: &order.argv,
        env: &order.env,
    };
    let path = of.variable("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|folder| folder.join(program).is_file())
}
