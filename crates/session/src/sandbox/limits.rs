//! Puts a sandbox's first process where it is bounded, before it is anything at all.

use super::SandboxError;
use greenroom_session_api::spec::Limits;
use rustix::fs::{Mode, OFlags};
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What the apps' processes have on top of their own badness when the whole machine is out of memory: the kernel
/// shall choose one of them and not the compositor, without which none of them would live on.
const BADNESS: &[u8] = b"300";

/// Has the process that `command` starts join the groups of `limits`. A group that cannot be joined keeps the
/// process from being started.
///
/// # Errors
/// There is no such group, or it is not ours to join.
pub fn confine(command: &mut Command, limits: &Limits) -> Result<(), SandboxError> {
    let groups = limits
        .join
        .iter()
        .map(|path| OpenOptions::new().write(true).open(path))
        .collect::<std::io::Result<Vec<File>>>();
    let groups = groups.map_err(SandboxError::at("open the groups that bound the apps"))?;
    let join = move || {
        for group in &groups {
            // The kernel reads it as whoever writes.
            rustix::io::write(group, b"0")?;
        }
        let own = rustix::fs::open(
            c"/proc/self/oom_score_adj",
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        // Only a preference of ours: where there is no such file the apps are bounded all the same.
        let _ = own.and_then(|own| rustix::io::write(&own, BADNESS));
        Ok(())
    };
    // SAFETY: between fork and exec the closure opens a file by a constant path and writes to descriptors: it
    // allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(join);
    }
    Ok(())
}
