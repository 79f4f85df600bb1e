//! The viewers' links: who is let in, and how they are served without waiting for one another.

use crate::core::{Core, ViewerId};
use crate::link::{self, Link, LinkError, Ready};
use greenroom_session_api::{Hello, PROTOCOL, Role, Welcome, encode, frames, units};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// Links at once, those that have not said who they are among them.
const MAX_LINKS: usize = 64;
/// A whole `Have` of the largest picture is half of it.
const MAX_MESSAGE: usize = 256 << 10;
/// A link that has not said `Hello` by then is closed.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// The listening socket and the links it has accepted.
pub struct Door {
    listener: OwnedFd,
    links: BTreeMap<ViewerId, ViewerLink>,
    next_id: ViewerId,
}

/// What a gateway is held against, and told when it is let in.
pub struct Identity {
    /// The session and its key.
    pub start: frames::Start,
    /// The kernel's boot id.
    pub boot_id: String,
}

struct ViewerLink {
    link: Link,
    /// Until it has said who it is: when it must have.
    hello_by: Option<Instant>,
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

impl Door {
    /// A door at a listening, non-blocking socket.
    pub fn new(listener: OwnedFd) -> Self {
        Self {
            listener,
            links: BTreeMap::new(),
            next_id: 1,
        }
    }

    /// Where new links come from, to wait for.
    pub fn listener(&self) -> &OwnedFd {
        &self.listener
    }

    /// The links, to wait for.
    pub fn links(&self) -> impl Iterator<Item = (ViewerId, &Link)> {
        self.links.iter().map(|(id, viewer)| (*id, &viewer.link))
    }

    /// When the first link that keeps silent is to be closed.
    pub fn deadline(&self) -> Option<Instant> {
        self.links
            .values()
            .filter_map(|viewer| viewer.hello_by)
            .min()
    }

    /// Takes the links that wait at the listening socket.
    pub fn accept(&mut self, now: Instant) {
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
                link: Link::new(socket, MAX_MESSAGE),
                hello_by: Some(now + HELLO_WITHIN),
            };
            self.links.insert(self.next_id, viewer);
            self.next_id += 1;
        }
    }

    /// Reads and writes as a link is ready to.
    pub fn serve(&mut self, id: ViewerId, ready: Ready, identity: &Identity, core: &mut Core) {
        let Some(viewer) = self.links.get_mut(&id) else {
            return;
        };
        let heard = if ready.read {
            viewer.hear(id, identity, core)
        } else {
            Ok(())
        };
        let outcome = heard.and_then(|()| Ok(viewer.link.write()?));
        if let Err(error) = outcome {
            self.close(id, &error, core);
        }
    }

    /// Closes the links that have kept silent for too long.
    pub fn close_the_silent(&mut self, now: Instant, core: &mut Core) {
        let late = |viewer: &ViewerLink| viewer.hello_by.is_some_and(|by| by <= now);
        let silent: Vec<_> = self
            .links
            .iter()
            .filter(|(_, viewer)| late(viewer))
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.close(id, &ViewerError::Silent, core);
        }
    }

    /// Gives every viewer that has credit and room the way to now.
    ///
    /// # Errors
    /// There is no memory to encode in.
    pub fn send_units(&mut self, core: &mut Core) -> io::Result<()> {
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            let Some(viewer) = self.links.get_mut(&id) else {
                continue;
            };
            // Only what is written at once is the way to now; behind other bytes it would be the past.
            if viewer.link.waits_to_write() {
                continue;
            }
            let Some(unit) = core.unit(id)? else {
                continue;
            };
            viewer.link.queue(unit);
            if let Err(error) = viewer.link.write() {
                self.close(id, &error.into(), core);
            }
        }
        Ok(())
    }

    fn close(&mut self, id: ViewerId, why: &ViewerError, core: &mut Core) {
        if let Some(viewer) = self.links.remove(&id) {
            match (viewer.hello_by, why) {
                (None, ViewerError::Link(LinkError::Closed)) => {
                    tracing::info!(viewer.id = id, "a viewer left");
                }
                _ => tracing::warn!(viewer.id = id, %why, "a viewer's link is closed"),
            }
        }
        core.leave(id);
    }
}

impl ViewerLink {
    fn hear(
        &mut self,
        id: ViewerId,
        identity: &Identity,
        core: &mut Core,
    ) -> Result<(), ViewerError> {
        self.link.read(link::plain)?;
        if self.hello_by.is_some() {
            let Some(hello) = self.link.take::<Hello>()? else {
                return Ok(());
            };
            self.let_in(&hello, identity)?;
            core.join(id);
            tracing::info!(viewer.id = id, "a viewer came");
        }
        while let Some(message) = self.link.take::<units::ToStreamer>()? {
            core.hear(id, message);
        }
        Ok(())
    }

    fn let_in(&mut self, hello: &Hello, identity: &Identity) -> Result<(), ViewerError> {
        if !bool::from(hello.key.ct_eq(&identity.start.key)) {
            return Err(ViewerError::Key);
        }
        if hello.role() != Role::Units {
            return Err(ViewerError::Role);
        }
        self.hello_by = None;
        let welcome = Welcome {
            protocol: PROTOCOL,
            persistent_id: identity.start.persistent_id.clone(),
            boot_id: identity.boot_id.clone(),
            pid: std::process::id(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let news = Some(units::from_streamer::News::Welcome(welcome));
        self.link
            .queue(encode(&units::FromStreamer { news }).into());
        Ok(())
    }
}
