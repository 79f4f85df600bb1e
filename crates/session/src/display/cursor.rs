//! The pointer's shape or image, as the app under it wants it: told to the viewers, never painted.

use super::{News, Stage};
use greenroom_session_api::viewer::{CursorImage, MAX_CURSOR};
use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::input::pointer::{CursorImageStatus, CursorImageSurfaceData};
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_shm::Format;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::Size;
use smithay::wayland::compositor::with_states;
use smithay::wayland::shm::{BufferData, with_buffer_contents};

/// What is known of the pointer.
#[derive(Debug)]
pub struct Pointer {
    /// As CSS names it.
    name: String,
    /// The surface with the app's own image.
    surface: Option<WlSurface>,
    image: CursorImage,
}

impl Default for Pointer {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            surface: None,
            image: CursorImage::default(),
        }
    }
}

impl Stage {
    /// The pointer's shape, as CSS names it.
    pub fn cursor(&self) -> &str {
        &self.pointer.name
    }

    /// The pointer's image, empty where the app draws none of its own.
    pub fn cursor_image(&self) -> &CursorImage {
        &self.pointer.image
    }

    /// The surface the app draws the pointer on.
    pub(super) fn cursor_surface(&self) -> Option<&WlSurface> {
        self.pointer.surface.as_ref()
    }

    /// Notes what the app under the pointer wants it to look like.
    pub(super) fn set_cursor(&mut self, status: CursorImageStatus) {
        let (name, surface) = match status {
            CursorImageStatus::Hidden => ("none", None),
            CursorImageStatus::Named(icon) => (icon.name(), None),
            // Its shape is unknown here.
            CursorImageStatus::Surface(surface) => ("default", Some(surface)),
        };
        if self.pointer.name != name {
            self.pointer.name = name.to_owned();
            self.tell(News::Cursor);
        }
        self.pointer.surface = surface;
        self.look_at_cursor();
    }

    /// The surface of the pointer has another image, another hotspot, or is gone.
    pub(super) fn look_at_cursor(&mut self) {
        let image = self.pointer.surface.as_ref().and_then(read);
        let image = image.unwrap_or_default();
        if image != self.pointer.image {
            self.pointer.image = image;
            self.tell(News::CursorImage);
        }
    }
}

fn read(surface: &WlSurface) -> Option<CursorImage> {
    let (buffer, size) = with_renderer_surface_state(surface, |state| {
        Some((state.buffer()?.clone(), state.surface_size()?))
    })??;
    let hotspot = with_states(surface, |states| {
        let cursor = states.data_map.get::<CursorImageSurfaceData>()?;
        Some(cursor.lock().ok()?.hotspot)
    })?;
    let (pixels, rgba) = pixels(&buffer)?;
    let scale = f64::from(pixels.w) / f64::from(size.w.max(1));
    let hotspot = hotspot.to_f64().upscale(scale).to_i32_round::<i32>();
    // The scale is at most the largest image on a surface of one pixel.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(CursorImage {
        width: pixels.w.unsigned_abs(),
        height: pixels.h.unsigned_abs(),
        hotspot_x: hotspot.x,
        hotspot_y: hotspot.y,
        scale_120: (scale * 120.0).round() as u32,
        rgba,
    })
}

/// The size in pixels and the pixels as the viewers have them; `None` for a buffer that is no image of theirs.
fn pixels(buffer: &WlBuffer) -> Option<(Size<i32, smithay::utils::Buffer>, Vec<u8>)> {
    let copied = with_buffer_contents(buffer, |start, length, data| {
        let (first, rows) = extent(&data, length)?;
        // SAFETY: `extent` has checked that these bytes are within the `length` bytes that are mapped at
        // `start`. They are copied at once; an app that changes them meanwhile spoils its own picture, and
        // one that takes them away is caught by `with_buffer_contents`.
        let bytes = unsafe { std::slice::from_raw_parts(start.add(first), rows) };
        let stride = usize::try_from(data.stride).ok()?;
        let width = usize::try_from(data.width).ok()? * 4;
        let opaque = data.format == Format::Xrgb8888;
        let mut rgba = Vec::with_capacity(bytes.len());
        for row in bytes.chunks(stride) {
            let row = row.get(..width)?;
            rgba.extend(
                row.chunks_exact(4)
                    .flat_map(|pixel| straight(pixel, opaque)),
            );
        }
        Some(((data.width, data.height).into(), rgba))
    });
    copied.ok().flatten()
}

/// Where the image begins in its pool and how many bytes its rows take, if it is one of a size and format that
/// viewers are told, and lies within the pool.
fn extent(data: &BufferData, pool: usize) -> Option<(usize, usize)> {
    let small = |pixels: i32| u32::try_from(pixels).is_ok_and(|pixels| pixels <= MAX_CURSOR);
    let known = matches!(data.format, Format::Argb8888 | Format::Xrgb8888);
    if !(known && small(data.width) && small(data.height) && data.width > 0) {
        return None;
    }
    let first = usize::try_from(data.offset).ok()?;
    let stride = usize::try_from(data.stride).ok()?;
    let rows = stride.checked_mul(usize::try_from(data.height).ok()?)?;
    let end = first.checked_add(rows)?;
    (stride >= usize::try_from(data.width).ok()? * 4 && end <= pool).then_some((first, rows))
}

/// A pixel `B G R A` with alpha multiplied in, as `R G B A` without.
fn straight(pixel: &[u8], opaque: bool) -> [u8; 4] {
    let alpha = if opaque { 255 } else { u16::from(pixel[3]) };
    let apart = |part: u8| match alpha {
        0 => 0,
        alpha => u8::try_from((u16::from(part) * 255 + alpha / 2) / alpha).unwrap_or(255),
    };
    // At most 255, as it came from a byte.
    let alpha_byte = u8::try_from(alpha).unwrap_or(255);
    [
        apart(pixel[2]),
        apart(pixel[1]),
        apart(pixel[0]),
        alpha_byte,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lose_their_multiplied_alpha_and_swap_ends() {
        assert_eq!(straight(&[1, 2, 3, 255], false), [3, 2, 1, 255]);
        assert_eq!(straight(&[0, 64, 128, 128], false), [255, 128, 0, 128]);
        assert_eq!(straight(&[9, 9, 9, 0], false), [0, 0, 0, 0]);
        assert_eq!(straight(&[1, 2, 3, 0], true), [3, 2, 1, 255]);
        // More colour than alpha allows is an app's mistake.
        assert_eq!(straight(&[200, 0, 0, 100], false), [0, 0, 255, 100]);
    }

    #[test]
    fn an_image_that_is_too_large_or_beyond_its_pool_is_none() {
        let data = |offset, width, height, stride, format| BufferData {
            offset,
            width,
            height,
            stride,
            format,
        };
        let good = data(4, 2, 2, 8, Format::Argb8888);
        assert_eq!(extent(&good, 20), Some((4, 16)));
        assert_eq!(extent(&good, 19), None);
        assert_eq!(
            extent(&data(0, 257, 1, 1028, Format::Argb8888), 1 << 20),
            None
        );
        assert_eq!(extent(&data(0, 2, 2, 4, Format::Argb8888), 1 << 20), None);
        assert_eq!(extent(&data(0, 2, 2, 8, Format::Rgb565), 1 << 20), None);
    }
}
