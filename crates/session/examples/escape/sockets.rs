//! Attempts on sockets.

use crate::{checked, unlike};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as LocalAddr, UnixStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

pub fn connect(address: &str) -> io::Result<()> {
    let address: SocketAddr = address
        .parse()
        .map_err(|_| unlike("not an address with a port"))?;
    TcpStream::connect_timeout(&address, PATIENCE).map(drop)
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
    // SAFETY: the call takes no pointer.
    let socket = unsafe { libc::socket(family, kind, protocol) };
    checked(socket.into())?;
    // SAFETY: the descriptor is new and ours alone.
    drop(unsafe { OwnedFd::from_raw_fd(socket) });
    Ok(())
}
