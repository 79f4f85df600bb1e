//! The clipboard between X apps and all others (ICCCM 2). What an X app copies is told to the holder; of what others
//! copy our window is the owner, and gives it to X apps that ask. Only contents that are wanted are carried, by threads
//! of their own, so that neither side's app is waited for.

use super::manager::Manager;
use super::types::{Types, other_name, x_names};
use greenroom_session_api::clipboard::MAX_BYTES;
use greenroom_session_api::x11::{MAX_TYPES, Offered, Receive, from_x11::News};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use x11rb::connection::RequestConnection;
use x11rb::errors::ConnectionError;
use x11rb::protocol::xfixes::{ConnectionExt as _, SelectionEventMask, SelectionNotifyEvent};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, EventMask, PropMode, Property, PropertyNotifyEvent,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent as ConvertedEvent, SelectionRequestEvent,
    Timestamp,
};
use x11rb::wrapper::ConnectionExt as _;

/// Contents on their way at once. Who asks for more at once is refused.
const MAX_CARRIED: usize = 4;
/// The most that is read of a property, in its units of four bytes: one too many shows what is too large.
const MOST: u32 = MAX_BYTES / 4 + 1;
/// Of a thread, which does next to nothing.
const STACK: usize = 128 << 10;
/// Who neither gives nor takes a byte for this long is not waited for.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// The clipboard of one X server.
pub(super) struct Clipboard {
    /// What the X app that copied last can give.
    own: Types,
    /// What others can give.
    offered: Vec<String>,
    /// What X apps were asked for, by the property they are to put it in.
    asked: HashMap<Atom, Asked>,
    /// X apps that wait, by the number the holder was asked with.
    waiting: HashMap<u64, SelectionRequestEvent>,
    ever: u64,
    /// Each thread has a share of it.
    carrying: Arc<()>,
    read: (Sender<Pasted>, Receiver<Pasted>),
    /// A byte in it says that something was read.
    bell: (OwnedFd, OwnedFd),
}

/// What an X app was asked for.
struct Asked {
    target: Atom,
    into: OwnedFd,
    /// What has come, where it comes in parts.
    parts: Option<Vec<u8>>,
}

/// What was read for an X app.
struct Pasted {
    request: SelectionRequestEvent,
    /// None when it is too large or did not come.
    bytes: Option<Vec<u8>>,
}

impl Clipboard {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            own: Types::default(),
            offered: Vec::new(),
            asked: HashMap::new(),
            waiting: HashMap::new(),
            ever: 0,
            carrying: Arc::default(),
            read: channel(),
            bell: rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?,
        })
    }

    /// What can be waited for.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.0.as_fd()
    }

    /// Does something that may wait, in a thread of its own; unless there are too many.
    fn carry(&self, work: impl FnOnce() + Send + 'static) -> bool {
        let share = Arc::clone(&self.carrying);
        let others = Arc::strong_count(&self.carrying) - 2;
        let thread = std::thread::Builder::new().stack_size(STACK);
        others < MAX_CARRIED
            && thread
                .spawn(move || {
                    work();
                    drop(share);
                })
                .is_ok()
    }
}

impl Manager {
    /// Asks to be told of what apps copy.
    pub(super) fn watch_clipboard(&self) -> Result<(), ConnectionError> {
        let mask = SelectionEventMask::SET_SELECTION_OWNER
            | SelectionEventMask::SELECTION_WINDOW_DESTROY
            | SelectionEventMask::SELECTION_CLIENT_CLOSE;
        let (own, clipboard) = (self.own, self.atoms.CLIPBOARD);
        self.connection
            .xfixes_select_selection_input(own, clipboard, mask)?;
        Ok(())
    }

    /// Somebody else is the owner of the clipboard.
    pub(super) fn clipboard_changed(
        &mut self,
        event: &SelectionNotifyEvent,
    ) -> Result<(), ConnectionError> {
        if event.selection != self.atoms.CLIPBOARD || event.owner == self.own {
            return Ok(());
        }
        // Who copied before gives nothing of it any more.
        self.clipboard.asked.clear();
        self.clipboard.own = Types::default();
        if event.owner == x11rb::NONE {
            self.tell_copied(Offered::default());
            return Ok(());
        }
        self.convert(self.atoms.TARGETS, self.atoms.TARGETS, event.timestamp)
    }

    fn convert(
        &self,
        target: Atom,
        property: Atom,
        time: Timestamp,
    ) -> Result<(), ConnectionError> {
        let (own, clipboard) = (self.own, self.atoms.CLIPBOARD);
        self.connection
            .convert_selection(own, clipboard, target, property, time)?;
        Ok(())
    }

    /// An X app has answered with what it was asked for, or that it has no such thing.
    pub(super) fn converted(&mut self, event: &ConvertedEvent) -> Result<(), ConnectionError> {
        if event.requestor != self.own || event.selection != self.atoms.CLIPBOARD {
            return Ok(());
        }
        if event.target == self.atoms.TARGETS {
            return self.learn_types(event.property);
        }
        if event.property == x11rb::NONE {
            // Which of those who asked for it is not said, and none of them will get it.
            let target = event.target;
            self.clipboard
                .asked
                .retain(|_, asked| asked.target != target);
            return Ok(());
        }
        let Some(asked) = self.clipboard.asked.get_mut(&event.property) else {
            return Ok(());
        };
        let own = self.own;
        let property =
            self.connection
                .get_property(true, own, event.property, AtomEnum::ANY, 0, MOST)?;
        let Some(property) = property.reply_unchecked()? else {
            return Ok(());
        };
        if property.type_ == self.atoms.INCR {
            // That it was deleted asks for the first part.
            asked.parts = Some(Vec::new());
        } else if let Some(asked) = self.clipboard.asked.remove(&event.property) {
            self.give_others(property.value, asked.into);
        }
        Ok(())
    }

    /// A part may have come of what comes in parts.
    pub(super) fn part_came(&mut self, event: &PropertyNotifyEvent) -> Result<(), ConnectionError> {
        let asked = self.clipboard.asked.get_mut(&event.atom);
        let Some(parts) = asked.and_then(|asked| asked.parts.as_mut()) else {
            return Ok(());
        };
        if event.state != Property::NEW_VALUE {
            return Ok(());
        }
        let own = self.own;
        let property =
            self.connection
                .get_property(true, own, event.atom, AtomEnum::ANY, 0, MOST)?;
        let Some(property) = property.reply_unchecked()? else {
            return Ok(());
        };
        parts.extend_from_slice(&property.value);
        let ends = property.value.is_empty() || parts.len() > MAX_BYTES as usize;
        if ends && let Some(asked) = self.clipboard.asked.remove(&event.atom) {
            self.give_others(asked.parts.unwrap_or_default(), asked.into);
        }
        Ok(())
    }

    /// Writes what an X app has copied; what is too large is found empty.
    fn give_others(&self, bytes: Vec<u8>, into: OwnedFd) {
        if bytes.len() <= MAX_BYTES as usize {
            self.clipboard.carry(move || write_all(&bytes, &into));
        }
    }

    fn learn_types(&mut self, property: Atom) -> Result<(), ConnectionError> {
        if property == x11rb::NONE {
            return Ok(());
        }
        // What is no name is left out; twice as many are looked at.
        let most = 2 * MAX_TYPES as u32;
        let (own, kind) = (self.own, AtomEnum::ATOM);
        let property = self
            .connection
            .get_property(true, own, property, kind, 0, most)?;
        let Some(property) = property.reply_unchecked()? else {
            return Ok(());
        };
        let mut names = Vec::new();
        for atom in property.value32().into_iter().flatten() {
            let name = self.connection.get_atom_name(atom)?.reply_unchecked()?;
            let name = name.and_then(|reply| String::from_utf8(reply.name).ok());
            names.extend(name.map(|name| (name, atom)));
        }
        self.clipboard.own = Types::of_x(names);
        let offered = Offered::bounded(self.clipboard.own.names());
        self.tell_copied(offered);
        Ok(())
    }

    fn tell_copied(&mut self, offered: Offered) {
        self.link.push(News::Copied(offered));
    }

    /// Has the X app that copied last write it somewhere; what it does not have is empty.
    pub(super) fn write_copied(
        &mut self,
        name: &str,
        into: OwnedFd,
    ) -> Result<(), ConnectionError> {
        let Some(target) = self.clipboard.own.target(name) else {
            return Ok(());
        };
        for slot in 0..MAX_CARRIED {
            let property = format!("_GREENROOM_COPIED_{slot}");
            let property = self.connection.intern_atom(false, property.as_bytes())?;
            let Some(property) = property.reply_unchecked()?.map(|reply| reply.atom) else {
                return Ok(());
            };
            if let Entry::Vacant(vacant) = self.clipboard.asked.entry(property) {
                vacant.insert(Asked {
                    target,
                    into,
                    parts: None,
                });
                return self.convert(target, property, self.time);
            }
        }
        Ok(())
    }

    /// Others have copied something, or there is nothing any more.
    pub(super) fn others_copied(&mut self, offered: Offered) -> Result<(), ConnectionError> {
        self.clipboard.offered = Offered::bounded(offered.types).types;
        let owner = match self.clipboard.offered.is_empty() {
            true => x11rb::NONE,
            false => self.own,
        };
        self.clipboard.asked.clear();
        self.clipboard.own = Types::default();
        let clipboard = self.atoms.CLIPBOARD;
        self.connection
            .set_selection_owner(owner, clipboard, x11rb::CURRENT_TIME)?;
        Ok(())
    }

    /// An X app pastes.
    pub(super) fn asked_to_paste(
        &mut self,
        mut event: SelectionRequestEvent,
    ) -> Result<(), ConnectionError> {
        if event.property == x11rb::NONE {
            // As clients did it before the conventions that hold now.
            event.property = event.target;
        }
        if event.owner != self.own || event.selection != self.atoms.CLIPBOARD {
            return self.answer(&event, false);
        }
        if event.target == self.atoms.TARGETS {
            let mut targets = vec![self.atoms.TARGETS];
            for name in x_names(self.clipboard.offered.clone()) {
                let atom = self.connection.intern_atom(false, name.as_bytes())?;
                targets.extend(atom.reply_unchecked()?.map(|reply| reply.atom));
            }
            let (to, kind) = (event.requestor, AtomEnum::ATOM);
            self.connection.change_property32(
                PropMode::REPLACE,
                to,
                event.property,
                kind,
                &targets,
            )?;
            return self.answer(&event, true);
        }
        let name = self.connection.get_atom_name(event.target)?;
        let name = name.reply_unchecked()?.map(|reply| reply.name);
        let name = name.and_then(|name| String::from_utf8(name).ok());
        let had = &self.clipboard.offered;
        let name = name.map(|name| other_name(&name, had).to_owned());
        let known = name.filter(|name| had.contains(name));
        let Some(name) = known.filter(|_| self.clipboard.waiting.len() < MAX_CARRIED) else {
            return self.answer(&event, false);
        };
        self.clipboard.ever += 1;
        let number = self.clipboard.ever;
        self.clipboard.waiting.insert(number, event);
        self.link.push(News::Receive(Receive { number, name }));
        Ok(())
    }

    /// What an X app waits for is to be read there.
    pub(super) fn read_for(&mut self, number: u64, from: OwnedFd) -> Result<(), ConnectionError> {
        let Some(request) = self.clipboard.waiting.remove(&number) else {
            return Ok(());
        };
        let read = self.clipboard.read.0.clone();
        let bell = self.clipboard.bell.1.try_clone()?;
        let is_carried = self.clipboard.carry(move || {
            let bytes = read_all(&from);
            // Both fail when we are about to end, and a full pipe rings as well.
            let _ = read.send(Pasted { request, bytes });
            let _ = rustix::io::write(&bell, &[0]);
        });
        if is_carried {
            Ok(())
        } else {
            self.answer(&request, false)
        }
    }

    /// Gives X apps what was read for them.
    pub(super) fn give_pasted(&mut self) -> Result<(), ConnectionError> {
        let mut rung = [0; 64];
        while rustix::io::read(&self.clipboard.bell.0, &mut rung).is_ok_and(|read| read > 0) {}
        while let Ok(Pasted { request, bytes }) = self.clipboard.read.1.try_recv() {
            // A property may be as large as a request.
            let room = self.connection.maximum_request_bytes().saturating_sub(64);
            let bytes = bytes.filter(|bytes| bytes.len() <= room);
            if let Some(bytes) = &bytes {
                let (to, kind) = (request.requestor, request.target);
                self.connection.change_property8(
                    PropMode::REPLACE,
                    to,
                    request.property,
                    kind,
                    bytes,
                )?;
            }
            self.answer(&request, bytes.is_some())?;
        }
        Ok(())
    }

    fn answer(&self, request: &SelectionRequestEvent, given: bool) -> Result<(), ConnectionError> {
        let event = ConvertedEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if given { request.property } else { x11rb::NONE },
        };
        let to = request.requestor;
        self.connection
            .send_event(false, to, EventMask::NO_EVENT, event)?;
        Ok(())
    }
}

fn write_all(mut rest: &[u8], into: &OwnedFd) {
    // A pipe that blocks and has room for some takes no more than this without blocking.
    const AT_ONCE: usize = 4096;
    while !rest.is_empty() && waited_for(into, PollFlags::OUT) {
        match rustix::io::write(into, &rest[..rest.len().min(AT_ONCE)]) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

fn read_all(from: &OwnedFd) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = vec![0; 64 << 10];
    while bytes.len() <= MAX_BYTES as usize && waited_for(from, PollFlags::IN) {
        match rustix::io::read(from, &mut part) {
            Ok(0) => return Some(bytes),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
    None
}

fn waited_for(descriptor: &OwnedFd, what: PollFlags) -> bool {
    let mut ready = [PollFd::new(descriptor, what)];
    match rustix::event::poll(&mut ready, Some(&PATIENCE)) {
        Ok(ready) => ready > 0,
        Err(error) => error == Errno::INTR,
    }
}
