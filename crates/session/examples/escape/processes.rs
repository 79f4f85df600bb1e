//! Attempts on other processes, on users and on what processes share.

use crate::{checked, unlike};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn number(text: &str) -> io::Result<i32> {
    text.parse().map_err(|_| unlike("not a number"))
}

/// Signal 0: whether a real one would arrive.
pub fn signal(pid: &str) -> io::Result<()> {
    // SAFETY: the call takes no pointer.
    checked(unsafe { libc::kill(number(pid)?, 0) }.into()).map(drop)
}

pub fn trace(pid: &str) -> io::Result<()> {
    let pid = number(pid)?;
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: seizing and letting go read no memory of ours.
    unsafe {
        checked(libc::ptrace(libc::PTRACE_SEIZE, pid, nothing, nothing))?;
        // A seized process that runs cannot be let go; our end does it.
        let _ = libc::ptrace(libc::PTRACE_DETACH, pid, nothing, nothing);
    }
    Ok(())
}

/// Through the kernel's call and through the file.
pub fn read_memory(pid: &str) -> io::Result<()> {
    if File::open(format!("/proc/{pid}/mem")).is_ok() {
        return Ok(());
    }
    let mut byte = [0_u8];
    let ours = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    // Nothing lies there: what the kernel objects to first tells whether one may look.
    let theirs = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(1),
        iov_len: 1,
    };
    // SAFETY: ours points to one byte that may be written; theirs is another process's matter.
    let read = unsafe {
        libc::process_vm_readv(number(pid)?, &raw const ours, 1, &raw const theirs, 1, 0)
    };
    match checked(read.try_into().unwrap_or(-1)) {
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
        other => other.map(drop),
    }
}

/// Whether a process is to be seen whose command line holds `name`.
pub fn find(name: &str) -> io::Result<()> {
    let own = std::process::id().to_string();
    for entry in fs::read_dir("/proc")?.flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let of_others = !entry.path().ends_with(&own) && entry.path().join("exe").exists();
        if of_others && String::from_utf8_lossy(&line).starts_with(name) {
            return Ok(());
        }
    }
    Err(unlike("not among the processes"))
}

pub fn become_user(uid: &str) -> io::Result<()> {
    let uid = number(uid)?.cast_unsigned();
    // SAFETY: the call takes no pointer.
    checked(unsafe { libc::setresuid(uid, uid, uid) }.into()).map(drop)
}

/// Whether a program that belongs to root and asks for a password runs as root while it waits for it.
pub fn raised_by(program: &str) -> io::Result<()> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let began = Instant::now();
    let mut raised = false;
    while !raised && began.elapsed() < Duration::from_secs(2) && child.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let ids = text.lines().find_map(|line| line.strip_prefix("Uid:"));
        raised = ids.and_then(|ids| ids.split_ascii_whitespace().nth(1)) == Some("0");
        std::thread::yield_now();
    }
    // It may be gone, or not ours to end any more; its closed input ends it then.
    let _ = child.kill();
    drop(child.stdin.take());
    child.wait()?;
    if raised {
        Ok(())
    } else {
        Err(unlike("it never was root"))
    }
}

/// A System V segment that somebody outside has made.
pub fn shared_memory(key: &str) -> io::Result<()> {
    // SAFETY: the call takes no pointer.
    checked(unsafe { libc::shmget(number(key)?, 0, 0) }.into()).map(drop)
}

/// A line typed into a terminal by a program rather than by its user.
pub fn type_into_terminal() -> io::Result<()> {
    // SAFETY: the calls take no pointer but to one byte, and the descriptors are new and ours alone.
    unsafe {
        let ours = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY);
        checked(ours.into())?;
        let _ours = File::from_raw_fd(ours);
        checked(libc::unlockpt(ours).into())?;
        let theirs = libc::ioctl(ours, libc::TIOCGPTPEER, libc::O_RDWR | libc::O_NOCTTY);
        checked(theirs.into())?;
        let theirs = File::from_raw_fd(theirs);
        // One's own controlling terminal needs no right at all; it hangs up when we are done with it.
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
        libc::setsid();
        libc::ioctl(theirs.as_raw_fd(), libc::TIOCSCTTY, 1);
        let typed = b'x';
        checked(libc::ioctl(theirs.as_raw_fd(), libc::TIOCSTI, &raw const typed).into()).map(drop)
    }
}

pub fn namespace(name: &str) -> io::Result<()> {
    let flag = match name {
        "mount" => libc::CLONE_NEWNS,
        "cgroup" => libc::CLONE_NEWCGROUP,
        "uts" => libc::CLONE_NEWUTS,
        "time" => 0x80,
        _ => return Err(unlike("no such namespace")),
    };
    // SAFETY: the call takes no pointer.
    checked(unsafe { libc::unshare(flag) }.into()).map(drop)
}

/// User and network namespaces of one's own, as browsers make them; root within.
pub fn become_administrator() -> io::Result<()> {
    // SAFETY: the calls take no pointer.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    // SAFETY: likewise; this process has one thread.
    checked(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) }.into())?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}
