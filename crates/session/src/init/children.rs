//! Hearing of children that ended, as something that can be waited for beside the link.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};

/// A descriptor that can be read when a child has ended.
pub fn ended_signal() -> std::io::Result<File> {
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
