//! Windows of the test's own client: plain colours, so that a pixel says which window it is of.

use super::wayland::{Client, word};
use rustix::fs::MemfdFlags;

/// `B G R`
pub type Colour = [u8; 3];
pub const RED: Colour = [0, 0, 255];
pub const GREEN: Colour = [0, 255, 0];
pub const BLUE: Colour = [255, 0, 0];
pub const WHITE: Colour = [255, 255, 255];

/// A window or a popup.
#[derive(Clone, Copy)]
pub struct Window {
    pub surface: u32,
    pub xdg_surface: u32,
    /// The `xdg_toplevel` or `xdg_popup`.
    pub role: u32,
}

impl Client {
    pub fn surface(&mut self) -> u32 {
        let compositor = self.global("wl_compositor", 5);
        let surface = self.new_id();
        self.request(compositor, 0, &[surface]);
        surface
    }

    pub fn commit(&mut self, surface: u32) {
        self.request(surface, 6, &[]);
    }

    /// A buffer of one colour.
    pub fn buffer(&mut self, width: u32, height: u32, colour: Colour) -> u32 {
        const XRGB8888: u32 = 1;
        let shm = self.global("wl_shm", 1);
        let memory = rustix::fs::memfd_create("pool", MemfdFlags::CLOEXEC).unwrap();
        let [blue, green, red] = colour;
        let pixels = [blue, green, red, 255].repeat((width * height) as usize);
        rustix::io::write(&memory, &pixels).unwrap();
        let (pool, buffer) = (self.new_id(), self.new_id());
        self.request_with(shm, 0, &[pool, width * height * 4], &memory);
        self.request(pool, 0, &[buffer, 0, width, height, width * 4, XRGB8888]);
        self.request(pool, 1, &[]);
        buffer
    }

    /// Shows one colour on a surface from its next commit on.
    pub fn attach(&mut self, surface: u32, width: u32, height: u32, colour: Colour) {
        let buffer = self.buffer(width, height, colour);
        self.request(surface, 1, &[buffer, 0, 0]);
        self.request(surface, 2, &[0, 0, width, height]);
    }

    /// Shows one colour on a surface.
    pub fn paint(&mut self, surface: u32, width: u32, height: u32, colour: Colour) {
        self.attach(surface, width, height, colour);
        self.commit(surface);
    }

    /// A window that was not drawn yet.
    pub fn bare_window(&mut self) -> Window {
        let shell = self.global("xdg_wm_base", 4);
        let surface = self.surface();
        let (xdg_surface, role) = (self.new_id(), self.new_id());
        self.request(shell, 2, &[xdg_surface, surface]);
        self.request(xdg_surface, 1, &[role]);
        Window {
            surface,
            xdg_surface,
            role,
        }
    }

    /// Does the first commit and acknowledges what comes of it.
    pub fn begin(&mut self, window: Window) {
        self.commit(window.surface);
        self.acknowledge(window);
    }

    pub fn acknowledge(&mut self, window: Window) {
        let serial = self.configured(window.xdg_surface);
        self.request(window.xdg_surface, 4, &[serial]);
    }

    /// A window that fills the tests' output.
    pub fn window(&mut self, colour: Colour) -> Window {
        let window = self.bare_window();
        self.begin(window);
        self.paint(window.surface, 1280, 800, colour);
        window
    }

    /// A window that belongs to another one.
    pub fn dialog(&mut self, parent: Window, width: u32, height: u32, colour: Colour) -> Window {
        let window = self.bare_window();
        self.request(window.role, 1, &[parent.role]);
        self.begin(window);
        self.paint(window.surface, width, height, colour);
        window
    }

    /// A popup of 100x100 at a place of its parent, not drawn yet, which flips over where there is no room.
    pub fn bare_popup(&mut self, parent: Window, x: u32, y: u32) -> Window {
        const BOTTOM_RIGHT: u32 = 8;
        const FLIP_BOTH: u32 = 4 | 8;
        let shell = self.global("xdg_wm_base", 4);
        let positioner = self.new_id();
        self.request(shell, 1, &[positioner]);
        self.request(positioner, 1, &[100, 100]);
        self.request(positioner, 2, &[x, y, 1, 1]);
        self.request(positioner, 3, &[BOTTOM_RIGHT]);
        self.request(positioner, 4, &[BOTTOM_RIGHT]);
        self.request(positioner, 5, &[FLIP_BOTH]);
        let surface = self.surface();
        let (xdg_surface, role) = (self.new_id(), self.new_id());
        self.request(shell, 2, &[xdg_surface, surface]);
        self.request(xdg_surface, 2, &[role, parent.xdg_surface, positioner]);
        Window {
            surface,
            xdg_surface,
            role,
        }
    }

    /// Waits for what a toplevel is told: width, height and states.
    pub fn told(&mut self, window: Window) -> (u32, u32, Vec<u32>) {
        let body = self.event(window.role, 0);
        let states = (0..word(&body, 8) / 4).map(|at| word(&body, 12 + 4 * at as usize));
        (word(&body, 0), word(&body, 4), states.collect())
    }

    /// A pointer of the seat.
    pub fn pointer(&mut self) -> u32 {
        let seat = self.global("wl_seat", 5);
        let pointer = self.new_id();
        self.request(seat, 0, &[pointer]);
        pointer
    }

    /// A keyboard of the seat.
    pub fn keyboard(&mut self) -> u32 {
        let seat = self.global("wl_seat", 5);
        let keyboard = self.new_id();
        self.request(seat, 1, &[keyboard]);
        keyboard
    }

    /// Waits until the keyboard comes to a surface.
    pub fn focused(&mut self, keyboard: u32, surface: u32) {
        self.event_where(|event| {
            (event.0, event.1) == (keyboard, 1) && word(&event.2, 4) == surface
        });
    }
}
