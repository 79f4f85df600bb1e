//! `pasta`, which carries a session's packets by sockets of its own, one process for each session.

use super::machine::Machine;
use super::namespaces::{Entrant, Namespaces};
use super::{PATH, V4, V4_BITS, V6};
use crate::sandbox::SandboxError;
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::CapabilitySet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Connections and the like that a session may have at once, so that it leaves the machine some.
const OPEN_AT_ONCE: u64 = 4096;

/// The name of the network's interface, as apps see it.
const INTERFACE: &str = "eth0";
/// Of the gateway's as apps see it: no machine's, so that they do not learn this one's.
const HARDWARE_ADDRESS: &str = "02:67:72:65:65:6e";

/// What carries a session's packets; it ends when this is dropped, and with whoever started it.
#[derive(Debug)]
pub struct Uplink(Child);

impl Uplink {
    /// Begins to carry packets; the network's interface is there a moment later.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(namespaces: &Namespaces, machine: &Machine) -> Result<Self, SandboxError> {
        let failed = SandboxError::at("start pasta");
        let net = namespaces.net().try_clone().map_err(failed)?;
        let mut command = Command::new("pasta");
        command
            .args(arguments(machine))
            // By a descriptor that it has, and that later versions do not close before they look.
            .args(["--netns-only", "--netns", "/proc/self/fd/0"])
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(net)
            .stdout(Stdio::null())
            // Errors alone, and those belong in the holder's log.
            .stderr(Stdio::inherit());
        // To enter the network, to make its interface, and to ask any port of anybody's.
        let rights =
            CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN | CapabilitySet::NET_BIND_SERVICE;
        namespaces.enter(&mut command, Entrant::Beside(rights));
        // SAFETY: between fork and exec only system calls are made.
        unsafe {
            command.pre_exec(|| {
                let given = getrlimit(Resource::Nofile).maximum;
                let most = Some(given.map_or(OPEN_AT_ONCE, |given| given.min(OPEN_AT_ONCE)));
                let (current, maximum) = (most, most);
                setrlimit(Resource::Nofile, Rlimit { current, maximum })?;
                // Behind the change of user, which would take it back.
                Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
            });
        }
        command.spawn().map(Self).map_err(failed)
    }

    /// The process that carries them.
    pub fn process(&self) -> &Child {
        &self.0
    }

    /// How it has ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn arguments(machine: &Machine) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| all.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--foreground", "--quiet", "--stderr", "--no-netns-quit"]);
    // Nothing of the machine is to be seen inside: not its loopback, by no way, nor its addresses and names.
    add(&["--no-map-gw", "-t", "none", "-u", "none", "-T", "none"]);
    add(&["-U", "none", "--no-ra", "--no-dhcp", "--no-dhcpv6"]);
    add(&["--config-net"]);
    add(&["-I", INTERFACE, "-M", HARDWARE_ADDRESS]);
    let [session, gateway] = [V4.session, V4.gateway].map(|address| address.to_string());
    add(&["-a", &session, "-n", V4_BITS, "-g", &gateway]);
    let [resolves_v4, resolves_v6] = machine.resolvers();
    if resolves_v4 {
        add(&["--dns-forward", &V4.resolver.to_string()]);
    }
    match &machine.v6_interface {
        Some(interface) => {
            let [session, gateway] = [V6.session, V6.gateway].map(|address| address.to_string());
            add(&["-a", &session, "-g", &gateway, "-i", interface]);
            if resolves_v6 {
                add(&["--dns-forward", &V6.resolver.to_string()]);
            }
        }
        // Any will do where nothing is taken from it, and this one is always there.
        None => add(&["--ipv4-only", "-i", "lo"]),
    }
    all
}
