//! The loop: waits for the holder, for viewers and for deadlines, and passes on what they bring.

use crate::core::{Core, ViewerId};
use crate::door::{Door, Identity};
use crate::link::{self, Link, LinkError, Ready};
use crate::ring::{Ring, RingError};
use crate::sandbox::{self, SandboxError};
use greenroom_session_api::{encode, frames};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Frames with their damage are far smaller.
const MAX_MESSAGE: usize = 1 << 20;
/// Answers that the holder may leave unread; a few per frame, and frames wait for answers.
const MAX_QUEUE: usize = 4096;
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
        holder: Link::new(frames, MAX_MESSAGE),
        door: Door::new(viewers),
        identity: None,
        boot_id,
        memories: VecDeque::new(),
        ring: None,
        announced: 0,
        leave_at: Some(Instant::now() + FIRST_WITHIN),
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
    door: Door,
    /// What the holder said first; before that nobody is let in.
    identity: Option<Identity>,
    boot_id: String,
    /// Descriptors that came ahead of the message they belong to.
    memories: VecDeque<OwnedFd>,
    ring: Option<CurrentRing>,
    /// The number of viewers the holder was last told.
    announced: usize,
    /// When to leave unless a viewer comes.
    leave_at: Option<Instant>,
}

struct CurrentRing {
    ring: Ring,
    /// No frame of it was taken yet.
    fresh: bool,
}

/// What the wait ended with.
struct Woken {
    holder: Ready,
    listener: Ready,
    links: Vec<(ViewerId, Ready)>,
}

impl Streamer {
    fn serve(mut self) -> Result<Why, RunError> {
        loop {
            let woken = self.wait().map_err(RunError::Wait)?;
            if woken.holder.read && !self.hear_holder()? {
                return Ok(Why::NoHolder);
            }
            if let Some(identity) = &self.identity {
                for (id, ready) in woken.links {
                    self.door.serve(id, ready, identity, &mut self.core);
                }
                if woken.listener.read {
                    self.door.accept(Instant::now());
                }
            }
            self.door.close_the_silent(Instant::now(), &mut self.core);
            self.door
                .send_units(&mut self.core)
                .map_err(RunError::Encode)?;
            if self.announce_viewers() {
                return Ok(Why::NoViewers);
            }
            match self.holder.write() {
                Ok(()) if self.holder.queued() > MAX_QUEUE => {
                    return Err(RunError::Protocol("it does not read"));
                }
                Ok(()) => {}
                Err(LinkError::Socket(Errno::PIPE | Errno::CONNRESET)) => return Ok(Why::NoHolder),
                Err(error) => return Err(RunError::Holder(error)),
            }
        }
    }

    /// Sleeps until a socket or a deadline asks for attention.
    fn wait(&self) -> rustix::io::Result<Woken> {
        // Before `Start` there is no key to hold a viewer against: it waits in the backlog.
        let listening = match &self.identity {
            Some(_) => PollFlags::IN,
            None => PollFlags::empty(),
        };
        let mut fds = vec![
            PollFd::new(&self.holder, self.holder.wants()),
            PollFd::new(self.door.listener(), listening),
        ];
        fds.extend(
            self.door
                .links()
                .map(|(_, link)| PollFd::new(link, link.wants())),
        );
        let deadline = self.door.deadline().into_iter().chain(self.leave_at).min();
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
        let ready = |fd: &PollFd<'_>| Ready::from(fd.revents());
        let ids = self.door.links().map(|(id, _)| id);
        Ok(Woken {
            holder: ready(&fds[0]),
            listener: ready(&fds[1]),
            links: ids.zip(fds[2..].iter().map(ready)).collect(),
        })
    }

    /// Takes the holder's messages; `false` when it has gone.
    fn hear_holder(&mut self) -> Result<bool, RunError> {
        let memories = &mut self.memories;
        let read = self
            .holder
            .read(|socket, bytes| link::with_descriptors(socket, bytes, memories));
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
                Some(frames::to_streamer::Order::Ring(ring)) => self.ring(&ring)?,
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
        if self.identity.is_some() {
            return Err(RunError::Protocol("it started twice"));
        }
        tracing::info!(session.id = start.persistent_id, "serving");
        self.identity = Some(Identity {
            start,
            boot_id: self.boot_id.clone(),
        });
        Ok(())
    }

    fn ring(&mut self, ring: &frames::Ring) -> Result<(), RunError> {
        let memory = self
            .memories
            .pop_front()
            .ok_or(RunError::Protocol("a ring came without its memory"))?;
        self.ring = Some(CurrentRing {
            ring: Ring::map(ring, &memory)?,
            fresh: true,
        });
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
        let slot = frame.slot;
        self.tell_holder(frames::from_streamer::News::Release(frames::Release {
            slot,
        }));
        Ok(())
    }

    /// Tells the holder how many viewers there are; `true` when it is time to leave.
    fn announce_viewers(&mut self) -> bool {
        let viewers = self.core.viewers();
        if viewers != self.announced {
            self.announced = viewers;
            // At most as many as there are links.
            let count = viewers as u32;
            self.tell_holder(frames::from_streamer::News::Viewers(frames::Viewers {
                count,
            }));
            self.leave_at = (viewers == 0).then(|| Instant::now() + NEXT_WITHIN);
        }
        self.leave_at.is_some_and(|at| at <= Instant::now())
    }

    fn tell_holder(&mut self, news: frames::from_streamer::News) {
        let message = encode(&frames::FromStreamer { news: Some(news) });
        self.holder.queue(message.into());
    }
}
