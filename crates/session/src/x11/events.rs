//! What apps do and ask for, one event at a time.

use super::layout::Rect;
use super::manager::Manager;
use x11rb::errors::ConnectionError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Allow, ClientMessageEvent, ConfigureNotifyEvent, ConfigureRequestEvent, ConfigureWindowAux,
    ConnectionExt as _, MapNotifyEvent, NotifyDetail, NotifyMode, PropertyNotifyEvent, Window,
};

/// What a message about `_NET_WM_STATE` wants of a state.
const REMOVE: u32 = 0;
const ADD: u32 = 1;
const TOGGLE: u32 = 2;

impl Manager {
    pub(super) fn handle(&mut self, event: Event) -> Result<(), ConnectionError> {
        // Apps send each other events, and a window manager these kinds of them; all others are the X server's to send.
        let is_an_apps = matches!(
            event,
            Event::ClientMessage(_) | Event::UnmapNotify(_) | Event::SelectionNotify(_)
        );
        if event.sent_event() && !is_an_apps {
            return Ok(());
        }
        match event {
            Event::MapRequest(event) => self.manage(event.window),
            Event::MapNotify(event) => self.mapped(event),
            Event::UnmapNotify(event) => self.gone(event.window),
            Event::DestroyNotify(event) => self.gone(event.window),
            Event::ReparentNotify(event) if event.parent != self.root => self.gone(event.window),
            Event::ConfigureRequest(event) => self.asked_to_be_elsewhere(&event),
            Event::ConfigureNotify(event) if event.window == self.root => self.resized(event),
            Event::PropertyNotify(event) => self.property_changed(event),
            Event::ClientMessage(event) => self.asked(event),
            Event::ButtonPress(event) => {
                self.time = event.time;
                // Whatever was asked before, this is what the user wants now.
                (self.asked.raise, self.asked.focus) = (None, None);
                self.raise(event.event)?;
                self.focus(Some(event.event))?;
                self.connection
                    .allow_events(Allow::REPLAY_POINTER, event.time)?;
                Ok(())
            }
            Event::FocusIn(event) if is_a_move(event.mode, event.detail) => {
                self.took_focus(event.event)
            }
            Event::DamageNotify(event) => self.drawn(event),
            Event::XfixesSelectionNotify(event) => self.clipboard_changed(&event),
            Event::SelectionNotify(event) => self.converted(&event),
            Event::SelectionRequest(event) => self.asked_to_paste(event),
            // Errors are about windows that have gone meanwhile.
            _ => Ok(()),
        }
    }

    fn mapped(&mut self, event: MapNotifyEvent) -> Result<(), ConnectionError> {
        if self.find(event.window).is_some() {
            self.asked.focus = Some(event.window);
        } else {
            self.asked.shown.insert(event.window);
        }
        Ok(())
    }

    fn gone(&mut self, window: Window) -> Result<(), ConnectionError> {
        self.unmanaged.remove(&window);
        self.asked.shown.remove(&window);
        self.forget(window)
    }

    fn asked_to_be_elsewhere(
        &mut self,
        event: &ConfigureRequestEvent,
    ) -> Result<(), ConnectionError> {
        let Some(managed) = self.find(event.window) else {
            let as_asked = ConfigureWindowAux::from_configure_request(event);
            self.connection.configure_window(event.window, &as_asked)?;
            return Ok(());
        };
        // What was not asked for, the event has as it is.
        managed.wish.rect = Rect {
            x: event.x.into(),
            y: event.y.into(),
            width: event.width.into(),
            height: event.height.into(),
        };
        self.asked.place.insert(event.window);
        Ok(())
    }

    fn resized(&mut self, event: ConfigureNotifyEvent) -> Result<(), ConnectionError> {
        let size = (event.width.into(), event.height.into());
        if std::mem::replace(&mut self.screen, size) == size {
            return Ok(());
        }
        self.publish_screen()?;
        self.place_all()
    }

    fn property_changed(&mut self, event: PropertyNotifyEvent) -> Result<(), ConnectionError> {
        self.time = event.time;
        if event.window == self.own {
            return self.part_came(&event);
        }
        // Ours to write, and read at the beginning only.
        let ours = [
            self.atoms._NET_WM_STATE,
            self.atoms.WM_STATE,
            self.atoms._NET_FRAME_EXTENTS,
        ];
        if ours.contains(&event.atom) {
            return Ok(());
        }
        if self.find(event.window).is_some() {
            self.asked.changed.insert(event.window);
        }
        Ok(())
    }

    fn asked(&mut self, event: ClientMessageEvent) -> Result<(), ConnectionError> {
        let window = event.window;
        let atoms = self.atoms;
        if event.format != 32 {
            return Ok(());
        }
        let data = event.data.as_data32();
        if event.type_ == atoms._NET_REQUEST_FRAME_EXTENTS {
            return self.publish_frame(window);
        }
        if self.find(window).is_none() {
            return Ok(());
        }
        if event.type_ == atoms._NET_ACTIVE_WINDOW {
            (self.asked.raise, self.asked.focus) = (Some(window), Some(window));
            Ok(())
        } else if event.type_ == atoms._NET_CLOSE_WINDOW {
            self.close(window)
        } else if event.type_ == atoms._NET_WM_STATE {
            self.asked_for_state(window, data[0], [data[1], data[2]]);
            Ok(())
        } else {
            Ok(())
        }
    }

    /// Full screen is had for the asking; maximised is what a window is or is not, and nothing else there is.
    fn asked_for_state(&mut self, window: Window, action: u32, states: [u32; 2]) {
        let fullscreen = self.atoms._NET_WM_STATE_FULLSCREEN;
        if let Some(managed) = self.find(window).filter(|_| states.contains(&fullscreen)) {
            managed.fullscreen = match action {
                ADD => true,
                REMOVE => false,
                TOGGLE => !managed.fullscreen,
                _ => managed.fullscreen,
            };
            self.asked.place.insert(window);
        }
        self.asked.states.insert(window);
    }

    /// An app moved the keyboard between its own windows, or hears late that we did.
    fn took_focus(&mut self, window: Window) -> Result<(), ConnectionError> {
        if self.find(window).is_some() {
            self.asked.taken = Some(window);
        }
        Ok(())
    }
}

/// Not what a menu does for a while, nor what comes of where the pointer is.
fn is_a_move(mode: NotifyMode, detail: NotifyDetail) -> bool {
    mode == NotifyMode::NORMAL
        && ![NotifyDetail::POINTER, NotifyDetail::POINTER_ROOT].contains(&detail)
}
