//! How a picture is cut into tiles.

/// The side of a tile in pixels. Tiles at the right and bottom edges may be smaller.
pub const TILE: u32 = 64;

/// The longest side a picture may have.
pub const MAX_SIDE: u32 = 8192;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Rect {
    /// Pixels in it.
    #[must_use]
    pub fn area(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// What lies in both; `None` when nothing does.
    #[must_use]
    pub fn common(&self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = (self.x + self.width).min(other.x + other.width);
        let bottom = (self.y + self.height).min(other.y + other.height);
        (x < right && y < bottom).then(|| Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        })
    }
}

/// The tiles of a picture, numbered row after row from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    width: u32,
    height: u32,
}

impl Grid {
    /// The grid of a picture of this size; `None` when a side is 0 or over [`MAX_SIDE`].
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let fits = |side| (1..=MAX_SIDE).contains(&side);
        (fits(width) && fits(height)).then_some(Self { width, height })
    }

    /// The picture's width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The picture's height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Tiles in a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.width.div_ceil(TILE) as usize
    }

    /// Rows of tiles.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.height.div_ceil(TILE) as usize
    }

    /// Tiles in the picture.
    #[must_use]
    pub fn tiles(&self) -> usize {
        self.columns() * self.rows()
    }

    /// All of the picture.
    #[must_use]
    pub fn whole(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// Where the tile `index` lies; `index` must be below [`tiles`](Self::tiles).
    #[must_use]
    pub fn tile(&self, index: usize) -> Rect {
        debug_assert!(index < self.tiles());
        // Both fit: a picture has at most 128 × 128 tiles.
        let x = (index % self.columns()) as u32 * TILE;
        let y = (index / self.columns()) as u32 * TILE;
        Rect {
            x,
            y,
            width: TILE.min(self.width - x),
            height: TILE.min(self.height - y),
        }
    }

    /// The tiles that `rect` touches, in order. What lies outside the picture touches nothing.
    pub fn touched(&self, rect: Rect) -> impl Iterator<Item = usize> + use<> {
        let columns = span(rect.x, rect.width, self.width);
        let rows = span(rect.y, rect.height, self.height);
        let stride = self.columns();
        rows.flat_map(move |row| columns.clone().map(move |column| row * stride + column))
    }
}

/// The tiles along one side that the pixels `from..from + length` touch.
fn span(from: u32, length: u32, side: u32) -> std::ops::Range<usize> {
    let end = from.saturating_add(length).min(side);
    if from >= end {
        return 0..0;
    }
    (from / TILE) as usize..end.div_ceil(TILE) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiles_cover_every_pixel_once() {
        for (width, height) in [(1, 1), (64, 64), (65, 63), (130, 200), (1280, 800)] {
            let grid = Grid::new(width, height).unwrap();
            let mut seen = vec![0_u8; (width * height) as usize];
            for index in 0..grid.tiles() {
                let r = grid.tile(index);
                for y in r.y..r.y + r.height {
                    for x in r.x..r.x + r.width {
                        seen[(y * width + x) as usize] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|count| *count == 1), "{width}×{height}");
        }
    }

    #[test]
    fn sizes_out_of_bounds_have_no_grid() {
        for (width, height) in [(0, 1), (1, 0), (MAX_SIDE + 1, 1), (1, u32::MAX)] {
            assert_eq!(Grid::new(width, height), None);
        }
    }

    #[test]
    fn a_rectangle_touches_the_tiles_it_overlaps_and_no_other() {
        let grid = Grid::new(200, 130).unwrap();
        let touched = |x, y, width, height| {
            grid.touched(Rect {
                x,
                y,
                width,
                height,
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(touched(0, 0, 1, 1), [0]);
        assert_eq!(touched(63, 63, 2, 2), [0, 1, 4, 5]);
        assert_eq!(touched(64, 64, 64, 64), [5]);
        assert_eq!(touched(190, 128, u32::MAX, u32::MAX), [10, 11]);
        assert_eq!(touched(200, 0, 10, 10), []);
        assert_eq!(touched(5, 5, 0, 9), []);
    }
}
