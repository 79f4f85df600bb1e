//! What smithay asks of a compositor: the answers to the apps' requests.

use super::windows::{Entry, Mapped};
use super::{App, News, Stage, launch_of};
use smithay::backend::renderer::utils::on_commit_buffer_handler;
use smithay::desktop::{
    PopupKeyboardGrab, PopupKind, PopupPointerGrab, PopupUngrabStrategy, Window, find_popup_root_surface,
    get_popup_toplevel_coords,
};
use smithay::input::pointer::{CursorImageStatus, Focus};
use smithay::input::{Seat, SeatHandler, SeatState};
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::State;
use smithay::reexports::wayland_server::backend::DisconnectReason;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_seat::WlSeat;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Client, Resource};
use smithay::utils::{Rectangle, Serial};
use smithay::wayland::buffer::BufferHandler;
use smithay::wayland::compositor::{
    CompositorClientState, CompositorHandler, CompositorState, get_children, get_parent, is_sync_subsurface,
};
use smithay::wayland::fractional_scale::FractionalScaleHandler;
use smithay::wayland::output::OutputHandler;
use smithay::wayland::selection::SelectionHandler;
use smithay::wayland::selection::data_device::{
    ClientDndGrabHandler, DataDeviceHandler, DataDeviceState, ServerDndGrabHandler, set_data_device_focus,
};
use smithay::wayland::selection::primary_selection::{
    PrimarySelectionHandler, PrimarySelectionState, set_primary_focus,
};
use smithay::wayland::shell::xdg::decoration::XdgDecorationHandler;
use smithay::wayland::shell::xdg::{
    PopupSurface, PositionerState, ToplevelSurface, XdgShellHandler, XdgShellState,
};
use smithay::wayland::shm::{ShmHandler, ShmState};
use smithay::wayland::tablet_manager::TabletSeatHandler;
use std::sync::OnceLock;

/// Surfaces inside surfaces. They are walked by recursion, so an app must not choose how deep.
const MAX_DEPTH: usize = 32;

impl Stage {
    /// Ends a client that broke a rule no protocol error exists for.
    pub(super) fn expel(&self, surface: &WlSurface, why: &str) {
        if let Some(client) = surface.client() {
            tracing::warn!(why, "a client is disconnected");
            let display = self.display.backend_handle();
            display.kill_client(client.id(), DisconnectReason::ConnectionClosed);
            self.expelled.borrow_mut().push(launch_of(&client));
        }
    }

    /// The first configure of a window or popup, which it waits for before it draws.
    fn configure_first(&mut self, surface: &WlSurface) {
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
    fn room_for(&self, popup: &PopupSurface) -> Option<Rectangle<i32, smithay::utils::Logical>> {
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

impl CompositorHandler for Stage {
    fn compositor_state(&mut self) -> &mut CompositorState {
        &mut self.compositor
    }

    fn client_compositor_state<'a>(&self, client: &'a Client) -> &'a CompositorClientState {
        static NOBODY: OnceLock<CompositorClientState> = OnceLock::new();
        match client.get_data::<App>() {
            Some(app) => &app.compositor,
            // Every client is admitted with its data; this one would share its state with its like.
            None => NOBODY.get_or_init(CompositorClientState::default),
        }
    }

    fn new_subsurface(&mut self, surface: &WlSurface, parent: &WlSurface) {
        if above(parent) + below(surface, MAX_DEPTH) >= MAX_DEPTH {
            self.expel(surface, "subsurfaces too deep");
        }
    }

    fn commit(&mut self, surface: &WlSurface) {
        on_commit_buffer_handler::<Self>(surface);
        self.dirty = true;
        if !is_sync_subsurface(surface) {
            let mut root = surface.clone();
            while let Some(parent) = get_parent(&root) {
                root = parent;
            }
            if let Some(entry) = self.windows.find(&root) {
                entry.window.on_commit();
            }
        }
        self.popups.commit(surface);
        self.configure_first(surface);
        match self.windows.update(surface) {
            Some(Mapped::Shown(launch)) => {
                self.tell_scale(surface);
                self.news.push(News::Drawn { launch });
                // Only now: foot 1.13 crashes when it gets the keyboard before its first buffer.
                self.refocus();
            }
            Some(Mapped::Hidden) => self.refocus(),
            None => {}
        }
    }
}

fn above(surface: &WlSurface) -> usize {
    std::iter::successors(get_parent(surface), get_parent)
        .take(MAX_DEPTH)
        .count()
        + 1
}

fn below(surface: &WlSurface, limit: usize) -> usize {
    if limit == 0 {
        return 0;
    }
    let deepest = get_children(surface)
        .iter()
        .map(|child| below(child, limit - 1))
        .max();
    1 + deepest.unwrap_or(0)
}

impl XdgShellHandler for Stage {
    fn xdg_shell_state(&mut self) -> &mut XdgShellState {
        &mut self.xdg_shell
    }

    fn new_toplevel(&mut self, surface: ToplevelSurface) {
        let client = surface.wl_surface().client();
        let launch = client.as_ref().map_or(0, launch_of);
        self.windows.push(Entry {
            window: Window::new_wayland_window(surface),
            launch,
            mapped: false,
        });
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
    }

    fn parent_changed(&mut self, _surface: ToplevelSurface) {
        self.refocus();
    }

    fn fullscreen_request(&mut self, surface: ToplevelSurface, _output: Option<WlOutput>) {
        let output = self.geometry.logical();
        surface.with_pending_state(|state| {
            state.states.set(State::Fullscreen);
            state.size = Some(output);
        });
        if surface.is_initial_configure_sent() {
            surface.send_configure();
        }
    }

    fn unfullscreen_request(&mut self, surface: ToplevelSurface) {
        surface.with_pending_state(|state| {
            state.states.unset(State::Fullscreen);
        });
        if surface.is_initial_configure_sent() {
            surface.send_configure();
        }
    }

    fn maximize_request(&mut self, surface: ToplevelSurface) {
        // Every window that can be is maximised; the request is owed an answer all the same, but not one
        // before the initial commit.
        if surface.is_initial_configure_sent() {
            surface.send_configure();
        }
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
    fn decorate(&self, toplevel: &ToplevelSurface) {
        toplevel.with_pending_state(|state| state.decoration_mode = Some(Mode::ServerSide));
        if toplevel.is_initial_configure_sent() {
            toplevel.send_pending_configure();
        }
    }
}

impl SeatHandler for Stage {
    type KeyboardFocus = WlSurface;
    type PointerFocus = WlSurface;
    type TouchFocus = WlSurface;

    fn seat_state(&mut self) -> &mut SeatState<Self> {
        &mut self.seats
    }

    fn focus_changed(&mut self, seat: &Seat<Self>, focused: Option<&WlSurface>) {
        let client = focused.and_then(|surface| surface.client());
        set_data_device_focus(&self.display, seat, client.clone());
        set_primary_focus(&self.display, seat, client);
    }

    fn cursor_image(&mut self, _seat: &Seat<Self>, image: CursorImageStatus) {
        self.set_cursor(&image);
    }
}

impl BufferHandler for Stage {
    fn buffer_destroyed(&mut self, _buffer: &WlBuffer) {}
}

impl ShmHandler for Stage {
    fn shm_state(&self) -> &ShmState {
        &self.shm
    }
}

impl SelectionHandler for Stage {
    type SelectionUserData = ();
}

impl DataDeviceHandler for Stage {
    fn data_device_state(&self) -> &DataDeviceState {
        &self.data_device
    }
}

impl ClientDndGrabHandler for Stage {}
impl ServerDndGrabHandler for Stage {}

impl PrimarySelectionHandler for Stage {
    fn primary_selection_state(&self) -> &PrimarySelectionState {
        &self.primary_selection
    }
}

impl OutputHandler for Stage {}
impl TabletSeatHandler for Stage {}

impl FractionalScaleHandler for Stage {
    fn new_fractional_scale(&mut self, surface: WlSurface) {
        self.tell_scale(&surface);
    }
}

smithay::delegate_compositor!(Stage);
smithay::delegate_cursor_shape!(Stage);
smithay::delegate_data_device!(Stage);
smithay::delegate_fractional_scale!(Stage);
smithay::delegate_output!(Stage);
smithay::delegate_primary_selection!(Stage);
smithay::delegate_seat!(Stage);
smithay::delegate_shm!(Stage);
smithay::delegate_single_pixel_buffer!(Stage);
smithay::delegate_viewporter!(Stage);
smithay::delegate_xdg_decoration!(Stage);
smithay::delegate_xdg_shell!(Stage);
