//! The pipes of the clipboard: what apps copy is read for the viewers that want it, and what a viewer has copied is
//! fetched part by part for the apps that paste it. No app and no viewer is waited for.

use super::Holder;
use crate::clipboard::{Copied, Pasted, best_type};
use crate::display::{Owner, Paste};
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction, RegistrationToken};
use greenroom_session_api::clipboard::{Kind, Offer, Part, Read, Why};
use greenroom_session_api::viewer::{Want, from_holder::News};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// An app that has not given all it has by then is not waited for.
const COPY_WITHIN: Duration = Duration::from_secs(5);
/// An app that takes nothing, or gets nothing, for this long is not waited for.
const PASTE_WITHIN: Duration = Duration::from_secs(10);
/// Apps that paste, at once.
const MAX_PASTING: usize = 32;
/// Read at once, so that no app has the loop for itself.
const AT_ONCE: usize = 64 << 10;

/// The clipboard between apps and viewers.
#[derive(Default)]
pub(super) struct Clipboard {
    /// Counts what apps have copied.
    serial: u64,
    /// An app has copied something that was not read yet.
    unread: bool,
    gathering: Option<Gathering>,
    copied: Copied,
    pasted: Option<Held>,
    pasting: Vec<Pasting>,
    pipes_ever: u64,
}

/// What a viewer has copied, and which viewer.
struct Held {
    peer: u64,
    pasted: Pasted,
}

/// What an app has copied is being read.
struct Gathering {
    until: Instant,
    pipes: Vec<Copying>,
    copied: Copied,
}

struct Copying {
    pipe: u64,
    kind: Kind,
    from: Rc<OwnedFd>,
    bytes: Vec<u8>,
    token: RegistrationToken,
}

struct Pasting {
    pipe: u64,
    kind: Kind,
    into: Rc<OwnedFd>,
    given: usize,
    until: Instant,
    token: RegistrationToken,
}

impl Clipboard {
    /// What viewers are told, unless it is not known yet.
    pub fn offer(&self) -> Option<Offer> {
        (!self.unread && self.gathering.is_none()).then(|| self.copied.offer())
    }

    /// The part a viewer asks for.
    pub fn part(&self, read: &Read) -> Part {
        self.copied.part(read)
    }

    /// When it is to be tended even if nothing happens.
    pub fn due(&self) -> Option<Instant> {
        let gathering = self.gathering.as_ref().map(|gathering| gathering.until);
        let pasting = self.pasting.iter().map(|pasting| pasting.until);
        pasting.chain(gathering).min()
    }
}

impl Holder {
    /// An app has copied something, or has taken back what it had.
    pub(super) fn note_copied(&mut self) {
        self.clipboard.serial += 1;
        self.clipboard.unread = true;
        self.clipboard.copied = Copied::new(self.clipboard.serial);
        self.stop_gathering();
        self.forget_pasted();
    }

    /// Reads, fetches and writes what is due.
    pub(super) fn tend_clipboard(&mut self, now: Instant) {
        for paste in self.stage.take_pastes() {
            self.begin_pasting(paste, now);
        }
        self.offer_to_x_servers();
        if self.clipboard.unread && self.peers.values().any(|peer| peer.states.wants_copied()) {
            self.gather(now);
        }
        let gathering = self.clipboard.gathering.as_ref();
        if gathering.is_some_and(|gathering| gathering.pipes.is_empty() || now >= gathering.until) {
            if let Some(copied) = self.stop_gathering() {
                self.clipboard.copied = copied;
            }
            self.note_changed(Want {
                copied: true,
                ..Want::default()
            });
        }
        self.fetch();
        let pasting = self.clipboard.pasting.iter();
        let late = pasting.filter(|it| now >= it.until).map(|it| it.pipe);
        let late: Vec<u64> = late.collect();
        late.into_iter().for_each(|pipe| self.end_pasting(pipe));
    }

    /// Asks the app that copied last for each kind it has.
    fn gather(&mut self, now: Instant) {
        self.clipboard.unread = false;
        self.clipboard.gathering = Some(Gathering {
            until: now + COPY_WITHIN,
            pipes: Vec::new(),
            copied: Copied::new(self.clipboard.serial),
        });
        for kind in Kind::ALL {
            let name = best_type(kind, self.stage.copied_types());
            if let Some(name) = name
                && let Err(error) = self.begin_copying(kind, name)
            {
                tracing::warn!(%error, "what was copied cannot be read");
            }
        }
    }

    fn begin_copying(&mut self, kind: Kind, name: &str) -> std::io::Result<()> {
        let (from, into) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&from, true)?;
        let from = Rc::new(from);
        self.clipboard.pipes_ever += 1;
        let pipe = self.clipboard.pipes_ever;
        let source = Generic::new(Rc::clone(&from), Interest::READ, Mode::Level);
        let inserted = self.handle.insert_source(source, move |_, _, holder| {
            holder.copy(pipe);
            Ok(PostAction::Continue)
        });
        let token = inserted.map_err(|error| std::io::Error::other(error.error))?;
        self.write_copied(name, into);
        if let Some(gathering) = &mut self.clipboard.gathering {
            gathering.pipes.push(Copying {
                pipe,
                kind,
                from,
                bytes: Vec::new(),
                token,
            });
        }
        Ok(())
    }

    /// Has who copied last write it somewhere. What is not to be had is not written, and so found empty.
    pub(super) fn write_copied(&mut self, name: &str, into: OwnedFd) {
        match self.stage.copied_by() {
            None => self.stage.read_copied(name, into),
            Some(owner) => {
                let name = name.to_owned();
                self.begin_pasting(Paste { owner, name, into }, Instant::now());
            }
        }
    }

    /// An app has written something of what it copied.
    fn copy(&mut self, pipe: u64) {
        let Some(gathering) = &mut self.clipboard.gathering else {
            return;
        };
        let others = gathering.pipes.iter().filter(|it| it.pipe != pipe);
        let others: usize = others.map(|it| it.bytes.len()).sum();
        let Some(at) = gathering.pipes.iter().position(|it| it.pipe == pipe) else {
            return;
        };
        let copying = &mut gathering.pipes[at];
        let mut bytes = vec![0; AT_ONCE];
        let ended = match rustix::io::read(&copying.from, &mut bytes) {
            Ok(0) => None,
            Ok(read) => {
                copying.bytes.extend_from_slice(&bytes[..read]);
                let room = gathering.copied.room().saturating_sub(others);
                if copying.bytes.len() <= room {
                    return;
                }
                Some(Why::TooLarge)
            }
            Err(Errno::AGAIN | Errno::INTR) => return,
            Err(_) => Some(Why::TooSlow),
        };
        let copying = gathering.pipes.remove(at);
        match ended {
            None => gathering.copied.add(copying.kind, copying.bytes),
            Some(why) => gathering.copied.leave_out(copying.kind, why),
        }
        self.handle.remove(copying.token);
    }

    /// Answers with what was read. What is not all there is left out.
    fn stop_gathering(&mut self) -> Option<Copied> {
        let mut gathering = self.clipboard.gathering.take()?;
        for copying in gathering.pipes {
            gathering.copied.leave_out(copying.kind, Why::TooSlow);
            self.handle.remove(copying.token);
        }
        Some(gathering.copied)
    }

    /// A viewer has copied something, or has nothing any more.
    pub(super) fn viewer_copied(&mut self, peer: u64, offer: &Offer) {
        let Some(pasted) = Pasted::new(offer) else {
            tracing::warn!("what a viewer has copied is out of bounds");
            return;
        };
        self.forget_pasted();
        // What an app has copied is not to be had from now on, read or not.
        self.stop_gathering();
        self.clipboard.unread = false;
        self.stage.offer_copied(Owner::Viewer, pasted.types());
        self.clipboard.pasted = Some(Held { peer, pasted });
    }

    /// A viewer has gone, and what it has copied with it.
    pub(super) fn forget_copied_by(&mut self, peer: u64) {
        let held = self.clipboard.pasted.as_ref();
        if held.is_some_and(|held| held.peer == peer) {
            self.forget_pasted();
            self.stage.offer_copied(Owner::Viewer, Vec::new());
        }
    }

    fn forget_pasted(&mut self) {
        self.clipboard.pasted = None;
        for pasting in std::mem::take(&mut self.clipboard.pasting) {
            self.handle.remove(pasting.token);
        }
    }

    /// An app wants what somebody has copied. When it cannot have it, it finds it empty.
    fn begin_pasting(&mut self, paste: Paste, now: Instant) {
        if let Owner::X(server) = paste.owner {
            return self.write_by_x_server(server, paste.name, paste.into);
        }
        let held = self.clipboard.pasted.as_ref();
        let Some(kind) = held.and_then(|held| held.pasted.kind_of(&paste.name)) else {
            return;
        };
        if self.clipboard.pasting.len() >= MAX_PASTING
            || rustix::io::ioctl_fionbio(&paste.into, true).is_err()
        {
            return;
        }
        let into = Rc::new(paste.into);
        self.clipboard.pipes_ever += 1;
        let pipe = self.clipboard.pipes_ever;
        // Edge-triggered, since it can be written while there is nothing to write.
        let source = Generic::new(Rc::clone(&into), Interest::WRITE, Mode::Edge);
        let inserted = self.handle.insert_source(source, move |_, _, holder| {
            holder.paste(pipe);
            Ok(PostAction::Continue)
        });
        // What cannot be waited for is no pipe.
        let Ok(token) = inserted else { return };
        self.clipboard.pasting.push(Pasting {
            pipe,
            kind,
            into,
            given: 0,
            until: now + PASTE_WITHIN,
            token,
        });
        self.paste(pipe);
    }

    /// Gives an app what has come, as far as it takes it.
    fn paste(&mut self, pipe: u64) {
        let Clipboard {
            pasted, pasting, ..
        } = &mut self.clipboard;
        let Some(at) = pasting.iter_mut().find(|pasting| pasting.pipe == pipe) else {
            return;
        };
        let Some(pasted) = pasted.as_ref().map(|held| &held.pasted) else {
            return self.end_pasting(pipe);
        };
        let Some(had) = pasted.had(at.kind) else {
            return self.end_pasting(pipe);
        };
        while at.given < had.len() {
            match rustix::io::write(&at.into, &had[at.given..]) {
                Ok(written) => {
                    at.given += written;
                    at.until = Instant::now() + PASTE_WITHIN;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => return self.end_pasting(pipe),
            }
        }
        if pasted.is_whole(at.kind) {
            self.end_pasting(pipe);
        }
    }

    fn end_pasting(&mut self, pipe: u64) {
        let pasting = &mut self.clipboard.pasting;
        if let Some(at) = pasting.iter().position(|pasting| pasting.pipe == pipe) {
            let pasting = pasting.swap_remove(at);
            self.handle.remove(pasting.token);
        }
    }

    /// Asks the viewer for what an app has come to the end of.
    fn fetch(&mut self) {
        let Clipboard {
            pasted, pasting, ..
        } = &mut self.clipboard;
        let Some(Held { peer, pasted }) = pasted else {
            return;
        };
        let read = pasting.iter().find_map(|it| {
            let waits = pasted.had(it.kind).is_some_and(|had| had.len() == it.given);
            waits.then(|| pasted.ask(it.kind)).flatten()
        });
        if let Some(read) = read
            && let Some(peer) = self.peers.get_mut(peer)
        {
            peer.link.tell_viewer(News::ReadCopied(read));
        }
    }

    /// A part has come of what a viewer has copied.
    pub(super) fn take_part(&mut self, peer: u64, part: &Part) {
        let Some(held) = self
            .clipboard
            .pasted
            .as_mut()
            .filter(|held| held.peer == peer)
        else {
            return;
        };
        held.pasted.take(part);
        let pipes: Vec<u64> = self.clipboard.pasting.iter().map(|it| it.pipe).collect();
        pipes.into_iter().for_each(|pipe| self.paste(pipe));
    }
}
