//! What a session's network depends on of the machine's own.

use crate::sandbox::SandboxError;
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The machine's network as it is now.
#[derive(Debug, Default)]
pub struct Machine {
    /// Its addresses with the number of bits that their networks share.
    pub addresses: Vec<(IpAddr, u8)>,
    /// An interface from which IPv6 can be had.
    pub v6_interface: Option<String>,
    // Of /etc/resolv.conf.
    name_servers: Vec<IpAddr>,
}

impl Machine {
    /// # Errors
    /// The kernel does not tell its addresses.
    pub fn look() -> Result<Self, SandboxError> {
        let failed = SandboxError::at("ask for the machine's addresses");
        let interfaces = interfaces().map_err(failed)?;
        // A machine without this file has no name server to ask.
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Ok(Self::of(&interfaces, &text))
    }

    fn of(interfaces: &[(String, IpAddr, u8)], resolv_conf: &str) -> Self {
        let reaches_out = interfaces.iter().any(|(_, address, _)| match address {
            IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        });
        let link_local = interfaces.iter().find(
            |(_, address, _)| matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()),
        );
        Self {
            addresses: interfaces
                .iter()
                .map(|(_, address, bits)| (*address, *bits))
                .collect(),
            v6_interface: link_local
                .filter(|_| reaches_out)
                .map(|(name, ..)| name.clone()),
            name_servers: name_servers(resolv_conf).collect(),
        }
    }

    /// Whether a session's questions for names can be answered, by IPv4 and by IPv6.
    pub fn resolvers(&self) -> [bool; 2] {
        let any = |wanted: fn(&IpAddr) -> bool| self.name_servers.iter().any(wanted);
        [
            any(IpAddr::is_ipv4),
            self.v6_interface.is_some() && any(IpAddr::is_ipv6),
        ]
    }
}

fn name_servers(resolv_conf: &str) -> impl Iterator<Item = IpAddr> + '_ {
    resolv_conf.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|word| *word == "nameserver");
        let address = address.and_then(|_| words.next())?;
        // Without the interface that a link-local one is reached by.
        address.split('%').next()?.parse().ok()
    })
}

/// Each address with its interface's name and the number of bits that its network shares.
fn interfaces() -> std::io::Result<Vec<(String, IpAddr, u8)>> {
    let mut first = std::ptr::null_mut();
    // SAFETY: the call writes one pointer.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: the list is the C library's until it is freed; its pointers are null or lead to what they say, names
    // end with a zero, and each address is as long as its family's.
    unsafe {
        while let Some(entry) = next.as_ref() {
            let bits = address(entry.ifa_netmask).map_or(0, leading_ones);
            if let Some(address) = address(entry.ifa_addr) {
                let name = CStr::from_ptr(entry.ifa_name).to_string_lossy();
                found.push((name.into_owned(), address, bits));
            }
            next = entry.ifa_next;
        }
        libc::freeifaddrs(first);
    }
    Ok(found)
}

/// # Safety
/// The pointer is null or leads to an address that is as long as its family says.
unsafe fn address(of: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: as the caller promises.
    unsafe {
        match i32::from(of.as_ref()?.sa_family) {
            libc::AF_INET => {
                let of = of.cast::<libc::sockaddr_in>().read_unaligned();
                Some(Ipv4Addr::from(u32::from_be(of.sin_addr.s_addr)).into())
            }
            libc::AF_INET6 => {
                let of = of.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(Ipv6Addr::from(of.sin6_addr.s6_addr).into())
            }
            _ => None,
        }
    }
}

fn leading_ones(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    // 128 at most.
    u8::try_from(ones).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str, bits: u8) -> (String, IpAddr, u8) {
        (name.to_owned(), address.parse().unwrap(), bits)
    }

    #[test]
    fn the_kernel_tells_of_loopback() {
        let loopback = ("lo".to_owned(), Ipv4Addr::LOCALHOST.into(), 8);
        assert!(interfaces().unwrap().contains(&loopback));
    }

    #[test]
    fn ipv6_is_had_where_more_than_the_link_has_an_address() {
        let link = interface("eth0", "fe80::1", 64);
        let own = interface("lo", "::1", 128);
        let global = interface("eth0", "2a01:4f8::1", 64);
        let without = Machine::of(&[own, link.clone()], "nameserver fe80::2%eth0\n");
        assert_eq!(without.v6_interface, None);
        assert_eq!(without.resolvers(), [false, false]);
        let with = Machine::of(&[link, global], "nameserver fe80::2%eth0\n");
        assert_eq!(with.v6_interface.as_deref(), Some("eth0"));
        assert_eq!(with.resolvers(), [false, true]);
    }

    #[test]
    fn name_servers_are_read_as_the_c_library_does() {
        let text =
            "# nameserver 1.1.1.1\nsearch nameserver\nnameserver\t127.0.0.53 \nnameserver x\n";
        assert_eq!(
            name_servers(text).collect::<Vec<_>>(),
            [IpAddr::from([127, 0, 0, 53])]
        );
    }
}
