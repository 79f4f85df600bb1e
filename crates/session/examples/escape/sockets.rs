//! Attempts on sockets.

use crate::{checked, unlike};
use std::ffi::CString;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as LocalAddr, UnixStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
/// Of what never hears that it was refused: what answers does so at once.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);

pub fn connect(address: &str) -> io::Result<()> {
    TcpStream::connect_timeout(&parse(address)?, PATIENCE).map(drop)
}

/// Sends a datagram; succeeds when anybody answers it.
pub fn send(address: &str) -> io::Result<()> {
    let address = parse(address)?;
    let socket = datagrams(address)?;
    aim(&socket, address)?;
    socket.send_to(b"?", address)?;
    socket.recv_from(&mut [0; 16]).map(drop)
}

/// Connects by an interface rather than by the routes.
pub fn connect_by(interface: &str, address: &str) -> io::Result<()> {
    let address = parse(address)?;
    let socket = socket(family(address), libc::SOCK_STREAM, 0)?;
    bind_to(&socket, interface)?;
    let time = libc::timeval {
        tv_sec: 0,
        tv_usec: SHORT_PATIENCE.subsec_micros().into(),
    };
    // SAFETY: the option is as long as said, and outlives the call.
    let bounded = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDTIMEO,
            (&raw const time).cast(),
            size_of_val(&time) as u32,
        )
    };
    checked(bounded.into())?;
    let (raw, length) = raw(address);
    // SAFETY: the address is at least as long as said, and outlives the call.
    let connected = unsafe { libc::connect(socket.as_raw_fd(), raw.as_ptr().cast(), length) };
    checked(connected.into()).map(drop)
}

/// Sends a datagram by an interface, named once for the socket and once with the datagram.
pub fn send_by(interface: &str, address: &str) -> io::Result<()> {
    let address = parse(address)?;
    let socket = datagrams(address)?;
    bind_to(&socket, interface)?;
    let sent = aim(&socket, address).and_then(|()| socket.send_to(b"?", address));
    if sent.and_then(|_| socket.recv_from(&mut [0; 16])).is_ok() {
        return Ok(());
    }
    let socket = datagrams(address)?;
    aim(&socket, address)?;
    send_with_its_interface(&socket, number_of(interface)?, address)?;
    socket.recv_from(&mut [0; 16]).map(drop)
}

/// Has a socket hear of refusals. A group cannot refuse, and others answer for it.
fn aim(socket: &UdpSocket, address: SocketAddr) -> io::Result<()> {
    match address.ip().is_multicast() {
        true => Ok(()),
        false => socket.connect(address),
    }
}

/// Has an interface be up that is up already.
pub fn raise(interface: &str) -> io::Result<()> {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    // SAFETY: all of it may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    let request = &raw mut request;
    // SAFETY: both calls read and write the request alone, which outlives them.
    unsafe {
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, request).into())?;
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, request).into()).map(drop)
    }
}

/// Asks the C library for a name's address, which asks a name server.
pub fn resolve(name: &str) -> io::Result<()> {
    let mut found = (name, 0).to_socket_addrs()?;
    found.next().map(drop).ok_or_else(|| unlike("no address"))
}

pub fn connect_local(path: &str) -> io::Result<()> {
    UnixStream::connect(path).map(drop)
}

/// Names without a file belong to the network, not to a folder.
pub fn connect_named(name: &str) -> io::Result<()> {
    let address = LocalAddr::from_abstract_name(name)?;
    UnixStream::connect_addr(&address).map(drop)
}

/// Family, kind and protocol, as numbers.
pub fn make(numbers: &[&str]) -> io::Result<()> {
    let numbers: Vec<i32> = numbers
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let [family, kind, protocol] = numbers[..] else {
        return Err(unlike("three numbers make a socket"));
    };
    socket(family, kind, protocol).map(drop)
}

fn socket(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointer.
    let socket = unsafe { libc::socket(family, kind, protocol) };
    checked(socket.into())?;
    // SAFETY: the descriptor is new and ours alone.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// As in `[fe80::1%eth0]:80`, where an interface is needed.
fn parse(text: &str) -> io::Result<SocketAddr> {
    let wrong = || unlike("not an address with a port");
    let Some((address, rest)) = text.split_once('%') else {
        return text.parse().map_err(|_| wrong());
    };
    let (interface, port) = rest.split_once("]:").ok_or_else(wrong)?;
    let address = address.trim_start_matches('[').parse();
    let (address, port) = (
        address.map_err(|_| wrong())?,
        port.parse().map_err(|_| wrong())?,
    );
    Ok(SocketAddrV6::new(address, port, 0, number_of(interface)?).into())
}

fn number_of(interface: &str) -> io::Result<u32> {
    let name = CString::new(interface)?;
    // SAFETY: the name ends with a zero and outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        number => Ok(number),
    }
}

fn family(address: SocketAddr) -> i32 {
    match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    }
}

fn datagrams(to: SocketAddr) -> io::Result<UdpSocket> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(SHORT_PATIENCE))?;
    Ok(socket)
}

fn bind_to(socket: &impl AsRawFd, interface: &str) -> io::Result<()> {
    let length = interface.len() as u32;
    let option = interface.as_ptr().cast();
    // SAFETY: the name is as long as said, and outlives the call.
    let bound = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            option,
            length,
        )
    };
    checked(bound.into()).map(drop)
}

/// An address as the kernel takes it, and how long it is.
fn raw(address: SocketAddr) -> ([u8; 28], u32) {
    let mut raw = [0; 28];
    let family = u16::try_from(family(address)).unwrap_or(0);
    raw[..2].copy_from_slice(&family.to_ne_bytes());
    raw[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address {
        SocketAddr::V4(address) => {
            raw[4..8].copy_from_slice(&address.ip().octets());
            (raw, 16)
        }
        SocketAddr::V6(address) => {
            raw[8..24].copy_from_slice(&address.ip().octets());
            raw[24..].copy_from_slice(&address.scope_id().to_ne_bytes());
            (raw, 28)
        }
    }
}

fn send_with_its_interface(
    socket: &UdpSocket,
    interface: u32,
    address: SocketAddr,
) -> io::Result<()> {
    let (mut name, length) = raw(address);
    let mut bytes = [b'?'];
    let mut data = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    // Room for the longer of both, aligned as the kernel wants it.
    let mut room = [0_u64; 8];
    // SAFETY: everything that the message leads to outlives the call, and the room is long enough for its one part.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_name = name.as_mut_ptr().cast();
        message.msg_namelen = length;
        message.msg_iov = &raw mut data;
        message.msg_iovlen = 1;
        message.msg_control = room.as_mut_ptr().cast();
        let part = match address.ip() {
            IpAddr::V4(_) => size_of::<libc::in_pktinfo>(),
            IpAddr::V6(_) => size_of::<libc::in6_pktinfo>(),
        };
        message.msg_controllen = libc::CMSG_SPACE(part as u32) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_len = libc::CMSG_LEN(part as u32) as _;
        if address.is_ipv4() {
            (*header).cmsg_level = libc::IPPROTO_IP;
            (*header).cmsg_type = libc::IP_PKTINFO;
            let mut info: libc::in_pktinfo = std::mem::zeroed();
            info.ipi_ifindex = interface.cast_signed();
            libc::CMSG_DATA(header)
                .cast::<libc::in_pktinfo>()
                .write_unaligned(info);
        } else {
            (*header).cmsg_level = libc::IPPROTO_IPV6;
            (*header).cmsg_type = libc::IPV6_PKTINFO;
            let mut info: libc::in6_pktinfo = std::mem::zeroed();
            info.ipi6_ifindex = interface;
            libc::CMSG_DATA(header)
                .cast::<libc::in6_pktinfo>()
                .write_unaligned(info);
        }
        let sent = libc::sendmsg(socket.as_raw_fd(), &raw const message, 0);
        checked(sent.try_into().unwrap_or(-1)).map(drop)
    }
}
