//! Windows and menus: what smithay asks of a shell (`xdg_shell` and its decorations).

use super::handlers::MAX_DEPTH;
use super::windows::Entry;
use super::{Stage, launch_of};
use smithay::desktop::{
    PopupKeyboardGrab, PopupKind, PopupPointerGrab, PopupUngrabStrategy, find_popup_root_surface,
    get_popup_toplevel_coords,
};
use smithay::input::Seat;
use smithay::input::pointer::Focus;
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::State;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_seat::WlSeat;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Rectangle, Serial};
use smithay::wayland::shell::xdg::decoration::XdgDecorationHandler;
use smithay::wayland::shell::xdg::{
    PopupSurface, PositionerState, ToplevelSurface, XdgShellHandler, XdgShellState,
};

/// Windows of one client at once. Each costs a look whenever something is raised or drawn.
const MAX_WINDOWS: usize = 128;

impl Stage {
    /// The first configure of a window or popup, which it waits for before it draws.
    pub(super) fn configure_first(&mut self, surface: &WlSurface) {
        let output = self.geometry.logical();
        if let Some(entry) = self.windows.find(surface) {
            if !entry.toplevel().is_initial_configure_sent() {
                entry.configure(output, true);
                // Nothing may be news for a dialog, yet it must hear something.
                if !entry.toplevel().is_initial_configure_sent() {
                    entry.toplevel().send_configure();
                }
            }
        } else if let Some(PopupKind::Xdg(popup)) = self.popups.find_popup(surface)
            && !popup.is_initial_configure_sent()
        {
            // Fails only for a popup that has been configured.
            let _ = popup.send_configure();
        }
    }

    /// Where a popup may be: on the output, as its parent counts.
    fn room_for(&self, popup: &PopupSurface) -> Option<Rectangle<i32, Logical>> {
        let kind = PopupKind::Xdg(popup.clone());
        let root = find_popup_root_surface(&kind).ok()?;
        let entry = self
            .windows
            .all()
            .find(|entry| entry.toplevel().wl_surface() == &root)?;
        let output = self.geometry.logical();
        let origin = entry.location(output) + get_popup_toplevel_coords(&kind);
        Some(Rectangle::new((-origin.x, -origin.y).into(), output))
    }

    fn place(&self, popup: &PopupSurface, positioner: PositionerState) {
        let room = self.room_for(popup);
        popup.with_pending_state(|state| {
            state.geometry = match room {
                Some(room) => positioner.get_unconstrained_geometry(room),
                None => positioner.get_geometry(),
            };
            state.positioner = positioner;
        });
    }
}

impl XdgShellHandler for Stage {
    fn xdg_shell_state(&mut self) -> &mut XdgShellState {
        &mut self.xdg_shell
    }

    fn new_toplevel(&mut self, surface: ToplevelSurface) {
        let client = surface.wl_surface().client();
        let launch = client.as_ref().map_or(0, launch_of);
        let same = |entry: &&Entry| entry.toplevel().wl_surface().client() == client;
        if self.windows.all().filter(same).count() >= MAX_WINDOWS {
            return self.expel(surface.wl_surface(), "too many windows");
        }
        self.windows.push(Entry::new(surface, launch));
    }

    fn toplevel_destroyed(&mut self, surface: ToplevelSurface) {
        self.windows.remove(surface.wl_surface());
        self.refocus();
    }

    fn new_popup(&mut self, surface: PopupSurface, positioner: PositionerState) {
        let parent = |popup: &WlSurface| match self.popups.find_popup(popup) {
            Some(PopupKind::Xdg(popup)) => popup.get_parent_surface(),
            _ => None,
        };
        let depth = std::iter::successors(surface.get_parent_surface(), parent)
            .take(MAX_DEPTH)
            .count();
        if depth == MAX_DEPTH {
            return self.expel(surface.wl_surface(), "popups too deep");
        }
        self.place(&surface, positioner);
        self.tell_scale(surface.wl_surface());
        // Fails only for a popup whose parent is gone, and with it the popup.
        let _ = self.popups.track_popup(PopupKind::Xdg(surface));
    }

    fn popup_destroyed(&mut self, _surface: PopupSurface) {
        self.dirty = true;
    }

    fn reposition_request(
        &mut self,
        surface: PopupSurface,
        positioner: PositionerState,
        token: u32,
    ) {
        self.place(&surface, positioner);
        surface.send_repositioned(token);
    }

    fn grab(&mut self, surface: PopupSurface, seat: WlSeat, serial: Serial) {
        let Some(seat) = Seat::<Self>::from_resource(&seat) else {
            return;
        };
        let kind = PopupKind::Xdg(surface);
        let Ok(root) = find_popup_root_surface(&kind) else {
            return;
        };
        let Ok(mut grab) = self.popups.grab_popup(root, kind, &seat, serial) else {
            return;
        };
        let before = grab.previous_serial().unwrap_or(serial);
        if let Some(keyboard) = seat.get_keyboard() {
            if keyboard.is_grabbed() && !(keyboard.has_grab(serial) || keyboard.has_grab(before)) {
                grab.ungrab(PopupUngrabStrategy::All);
                return;
            }
            keyboard.set_focus(self, grab.current_grab(), serial);
            keyboard.set_grab(self, PopupKeyboardGrab::new(&grab), serial);
        }
        if let Some(pointer) = seat.get_pointer() {
            if pointer.is_grabbed() && !(pointer.has_grab(serial) || pointer.has_grab(before)) {
                grab.ungrab(PopupUngrabStrategy::All);
                return;
            }
            pointer.set_grab(self, PopupPointerGrab::new(&grab), serial, Focus::Keep);
        }
        self.menus = Some(grab);
    }

    fn parent_changed(&mut self, surface: ToplevelSurface) {
        let surface = surface.wl_surface();
        // One that is not to be seen yet comes on top when it is.
        if self.windows.find(surface).is_some_and(|entry| entry.mapped) {
            self.windows.raise(surface);
        }
        self.refocus();
    }

    fn fullscreen_request(&mut self, surface: ToplevelSurface, _output: Option<WlOutput>) {
        surface.with_pending_state(|state| {
            state.states.set(State::Fullscreen);
        });
        self.answer(&surface);
    }

    fn unfullscreen_request(&mut self, surface: ToplevelSurface) {
        surface.with_pending_state(|state| {
            state.states.unset(State::Fullscreen);
        });
        self.answer(&surface);
    }

    // Every window that can be is maximised, and none is minimised, moved or resized by its app.
    fn maximize_request(&mut self, surface: ToplevelSurface) {
        self.answer(&surface);
    }

    fn unmaximize_request(&mut self, surface: ToplevelSurface) {
        self.answer(&surface);
    }
}

impl XdgDecorationHandler for Stage {
    // A maximised window on a screen of its own needs no frame of ours; GTK and foot then draw their own or
    // none. Answered only after the initial configure: foot 1.13 dies of an earlier one.
    fn new_decoration(&mut self, toplevel: ToplevelSurface) {
        self.decorate(&toplevel);
    }

    fn request_mode(&mut self, toplevel: ToplevelSurface, _mode: Mode) {
        self.decorate(&toplevel);
    }

    fn unset_mode(&mut self, toplevel: ToplevelSurface) {
        self.decorate(&toplevel);
    }
}

impl Stage {
    /// The configure that a request is owed whether it changes anything or not, but not before the initial one.
    fn answer(&mut self, surface: &ToplevelSurface) {
        if surface.is_initial_configure_sent() {
            self.refocus();
            surface.send_configure();
        }
    }

    fn decorate(&self, toplevel: &ToplevelSurface) {
        toplevel.with_pending_state(|state| state.decoration_mode = Some(Mode::ServerSide));
        if toplevel.is_initial_configure_sent() {
            toplevel.send_pending_configure();
        }
    }
}

smithay::delegate_xdg_decoration!(Stage);
smithay::delegate_xdg_shell!(Stage);
