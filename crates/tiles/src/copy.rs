//! Moves of rectangles inside a picture.

use crate::decode::DecodeError;
use crate::grid::{Grid, Rect};

/// The most copies in a unit.
pub const MAX_COPIES: usize = 64;
/// The bytes of one.
pub(crate) const COPY: usize = 12;

/// A rectangle that is now where another of the picture before was. All copies of a unit read the picture
/// before the unit, in whatever order they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// The left edge of what is copied.
    pub from_x: u32,
    /// Its top edge.
    pub from_y: u32,
    /// Where it is now.
    pub to: Rect,
}

impl Copy {
    /// What is copied.
    #[must_use]
    pub fn from(&self) -> Rect {
        Rect {
            x: self.from_x,
            y: self.from_y,
            ..self.to
        }
    }

    #[cfg(feature = "encode")]
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let Self { from_x, from_y, to } = *self;
        for number in [from_x, from_y, to.x, to.y, to.width, to.height] {
            // A picture's sides are far below this type's limit.
            bytes.extend_from_slice(&(number as u16).to_le_bytes());
        }
    }

    /// Reads one and holds it against the grid.
    pub(crate) fn parse(bytes: &[u8; COPY], grid: Grid) -> Result<Self, DecodeError> {
        let number = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let copy = Self {
            from_x: number(0),
            from_y: number(2),
            to: Rect {
                x: number(4),
                y: number(6),
                width: number(8),
                height: number(10),
            },
        };
        let inside = |rect: Rect| {
            rect.x + rect.width <= grid.width() && rect.y + rect.height <= grid.height()
        };
        let empty = copy.to.width == 0 || copy.to.height == 0;
        if empty || !inside(copy.to) || !inside(copy.from()) {
            return Err(DecodeError::Copy);
        }
        Ok(copy)
    }
}
