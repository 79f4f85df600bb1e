//! The loop: the only module that touches sockets.

use crate::core::{Core, ViewerId};
use crate::link::{self, Link, LinkError};
use crate::ring::{Ring, RingError};
use crate::sandbox::{self, SandboxError};
use greenroom_session_api::{Hello, PROTOCOL, Role, Welcome, encode, frames, units};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, accept_with, sockopt,
};
use std::collections::{BTreeMap, VecDeque};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// Links of viewers at once, those that have not said who they are among them.
const MAX_LINKS: usize = 64;
/// A whole `Have` of the largest picture is half of it.
const MAX_VIEWER_MESSAGE: usize = 256 << 10;
/// Frames with their damage are far smaller.
const MAX_HOLDER_MESSAGE: usize = 1 << 20;
/// Answers that the holder may leave unread; a few per frame, and frames wait for answers.
const MAX_HOLDER_QUEUE: usize = 4096;
/// A link that has not said `Hello` by then is closed.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How long the streamer waits for its first viewer, and for one after the last has left.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
const NEXT_WITHIN: Duration = Duration::from_secs(3);
const KEY: usize = 32;

/// Why the streamer cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was not started by a holder.
    #[error(
        "descriptors 3 and 4 are not the holder's sockets: greenroom-session starts this program"
    )]
    Inherited(#[source] Errno),
    /// The kernel's identity of this boot cannot be read.
    #[error("the boot id cannot be read")]
    BootId(#[source] std::io::Error),
    /// It cannot be confined.
    #[error("the streamer does not run unconfined")]
    Sandbox(#[from] SandboxError),
    /// The holder's link failed.
    #[error("the link to the holder failed")]
    Holder(#[source] LinkError),
    /// The holder said something that makes no sense where it was said.
    #[error("the holder broke the protocol: {0}")]
    Protocol(&'static str),
    /// The holder's frames cannot be read.
    #[error("the holder's frames cannot be read")]
    Ring(#[from] RingError),
    /// No memory to encode in.
    #[error("nothing can be encoded")]
    Encode(#[source] std::io::Error),
    /// The kernel does not let it wait.
    #[error("waiting for events failed")]
    Wait(#[source] Errno),
}

/// Why the streamer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its last viewer has left, or none came.
    NoViewers,
    /// The holder has gone, and the session with it.
    NoHolder,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoViewers => "no viewers",
            Self::NoHolder => "no holder",
        })
    }
}

/// Serves viewers until there is no reason to. `inherited` is the frames link and the listening socket.
///
/// # Errors
/// Something that a fresh streamer may do better: the holder starts one when a viewer asks.
pub fn run(inherited: Option<(OwnedFd, OwnedFd)>) -> Result<Why, RunError> {
    let (frames, viewers) = inherited.ok_or(RunError::Inherited(Errno::BADF))?;
    check_inherited(&frames, &viewers).map_err(RunError::Inherited)?;
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_err(RunError::BootId)?
        .trim()
        .to_owned();
    let streamer = Streamer {
        core: Core::new().map_err(RunError::Encode)?,
        holder: Link::new(frames, MAX_HOLDER_MESSAGE),
        listener: viewers,
        start: None,
        memories: VecDeque::new(),
        ring: None,
        links: BTreeMap::new(),
        next_id: 1,
        announced: 0,
        leave_at: Some(Instant::now() + FIRST_WITHIN),
        boot_id,
    };
    sandbox::enter()?;
    streamer.serve()
}

fn check_inherited(frames: &OwnedFd, viewers: &OwnedFd) -> rustix::io::Result<()> {
    sockopt::socket_type(frames)?;
    if !sockopt::socket_acceptconn(viewers)? {
        return Err(Errno::INVAL);
    }
    for socket in [frames, viewers] {
        let flags = rustix::fs::fcntl_getfl(socket)?;
        rustix::fs::fcntl_setfl(socket, flags | OFlags::NONBLOCK)?;
    }
    Ok(())
}

struct Streamer {
    core: Core,
    holder: Link,
    listener: OwnedFd,
    start: Option<frames::Start>,
    /// Descriptors that came ahead of the message they belong to.
    memories: VecDeque<OwnedFd>,
    ring: Option<CurrentRing>,
    links: BTreeMap<ViewerId, ViewerLink>,
    next_id: ViewerId,
    /// The number of viewers the holder was last told.
    announced: usize,
    /// When to leave unless a viewer comes.
    leave_at: Option<Instant>,
    boot_id: String,
}

struct CurrentRing {
    ring: Ring,
    fresh: bool,
}

struct ViewerLink {
    link: Link,
    /// Until it has said who it is: when it must have.
    hello_by: Option<Instant>,
}

/// What the kernel said about a socket.
#[derive(Clone, Copy)]
struct Ready {
    read: bool,
    write: bool,
}

impl Streamer {
    fn serve(mut self) -> Result<Why, RunError> {
        loop {
            let (holder, listener, links) = self.wait().map_err(RunError::Wait)?;
            if holder.read && !self.hear_holder()? {
                return Ok(Why::NoHolder);
            }
            for (id, ready) in links {
                self.serve_link(id, ready);
            }
            if listener.read {
                self.accept();
            }
            self.close_the_silent();
            self.send_units()?;
            if self.viewers_changed() {
                return Ok(Why::NoViewers);
            }
            match self.holder.write() {
                Ok(()) if self.holder.queued() > MAX_HOLDER_QUEUE => {
                    return Err(RunError::Protocol("it does not read"));
                }
                Ok(()) => {}
                Err(LinkError::Socket(Errno::PIPE | Errno::CONNRESET)) => return Ok(Why::NoHolder),
                Err(error) => return Err(RunError::Holder(error)),
            }
        }
    }

    /// Sleeps until a socket or a deadline asks for attention.
    #[allow(clippy::type_complexity, reason = "three answers, used in one place")]
    fn wait(&self) -> rustix::io::Result<(Ready, Ready, Vec<(ViewerId, Ready)>)> {
        let want = |link: &Link| match link.waits_to_write() {
            true => PollFlags::IN | PollFlags::OUT,
            false => PollFlags::IN,
        };
        // Before `Start` there is no key to hold a viewer against: it waits in the backlog.
        let accepting = self.start.is_some();
        let mut fds = vec![
            PollFd::new(&self.holder, want(&self.holder)),
            PollFd::new(
                &self.listener,
                if accepting {
                    PollFlags::IN
                } else {
                    PollFlags::empty()
                },
            ),
        ];
        for viewer in self.links.values() {
            fds.push(PollFd::new(&viewer.link, want(&viewer.link)));
        }
        let deadline = self
            .links
            .values()
            .filter_map(|viewer| viewer.hello_by)
            .chain(self.leave_at)
            .min();
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let ready = |fd: &PollFd<'_>| {
            let seen = fd.revents();
            Ready {
                // An error or a hang-up shows when reading.
                read: seen.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
                write: seen.contains(PollFlags::OUT),
            }
        };
        let links = self
            .links
            .keys()
            .copied()
            .zip(fds[2..].iter().map(ready))
            .collect();
        Ok((ready(&fds[0]), ready(&fds[1]), links))
    }

    /// Takes the holder's messages; `false` when it has gone.
    fn hear_holder(&mut self) -> Result<bool, RunError> {
        let memories = &mut self.memories;
        let read = self
            .holder
            .read(|socket, bytes| receive(socket, bytes, memories));
        match read {
            Ok(()) => {}
            Err(LinkError::Closed | LinkError::Socket(Errno::CONNRESET)) => return Ok(false),
            Err(error) => return Err(RunError::Holder(error)),
        }
        while let Some(message) = self
            .holder
            .take::<frames::ToStreamer>()
            .map_err(RunError::Holder)?
        {
            match message.order {
                Some(frames::to_streamer::Order::Start(start)) => self.start(start)?,
                Some(frames::to_streamer::Order::Ring(ring)) => {
                    let memory = self
                        .memories
                        .pop_front()
                        .ok_or(RunError::Protocol("a ring came without its memory"))?;
                    self.ring = Some(CurrentRing {
                        ring: Ring::map(&ring, &memory)?,
                        fresh: true,
                    });
                }
                Some(frames::to_streamer::Order::Frame(frame)) => self.frame(&frame)?,
                // A newer holder may say what this streamer does not know.
                None => {}
            }
        }
        if self.memories.len() > 1 {
            return Err(RunError::Protocol("memory came without its ring"));
        }
        Ok(true)
    }

    fn start(&mut self, start: frames::Start) -> Result<(), RunError> {
        if start.key.len() != KEY {
            return Err(RunError::Protocol("the key has not 32 bytes"));
        }
        if self.start.is_some() {
            return Err(RunError::Protocol("it started twice"));
        }
        tracing::info!(session.id = start.persistent_id, "serving");
        self.start = Some(start);
        Ok(())
    }

    fn frame(&mut self, frame: &frames::Frame) -> Result<(), RunError> {
        let Some(current) = &mut self.ring else {
            return Err(RunError::Protocol("a frame came before its ring"));
        };
        let slot = current
            .ring
            .slot(frame.slot)
            .ok_or(RunError::Protocol("a frame lies outside its ring"))?;
        self.core.frame(slot, frame, current.fresh);
        current.fresh = false;
        self.tell_holder(frames::from_streamer::News::Release(frames::Release {
            slot: frame.slot,
        }));
        Ok(())
    }

    fn tell_holder(&mut self, news: frames::from_streamer::News) {
        let message = encode(&frames::FromStreamer { news: Some(news) });
        self.holder.queue(message.into());
    }

    fn accept(&mut self) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        loop {
            let socket = match accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return,
                // The peer gave up in the meantime, or there is no descriptor left for it.
                Err(error) => {
                    tracing::warn!(%error, "a viewer's link was not accepted");
                    return;
                }
            };
            if self.links.len() == MAX_LINKS {
                tracing::warn!(limit = MAX_LINKS, "a viewer's link is one too many");
                continue;
            }
            let viewer = ViewerLink {
                link: Link::new(socket, MAX_VIEWER_MESSAGE),
                hello_by: Some(Instant::now() + HELLO_WITHIN),
            };
            self.links.insert(self.next_id, viewer);
            self.next_id += 1;
        }
    }

    fn serve_link(&mut self, id: ViewerId, ready: Ready) {
        let outcome = if ready.read {
            self.hear_viewer(id)
        } else {
            Ok(())
        };
        let outcome = outcome.and_then(|()| match self.links.get_mut(&id) {
            Some(viewer) if ready.write => Ok(viewer.link.write()?),
            Some(_) | None => Ok(()),
        });
        if let Err(error) = outcome {
            self.close(id, &error);
        }
    }

    fn hear_viewer(&mut self, id: ViewerId) -> Result<(), ViewerError> {
        let (Some(viewer), Some(start)) = (self.links.get_mut(&id), &self.start) else {
            return Ok(());
        };
        viewer.link.read(link::plain)?;
        if viewer.hello_by.is_some() {
            let Some(hello) = viewer.link.take::<Hello>()? else {
                return Ok(());
            };
            if !bool::from(hello.key.ct_eq(&start.key)) {
                return Err(ViewerError::Key);
            }
            if hello.role() != Role::Units {
                return Err(ViewerError::Role);
            }
            viewer.hello_by = None;
            let welcome = Welcome {
                protocol: PROTOCOL,
                persistent_id: start.persistent_id.clone(),
                boot_id: self.boot_id.clone(),
                pid: std::process::id(),
                build: env!("CARGO_PKG_VERSION").to_owned(),
            };
            let news = Some(units::from_streamer::News::Welcome(welcome));
            viewer
                .link
                .queue(encode(&units::FromStreamer { news }).into());
            viewer.link.write()?;
            self.core.join(id);
            tracing::info!(viewer.id = id, "a viewer came");
        }
        while let Some(message) = viewer.link.take::<units::ToStreamer>()? {
            self.core.hear(id, message);
        }
        Ok(())
    }

    fn close(&mut self, id: ViewerId, why: &ViewerError) {
        if let Some(viewer) = self.links.remove(&id) {
            match (viewer.hello_by, why) {
                (None, ViewerError::Link(LinkError::Closed)) => {
                    tracing::info!(viewer.id = id, "a viewer left");
                }
                _ => tracing::warn!(viewer.id = id, %why, "a viewer's link is closed"),
            }
        }
        self.core.leave(id);
    }

    fn close_the_silent(&mut self) {
        let now = Instant::now();
        let late = |viewer: &ViewerLink| viewer.hello_by.is_some_and(|by| by <= now);
        let silent: Vec<_> = self
            .links
            .iter()
            .filter(|(_, viewer)| late(viewer))
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.close(id, &ViewerError::Silent);
        }
    }

    /// Gives every viewer that has credit and room the way to now.
    fn send_units(&mut self) -> Result<(), RunError> {
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            let outcome = match self.links.get_mut(&id) {
                Some(viewer) if !viewer.link.waits_to_write() => {
                    let Some(unit) = self.core.unit(id).map_err(RunError::Encode)? else {
                        continue;
                    };
                    viewer.link.queue(unit);
                    viewer.link.write()
                }
                Some(_) | None => continue,
            };
            if let Err(error) = outcome {
                self.close(id, &error.into());
            }
        }
        Ok(())
    }

    /// Tells the holder how many viewers there are; `true` when it is time to leave.
    fn viewers_changed(&mut self) -> bool {
        let count = self.core.viewers();
        if count != self.announced {
            self.announced = count;
            // At most as many as there are links.
            self.tell_holder(frames::from_streamer::News::Viewers(frames::Viewers {
                count: count as u32,
            }));
            self.leave_at = (count == 0).then(|| Instant::now() + NEXT_WITHIN);
        }
        self.leave_at.is_some_and(|at| at <= Instant::now())
    }
}

/// Why a viewer's link is closed.
#[derive(Debug, thiserror::Error)]
enum ViewerError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("it presented a wrong key")]
    Key,
    #[error("it came for something else than units")]
    Role,
    #[error("it did not say who it is")]
    Silent,
}

/// Takes bytes off the frames link, and the descriptors that travel with them.
fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    memories: &mut VecDeque<OwnedFd>,
) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [std::io::IoSliceMut::new(bytes)];
    let received = rustix::net::recvmsg(
        socket,
        &mut buffers,
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            memories.extend(descriptors);
        }
    }
    Ok(received.bytes)
}

impl std::os::fd::AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket()
    }
}
