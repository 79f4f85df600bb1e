//! Starting `greenroom-stream`: by descriptor, with two descriptors and nothing else.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The streamer's end of the frames link.
const FRAMES: i32 = 3;
/// The socket it accepts viewers at.
const VIEWERS: i32 = 4;

/// Starts the streamer; answers it and our end of the frames link.
///
/// # Errors
/// It cannot be started.
pub fn start(program: &File, viewers: &UnixListener) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    // The path leads to the open file in the child as well, whoever may walk to where it lies.
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command
        .arg0("greenroom-stream")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Some(filter) = std::env::var_os("RUST_LOG") {
        command.env("RUST_LOG", filter);
    }
    let (frames, viewers) = (theirs.as_raw_fd(), viewers.as_raw_fd());
    // SAFETY: between fork and exec only dup2(2) is called, which is safe there. Numbers 3 and 4 are held
    // by `/dev/null` in this process, so neither source is among them and nothing of the standard library's
    // is overwritten. They stay open in the child, hence no `OwnedFd` is dropped for them.
    unsafe {
        command.pre_exec(move || {
            for (from, to) in [(frames, FRAMES), (viewers, VIEWERS)] {
                let from = std::os::fd::BorrowedFd::borrow_raw(from);
                let mut to = std::mem::ManuallyDrop::new(OwnedFd::from_raw_fd(to));
                rustix::io::dup2(from, &mut to)?;
            }
            Ok(())
        });
    }
    let child = command.spawn()?;
    Ok((child, ours))
}
