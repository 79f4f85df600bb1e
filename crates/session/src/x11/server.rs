//! Starting Xwayland.

use greenroom_session_api::spec::X_SERVER;
use rustix::io::FdFlags;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

/// Where init hands over the socket that apps connect to.
const LISTENING: &str = "3";

/// Apps of a desktop often ask and close, and come again at once: so long an X server waits for the next.
const LINGER_S: &str = "2";

/// Starts an X server that fills a window of its own; answers with the window manager's connection. Apps are let in
/// when the window manager is there.
///
/// # Errors
/// It cannot be started.
pub fn start(number: u32, wayland: &OwnedFd) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    rustix::io::fcntl_setfd(wayland, FdFlags::empty())?;
    rustix::io::fcntl_setfd(&theirs, FdFlags::empty())?;
    let child = Command::new(X_SERVER)
        .arg(format!(":{number}"))
        .args(["-listenfd", LISTENING])
        .args(["-wm", &theirs.as_raw_fd().to_string()])
        .args(["-terminate", LINGER_S])
        // There is no graphics card to ask for.
        .arg("-shm")
        .env("WAYLAND_SOCKET", wayland.as_raw_fd().to_string())
        .spawn()?;
    Ok((child, ours))
}
