//! A process that need not be a child: told apart from a later one of the same id, and waited for.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process, by the kernel's own handle: signalling it can never reach another one.
#[derive(Debug)]
pub struct Process {
    pidfd: AsyncFd<OwnedFd>,
}

impl Process {
    /// The process that has this id and began at this time; `None` when there is none (any more).
    ///
    /// # Errors
    /// The kernel has no handles of processes, or none left.
    pub fn find(pid: u32, started: u64) -> io::Result<Option<Self>> {
        let Some(pid_value) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Ok(None);
        };
        let pidfd = match pidfd_open(pid_value, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Looked up after the handle was taken: if it is the right one now, the handle is its.
        if started_at(pid) != Some(started) {
            return Ok(None);
        }
        // SAFETY: the descriptor is open, is owned by the AsyncFd from here on, and an OwnedFd answers the
        // same number until it is dropped, which it is only together with the AsyncFd.
        let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?;
        Ok(Some(Self { pidfd }))
    }

    /// Waits until the process has ended.
    pub async fn ended(&self) {
        // An error means that the kernel's handle cannot be waited for, which it always can.
        let _ = self.pidfd.readable().await;
    }

    /// Ends the process at once; fine if it has ended.
    pub fn kill(&self) {
        // The only failure is that there is nothing left to kill.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }
}

/// When a living process began, in clock ticks since the machine did. A zombie does not live.
pub fn started_at(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // The state is the third field of the file, the start time the twenty-second.
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    #[tokio::test]
    async fn a_process_is_waited_for_without_being_its_parent() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let started = started_at(child.id()).unwrap();
        let process = Process::find(child.id(), started).unwrap().unwrap();
        process.kill();
        tokio::time::timeout(Duration::from_secs(10), process.ended())
            .await
            .unwrap();
        // Not waited for yet, but dead.
        assert!(Process::find(child.id(), started).unwrap().is_none());
        child.wait().unwrap();
        assert!(Process::find(child.id(), started).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_recycled_id_is_not_taken_for_the_process_it_was() {
        let own = std::process::id();
        let started = started_at(own).unwrap();
        assert!(Process::find(own, started).unwrap().is_some());
        assert!(Process::find(own, started + 1).unwrap().is_none());
        assert!(Process::find(0, started).unwrap().is_none());
    }
}
