//! The windows of a session, one above the other, each filling the output unless it is a dialog.

use super::x11::windows_shown_by;
use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::desktop::Window;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::State;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, Size};
use smithay::wayland::shell::xdg::ToplevelSurface;

/// Dialogs of dialogs that are kept together; what is beyond stands for itself.
const MAX_FAMILY: usize = 32;

/// A window and what became of it so far.
#[derive(Debug)]
pub struct Entry {
    /// Names it as long as it is open, to those outside; given by [`Windows::push`].
    pub id: u64,
    /// The window.
    pub window: Window,
    /// The launch whose socket its client came through.
    pub launch: u64,
    /// It has a buffer to show, and an X server has apps whose windows are in it.
    pub mapped: bool,
    /// Counts when it was given the keyboard last; 0 when it never was.
    chosen: u64,
}

impl Entry {
    /// A window that was just made and shows nothing yet.
    pub fn new(surface: ToplevelSurface, launch: u64) -> Self {
        Self {
            id: 0,
            window: Window::new_wayland_window(surface),
            launch,
            mapped: false,
            chosen: 0,
        }
    }

    /// The window's surface.
    pub fn toplevel(&self) -> &ToplevelSurface {
        // A window here is made from a toplevel and never from anything else.
        let Some(toplevel) = self.window.toplevel() else {
            unreachable!("only Wayland windows are kept");
        };
        toplevel
    }

    /// The window this one belongs to.
    fn parent(&self) -> Option<WlSurface> {
        self.toplevel().parent().filter(Resource::is_alive)
    }

    /// A window that belongs to another one keeps the size it wants.
    pub fn is_dialog(&self) -> bool {
        self.parent().is_some()
    }

    /// Whether nothing below it is to be seen.
    pub fn fills(&self) -> bool {
        !self.is_dialog()
            || self
                .toplevel()
                .current_state()
                .states
                .contains(State::Fullscreen)
    }

    /// Where its top left corner is on an output of `output` logical pixels: dialogs are centred.
    pub fn location(&self, output: Size<i32, Logical>) -> Point<i32, Logical> {
        if self.fills() {
            return (0, 0).into();
        }
        let size = self.window.geometry().size;
        let centred = |outer: i32, inner: i32| (outer.saturating_sub(inner) / 2).max(0);
        (centred(output.w, size.w), centred(output.h, size.h)).into()
    }

    /// Tells the window its size and whether it is the active one; sent only when that is news.
    pub fn configure(&self, output: Size<i32, Logical>, active: bool) {
        let dialog = self.is_dialog();
        let toplevel = self.toplevel();
        toplevel.with_pending_state(|state| {
            if dialog {
                let fullscreen = state.states.contains(State::Fullscreen);
                state.size = fullscreen.then_some(output);
                state.states.unset(State::Maximized);
            } else {
                state.size = Some(output);
                state.states.set(State::Maximized);
            }
            state.bounds = Some(output);
            if active {
                state.states.set(State::Activated);
            } else {
                state.states.unset(State::Activated);
            }
        });
        toplevel.send_pending_configure();
    }
}

/// The stack, the lowest window first.
#[derive(Debug, Default)]
pub struct Windows {
    stack: Vec<Entry>,
    ever: u64,
    choices: u64,
}

impl Windows {
    /// Puts a new window on top.
    pub fn push(&mut self, entry: Entry) {
        self.ever += 1;
        self.stack.push(Entry {
            id: self.ever,
            ..entry
        });
    }

    /// Takes a window out.
    pub fn remove(&mut self, surface: &WlSurface) {
        self.stack
            .retain(|entry| entry.toplevel().wl_surface() != surface);
    }

    /// The window of a surface.
    pub fn find(&mut self, surface: &WlSurface) -> Option<&mut Entry> {
        self.stack
            .iter_mut()
            .find(|entry| entry.toplevel().wl_surface() == surface)
    }

    /// Every window, the lowest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.stack.iter()
    }

    /// The windows to be seen, the highest first: down to the first that fills the output.
    pub fn visible(&self) -> impl Iterator<Item = &Entry> {
        let mut covered = false;
        self.stack
            .iter()
            .rev()
            .filter(|entry| entry.mapped)
            .take_while(move |entry| {
                let seen = !covered;
                covered = entry.fills();
                seen
            })
    }

    /// The window that has the keyboard: of those to be seen, the one that was chosen last.
    pub fn focus(&self) -> Option<&Entry> {
        self.visible().max_by_key(|entry| entry.chosen)
    }

    /// Puts the windows of a launch above all others and gives the highest of them the keyboard.
    pub fn raise_launch(&mut self, launch: u64) {
        self.stack.sort_by_key(|entry| entry.launch == launch);
        let highest = self.visible().find(|entry| entry.launch == launch);
        if let Some(surface) = highest.map(|entry| entry.toplevel().wl_surface().clone()) {
            self.choose(&surface);
        }
    }

    /// Puts a window above all others, below its own dialogs and with the windows it belongs to beneath it,
    /// and gives it the keyboard.
    pub fn raise(&mut self, surface: &WlSurface) {
        let ancestors = self.ancestors(surface);
        let root = ancestors.last().unwrap_or(surface).clone();
        let keys: Vec<_> = self
            .stack
            .iter()
            .map(|entry| {
                let own = entry.toplevel().wl_surface();
                let above = self.ancestors(own);
                let within = |of: &WlSurface| own == of || above.contains(of);
                (within(&root), within(surface))
            })
            .collect();
        let mut keyed: Vec<_> = keys.into_iter().zip(self.stack.drain(..)).collect();
        // Stable: what belongs together keeps its order.
        keyed.sort_by_key(|(key, _)| *key);
        self.stack = keyed.into_iter().map(|(_, entry)| entry).collect();
        self.choose(surface);
    }

    /// Gives a window the keyboard for as long as it is to be seen.
    pub fn choose(&mut self, surface: &WlSurface) {
        self.choices += 1;
        let choices = self.choices;
        if let Some(entry) = self.find(surface) {
            entry.chosen = choices;
        }
    }

    /// Notes that a window has something to show or has not; whether that is news.
    pub fn update(&mut self, surface: &WlSurface) -> Option<Mapped> {
        let entry = self.find(surface)?;
        let has_buffer =
            with_renderer_surface_state(surface, |state| state.buffer().is_some()).unwrap_or(false);
        let is_shown = has_buffer && windows_shown_by(surface) != Some(0);
        let was = std::mem::replace(&mut entry.mapped, is_shown);
        match (was, is_shown) {
            (false, true) => Some(Mapped::Shown(entry.launch)),
            (true, false) => Some(Mapped::Hidden),
            _ => None,
        }
    }

    /// The windows a window belongs to, the nearest first.
    fn ancestors(&self, surface: &WlSurface) -> Vec<WlSurface> {
        let parent = |of: &WlSurface| {
            let mut entries = self.stack.iter();
            entries
                .find(|entry| entry.toplevel().wl_surface() == of)?
                .parent()
        };
        std::iter::successors(parent(surface), parent)
            .take(MAX_FAMILY)
            .collect()
    }
}

/// What a commit did to a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapped {
    /// It is to be seen from now on; the launch it belongs to.
    Shown(u64),
    /// It has nothing to show any more.
    Hidden,
}
