//! The content of a tile, as the streamer holds it.

use crate::anchors::{self, Anchor};
use crate::copy::Copy;
use crate::grid::{Grid, Rect};
use crate::hash::tile_hash;
use std::borrow::Borrow;
use std::cell::OnceCell;

/// The pixels of one version of a tile.
#[derive(Debug, Clone)]
pub struct Tile {
    width: u32,
    height: u32,
    rgba: Box<[u8]>,
    hash: u64,
    /// Found when they are first asked for: most tiles are never part of a move.
    anchors: OnceCell<Box<[Anchor]>>,
}

impl Tile {
    /// Takes the pixels at `rect` out of a frame in memory: `B G R X` per pixel, rows of `stride` bytes.
    ///
    /// # Panics
    /// `memory` does not hold all of `rect`, or `rect` is larger than a tile.
    #[must_use]
    pub fn from_bgrx(memory: &[u8], stride: usize, rect: Rect) -> Self {
        assert!(rect.width <= crate::TILE && rect.height <= crate::TILE);
        let mut rgba = vec![255; 4 * rect.area()];
        let rows = rgba.chunks_exact_mut(4 * rect.width as usize);
        for (row, y) in rows.zip(rect.y as usize..) {
            let start = y * stride + 4 * rect.x as usize;
            let line = &memory[start..start + row.len()];
            for (to, from) in row
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(line.as_chunks::<4>().0)
            {
                let [b, g, r, _] = *from;
                *to = [r, g, b, 255];
            }
        }
        Self::new(rect, rgba)
    }

    /// Tile `index` of the picture `held` once copies are made in it; `None` when none touches it.
    ///
    /// # Panics
    /// A copy does not lie in the picture.
    #[must_use]
    pub fn copied<T: Borrow<Self>>(
        grid: Grid,
        held: &[T],
        copies: &[Copy],
        index: usize,
    ) -> Option<Self> {
        let place = grid.tile(index);
        let mut rgba: Option<Vec<u8>> = None;
        for copy in copies {
            let Some(to) = place.common(copy.to) else {
                continue;
            };
            let rgba = rgba.get_or_insert_with(|| held[index].borrow().rgba.to_vec());
            let from = Rect {
                x: to.x - copy.to.x + copy.from_x,
                y: to.y - copy.to.y + copy.from_y,
                ..to
            };
            for source in grid.touched(from) {
                let (origin, tile) = (grid.tile(source), held[source].borrow());
                let Some(part) = origin.common(from) else {
                    continue;
                };
                let inside = Rect {
                    x: part.x - origin.x,
                    y: part.y - origin.y,
                    ..part
                };
                let (x, y) = (
                    to.x - place.x + part.x - from.x,
                    to.y - place.y + part.y - from.y,
                );
                for row in 0..part.height {
                    let line = tile.row(inside, inside.y + row).as_flattened();
                    let at = 4 * ((y + row) * place.width + x) as usize;
                    rgba[at..at + line.len()].copy_from_slice(line);
                }
            }
        }
        rgba.map(|rgba| Self::new(place, rgba))
    }

    fn new(rect: Rect, rgba: Vec<u8>) -> Self {
        Self {
            width: rect.width,
            height: rect.height,
            hash: tile_hash(rect.width, rect.height, &rgba),
            rgba: rgba.into(),
            anchors: OnceCell::new(),
        }
    }

    /// Places in it by which it is known again elsewhere.
    pub(crate) fn anchors(&self) -> &[Anchor] {
        self.anchors.get_or_init(|| anchors::of(self))
    }

    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Its [hash](crate::tile_hash).
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The pixels of a part of it, row after row, as numbers that are equal when the colours are.
    pub(crate) fn colours(&self, part: Rect) -> impl Iterator<Item = u32> {
        (part.y..part.y + part.height).flat_map(move |y| {
            self.row(part, y)
                .iter()
                .map(|pixel| u32::from_le_bytes(*pixel))
        })
    }

    /// The pixels of row `y` of the tile that lie in `part`.
    pub(crate) fn row(&self, part: Rect, y: u32) -> &[[u8; 4]] {
        let start = (y * self.width + part.x) as usize;
        &self.rgba.as_chunks().0[start..start + part.width as usize]
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }
}
