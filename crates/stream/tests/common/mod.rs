//! A holder and viewers around a real `greenroom-stream` process.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a world that cannot be built fails its test"
)]

use greenroom_session_api::frames::{self, from_streamer, to_streamer};
use greenroom_session_api::{FrameBuffer, Hello, Message, Role, encode, units};
use greenroom_tiles::{Applied, Framebuffer};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::fs::File;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const LIMIT: Duration = Duration::from_secs(20);
pub const KEY: [u8; 32] = [42; 32];
const SLOTS: u32 = 3;

/// Messages over a blocking socket with a limit on the wait.
pub struct Link {
    socket: UnixStream,
    incoming: FrameBuffer,
}

impl Link {
    pub fn new(socket: UnixStream) -> Self {
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Self {
            socket,
            incoming: FrameBuffer::new(64 << 20),
        }
    }

    pub fn send(&mut self, message: &impl Message) {
        self.socket.write_all(&encode(message)).unwrap();
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// The next message, or `None` when the peer has closed the link.
    pub fn receive<M: Message + Default>(&mut self) -> Option<M> {
        let mut bytes = [0; 65536];
        loop {
            if let Some(message) = self.incoming.take().unwrap() {
                return Some(message);
            }
            match self.socket.read(&mut bytes) {
                Ok(0) => return None,
                // It closed while bytes of ours were still unread.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                outcome => self.incoming.push(&bytes[..outcome.unwrap()]),
            }
        }
    }
}

/// A holder with one streamer.
pub struct Holder {
    pub streamer: Child,
    address: SocketAddr,
    link: Link,
    memory: Option<File>,
    width: u32,
    height: u32,
    next_slot: u32,
    frames: u64,
    /// When the next frame is composed.
    clock_us: u64,
}

impl Holder {
    /// Starts a streamer for a session whose screen is `width` × `height` and black.
    pub fn start(width: u32, height: u32) -> Self {
        let mut holder = Self::spawn();
        holder.order(to_streamer::Order::Start(frames::Start {
            persistent_id: "p-test".into(),
            key: KEY.into(),
        }));
        holder.ring(width, height);
        holder
    }

    /// Starts a streamer and tells it nothing.
    pub fn spawn() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "greenroom-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        // The shell moves what it was given as standard input and output to descriptors 3 and 4.
        let streamer = Command::new("/bin/sh")
            .args(["-c", r#"exec "$0" 3<&0 4<&1 </dev/null >/dev/null"#])
            .arg(env!("CARGO_BIN_EXE_greenroom-stream"))
            .stdin(OwnedFd::from(theirs))
            .stdout(OwnedFd::from(listener))
            .stderr(Stdio::inherit())
            .env_clear()
            .env("RUST_LOG", "error")
            .spawn()
            .unwrap();
        Self {
            streamer,
            address,
            link: Link::new(ours),
            memory: None,
            width: 0,
            height: 0,
            next_slot: 0,
            frames: 0,
            clock_us: 0,
        }
    }

    /// Nothing changes for a second.
    pub fn rest(&mut self) {
        self.clock_us += 1_000_000;
    }

    pub fn order(&mut self, order: to_streamer::Order) {
        self.link.send(&frames::ToStreamer { order: Some(order) });
    }

    /// A new ring, its first frame black.
    pub fn ring(&mut self, width: u32, height: u32) {
        self.ring_sealed(width, height, SealFlags::SHRINK | SealFlags::GROW);
        self.frame(0, 0, width, height, &vec![0; (4 * width * height) as usize]);
        self.released();
    }

    pub fn ring_sealed(&mut self, width: u32, height: u32, seals: SealFlags) {
        let memory = rustix::fs::memfd_create("ring", MemfdFlags::ALLOW_SEALING).unwrap();
        let bytes = u64::from(SLOTS * height * 4 * width);
        rustix::fs::ftruncate(&memory, bytes).unwrap();
        rustix::fs::fcntl_add_seals(&memory, seals).unwrap();
        let ring = frames::Ring {
            width,
            height,
            stride: 4 * width,
            slots: SLOTS,
        };
        let message = encode(&frames::ToStreamer {
            order: Some(to_streamer::Order::Ring(ring)),
        });
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [memory.as_fd()];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let sent = sendmsg(
            &self.link.socket,
            &[IoSlice::new(&message)],
            &mut ancillary,
            SendFlags::empty(),
        );
        assert_eq!(sent, Ok(message.len()));
        (self.width, self.height, self.next_slot) = (width, height, 0);
        self.memory = Some(File::from(memory));
    }

    /// A frame in which the pixels of a rectangle are `bgrx`. Every slot gets them, as every slot holds a
    /// whole frame.
    pub fn frame(&mut self, x: u32, y: u32, width: u32, height: u32, bgrx: &[u8]) {
        let memory = self.memory.as_ref().unwrap();
        for slot in 0..SLOTS {
            for row in 0..height {
                let at = 4 * ((slot * self.height + y + row) * self.width + x);
                let line = &bgrx[(4 * width * row) as usize..][..4 * width as usize];
                memory.write_all_at(line, at.into()).unwrap();
            }
        }
        self.frames += 1;
        self.clock_us += 1_000_000 / 30;
        self.order(to_streamer::Order::Frame(frames::Frame {
            slot: self.next_slot,
            number: self.frames,
            damage: vec![frames::Rect {
                x,
                y,
                width,
                height,
            }],
            composed_at_us: self.clock_us,
            had_input: Vec::new(),
        }));
        self.next_slot = (self.next_slot + 1) % SLOTS;
    }

    /// Waits until the streamer has given a slot back.
    pub fn released(&mut self) {
        while !matches!(self.news(), Some(from_streamer::News::Release(_))) {}
    }

    /// A frame, taken by the streamer.
    pub fn show(&mut self, x: u32, y: u32, width: u32, height: u32, bgrx: &[u8]) {
        self.frame(x, y, width, height, bgrx);
        self.released();
    }

    /// A pixel of another colour, taken by the streamer.
    pub fn dot(&mut self, x: u32, y: u32, blue: u8) {
        self.show(x, y, 1, 1, &[blue, 1, 2, 0]);
    }

    /// Waits until the streamer says that it has this many viewers.
    pub fn has_viewers(&mut self, count: u32) {
        loop {
            match self.news() {
                Some(from_streamer::News::Viewers(viewers)) if viewers.count == count => return,
                Some(_) => {}
                None => panic!("the streamer left before it had {count} viewers"),
            }
        }
    }

    pub fn news(&mut self) -> Option<from_streamer::News> {
        self.link
            .receive::<frames::FromStreamer>()
            .map(|message| message.news.unwrap())
    }

    /// The session's screen, as a player is to have it.
    pub fn rgba(&self) -> Vec<u8> {
        let mut bgrx = vec![0; (4 * self.width * self.height) as usize];
        self.memory
            .as_ref()
            .unwrap()
            .read_exact_at(&mut bgrx, 0)
            .unwrap();
        bgrx.as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[b, g, r, _]| [*r, *g, *b, 255])
            .collect()
    }

    pub fn connect(&self) -> Link {
        Link::new(UnixStream::connect_addr(&self.address).unwrap())
    }

    pub fn viewer(&self) -> Viewer {
        self.viewer_with(Framebuffer::new())
    }

    /// A viewer whose player kept `picture` from before.
    pub fn viewer_with(&self, picture: Framebuffer) -> Viewer {
        let mut link = self.connect();
        link.send(&hello(KEY.into(), Role::Units));
        let mut viewer = Viewer { link, picture };
        let Some(units::from_streamer::News::Welcome(welcome)) = viewer.news() else {
            panic!("no welcome");
        };
        assert_eq!(welcome.persistent_id, "p-test");
        assert_eq!(welcome.pid, self.streamer.id());
        viewer.say_have();
        viewer
    }

    /// A field of the kernel's account of the process.
    pub fn proc_status(&self, field: &str) -> String {
        let path = format!("/proc/{}/status", self.streamer.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.trim_start_matches(':').trim().to_owned()
    }

    /// Waits until the process has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let limit = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.streamer.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < limit, "the streamer has not ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes the frames link, as a holder that ends does.
    pub fn close_link(&mut self) {
        let (other, _) = UnixStream::pair().unwrap();
        self.link = Link::new(other);
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It has ended already in some tests.
        let _ = self.streamer.kill();
        let _ = self.streamer.wait();
    }
}

pub fn hello(key: Vec<u8>, role: Role) -> Hello {
    Hello {
        protocol: greenroom_session_api::PROTOCOL,
        key,
        role: role.into(),
    }
}

/// A gateway's link for one viewer, and its player.
pub struct Viewer {
    pub link: Link,
    pub picture: Framebuffer,
}

impl Viewer {
    pub fn news(&mut self) -> Option<units::from_streamer::News> {
        self.link
            .receive::<units::FromStreamer>()
            .map(|message| message.news.unwrap())
    }

    pub fn say_have(&mut self) {
        self.say(units::to_streamer::Order::Have(units::Have {
            width: self.picture.width(),
            height: self.picture.height(),
            tiles: self.picture.tile_hashes().to_vec(),
            units: greenroom_tiles::unit::VERSION.into(),
        }));
    }

    pub fn ack(&mut self, update: u64) {
        self.say(units::to_streamer::Order::Ack(units::Ack { update }));
    }

    fn say(&mut self, order: units::to_streamer::Order) {
        self.link.send(&units::ToStreamer { order: Some(order) });
    }

    /// The next unit, drawn but not acknowledged, and its size.
    pub fn see(&mut self) -> (Applied, usize) {
        let Some(units::from_streamer::News::Unit(unit)) = self.news() else {
            panic!("the link ended instead of bringing a unit");
        };
        assert_eq!(unit.class(), units::Class::Display);
        let applied = self.picture.apply(&unit.bytes).unwrap();
        assert!(applied.frame_hash_matches);
        (applied, unit.bytes.len())
    }

    /// The next unit, drawn and acknowledged: its number and size.
    pub fn draw(&mut self) -> (u64, usize) {
        let (applied, bytes) = self.see();
        self.ack(applied.update);
        (applied.update, bytes)
    }
}
