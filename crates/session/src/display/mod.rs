//! The compositor: what the apps draw, as one picture, and what the viewers do, as the apps' input.
//!
//! Nothing here opens a socket or reads a clock: clients are handed in, time is an argument.

mod activation;
mod clipboard;
mod compose;
mod cursor;
mod handlers;
mod memory;
mod presentation;
mod questions;
pub mod ring;
mod seat;
mod shell;
mod text_input;
mod touch;
mod windows;
mod x11;
mod x_buffers;

pub use clipboard::{Owner, Paste};
pub use compose::{Composed, Painter, expel_broken};
pub use ring::Ring;

use crate::input::{Keyboard, keyboard::NoKeymap};
use cursor::Pointer;
use smithay::desktop::utils::send_frames_surface_tree;
use smithay::desktop::{PopupGrab, PopupManager};
use smithay::input::{Seat, SeatState};
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::WmCapabilities;
use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Client, DisplayHandle};
use smithay::utils::{ClockSource, Logical, Monotonic, Physical, SERIAL_COUNTER, Size};
use smithay::wayland::compositor::{
    CompositorClientState, CompositorState, send_surface_state, with_states,
};
use smithay::wayland::cursor_shape::CursorShapeManagerState;
use smithay::wayland::fractional_scale::{FractionalScaleManagerState, with_fractional_scale};
use smithay::wayland::output::OutputManagerState;
use smithay::wayland::presentation::PresentationState;
use smithay::wayland::selection::data_device::DataDeviceState;
use smithay::wayland::selection::primary_selection::PrimarySelectionState;
use smithay::wayland::shell::xdg::XdgShellState;
use smithay::wayland::shell::xdg::decoration::XdgDecorationState;
use smithay::wayland::shm::ShmState;
use smithay::wayland::single_pixel_buffer::SinglePixelBufferState;
use smithay::wayland::viewporter::ViewporterState;
use smithay::wayland::xdg_activation::XdgActivationState;
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use text_input::TextInputs;
use windows::Windows;
use x11::windows_shown_by;

/// What an output of one viewer's device looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// 1/120.
    pub scale_120: u32,
}

impl Geometry {
    fn size(self) -> Size<i32, Physical> {
        (self.width, self.height).into()
    }

    fn scale(self) -> f64 {
        f64::from(self.scale_120) / 120.0
    }

    fn logical(self) -> Size<i32, Logical> {
        self.size().to_f64().to_logical(self.scale()).to_i32_round()
    }
}

/// What happened on stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A window of the launch has something to show for the first time.
    Drawn {
        /// The launch.
        launch: u64,
    },
    /// The pointer has another shape.
    Cursor,
    /// The pointer has another image.
    CursorImage,
    /// An X server shows a picture of another size than the output's, and should draw again.
    Unfit,
    /// The app wants text elsewhere, other text, or none.
    TextField,
    /// An app has copied something, or has nothing copied any more.
    Copied,
}

/// The compositor's state.
pub struct Stage {
    display: DisplayHandle,
    geometry: Geometry,
    output: Output,
    windows: Windows,
    popups: PopupManager,
    x_servers: Vec<Client>,
    seat: Seat<Self>,
    keyboard: Keyboard,
    buttons: Vec<u32>,
    fingers: Vec<touch::Finger>,
    /// The menus that are open, while they hold the pointer and the keyboard.
    menus: Option<PopupGrab<Self>>,
    text_inputs: TextInputs,
    clipboard: clipboard::Clipboard,
    /// Something may look different from the frame composed last, or an app waits for its frame callback.
    dirty: bool,
    expelled: RefCell<Vec<u64>>,
    news: Vec<News>,
    pointer: Pointer,

    compositor: CompositorState,
    xdg_shell: XdgShellState,
    shm: ShmState,
    seats: SeatState<Self>,
    data_device: DataDeviceState,
    primary_selection: PrimarySelectionState,
    activation: XdgActivationState,
    // Kept only because dropping them would take the globals away.
    _globals: (
        OutputManagerState,
        XdgDecorationState,
        ViewporterState,
        FractionalScaleManagerState,
        CursorShapeManagerState,
        SinglePixelBufferState,
        PresentationState,
    ),
}

/// What is known of a client of the compositor.
#[derive(Debug, Default)]
pub struct App {
    compositor: CompositorClientState,
    launch: u64,
    x_server: Option<x11::XServer>,
    surfaces: AtomicUsize,
    /// Pieces of memory that it shares with us.
    shared: AtomicUsize,
}

/// The launch whose socket a client came through.
pub fn launch_of(client: &Client) -> u64 {
    client.get_data::<App>().map_or(0, |app| app.launch)
}

impl ClientData for App {
    fn initialized(&self, _client: ClientId) {}
    fn disconnected(&self, _client: ClientId, _reason: DisconnectReason) {}
}

impl Stage {
    /// An empty stage.
    ///
    /// # Errors
    /// The machine has no keymap.
    pub fn new(display: &DisplayHandle, geometry: Geometry) -> Result<Self, NoKeymap> {
        let keyboard = Keyboard::new()?;
        let mut seats = SeatState::new();
        let mut seat = seats.new_wl_seat(display, "seat0");
        seat.add_pointer();
        seat.add_touch();

        let output = Output::new(
            "greenroom".into(),
            PhysicalProperties {
                size: (0, 0).into(),
                subpixel: Subpixel::None,
                make: "Greenroom".into(),
                model: "session".into(),
            },
        );
        output.create_global::<Self>(display);

        let mut stage = Self {
            display: display.clone(),
            geometry,
            output,
            windows: Windows::default(),
            popups: PopupManager::default(),
            x_servers: Vec::new(),
            seat,
            keyboard,
            buttons: Vec::new(),
            fingers: Vec::new(),
            menus: None,
            text_inputs: TextInputs::new(display),
            clipboard: clipboard::Clipboard::default(),
            dirty: true,
            expelled: RefCell::default(),
            news: Vec::new(),
            pointer: Pointer::default(),
            compositor: CompositorState::new_v6::<Self>(display),
            xdg_shell: XdgShellState::new_with_capabilities::<Self>(
                display,
                // No minimising, and no window menu of ours.
                [WmCapabilities::Maximize, WmCapabilities::Fullscreen],
            ),
            shm: ShmState::new::<Self>(display, []),
            seats,
            data_device: DataDeviceState::new::<Self>(display),
            primary_selection: PrimarySelectionState::new::<Self>(display),
            activation: XdgActivationState::new::<Self>(display),
            _globals: (
                OutputManagerState::new_with_xdg_output::<Self>(display),
                XdgDecorationState::new::<Self>(display),
                ViewporterState::new::<Self>(display),
                FractionalScaleManagerState::new::<Self>(display),
                CursorShapeManagerState::new::<Self>(display),
                SinglePixelBufferState::new::<Self>(display),
                PresentationState::new::<Self>(display, Monotonic::ID as u32),
            ),
        };
        const REPEAT_DELAY_MS: i32 = 600;
        const REPEATS_PER_S: i32 = 25;
        stage
            .seat
            .add_keyboard(Keyboard::CONFIG, REPEAT_DELAY_MS, REPEATS_PER_S)
            .map_err(|_| NoKeymap)?;
        stage.apply_geometry(None);
        Ok(stage)
    }

    /// A client that came through the socket of `launch`.
    ///
    /// # Errors
    /// Its socket is broken already.
    pub fn admit(&mut self, client: UnixStream, launch: u64) -> std::io::Result<Client> {
        let app = App {
            launch,
            ..App::default()
        };
        self.display.insert_client(client, Arc::new(app))
    }

    /// What happened since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    fn tell(&mut self, news: News) {
        // An app may change one thing without pause; once is enough.
        if self.news.last() != Some(&news) {
            self.news.push(news);
        }
    }

    /// Whether something may look different since [`Self::settle`], or an app waits for its frame callback.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Somebody new looks: to them everything is news.
    pub fn look_again(&mut self) {
        self.dirty = true;
    }

    /// The launches whose clients were expelled since the last call. A client's connection is closed only when
    /// the clients are dispatched again.
    pub fn take_expelled(&self) -> Vec<u64> {
        self.expelled.take()
    }

    /// What is to be seen is taken note of.
    pub fn settle(&mut self) {
        self.dirty = false;
    }

    /// The output as it is.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Gives the output another size; the windows follow.
    pub fn resize(&mut self, geometry: Geometry) {
        let before = std::mem::replace(&mut self.geometry, geometry);
        if before != geometry {
            self.apply_geometry(Some(before));
        }
    }

    /// Whether a window of a launch has something to show.
    pub fn shows(&self, launch: u64) -> bool {
        let mut windows = self.windows.all();
        windows.any(|window| window.launch == launch && window.mapped)
    }

    /// Puts the windows of a launch on top.
    pub fn raise(&mut self, launch: u64) {
        self.windows.raise_launch(launch);
        self.refocus();
    }

    /// Asks every window to close, but those of X servers, whose apps are to be asked; answers how many there are.
    pub fn close_windows(&self) -> usize {
        let asked = |entry: &&windows::Entry| {
            let shown = windows_shown_by(entry.toplevel().wl_surface());
            if shown.is_none() {
                entry.toplevel().send_close();
            }
            shown != Some(0)
        };
        self.windows.all().filter(asked).count()
    }

    /// Tells the apps that now is the time to draw the next frame: those that are to be seen, or all.
    pub fn send_frames(&self, now: Duration, all: bool) {
        let output = &self.output;
        let send = |entry: &windows::Entry| {
            entry
                .window
                .send_frame(output, now, None, |_, _| Some(output.clone()));
        };
        if all {
            self.windows.all().for_each(send);
        } else {
            self.windows.visible().for_each(send);
        }
        if let Some(surface) = self.cursor_surface() {
            send_frames_surface_tree(surface, output, now, None, |_, _| Some(output.clone()));
        }
    }

    /// Tidies up after clients that have gone.
    pub fn sweep(&mut self) {
        self.popups.cleanup();
        self.output.cleanup();
    }

    /// Gives the keyboard to the window that is to have it and tells each window whether it is that one.
    fn refocus(&mut self) {
        self.dirty = true;
        let chosen = self
            .windows
            .focus()
            .map(|entry| entry.toplevel().wl_surface().clone());
        let output = self.geometry.logical();
        for entry in self.windows.all() {
            // A window that was not configured yet gets its first configure when it asks for it.
            if entry.toplevel().is_initial_configure_sent() {
                let active = Some(entry.toplevel().wl_surface()) == chosen.as_ref();
                entry.configure(output, active);
            }
        }
        let Some(keyboard) = self.seat.get_keyboard() else {
            return;
        };
        // While a menu has the keyboard this is what it goes back to.
        if keyboard.current_focus() != chosen {
            keyboard.set_focus(self, chosen, SERIAL_COUNTER.next_serial());
        }
    }

    fn apply_geometry(&mut self, before: Option<Geometry>) {
        const REFRESH_MHZ: i32 = 60_000;
        let mode = |geometry: Geometry| Mode {
            size: geometry.size(),
            refresh: REFRESH_MHZ,
        };
        let now = mode(self.geometry);
        self.scale_x_servers();
        let scale = Scale::Fractional(self.geometry.scale());
        self.output
            .change_current_state(Some(now), None, Some(scale), Some((0, 0).into()));
        self.output.set_preferred(now);
        // Else every size a viewer ever had would be kept, and announced to each new app.
        if let Some(before) = before.map(mode).filter(|before| *before != now) {
            self.output.delete_mode(before);
        }
        // Two steps, since a surface is locked while it is visited and again while it is told.
        let mut surfaces = Vec::new();
        for entry in self.windows.all() {
            entry
                .window
                .with_surfaces(|surface, _| surfaces.push(surface.clone()));
        }
        for surface in surfaces {
            self.tell_scale(&surface);
        }
        self.refocus();
    }

    /// Tells a surface that it is on the output, and its scale.
    fn tell_scale(&self, surface: &WlSurface) {
        let scale = self.geometry.scale();
        self.output.enter(surface);
        with_states(surface, |states| {
            // Rounded up, so that an app that knows whole scales only is sharp when it is scaled down.
            #[allow(clippy::cast_possible_truncation)]
            send_surface_state(
                surface,
                states,
                scale.ceil() as i32,
                smithay::utils::Transform::Normal,
            );
            with_fractional_scale(states, |fractional| fractional.set_preferred_scale(scale));
        });
    }
}
