//! A process that need not be a child: told apart from a later one of the same id, and waited for.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
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
    Stat::read(pid).map(|stat| stat.started)
}

/// The words that a process was started with, or has made of them; none when there is no such process.
pub fn command_line(pid: u32) -> Vec<OsString> {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = words.strip_suffix(b"\0").unwrap_or(&words);
    let words = words.split(|byte| *byte == 0);
    words
        .map(|word| OsStr::from_bytes(word).to_owned())
        .collect()
}

/// What the kernel says of a living process in `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its id.
    pub pid: u32,
    /// Who started it, or took it over.
    pub parent: u32,
    /// Its program's name, of which it may make anything; at most 15 bytes.
    pub name: String,
    /// Processors' time of it and of the children that it has waited for, in clock ticks.
    pub ticks: u64,
    /// Pages of memory it has, those that it shares included.
    pub pages: u64,
    /// Its threads.
    pub threads: u64,
    /// When it began, in clock ticks since the machine did.
    pub started: u64,
}

impl Stat {
    /// Of the process of that id; `None` when there is none, or a zombie.
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, which may contain anything.
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Numbered as in proc(5), where the state is the third.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |at: usize| field(at)?.parse::<u64>().ok();
        if matches!(field(3)?, "Z" | "X") {
            return None;
        }
        Some(Self {
            pid: pid.parse().ok()?,
            parent: field(4)?.parse().ok()?,
            name: name.to_owned(),
            ticks: number(14)? + number(15)? + number(16)? + number(17)?,
            threads: number(20)?,
            started: number(22)?,
            pages: number(24)?,
        })
    }
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

    #[test]
    fn a_process_may_be_called_anything() {
        let line = "7 (a ) b (c) S 3 7 7 0 -1 4194560 1 0 0 0 5 6 70 800 20 0 4 0 777 9000 12 18";
        let stat = Stat {
            pid: 7,
            parent: 3,
            name: "a ) b (c".into(),
            ticks: 881,
            pages: 12,
            threads: 4,
            started: 777,
        };
        assert_eq!(Stat::parse(line), Some(stat));
        assert_eq!(Stat::parse(&line.replace(" S ", " Z ")), None);
        assert_eq!(Stat::parse("7 (a) S 3"), None);
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
