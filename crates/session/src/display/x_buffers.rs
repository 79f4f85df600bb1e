//! When an X server gets its buffers back.
//!
//! Xwayland keeps the buffers it is given back and uses the last of them for the next frame, even when the output has
//! another size by then (22.1 does; `xwl_window_set_window_pixmap` returns before it would drop them). One that is
//! not the last it forgets after a second. So a buffer of another size is given back right before one that fits, and
//! while one is shown the X server is to draw again: it takes the next, or makes one that fits.

use smithay::backend::renderer::buffer_dimensions;
use smithay::backend::renderer::utils::Buffer;
use smithay::utils::{Physical, Size};

/// More than an X server has that draws as fast as it may while its output changes without pause.
const MAX_UNFIT: usize = 16;

/// The buffers that an X server is without for the time being.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    shown: Option<Buffer>,
    unfit: Vec<Buffer>,
}

impl Buffers {
    /// Takes note of what is shown from now on, on an output of this size; whether it is to be drawn again.
    pub(super) fn show(&mut self, buffer: Option<Buffer>, output: Size<i32, Physical>) -> bool {
        if self.shown.as_deref() == buffer.as_deref() {
            return false;
        }
        let fits = |buffer: &Buffer| {
            let size = buffer_dimensions(buffer);
            size.is_some_and(|size| (size.w, size.h) == (output.w, output.h))
        };
        let again = buffer.as_ref().is_some_and(|buffer| !fits(buffer));
        match std::mem::replace(&mut self.shown, buffer) {
            // In this order: those first, then the one before, which is dropped last.
            Some(before) if fits(&before) => self.unfit.clear(),
            Some(before) if self.unfit.len() < MAX_UNFIT => self.unfit.push(before),
            _ => {}
        }
        again && self.unfit.len() < MAX_UNFIT
    }
}
