//! A Wayland client that writes the wire by hand, so that it can be as wrong as it likes.

use super::{LIMIT, Session, until};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use std::collections::{HashMap, VecDeque};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

const DISPLAY: u32 = 1;
const REGISTRY: u32 = 2;

/// An event: its object, its number and its arguments.
pub type Event = (u32, u32, Vec<u8>);

pub struct Client {
    stream: UnixStream,
    globals: HashMap<String, u32>,
    bound: HashMap<String, u32>,
    next: u32,
    inbox: Vec<u8>,
    /// What was heard and not asked for yet.
    events: VecDeque<Event>,
    descriptors: VecDeque<OwnedFd>,
}

impl Client {
    /// Connects as an app of a launch would.
    pub fn connect(session: &Session, launch: u64) -> Self {
        until("a connection", || Self::try_connect(session, launch))
    }

    /// The same, unless nobody listens or the connection is closed at once.
    pub fn try_connect(session: &Session, launch: u64) -> Option<Self> {
        let socket = session
            .spec
            .run_dir
            .join(format!("wayland/wayland-{launch}"));
        let stream = UnixStream::connect(socket).ok()?;
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut client = Self {
            stream,
            globals: HashMap::new(),
            bound: HashMap::new(),
            next: 3,
            inbox: Vec::new(),
            events: VecDeque::new(),
            descriptors: VecDeque::new(),
        };
        client.request(DISPLAY, 1, &[REGISTRY]);
        let callback = client.new_id();
        client.request(DISPLAY, 0, &[callback]);
        client.read_globals(callback)?;
        Some(client)
    }

    pub fn new_id(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    pub fn send(&mut self, bytes: &[u8]) {
        // The compositor may have closed already, which is what is tested.
        let _ = self.stream.write_all(bytes);
    }

    pub fn request(&mut self, object: u32, opcode: u32, arguments: &[u32]) {
        let bytes = message(object, opcode, arguments);
        self.send(&bytes);
    }

    pub fn request_with(
        &mut self,
        object: u32,
        opcode: u32,
        arguments: &[u32],
        descriptor: &OwnedFd,
    ) {
        let bytes = message(object, opcode, arguments);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        // As above.
        let _ = rustix::net::sendmsg(
            &self.stream,
            &[IoSlice::new(&bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        );
    }

    /// Makes a request again and again, faster than it can be taken, until the compositor has had enough of it.
    pub fn flood(&mut self, object: u32, opcode: u32, arguments: &[u32]) {
        let bytes = message(object, opcode, arguments).repeat(4096);
        self.stream.set_write_timeout(Some(LIMIT)).unwrap();
        let began = Instant::now();
        while self.stream.write_all(&bytes).is_ok() {
            assert!(began.elapsed() < LIMIT, "it goes on taking requests");
        }
    }

    /// Binds a global at version 1.
    pub fn bind(&mut self, interface: &str) -> u32 {
        self.bind_at(interface, 1)
    }

    pub fn bind_at(&mut self, interface: &str, version: u32) -> u32 {
        let name = self.globals[interface];
        let id = self.new_id();
        let mut arguments = vec![name];
        arguments.extend(text(interface));
        arguments.extend([version, id]);
        self.request(REGISTRY, 0, &arguments);
        id
    }

    /// A global, bound when it is asked for first.
    pub fn global(&mut self, interface: &str, version: u32) -> u32 {
        if let Some(id) = self.bound.get(interface) {
            return *id;
        }
        let id = self.bind_at(interface, version);
        self.bound.insert(interface.to_owned(), id);
        id
    }

    /// Waits for an event of an object; answers its arguments. Others are kept.
    pub fn event(&mut self, object: u32, opcode: u32) -> Vec<u8> {
        self.event_where(|event| (event.0, event.1) == (object, opcode))
            .2
    }

    pub fn event_where(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            if let Some(at) = self.events.iter().position(&wanted) {
                return self.events.remove(at).unwrap();
            }
            self.read();
        }
    }

    /// Whether an event of an object came by now; it is kept.
    pub fn has_heard(&mut self, object: u32, opcode: u32) -> bool {
        self.sync();
        let mut events = self.events.iter();
        events.any(|event| (event.0, event.1) == (object, opcode))
    }

    /// Waits until the compositor has done all it was asked for.
    pub fn sync(&mut self) {
        let callback = self.new_id();
        self.request(DISPLAY, 0, &[callback]);
        self.event(callback, 0);
    }

    /// The descriptor that came last.
    pub fn descriptor(&mut self) -> OwnedFd {
        self.descriptors
            .pop_back()
            .expect("a descriptor came with it")
    }

    /// The descriptor that came first and was not taken yet.
    pub fn first_descriptor(&mut self) -> OwnedFd {
        self.descriptors
            .pop_front()
            .expect("a descriptor came with it")
    }

    /// Closes every descriptor that came by now.
    pub fn forget_descriptors(&mut self) {
        self.descriptors.clear();
    }

    /// Waits for a configure of a surface; answers its serial.
    pub fn configured(&mut self, xdg_surface: u32) -> u32 {
        word(&self.event(xdg_surface, 0), 0)
    }

    fn read(&mut self) {
        let mut part = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(28))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.stream,
            &mut [IoSliceMut::new(&mut part)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )
        .unwrap();
        assert!(received.bytes > 0, "closed before what was waited for came");
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                self.descriptors.extend(rights);
            }
        }
        self.inbox.extend_from_slice(&part[..received.bytes]);
        while let Some(heard) = event(&mut self.inbox) {
            assert!(
                (heard.0, heard.1) != (DISPLAY, 0),
                "a protocol error: {}",
                String::from_utf8_lossy(&heard.2[12..])
            );
            self.events.push_back(heard);
        }
    }

    /// Whether the compositor has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                // Events, an error among them.
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return true,
                Err(error) => panic!("not closed within the limit: {error}"),
            }
        }
    }

    fn read_globals(&mut self, until: u32) -> Option<()> {
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 4096];
            let read = match self.stream.read(&mut part) {
                Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => {
                    panic!("no globals: {error}")
                }
                other => other.ok().filter(|read| *read > 0)?,
            };
            bytes.extend_from_slice(&part[..read]);
            while let Some((object, _, body)) = event(&mut bytes) {
                if object == until {
                    return Some(());
                }
                if object == REGISTRY {
                    let size = word(&body, 4) as usize;
                    let interface = String::from_utf8(body[8..8 + size - 1].to_vec()).unwrap();
                    self.globals.insert(interface, word(&body, 0));
                }
            }
        }
    }
}

/// Takes one event from what was read: its object, its number and its arguments.
fn event(bytes: &mut Vec<u8>) -> Option<Event> {
    if bytes.len() < 8 {
        return None;
    }
    let (object, rest) = (word(bytes, 0), word(bytes, 4));
    let length = (rest >> 16) as usize;
    if bytes.len() < length {
        return None;
    }
    let body = bytes.drain(..length).skip(8).collect();
    Some((object, rest & 0xffff, body))
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn message(object: u32, opcode: u32, arguments: &[u32]) -> Vec<u8> {
    let length = 8 + 4 * arguments.len() as u32;
    let words = [object, length << 16 | opcode]
        .into_iter()
        .chain(arguments.iter().copied());
    words.flat_map(u32::to_ne_bytes).collect()
}

/// The string argument that begins at a place.
pub fn string(bytes: &[u8], at: usize) -> String {
    let length = word(bytes, at) as usize;
    String::from_utf8(bytes[at + 4..at + 4 + length - 1].to_vec()).unwrap()
}

pub fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let length = bytes.len() as u32;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let words = bytes
        .chunks_exact(4)
        .map(|word| u32::from_ne_bytes(word.try_into().unwrap()));
    std::iter::once(length).chain(words).collect()
}
