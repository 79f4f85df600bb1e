//! Putting windows where they belong, and in the order they belong.

use super::layout::{self, Rect};
use super::manager::Manager;
use super::stack::raised;
use x11rb::errors::ConnectionError;
use x11rb::protocol::xproto::{
    CONFIGURE_NOTIFY_EVENT, ConfigureNotifyEvent, ConfigureWindowAux, ConnectionExt as _,
    EventMask, StackMode, Window,
};

impl Manager {
    /// Puts a window where it belongs, and tells it.
    pub(super) fn place(&mut self, window: Window) -> Result<(), ConnectionError> {
        let screen = self.screen;
        let Some(managed) = self.find(window) else {
            return Ok(());
        };
        let rect = layout::place(screen, managed.kind, managed.fullscreen, &managed.wish);
        let moved = managed.placed.replace(rect) != Some(rect);
        if moved {
            let to = ConfigureWindowAux::new()
                .x(rect.x)
                .y(rect.y)
                .width(rect.width)
                .height(rect.height);
            self.connection.configure_window(window, &to)?;
            return Ok(());
        }
        // It asked for something and is owed an answer (ICCCM 4.1.5).
        self.tell_place(window, rect)
    }

    pub(super) fn place_all(&mut self) -> Result<(), ConnectionError> {
        let all: Vec<Window> = self.windows.iter().map(|it| it.window).collect();
        all.into_iter().try_for_each(|window| self.place(window))
    }

    fn tell_place(&self, window: Window, rect: Rect) -> Result<(), ConnectionError> {
        // What the protocol cannot say no window can be.
        let (Ok(x), Ok(y), Ok(width), Ok(height)) = (
            rect.x.try_into(),
            rect.y.try_into(),
            rect.width.try_into(),
            rect.height.try_into(),
        ) else {
            return Ok(());
        };
        let event = ConfigureNotifyEvent {
            response_type: CONFIGURE_NOTIFY_EVENT,
            sequence: 0,
            event: window,
            window,
            above_sibling: x11rb::NONE,
            x,
            y,
            width,
            height,
            border_width: 0,
            override_redirect: false,
        };
        self.connection
            .send_event(false, window, EventMask::STRUCTURE_NOTIFY, event)?;
        Ok(())
    }

    /// Puts a window above the others, with what belongs together.
    pub(super) fn raise(&mut self, window: Window) -> Result<(), ConnectionError> {
        let order: Vec<Window> = self.windows.iter().map(|it| it.window).collect();
        let owner = |of: Window| self.windows.iter().find(|it| it.window == of)?.owner;
        let after = raised(&order, owner, window);
        self.windows
            .sort_by_key(|it| after.iter().position(|window| *window == it.window));
        // Each above the one before: what is not ours, a menu for instance, stays on top.
        for pair in after.windows(2) {
            let above = ConfigureWindowAux::new()
                .sibling(pair[0])
                .stack_mode(StackMode::ABOVE);
            self.connection.configure_window(pair[1], &above)?;
        }
        self.publish_windows()
    }
}
