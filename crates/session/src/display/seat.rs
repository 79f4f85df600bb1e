//! The seat: a viewer's events as the focused app's input.

use super::Stage;
use crate::input::{Step, codes, wheel};
use greenroom_session_api::input::{Event, Motion, event::Kind};
use smithay::backend::input::{Axis, AxisSource, ButtonState, KeyState};
use smithay::desktop::WindowSurfaceType;
use smithay::input::keyboard::FilterResult;
use smithay::input::pointer::{AxisFrame, ButtonEvent, MotionEvent};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Physical, Point, SERIAL_COUNTER};
use std::time::Duration;

/// A surface and where its corner is on the output.
pub(super) type Placed = (WlSurface, Point<f64, Logical>);

impl Stage {
    /// Gives one event of a viewer to the app that has the focus.
    pub fn input(&mut self, event: &Event, now: Duration) {
        let time = milliseconds(now);
        match &event.kind {
            Some(Kind::Key(key)) => {
                let steps = self.keyboard.key(key);
                self.play(steps, time);
            }
            Some(Kind::Motion(motion)) => self.motion(motion, time),
            Some(Kind::Button(button)) => {
                if let Some(code) = codes::button_code(button.button) {
                    self.button(code, button.down, time);
                }
            }
            Some(Kind::Wheel(wheel)) => self.wheel(wheel.dx, wheel.dy, time),
            Some(Kind::Release(_)) => self.let_go(now),
            Some(Kind::Touch(touch)) => self.touch(touch, time),
            Some(Kind::Text(text)) => self.type_text(text, time),
            None => {}
        }
    }

    /// Lets go of every key, button and finger.
    pub fn let_go(&mut self, now: Duration) {
        let time = milliseconds(now);
        let steps = self.keyboard.release();
        self.play(steps, time);
        for button in std::mem::take(&mut self.buttons) {
            self.press_button(button, ButtonState::Released, time);
        }
        self.cancel_touch(time);
    }

    pub(super) fn play(&mut self, steps: Vec<Step>, time: u32) {
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

    /// The place on the output of a viewer's pixels; what is outside is at the edge.
    pub(super) fn place_of(&self, x: f64, y: f64) -> Option<Point<f64, Logical>> {
        if !(x.is_finite() && y.is_finite()) {
            return None;
        }
        let within = |at: f64, size: i32| at.clamp(0.0, f64::from(size - 1));
        let size = self.geometry.size();
        let pixels = Point::<f64, Physical>::from((within(x, size.w), within(y, size.h)));
        Some(pixels.to_logical(self.geometry.scale()))
    }

    fn motion(&mut self, motion: &Motion, time: u32) {
        let (Some(pointer), Some(location)) =
            (self.seat.get_pointer(), self.place_of(motion.x, motion.y))
        else {
            return;
        };
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
        let pointer = self.seat.get_pointer();
        // A click closes a menu or ends a drag first, and only then is about windows.
        if let Some(pointer) = pointer.filter(|pointer| down && !pointer.is_grabbed()) {
            self.choose_at(pointer.current_location());
        }
        self.press_button(code, state, time);
    }

    /// A window that is clicked or touched gets the keyboard.
    pub(super) fn choose_at(&mut self, location: Point<f64, Logical>) {
        let Some((window, _)) = self.under(location) else {
            return;
        };
        let focus = self.windows.focus();
        if focus.is_some_and(|entry| *entry.toplevel().wl_surface() != window) {
            self.windows.choose(&window);
            self.refocus();
        }
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

    pub(super) fn surface_under(&self, at: Point<f64, Logical>) -> Option<Placed> {
        self.under(at).map(|(_, found)| found)
    }

    /// The window at a place, and which surface of it is there.
    fn under(&self, at: Point<f64, Logical>) -> Option<(WlSurface, Placed)> {
        let output = self.geometry.logical();
        self.windows.visible().find_map(|entry| {
            let origin = entry.location(output) - entry.window.geometry().loc;
            let (surface, offset) = entry
                .window
                .surface_under(at - origin.to_f64(), WindowSurfaceType::ALL)?;
            let window = entry.toplevel().wl_surface().clone();
            Some((window, (surface, (origin + offset).to_f64())))
        })
    }
}

/// Wayland's times are milliseconds that wrap around.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn milliseconds(now: Duration) -> u32 {
    now.as_millis() as u32
}
