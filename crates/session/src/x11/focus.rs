//! Which window has the keyboard, and asking windows for what apps do themselves.

use super::manager::Manager;
use x11rb::errors::ConnectionError;
use x11rb::protocol::xproto::{
    ButtonIndex, ClientMessageEvent, ConnectionExt as _, EventMask, GrabMode, InputFocus, ModMask,
    Window,
};

impl Manager {
    /// Gives a window the keyboard, or none.
    pub(super) fn focus(&mut self, window: Option<Window>) -> Result<(), ConnectionError> {
        let before = std::mem::replace(&mut self.active, window);
        if let Some(before) = before.filter(|before| Some(*before) != window) {
            self.grab_clicks(before)?;
        }
        match window.and_then(|window| self.windows.iter().find(|it| it.window == window)) {
            Some(managed) => {
                let window = managed.window;
                self.connection
                    .ungrab_button(ButtonIndex::ANY, window, ModMask::ANY)?;
                if managed.takes_input {
                    self.connection
                        .set_input_focus(InputFocus::PARENT, window, self.time)?;
                }
                if managed.takes_focus {
                    self.ask(window, self.atoms.WM_TAKE_FOCUS)?;
                }
            }
            None => {
                self.connection
                    .set_input_focus(InputFocus::PARENT, self.root, self.time)?;
            }
        }
        self.publish_active()
    }

    /// Asks a window to close; one that cannot be asked loses its app.
    pub(super) fn close(&mut self, window: Window) -> Result<(), ConnectionError> {
        match self.find(window).map(|it| it.closes) {
            Some(true) => self.ask(window, self.atoms.WM_DELETE_WINDOW),
            Some(false) => self.connection.kill_client(window).map(|_| ()),
            None => Ok(()),
        }
    }

    fn ask(&self, window: Window, what: u32) -> Result<(), ConnectionError> {
        let message = ClientMessageEvent::new(
            32,
            window,
            self.atoms.WM_PROTOCOLS,
            [what, self.time, 0, 0, 0],
        );
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, message)?;
        Ok(())
    }

    /// The first click into a window that has not the keyboard is ours, and then goes on to the app.
    pub(super) fn grab_clicks(&self, window: Window) -> Result<(), ConnectionError> {
        self.connection.grab_button(
            false,
            window,
            EventMask::BUTTON_PRESS,
            GrabMode::SYNC,
            GrabMode::ASYNC,
            x11rb::NONE,
            x11rb::NONE,
            ButtonIndex::ANY,
            ModMask::ANY,
        )?;
        Ok(())
    }
}
