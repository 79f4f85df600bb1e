//! The way of a session's apps to the internet, and to nothing that is nearer.
//!
//! The apps get a network namespace that belongs to a user namespace none of them is in, so nobody inside can change
//! what is laid down here. Its packet rules are up before the apps start; `pasta` carries what they let through
//! out of it, by ordinary sockets of the session's user. See `docs/decisions/`.

mod machine;
mod namespaces;
mod pasta;
mod rules;

pub use namespaces::Namespaces;
pub use pasta::Uplink;

use super::{PATH, SandboxError};
use machine::Machine;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The addresses of a session's network. Every session has the same: none is ever seen outside.
#[derive(Debug)]
struct Addresses<A> {
    session: A,
    gateway: A,
    /// Where `pasta` takes questions to the machine's own name server.
    resolver: A,
}

const V4: Addresses<Ipv4Addr> = Addresses {
    session: Ipv4Addr::new(10, 255, 255, 250),
    gateway: Ipv4Addr::new(10, 255, 255, 249),
    resolver: Ipv4Addr::new(10, 255, 255, 251),
};
const V4_BITS: &str = "29";

const V6: Addresses<Ipv6Addr> = Addresses {
    session: Ipv6Addr::new(0xfd67, 0x7265, 0x656e, 0, 0, 0, 0, 2),
    gateway: Ipv6Addr::new(0xfd67, 0x7265, 0x656e, 0, 0, 0, 0, 1),
    resolver: Ipv6Addr::new(0xfd67, 0x7265, 0x656e, 0, 0, 0, 0, 3),
};

/// A network that leads out, for a sandbox that is yet to be started.
#[derive(Debug)]
pub struct Network {
    /// What the sandbox is to be started in.
    pub namespaces: Namespaces,
    /// What carries its packets.
    pub uplink: Uplink,
    /// What `/etc/resolv.conf` says inside.
    pub resolv_conf: String,
}

impl Network {
    /// Makes it, for apps that run as `owner` or else as whoever calls.
    ///
    /// # Errors
    /// A program is not there, or the kernel refuses; then there is no network and must be no sandbox.
    pub fn open(owner: Option<(u32, u32)>) -> Result<Self, SandboxError> {
        let machine = Machine::look()?;
        let namespaces = Namespaces::new(owner)?;
        rules::lay(&namespaces, &machine)?;
        let uplink = Uplink::start(&namespaces, &machine)?;
        Ok(Self {
            namespaces,
            uplink,
            resolv_conf: resolv_conf(&machine),
        })
    }
}

fn resolv_conf(machine: &Machine) -> String {
    let [v4, v6] = machine.resolvers();
    let v4 = v4.then(|| format!("nameserver {}\n", V4.resolver));
    let v6 = v6.then(|| format!("nameserver {}\n", V6.resolver));
    v4.into_iter().chain(v6).collect()
}
