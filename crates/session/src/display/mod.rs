//! The compositor: what the apps draw, as one picture, and what the viewers do, as the apps' input.
//!
//! Nothing here opens a socket or reads a clock: clients are handed in, time is an argument.

mod compose;
mod handlers;
pub mod ring;
mod windows;

pub use compose::{Composed, Painter, expel_broken};
pub use ring::Ring;

use crate::input::{Keyboard, Step, codes, keyboard::NoKeymap, wheel};
use greenroom_session_api::input::{Event, event::Kind};
use smithay::backend::input::{Axis, AxisSource, ButtonState, KeyState};
use smithay::desktop::{PopupManager, WindowSurfaceType};
use smithay::input::keyboard::FilterResult;
use smithay::input::pointer::{AxisFrame, ButtonEvent, CursorImageStatus, MotionEvent};
use smithay::input::{Seat, SeatState};
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{Client, DisplayHandle};
use smithay::utils::{Logical, Physical, Point, SERIAL_COUNTER, Size};
use smithay::wayland::compositor::{
    CompositorClientState, CompositorState, send_surface_state, with_states,
};
use smithay::wayland::cursor_shape::CursorShapeManagerState;
use smithay::wayland::fractional_scale::{FractionalScaleManagerState, with_fractional_scale};
use smithay::wayland::output::OutputManagerState;
use smithay::wayland::selection::data_device::DataDeviceState;
use smithay::wayland::selection::primary_selection::PrimarySelectionState;
use smithay::wayland::shell::xdg::XdgShellState;
use smithay::wayland::shell::xdg::decoration::XdgDecorationState;
use smithay::wayland::shm::ShmState;
use smithay::wayland::single_pixel_buffer::SinglePixelBufferState;
use smithay::wayland::viewporter::ViewporterState;
use std::cell::Cell;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use windows::Windows;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A window of the launch has something to show for the first time.
    Drawn {
        /// The launch.
        launch: u64,
    },
    /// The pointer's shape, as CSS names it; `none` when it is hidden.
    Cursor(String),
}

/// The compositor's state.
pub struct Stage {
    display: DisplayHandle,
    geometry: Geometry,
    output: Output,
    windows: Windows,
    popups: PopupManager,
    seat: Seat<Self>,
    keyboard: Keyboard,
    buttons: Vec<u32>,
    /// Something may look different from the frame composed last, or an app waits for its frame callback.
    dirty: bool,
    expelled: Cell<bool>,
    news: Vec<News>,
    cursor: String,

    compositor: CompositorState,
    xdg_shell: XdgShellState,
    shm: ShmState,
    seats: SeatState<Self>,
    data_device: DataDeviceState,
    primary_selection: PrimarySelectionState,
    // Kept only because dropping them would take the globals away.
    _globals: (
        OutputManagerState,
        XdgDecorationState,
        ViewporterState,
        FractionalScaleManagerState,
        CursorShapeManagerState,
        SinglePixelBufferState,
    ),
}

/// What is known of a client of the compositor.
#[derive(Debug, Default)]
pub struct App {
    compositor: CompositorClientState,
    launch: u64,
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
            seat,
            keyboard,
            buttons: Vec::new(),
            dirty: true,
            expelled: Cell::new(false),
            news: Vec::new(),
            cursor: "default".into(),
            compositor: CompositorState::new_v6::<Self>(display),
            xdg_shell: XdgShellState::new::<Self>(display),
            shm: ShmState::new::<Self>(display, []),
            seats,
            data_device: DataDeviceState::new::<Self>(display),
            primary_selection: PrimarySelectionState::new::<Self>(display),
            _globals: (
                OutputManagerState::new_with_xdg_output::<Self>(display),
                XdgDecorationState::new::<Self>(display),
                ViewporterState::new::<Self>(display),
                FractionalScaleManagerState::new::<Self>(display),
                CursorShapeManagerState::new::<Self>(display),
                SinglePixelBufferState::new::<Self>(display),
            ),
        };
        const REPEAT_DELAY_MS: i32 = 600;
        const REPEATS_PER_S: i32 = 25;
        let keyboard = stage
            .seat
            .add_keyboard(
                smithay::input::keyboard::XkbConfig::default(),
                REPEAT_DELAY_MS,
                REPEATS_PER_S,
            )
            .map_err(|_| NoKeymap)?;
        let keymap = stage.keyboard.keymap();
        keyboard
            .set_keymap_from_string(&mut stage, keymap)
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
            compositor: CompositorClientState::default(),
            launch,
        };
        self.display.insert_client(client, Arc::new(app))
    }

    /// What happened since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Whether something may look different since [`Self::settle`], or an app waits for its frame callback.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Somebody new looks: to them everything is news.
    pub fn look_again(&mut self) {
        self.dirty = true;
    }

    /// Whether a client was expelled since the last call. It stays until the clients are dispatched again.
    pub fn take_expelled(&self) -> bool {
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

    /// The pointer's shape, as CSS names it.
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Gives the output another size; the windows follow.
    pub fn resize(&mut self, geometry: Geometry) {
        let before = std::mem::replace(&mut self.geometry, geometry);
        if before != geometry {
            self.apply_geometry(Some(before));
        }
    }

    /// Puts the windows of a launch on top.
    pub fn raise(&mut self, launch: u64) {
        self.windows.raise(launch);
        self.refocus();
    }

    /// Asks every window to close.
    pub fn close_windows(&self) {
        for entry in self.windows.all() {
            entry.toplevel().send_close();
        }
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
    }

    /// Tidies up after clients that have gone.
    pub fn sweep(&mut self) {
        self.popups.cleanup();
        self.output.cleanup();
    }

    /// Gives one event of a viewer to the app that has the focus.
    pub fn input(&mut self, event: &Event, now: Duration) {
        let time = milliseconds(now);
        match &event.kind {
            Some(Kind::Key(key)) => {
                let steps = self.keyboard.key(key);
                self.play(steps, time);
            }
            Some(Kind::Motion(motion)) => self.motion((motion.x, motion.y).into(), time),
            Some(Kind::Button(button)) => {
                if let Some(code) = codes::button_code(button.button) {
                    self.button(code, button.down, time);
                }
            }
            Some(Kind::Wheel(wheel)) => self.wheel(wheel.dx, wheel.dy, time),
            Some(Kind::Release(_)) => {
                let steps = self.keyboard.release();
                self.play(steps, time);
                for button in std::mem::take(&mut self.buttons) {
                    self.press_button(button, ButtonState::Released, time);
                }
            }
            None => {}
        }
    }

    fn play(&mut self, steps: Vec<Step>, time: u32) {
        let Some(keyboard) = self.seat.get_keyboard() else {
            return;
        };
        for step in steps {
            match step {
                Step::Keymap(text) => {
                    // Compiled once already, by `Keyboard`; a failure leaves the keymap as it is.
                    if keyboard.set_keymap_from_string(self, text).is_err() {
                        tracing::warn!("the keymap with a spare key was refused");
                    }
                }
                Step::Press { code, down } => {
                    let state = if down {
                        KeyState::Pressed
                    } else {
                        KeyState::Released
                    };
                    let serial = SERIAL_COUNTER.next_serial();
                    let code = (code + codes::XKB_OFFSET).into();
                    keyboard.input::<(), _>(self, code, state, serial, time, |_, _, _| {
                        FilterResult::Forward
                    });
                }
            }
        }
    }

    fn motion(&mut self, pixels: Point<f64, Physical>, time: u32) {
        let Some(pointer) = self.seat.get_pointer() else {
            return;
        };
        if !(pixels.x.is_finite() && pixels.y.is_finite()) {
            return;
        }
        let within = |at: f64, size: i32| at.clamp(0.0, f64::from(size - 1));
        let size = self.geometry.size();
        let pixels =
            Point::<f64, Physical>::from((within(pixels.x, size.w), within(pixels.y, size.h)));
        let location = pixels.to_logical(self.geometry.scale());
        let focus = self.surface_under(location);
        let serial = SERIAL_COUNTER.next_serial();
        pointer.motion(
            self,
            focus,
            &MotionEvent {
                location,
                serial,
                time,
            },
        );
        pointer.frame(self);
    }

    fn button(&mut self, code: u32, down: bool, time: u32) {
        let held = self.buttons.iter().position(|held| *held == code);
        match (held, down) {
            (None, true) => self.buttons.push(code),
            (Some(at), false) => {
                self.buttons.swap_remove(at);
            }
            // A button that is down already, or up.
            _ => return,
        }
        let state = if down {
            ButtonState::Pressed
        } else {
            ButtonState::Released
        };
        self.press_button(code, state, time);
    }

    fn press_button(&mut self, button: u32, state: ButtonState, time: u32) {
        let Some(pointer) = self.seat.get_pointer() else {
            return;
        };
        let serial = SERIAL_COUNTER.next_serial();
        pointer.button(
            self,
            &ButtonEvent {
                serial,
                time,
                button,
                state,
            },
        );
        pointer.frame(self);
    }

    fn wheel(&mut self, dx: f64, dy: f64, time: u32) {
        let Some(pointer) = self.seat.get_pointer() else {
            return;
        };
        let mut frame = AxisFrame::new(time);
        let mut any = false;
        for (axis, delta) in [(Axis::Horizontal, dx), (Axis::Vertical, dy)] {
            frame = match wheel::scroll(delta) {
                Some(wheel::Scroll::Notches(v120)) => frame
                    .source(AxisSource::Wheel)
                    .v120(axis, v120)
                    .value(axis, f64::from(v120) / 120.0 * wheel::NOTCH),
                Some(wheel::Scroll::Pixels(pixels)) => frame
                    .source(AxisSource::Continuous)
                    .value(axis, pixels / self.geometry.scale()),
                None => continue,
            };
            any = true;
        }
        if any {
            pointer.axis(self, frame);
            pointer.frame(self);
        }
    }

    fn surface_under(&self, at: Point<f64, Logical>) -> Option<(WlSurface, Point<f64, Logical>)> {
        let output = self.geometry.logical();
        self.windows.visible().find_map(|entry| {
            let origin = entry.location(output) - entry.window.geometry().loc;
            let (surface, offset) = entry
                .window
                .surface_under(at - origin.to_f64(), WindowSurfaceType::ALL)?;
            Some((surface, (origin + offset).to_f64()))
        })
    }

    /// Gives the keyboard to the top window and tells each window whether it is that one.
    fn refocus(&mut self) {
        self.dirty = true;
        let top = self
            .windows
            .top()
            .map(|entry| entry.toplevel().wl_surface().clone());
        let output = self.geometry.logical();
        for entry in self.windows.all() {
            // A window that was not configured yet gets its first configure when it asks for it.
            if entry.toplevel().is_initial_configure_sent() {
                let active = Some(entry.toplevel().wl_surface()) == top.as_ref();
                entry.configure(output, active);
            }
        }
        let Some(keyboard) = self.seat.get_keyboard() else {
            return;
        };
        if keyboard.current_focus() != top && !keyboard.is_grabbed() {
            keyboard.set_focus(self, top, SERIAL_COUNTER.next_serial());
        }
    }

    fn apply_geometry(&mut self, before: Option<Geometry>) {
        const REFRESH_MHZ: i32 = 60_000;
        let mode = |geometry: Geometry| Mode {
            size: geometry.size(),
            refresh: REFRESH_MHZ,
        };
        let now = mode(self.geometry);
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

    fn set_cursor(&mut self, status: &CursorImageStatus) {
        let name = match status {
            CursorImageStatus::Hidden => "none",
            CursorImageStatus::Named(icon) => icon.name(),
            // An image of the app's own: its shape is unknown here.
            CursorImageStatus::Surface(_) => "default",
        };
        if self.cursor != name {
            self.cursor = name.to_owned();
            self.news.push(News::Cursor(self.cursor.clone()));
        }
    }
}

/// Wayland's times are milliseconds that wrap around.
#[allow(clippy::cast_possible_truncation)]
fn milliseconds(now: Duration) -> u32 {
    now.as_millis() as u32
}
