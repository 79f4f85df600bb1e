//! What a session's packets may be addressed to, as rules of the kernel's packet filter.
//!
//! They look at where a packet goes, whatever interface, route or source its sender has asked for.

use super::machine::Machine;
use super::namespaces::{Entrant, Namespaces};
use super::{PATH, V4, V6};
use crate::sandbox::SandboxError;
use rustix::thread::CapabilitySet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

/// Not of the internet: IANA's registries of special addresses, and what is multicast or reserved.
const NOT_PUBLIC_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    // Azure's machines learn of themselves there.
    "168.63.129.16/32",
];

/// What is public is within this one,
const PUBLIC_V6: &str = "2000::/3";
/// and not in these: protocols' own, among them those that carry IPv4 to anywhere, and documentation's.
const NOT_PUBLIC_V6: &[&str] = &["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// A network of the machine's that is larger than this is not refused as a whole: its mask is a mistake, or says
/// that everything is near.
const LARGEST_NEAR: [u8; 2] = [8, 32];

/// Lays the rules.
///
/// # Errors
/// `nft` is not there, or the kernel has no packet filter.
pub fn lay(namespaces: &Namespaces, machine: &Machine) -> Result<(), SandboxError> {
    let failed = SandboxError::at("lay the rules of the session's network by nft");
    let mut command = Command::new("nft");
    command.args(["-f", "-"]).env_clear().env("PATH", PATH);
    command.current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    namespaces.enter(&mut command, Entrant::Within(CapabilitySet::NET_ADMIN));
    let mut nft = command.spawn().map_err(failed)?;
    let told = match nft.stdin.take() {
        Some(mut stdin) => stdin.write_all(rules(machine).as_bytes()),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    let status = nft.wait().map_err(failed)?;
    told.map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(io::Error::other(status.to_string())))
    }
}

fn rules(machine: &Machine) -> String {
    let near = |family: fn(&IpAddr) -> bool| {
        let addresses = machine.addresses.iter();
        let addresses = addresses.filter(move |(address, _)| family(address));
        addresses.map(|(address, bits)| network_of(*address, *bits))
    };
    let with = |never: &[&str], family| {
        let never = never.iter().map(|network| (*network).to_owned());
        never.chain(near(family)).collect::<Vec<_>>().join(", ")
    };
    let v4 = with(NOT_PUBLIC_V4, IpAddr::is_ipv4);
    let v6 = with(NOT_PUBLIC_V6, IpAddr::is_ipv6);
    let [resolves_v4, resolves_v6] = machine.resolvers();

    let mut rules = String::from("table inet greenroom {\n");
    for (name, kind, networks) in [("near4", "ipv4_addr", v4), ("near6", "ipv6_addr", v6)] {
        // Writing into a string cannot fail, here and below.
        let _ = writeln!(
            rules,
            "set {name} {{ type {kind}; flags interval; auto-merge; elements = {{ {networks} }}; }}"
        );
    }
    // Said rather than dropped in silence, so that nobody waits for an answer.
    rules.push_str("chain refuse {\nmeta l4proto tcp reject with tcp reset\n");
    rules.push_str("reject with icmpx admin-prohibited\n}\n");
    rules.push_str("chain out {\ntype filter hook output priority 0; policy drop;\n");
    rules.push_str("oif lo accept\n");
    if resolves_v4 {
        let _ = writeln!(rules, "ip daddr {} udp dport 53 accept", V4.resolver);
    }
    if resolves_v6 {
        let _ = writeln!(rules, "ip6 daddr {} udp dport 53 accept", V6.resolver);
    }
    // How the gateway is found; it goes no further than this network.
    rules.push_str("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n");
    rules.push_str("ip daddr @near4 goto refuse\n");
    rules.push_str("ip6 daddr @near6 goto refuse\n");
    let _ = writeln!(rules, "ip6 daddr != {PUBLIC_V6} goto refuse");
    rules.push_str("meta l4proto { tcp, udp } accept\n}\n}\n");
    rules
}

/// The network that the machine has this address in, and the address if that is not to be refused as a whole.
fn network_of(address: IpAddr, bits: u8) -> String {
    let [v4, v6] = LARGEST_NEAR;
    match address {
        IpAddr::V4(address) => {
            let bits = if bits < v4 { 32 } else { bits.min(32) };
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            let network = Ipv4Addr::from_bits(address.to_bits() & mask);
            format!("{network}/{bits}")
        }
        IpAddr::V6(address) => {
            let bits = if bits < v6 { 128 } else { bits.min(128) };
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            let network = Ipv6Addr::from_bits(address.to_bits() & mask);
            format!("{network}/{bits}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_networks_are_near_and_those_without_bounds_only_its_address() {
        for (address, bits, near) in [
            ("198.20.1.77", 24, "198.20.1.0/24"),
            ("198.20.1.77", 32, "198.20.1.77/32"),
            ("198.20.1.77", 0, "198.20.1.77/32"),
            ("2a01:4f8:1:2::77", 64, "2a01:4f8:1:2::/64"),
            ("2a01:4f8:1:2::77", 0, "2a01:4f8:1:2::77/128"),
        ] {
            let network = network_of(address.parse().unwrap(), bits);
            assert_eq!(network, near);
        }
    }

    #[test]
    fn the_name_server_is_reached_only_where_there_is_one() {
        let resolver = format!("ip daddr {} udp dport 53", V4.resolver);
        assert!(!rules(&Machine::default()).contains(&resolver));
    }
}
