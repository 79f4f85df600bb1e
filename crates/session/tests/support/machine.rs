//! A machine of a test's own: a network namespace with one way out, and what lies behind that way.
//!
//! The test runs in a thread that is on it, and so does what that thread starts. Neither sees the machine underneath.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};

/// What answers everywhere, by TCP and UDP.
pub const PORT: u16 = 7777;
/// What answers to groups, by UDP.
pub const GROUP_PORT: u16 = 7778;
const NAMES_PORT: u16 = 53;

/// The machine's own addresses, the first two being public.
pub const OWN: [&str; 4] = ["45.9.8.2", "2a0e:97c0::2", "127.0.0.1", "::1"];
/// Behind the way out, and public.
pub const PUBLIC: [&str; 2] = ["9.9.9.9", "2620:fe::fe"];
/// The machine's name server, behind the way out and not public.
const NAME_SERVER: &str = "10.20.30.53";
/// A name that the name server knows: the first of [`PUBLIC`].
pub const NAME: &str = "public.test";

/// Behind the way out as well, and near, or not of the internet at all.
pub const NEAR: [&str; 21] = [
    // The machine's gateways and a neighbour. These are on its link,
    "45.9.8.1",
    "2a0e:97c0::1",
    "fe80::1%eth0",
    // and all others behind the first.
    "45.9.8.3",
    // What clouds tell their machines.
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    // Private, shared, for tests, and IPv4 within IPv6.
    NAME_SERVER,
    "172.20.0.1",
    "192.168.1.1",
    "100.64.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "240.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    // The numbers that a session's own gateway and name server have inside.
    "10.255.255.249",
    "10.255.255.251",
    "fd67:7265:656e::1",
    "fd67:7265:656e::3",
];
const ON_THE_LINK: usize = 3;

/// Groups that the machine's neighbours are in.
pub const GROUPS: [&str; 2] = ["224.0.0.251", "ff02::1%eth0"];

/// Runs `test` on such a machine, while everybody answers. It takes root.
pub fn on_a_machine_of_its_own(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let (tell_number, number) = mpsc::channel();
        let (tell_link, linked) = mpsc::channel();
        let (tell_ready, ready) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        scope.spawn(move || {
            unshare(UnshareFlags::NEWNET);
            tell_number.send(rustix::thread::gettid()).unwrap();
            linked.recv().unwrap();
            let sockets = outside();
            tell_ready.send(()).unwrap();
            sockets.answer_until(&ended);
        });
        let others = number.recv().unwrap().as_raw_nonzero();
        scope.spawn(move || {
            // Held until the test is over, however it ends.
            let _end: mpsc::Sender<()> = end;
            unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::FS);
            shell(&inside(&format!("/proc/{others}/ns/net")));
            tell_link.send(()).unwrap();
            ready.recv().unwrap();
            let mut sockets = Sockets::default();
            OWN.iter().for_each(|own| sockets.open(at(own, 0, PORT)));
            let (end, ended) = mpsc::channel::<()>();
            std::thread::scope(|scope| {
                scope.spawn(move || sockets.answer_until(&ended));
                let _end = end;
                test();
            });
        });
    });
}

fn unshare(namespaces: UnshareFlags) {
    // SAFETY: the table of descriptors is not among them.
    unsafe { rustix::thread::unshare_unsafe(namespaces) }.unwrap();
}

fn shell(script: &str) {
    let mut shell = Command::new("sh");
    let mut shell = shell.arg("-e").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(shell.wait().unwrap().success(), "{script}");
}

/// The machine itself: its link to the others, its name server, and a tunnel device as distributions have it.
fn inside(others: &str) -> String {
    let [v4, v6, ..] = OWN;
    let [gateway_v4, gateway_v6, ..] = NEAR;
    format!(
        "mount --make-rprivate /
        mount -t tmpfs -o mode=755 tmpfs /dev/net
        mknod -m 666 /dev/net/tun c 10 200
        mount -t tmpfs tmpfs /mnt
        echo 'nameserver {NAME_SERVER}' > /mnt/resolv.conf
        mount --bind /mnt/resolv.conf /etc/resolv.conf
        ip link set lo up
        ip link add eth0 type veth peer name out netns {others}
        ip addr add {v4}/24 dev eth0
        ip addr add {v6}/64 dev eth0 nodad
        ip link set eth0 up
        ip route add default via {gateway_v4}
        ip route add default via {gateway_v6}
        "
    )
}

/// All the others, who are one.
fn outside() -> Sockets {
    let [v4, v6, ..] = NEAR;
    let mut script = format!(
        "ip link set lo up
        ip link set out addrgenmode none up
        ip addr add fe80::1/64 dev out nodad
        ip addr add {v4}/24 dev out
        ip addr add {v6}/64 dev out nodad
        "
    );
    for address in NEAR.iter().skip(ON_THE_LINK).chain(&PUBLIC) {
        // Else it could not be used for a second.
        let nodad = if address.contains(':') { " nodad" } else { "" };
        script.push_str(&format!("ip addr add {address} dev lo{nodad}\n"));
    }
    shell(&script);
    let link = interface("out");
    let mut sockets = Sockets::default();
    for address in NEAR.iter().chain(&PUBLIC) {
        sockets.open(at(address, link, PORT));
    }
    sockets.open_datagrams(at(NAME_SERVER, 0, NAMES_PORT));
    sockets.open_datagrams(at("::", 0, GROUP_PORT));
    let (group, own) = (Ipv4Addr::new(224, 0, 0, 251), v4.parse().unwrap());
    let v4 = sockets.open_datagrams(at("0.0.0.0", 0, GROUP_PORT));
    v4.join_multicast_v4(&group, &own).unwrap();
    sockets
}

/// The number of an interface of this network.
fn interface(name: &str) -> u32 {
    let name = CString::new(name).unwrap();
    // SAFETY: the name ends with a zero and outlives the call.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// An address that needs to be told its link is on `link`.
fn at(address: &str, link: u32, port: u16) -> SocketAddr {
    match address.split_once('%') {
        None => SocketAddr::new(address.parse().unwrap(), port),
        Some((address, _)) => SocketAddrV6::new(address.parse().unwrap(), port, 0, link).into(),
    }
}

/// What answers. A socket stays in the network it was made in.
#[derive(Default)]
struct Sockets {
    /// The kernel answers for them.
    streams: Vec<TcpListener>,
    datagrams: Vec<UdpSocket>,
}

impl Sockets {
    fn open(&mut self, at: SocketAddr) {
        let stream = TcpListener::bind(at).unwrap_or_else(|error| panic!("{at}: {error}"));
        self.streams.push(stream);
        self.open_datagrams(at);
    }

    fn open_datagrams(&mut self, at: SocketAddr) -> &UdpSocket {
        let socket = match at.ip() {
            // Beside the one for IPv4.
            IpAddr::V6(any) if any.is_unspecified() => only_v6(at),
            _ => UdpSocket::bind(at).unwrap(),
        };
        self.datagrams.push(socket);
        self.datagrams.last().unwrap()
    }

    /// Gives every datagram back, and names' addresses to those who ask, until the other end is dropped.
    fn answer_until(&self, ended: &Receiver<()>) {
        let often = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        while ended.try_recv() == Err(TryRecvError::Empty) {
            let watched = self.datagrams.iter();
            let mut watched: Vec<_> = watched
                .map(|socket| PollFd::new(socket, PollFlags::IN))
                .collect();
            poll(&mut watched, Some(&often)).unwrap();
            for (socket, watched) in self.datagrams.iter().zip(&watched) {
                if watched.revents().contains(PollFlags::IN) {
                    answer(socket);
                }
            }
        }
        assert!(!self.streams.is_empty());
    }
}

fn only_v6(at: SocketAddr) -> UdpSocket {
    use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt::set_ipv6_v6only};
    let made = socket(AddressFamily::INET6, SocketType::DGRAM, None).unwrap();
    set_ipv6_v6only(&made, true).unwrap();
    bind(&made, &at).unwrap();
    made.into()
}

fn answer(socket: &UdpSocket) {
    let mut bytes = [0; 512];
    let (read, from) = socket.recv_from(&mut bytes).unwrap();
    let asked = &bytes[..read];
    let answer = match socket.local_addr().unwrap().port() {
        NAMES_PORT => address_of_a_name(asked),
        _ => asked.to_vec(),
    };
    // Who asked may be gone.
    let _ = socket.send_to(&answer, from);
}

/// The answer to a question for [`NAME`], whatever name it is for: an IPv4 address if one was asked for, or none.
fn address_of_a_name(question: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    const FOR_V4: [u8; 4] = [0, 1, 0, 1];
    let name = question[HEADER..].iter().position(|byte| *byte == 0);
    let end = HEADER + name.unwrap() + 1 + FOR_V4.len();
    let known = question[end - FOR_V4.len()..end] == FOR_V4;
    // The number of the question, an answer without error, one question and so many answers.
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(known), 0, 0, 0, 0]);
    answer.extend(&question[HEADER..end]);
    if known {
        let address: Ipv4Addr = PUBLIC[0].parse().unwrap();
        // The name as above, its kind, sixty seconds, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}
