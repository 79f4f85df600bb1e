//! What smithay asks of a compositor: the answers to the apps' requests.

use super::windows::Mapped;
use super::{App, News, Stage, launch_of};
use smithay::backend::renderer::utils::on_commit_buffer_handler;
use smithay::input::pointer::CursorImageStatus;
use smithay::input::{Seat, SeatHandler, SeatState};
use smithay::reexports::wayland_server::backend::DisconnectReason;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Client, Resource};
use smithay::wayland::buffer::BufferHandler;
use smithay::wayland::compositor::{
    CompositorClientState, CompositorHandler, CompositorState, get_children, get_parent,
    is_sync_subsurface,
};
use smithay::wayland::fractional_scale::FractionalScaleHandler;
use smithay::wayland::output::OutputHandler;
use smithay::wayland::selection::data_device::{
    ClientDndGrabHandler, DataDeviceHandler, DataDeviceState, ServerDndGrabHandler,
    set_data_device_focus,
};
use smithay::wayland::selection::primary_selection::{
    PrimarySelectionHandler, PrimarySelectionState, set_primary_focus,
};
use smithay::wayland::tablet_manager::TabletSeatHandler;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Surfaces inside surfaces. They are walked by recursion, so an app must not choose how deep.
pub(super) const MAX_DEPTH: usize = 32;

/// Surfaces of one client at once: windows, their parts, menus and pointers of a large app, many times over.
const MAX_SURFACES: usize = 1024;

impl Stage {
    /// Ends a client that broke a rule no protocol error exists for.
    pub(super) fn expel(&self, surface: &WlSurface, why: &str) {
        if let Some(client) = surface.client() {
            self.expel_client(&client, why);
        }
    }

    pub(super) fn expel_client(&self, client: &Client, why: &str) {
        tracing::warn!(why, "a client is disconnected");
        let display = self.display.backend_handle();
        display.kill_client(client.id(), DisconnectReason::ConnectionClosed);
        self.expelled.borrow_mut().push(launch_of(client));
    }

    /// A window may have something to show from now on, or nothing any more.
    pub(super) fn note_mapped(&mut self, surface: &WlSurface) {
        match self.windows.update(surface) {
            Some(Mapped::Shown(launch)) => {
                self.tell_scale(surface);
                self.windows.raise(surface);
                self.tell(News::Drawn { launch });
                // Only now: foot 1.13 crashes when it gets the keyboard before its first buffer.
                self.refocus();
            }
            Some(Mapped::Hidden) => self.refocus(),
            None => {}
        }
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

    fn new_surface(&mut self, surface: &WlSurface) {
        if surfaces_of(surface, |surfaces| surfaces.fetch_add(1, Ordering::Relaxed)) >= MAX_SURFACES
        {
            self.expel(surface, "too many surfaces");
        }
    }

    fn destroyed(&mut self, surface: &WlSurface) {
        surfaces_of(surface, |surfaces| surfaces.fetch_sub(1, Ordering::Relaxed));
    }

    fn new_subsurface(&mut self, surface: &WlSurface, parent: &WlSurface) {
        if above(parent) + below(surface, MAX_DEPTH) >= MAX_DEPTH {
            self.expel(surface, "subsurfaces too deep");
        }
    }

    fn commit(&mut self, surface: &WlSurface) {
        on_commit_buffer_handler::<Self>(surface);
        self.keep_buffers(surface);
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
        if self.cursor_surface() == Some(surface) {
            self.look_at_cursor();
        }
        self.configure_first(surface);
        self.note_mapped(surface);
    }
}

/// Counts a surface of a client; answers how many there were before. One without a client is its last.
fn surfaces_of(surface: &WlSurface, count: impl FnOnce(&AtomicUsize) -> usize) -> usize {
    let client = surface.client();
    let app = client.as_ref().and_then(|client| client.get_data::<App>());
    app.map_or(0, |app| count(&app.surfaces))
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
        self.move_text_focus(focused);
    }

    fn cursor_image(&mut self, _seat: &Seat<Self>, image: CursorImageStatus) {
        self.set_cursor(image);
    }
}

impl BufferHandler for Stage {
    fn buffer_destroyed(&mut self, _buffer: &WlBuffer) {}
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
smithay::delegate_presentation!(Stage);
smithay::delegate_primary_selection!(Stage);
smithay::delegate_seat!(Stage);
smithay::delegate_single_pixel_buffer!(Stage);
smithay::delegate_viewporter!(Stage);
