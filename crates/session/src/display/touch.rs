//! Fingers on the viewer's screen, as the touches of the app below them.

use super::Stage;
use greenroom_session_api::input::{Touch, TouchPhase};
use smithay::backend::input::TouchSlot;
use smithay::desktop::PopupUngrabStrategy;
use smithay::input::touch::{DownEvent, MotionEvent, UpEvent};
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, SERIAL_COUNTER};

/// More fingers than two hands have.
const MAX_FINGERS: usize = 16;

/// A finger that is down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finger {
    id: u32,
    at: Point<f64, Logical>,
}

impl Stage {
    pub(super) fn touch(&mut self, touch: &Touch, time: u32) {
        let held = self.fingers.iter().position(|finger| finger.id == touch.id);
        match (touch.phase(), held) {
            (TouchPhase::Down, None) if self.fingers.len() < MAX_FINGERS => {
                self.finger_down(touch, time);
            }
            (TouchPhase::Motion, Some(held)) => {
                if let Some(at) = self.place_of(touch.x, touch.y) {
                    self.fingers[held].at = at;
                    self.finger_moves(self.fingers[held], time);
                    self.end_touch_frame();
                }
            }
            (TouchPhase::Up, Some(at)) => {
                self.fingers.swap_remove(at);
                self.finger_up(touch.id, time);
            }
            (TouchPhase::Cancel, _) => self.cancel_touch(time),
            // A finger that is down already, or up, or one too many.
            _ => {}
        }
    }

    /// What all fingers did counts for nothing.
    pub(super) fn cancel_touch(&mut self, time: u32) {
        let fingers = std::mem::take(&mut self.fingers);
        let Some(handle) = self.seat.get_touch().filter(|_| !fingers.is_empty()) else {
            return;
        };
        // Smithay 0.7.0 cancels only touches of which something happened since the last frame.
        for finger in fingers {
            self.finger_moves(finger, time);
        }
        handle.cancel(self);
    }

    fn finger_down(&mut self, touch: &Touch, time: u32) {
        let (Some(handle), Some(location)) =
            (self.seat.get_touch(), self.place_of(touch.x, touch.y))
        else {
            return;
        };
        self.fingers.push(Finger {
            id: touch.id,
            at: location,
        });
        let focus = self.surface_under(location);
        self.close_menus_unless(focus.as_ref().map(|(surface, _)| surface));
        if !handle.is_grabbed() {
            self.choose_at(location);
        }
        let event = DownEvent {
            slot: slot(touch.id),
            location,
            serial: SERIAL_COUNTER.next_serial(),
            time,
        };
        handle.down(self, focus, &event);
        handle.frame(self);
    }

    fn finger_moves(&mut self, finger: Finger, time: u32) {
        let Some(handle) = self.seat.get_touch() else {
            return;
        };
        let event = MotionEvent {
            slot: slot(finger.id),
            location: finger.at,
            time,
        };
        let focus = self.surface_under(finger.at);
        handle.motion(self, focus, &event);
    }

    fn end_touch_frame(&mut self) {
        if let Some(handle) = self.seat.get_touch() {
            handle.frame(self);
        }
    }

    fn finger_up(&mut self, id: u32, time: u32) {
        let Some(handle) = self.seat.get_touch() else {
            return;
        };
        let event = UpEvent {
            slot: slot(id),
            serial: SERIAL_COUNTER.next_serial(),
            time,
        };
        handle.up(self, &event);
        handle.frame(self);
    }

    /// The pointer's grab closes menus by itself; a touch elsewhere has to be told to it.
    fn close_menus_unless(&mut self, touched: Option<&WlSurface>) {
        let Some(menus) = self.menus.as_mut().filter(|menus| !menus.has_ended()) else {
            return;
        };
        let own = |menu: WlSurface| touched.is_some_and(|at| at.id().same_client_as(&menu.id()));
        if !menus.current_grab().is_some_and(own) {
            menus.ungrab(PopupUngrabStrategy::All);
            self.menus = None;
        }
    }
}

fn slot(id: u32) -> TouchSlot {
    Some(id).into()
}
