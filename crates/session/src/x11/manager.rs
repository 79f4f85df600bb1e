//! The window manager: which windows there are, where they are and which has the keyboard.

use super::asked::Asked;
use super::atoms::Atoms;
use super::clipboard::Clipboard;
use super::layout::Size;
use super::link::Link;
use super::window::Managed;
use greenroom_session_api::x11::{Shown, to_x11::Order};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::HashSet;
use std::error::Error;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use x11rb::connection::Connection;
use x11rb::errors::ConnectionError;
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::xfixes::{ClientDisconnectFlags, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, EventMask, SubwindowMode, Window, WindowClass,
};
use x11rb::rust_connection::{DefaultStream, RustConnection};

/// Windows that are looked after; more are shown as their apps have them.
const MAX_WINDOWS: usize = 256;
/// Of windows that no window manager touches, those that are counted.
const MAX_UNMANAGED: usize = 1024;
/// Events that are read before what they ask for is done, and the holder is heard.
const EVENTS_AT_ONCE: usize = 1024;

const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// The window manager of one X server.
pub struct Manager {
    pub(super) connection: RustConnection,
    pub(super) link: Link,
    pub(super) clipboard: Clipboard,
    pub(super) atoms: Atoms,
    pub(super) root: Window,
    /// Ours, which is never shown: it owns what a window manager has to own.
    pub(super) own: Window,
    pub(super) screen: Size,
    /// The lowest first.
    pub(super) windows: Vec<Managed>,
    /// Windows with content that no window manager touches: menus, and pictures shown at the start.
    pub(super) unmanaged: HashSet<Window>,
    pub(super) active: Option<Window>,
    pub(super) asked: Asked,
    /// Of the X server, as of the last event that told it.
    pub(super) time: u32,
    pub(super) scale_120: u32,
    pub(super) settings_ever: u32,
}

impl Manager {
    /// Becomes the window manager. Apps are let in at the end of it.
    ///
    /// # Errors
    /// The X server or the holder has gone, or lacks what is needed.
    pub fn new(connection: UnixStream, mut link: Link) -> Result<Self, Box<dyn Error>> {
        let (stream, _) = DefaultStream::from_unix_stream(connection)?;
        let connection = RustConnection::connect_to_stream(stream, 0)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let screen = &connection.setup().roots[0];
        let (root, size) = (
            screen.root,
            (
                screen.width_in_pixels.into(),
                screen.height_in_pixels.into(),
            ),
        );
        connection.xfixes_query_version(6, 0)?.reply()?;
        connection.damage_query_version(1, 1)?.reply()?;
        // The X server ends with its last app, and we are none.
        connection.xfixes_set_client_disconnect_mode(ClientDisconnectFlags::TERMINATE)?;
        let own = connection.generate_id()?;
        let unseen = CreateWindowAux::new()
            .override_redirect(1)
            .event_mask(EventMask::PROPERTY_CHANGE);
        connection.create_window(
            0,
            own,
            root,
            -1,
            -1,
            1,
            1,
            0,
            WindowClass::INPUT_ONLY,
            0,
            &unseen,
        )?;
        let mask = EventMask::SUBSTRUCTURE_REDIRECT
            | EventMask::SUBSTRUCTURE_NOTIFY
            | EventMask::STRUCTURE_NOTIFY;
        let watched = ChangeWindowAttributesAux::new().event_mask(mask);
        connection
            .change_window_attributes(root, &watched)?
            .check()?;
        let scale_120 = first_scale(&mut link)?;
        let mut manager = Self {
            connection,
            link,
            clipboard: Clipboard::new()?,
            atoms,
            root,
            own,
            screen: size,
            windows: Vec::new(),
            unmanaged: HashSet::new(),
            active: None,
            asked: Asked::default(),
            time: 0,
            scale_120,
            settings_ever: 0,
        };
        manager.watch_clipboard()?;
        manager.publish_start()?;
        Ok(manager)
    }

    /// Manages windows until the X server ends.
    ///
    /// # Errors
    /// The holder has gone.
    pub fn run(mut self) -> Result<(), Box<dyn Error>> {
        loop {
            let is_all = match self.handle_events() {
                Ok(is_all) => is_all,
                Err(ConnectionError::IoError(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.link.tell(self.shown());
            self.link.flush()?;
            let x = self.connection.stream().as_fd();
            let mut ready = [
                PollFd::from_borrowed_fd(x, PollFlags::IN),
                PollFd::from_borrowed_fd(self.link.descriptor(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.clipboard.descriptor(), PollFlags::IN),
            ];
            // Where there are events already, this only looks.
            let patience = (!is_all).then_some(&NO_TIME);
            match rustix::event::poll(&mut ready, patience) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !ready[1].revents().is_empty() {
                self.link.read()?;
            }
        }
    }

    /// What is there: orders, then events, so that an app sees the answer to what it did last. Answers whether that was
    /// all.
    fn handle_events(&mut self) -> Result<bool, ConnectionError> {
        let orders = self.link.orders().map_err(ConnectionError::from)?;
        for order in orders {
            self.follow(order)?;
        }
        self.give_pasted()?;
        for _ in 0..EVENTS_AT_ONCE {
            if let Some(event) = self.connection.poll_for_event()? {
                self.handle(event)?;
                continue;
            }
            self.do_what_was_asked()?;
            self.connection.flush()?;
            // Events may have been read where there was no room to write: nothing else would tell of them.
            match self.connection.poll_for_event()? {
                Some(event) => self.handle(event)?,
                None => return Ok(true),
            }
        }
        self.do_what_was_asked()?;
        self.connection.flush()?;
        Ok(false)
    }

    fn follow(&mut self, order: Order) -> Result<(), ConnectionError> {
        match order {
            Order::Scale(scale) if scale.scale_120 != self.scale_120 => {
                self.scale_120 = scale.scale_120;
                self.publish_settings()
            }
            Order::Close(_) => {
                let all: Vec<Window> = self.windows.iter().map(|it| it.window).collect();
                all.into_iter().try_for_each(|window| self.close(window))
            }
            Order::Repaint(_) => self.repaint(),
            Order::Offered(offered) => self.others_copied(offered),
            Order::Write(write) => match self.link.take_descriptor() {
                Some(into) => self.write_copied(&write.name, into),
                None => Ok(()),
            },
            Order::Source(source) => match self.link.take_descriptor() {
                Some(from) => self.read_for(source.number, from),
                None => Ok(()),
            },
            Order::Begin(_) | Order::Scale(_) => Ok(()),
        }
    }

    /// Has something drawn that changes nothing: a pixel onto itself, whoever's window it is in.
    fn repaint(&self) -> Result<(), ConnectionError> {
        let Ok(context) = self.connection.generate_id() else {
            return Ok(());
        };
        let over_windows = CreateGCAux::new()
            .subwindow_mode(SubwindowMode::INCLUDE_INFERIORS)
            .graphics_exposures(0);
        let root = self.root;
        self.connection.create_gc(context, root, &over_windows)?;
        self.connection
            .copy_area(root, root, context, 0, 0, 0, 0, 1, 1)?;
        self.connection.free_gc(context)?;
        Ok(())
    }

    pub(super) fn find(&mut self, window: Window) -> Option<&mut Managed> {
        self.windows.iter_mut().find(|it| it.window == window)
    }

    /// A window asks to be shown.
    pub(super) fn manage(&mut self, window: Window) -> Result<(), ConnectionError> {
        if self.find(window).is_some() || self.windows.len() >= MAX_WINDOWS {
            self.connection.map_window(window)?;
            return Ok(());
        }
        let geometry = self.connection.get_geometry(window)?.reply_unchecked()?;
        let Some(geometry) = geometry else {
            return Ok(());
        };
        let mask = EventMask::PROPERTY_CHANGE | EventMask::FOCUS_CHANGE;
        let watched = ChangeWindowAttributesAux::new().event_mask(mask);
        self.connection.change_window_attributes(window, &watched)?;
        let plain = ConfigureWindowAux::new().border_width(0);
        self.connection.configure_window(window, &plain)?;
        // Before it is shown, so that its first content is not missed.
        let damage = self
            .connection
            .generate_id()
            .map_err(|_| ConnectionError::UnknownError)?;
        self.connection
            .damage_create(damage, window, ReportLevel::NON_EMPTY)?;
        self.grab_clicks(window)?;
        let managed = Managed::read(&self.connection, &self.atoms, window, &geometry)?;
        self.windows.push(managed);
        self.place(window)?;
        self.publish_window(window)?;
        self.raise(window)?;
        self.connection.map_window(window)?;
        self.publish_windows()
    }

    /// A window is shown that no window manager touches.
    pub(super) fn count(&mut self, window: Window) -> Result<(), ConnectionError> {
        if self.unmanaged.len() >= MAX_UNMANAGED {
            return Ok(());
        }
        let geometry = self.connection.get_geometry(window)?;
        if let Some(geometry) = geometry.reply_unchecked()? {
            // Many apps have a window of a single pixel that is not meant to be seen.
            if geometry.width > 1 && geometry.height > 1 {
                self.unmanaged.insert(window);
            }
        }
        Ok(())
    }

    /// A window is not shown any more.
    pub(super) fn forget(&mut self, window: Window) -> Result<(), ConnectionError> {
        let before = self.windows.len();
        self.windows.retain(|it| it.window != window);
        if self.windows.len() == before {
            return Ok(());
        }
        self.withdraw(window)?;
        if self.active == Some(window) {
            let next = self.windows.last().map(|it| it.window);
            self.focus(next)?;
        }
        self.publish_windows()
    }

    /// A window has been drawn in; once is enough.
    pub(super) fn drawn(&mut self, event: damage::NotifyEvent) -> Result<(), ConnectionError> {
        if let Some(managed) = self.find(event.drawable) {
            managed.drawn = true;
        }
        self.connection.damage_destroy(event.damage)?;
        Ok(())
    }

    fn shown(&self) -> Shown {
        let drawn = self.windows.iter().filter(|it| it.drawn).count() + self.unmanaged.len();
        let active = self
            .active
            .and_then(|active| self.windows.iter().find(|it| it.window == active));
        let (title, class) =
            active.map_or_else(Default::default, |it| (it.title.clone(), it.class.clone()));
        Shown {
            windows: drawn.try_into().unwrap_or(u32::MAX),
            title,
            class,
        }
    }
}

/// The scale, which the holder says at once.
fn first_scale(link: &mut Link) -> std::io::Result<u32> {
    loop {
        let scale = link.orders()?.into_iter().find_map(|order| match order {
            Order::Scale(scale) => Some(scale.scale_120),
            // There is no window yet that any of these could be about.
            _ => None,
        });
        match scale {
            Some(scale) => return Ok(scale),
            None => link.read()?,
        }
    }
}
