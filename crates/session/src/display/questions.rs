//! What is asked of the stage from outside: its windows, and typing without a viewer.

use super::seat::milliseconds;
use super::x11::shown_by;
use super::{Stage, windows};
use greenroom_session_api::questions::{MAX_TITLE, MAX_WINDOWS, Window};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::xdg::XdgToplevelSurfaceData;
use std::time::Duration;

impl Stage {
    /// The windows that have something to show, the highest first.
    pub fn window_list(&self) -> Vec<Window> {
        let top = self.windows.focus().map(|entry| entry.id);
        let shown = self.windows.all().rev().filter(|entry| entry.mapped);
        shown
            .take(MAX_WINDOWS)
            .map(|entry| Window {
                active: Some(entry.id) == top,
                ..describe(entry)
            })
            .collect()
    }

    /// Puts one window above the others; whether there is such a window.
    pub fn raise_window(&mut self, id: u64) -> bool {
        let surface = self
            .windows
            .all()
            .find(|entry| entry.id == id && entry.mapped)
            .map(|entry| entry.toplevel().wl_surface().clone());
        let Some(surface) = surface else {
            return false;
        };
        self.windows.raise(&surface);
        self.refocus();
        true
    }

    /// Types into the window that has the focus; whether there is one. What viewers hold down is let go of, since
    /// it would make commands of characters.
    pub fn type_keys(&mut self, text: &str, now: Duration) -> bool {
        if self.windows.focus().is_none() {
            return false;
        }
        self.let_go(now);
        let steps = self.keyboard.text(text);
        self.play(steps, milliseconds(now));
        true
    }
}

fn describe(entry: &windows::Entry) -> Window {
    let size = entry.window.geometry().size;
    let (app_id, title) = with_states(entry.toplevel().wl_surface(), |states| {
        let data = states.data_map.get::<XdgToplevelSurfaceData>();
        // Left by a thread that panicked, if at all, and there is one thread only.
        let data = data.and_then(|data| data.lock().ok());
        let text = |text: Option<&String>| {
            let text = text.map_or("", String::as_str);
            text.chars().take(MAX_TITLE).collect::<String>()
        };
        match data {
            Some(data) => (text(data.app_id.as_ref()), text(data.title.as_ref())),
            None => (String::new(), String::new()),
        }
    });
    let (app_id, title) = match shown_by(entry.toplevel().wl_surface()) {
        Some(shown) => (shown.class, shown.title),
        None => (app_id, title),
    };
    let pixels = |length: i32| u32::try_from(length).unwrap_or(0);
    Window {
        id: entry.id,
        app_id,
        title,
        width: pixels(size.w),
        height: pixels(size.h),
        active: false,
        launch: entry.launch,
    }
}
