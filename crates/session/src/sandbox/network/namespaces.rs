//! The network namespace of a session, and the user namespace that has the say over it.

use crate::sandbox::SandboxError;
use crate::sandbox::inhabitant::Inhabitant;
use rustix::net::{AddressFamily, SocketType};
use rustix::process::{Gid, Uid, getgid, getuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, UnshareFlags,
    configure_capability_in_ambient_set, move_into_link_name_space, set_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

/// Both namespaces. They last as long as somebody is in them or has them open.
#[derive(Debug, Clone)]
pub struct Namespaces {
    user: Arc<File>,
    net: Arc<File>,
    uid: u32,
    gid: u32,
    /// The apps' user is not whoever made the namespaces.
    owned: bool,
}

/// Who enters.
#[derive(Debug, Clone, Copy)]
pub enum Entrant {
    /// Has these rights over the network, which it is in.
    Within(CapabilitySet),
    /// Has these rights over the network and stays in the machine's.
    Beside(CapabilitySet),
}

impl Namespaces {
    /// New ones, with nothing in the network but its own loopback.
    ///
    /// In the user namespace the apps' user has its own number, and nobody is 0: the kernel gives the network's
    /// switches below `/proc/sys` to that one, whoever it is outside. Made by root it is root's, so that the apps'
    /// user is a stranger to it.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new(owner: Option<(u32, u32)>) -> Result<Self, SandboxError> {
        let failed = SandboxError::at("make a network namespace");
        let own = || (getuid().as_raw(), getgid().as_raw());
        let (uid, gid) = owner.unwrap_or_else(own);
        let first = Inhabitant::new(UnshareFlags::NEWNET, raise_loopback).map_err(failed)?;
        let map = |id: u32| format!("{id} {id} 1\n");
        first
            .describe(&map(uid), &map(gid), owner.is_some())
            .map_err(failed)?;
        Ok(Self {
            user: Arc::new(first.open("user").map_err(failed)?),
            net: Arc::new(first.open("net").map_err(failed)?),
            uid,
            gid,
            owned: owner.is_some(),
        })
    }

    /// The network namespace, open.
    pub fn net(&self) -> &File {
        &self.net
    }

    /// Has what `command` starts enter as `entrant`, as the apps' user. Without a way in it is not started.
    pub fn enter(&self, command: &mut Command, entrant: Entrant) {
        let namespaces = self.clone();
        let enter = move || {
            let user = LinkNameSpaceType::User;
            move_into_link_name_space(namespaces.user.as_fd(), Some(user))?;
            let rights = match entrant {
                Entrant::Within(rights) => {
                    namespaces.enter_net()?;
                    rights
                }
                Entrant::Beside(rights) => rights,
            };
            namespaces.become_user()?;
            keep(rights)
        };
        // SAFETY: between fork and exec the closure makes system calls only: it allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(move || Ok(enter()?));
        }
    }

    /// Has the sandbox that `command` builds be in the network, with no right over it.
    pub fn hold(&self, command: &mut Command) {
        let namespaces = self.clone();
        let enter = move || {
            // Root enters as root of the machine, and its sandbox is of no user namespace.
            if !namespaces.owned {
                let user = LinkNameSpaceType::User;
                move_into_link_name_space(namespaces.user.as_fd(), Some(user))?;
            }
            // What rights that gave go with the start of a program, as no user here is 0.
            namespaces.enter_net()
        };
        // SAFETY: as above.
        unsafe {
            command.pre_exec(move || Ok(enter()?));
        }
    }

    fn enter_net(&self) -> rustix::io::Result<()> {
        move_into_link_name_space(self.net.as_fd(), Some(LinkNameSpaceType::Network))
    }

    fn become_user(&self) -> rustix::io::Result<()> {
        if self.owned {
            set_thread_groups(&[])?;
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)
    }
}

/// Has the program that this process becomes have `rights` and no others.
fn keep(rights: CapabilitySet) -> rustix::io::Result<()> {
    let sets = CapabilitySets {
        effective: rights,
        permitted: rights,
        inheritable: rights,
    };
    set_capabilities(None, sets)?;
    rights
        .iter()
        .try_for_each(|right| configure_capability_in_ambient_set(right, true))
}

/// Brings the loopback interface up, without which not even refusals arrive.
fn raise_loopback() -> io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    // SAFETY: all of it may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    // It is 1.
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the call reads the request, which outlives it.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
