//! A process that is there only so that the namespaces it is in are, until somebody has them open.

use super::PATH;
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The process; its end comes with the value's.
#[derive(Debug)]
pub struct Inhabitant(Child);

impl Inhabitant {
    /// One in a new user namespace and in `others`, where it calls `begin` before all else. That must make system calls
    /// only: it runs between fork and exec, where nothing may be allocated and no lock taken.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new(others: UnshareFlags, begin: fn() -> io::Result<()>) -> io::Result<Self> {
        // It waits for a word that never comes.
        let mut command = Command::new("cat");
        command.env_clear().env("PATH", PATH).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        // SAFETY: between fork and exec only system calls are made: nothing is allocated and no lock taken. The
        // process has one thread, and shares no table of descriptors that it could lose.
        unsafe {
            command.pre_exec(move || {
                unshare_unsafe(UnshareFlags::NEWUSER | others)?;
                begin()
            });
        }
        command.spawn().map(Self)
    }

    /// Says who is who in the user namespace, in the kernel's form. Without rights the kernel takes no more than one
    /// line with the caller's own numbers, and only where `with_rights` is false.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn describe(&self, uids: &str, gids: &str, with_rights: bool) -> io::Result<()> {
        if !with_rights {
            // The kernel wants it before it lets somebody who is not root name a group.
            fs::write(self.path("setgroups"), "deny")?;
        }
        fs::write(self.path("uid_map"), uids)?;
        fs::write(self.path("gid_map"), gids)
    }

    /// One of its namespaces, by its name below `/proc/PID/ns`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self, namespace: &str) -> io::Result<File> {
        File::open(self.path(&format!("ns/{namespace}")))
    }

    fn path(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0.id())
    }
}

impl Drop for Inhabitant {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
