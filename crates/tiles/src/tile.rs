//! The content of a tile, as the streamer holds it.

use crate::anchors::{self, Anchor};
use crate::grid::Rect;
use crate::hash::tile_hash;
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
        let mut rgba = vec![0; 4 * rect.area()];
        let rows = rgba.chunks_exact_mut(4 * rect.width as usize);
        for (row, y) in rows.zip(rect.y as usize..) {
            let start = y * stride + 4 * rect.x as usize;
            let line = &memory[start..start + row.len()];
            let pixels = row.as_chunks_mut::<4>().0.iter_mut();
            for (to, from) in pixels.zip(line.as_chunks::<4>().0) {
                // As a number: compilers do several of these at once, and bytes one by one.
                let bgrx = u32::from_le_bytes(*from);
                let rgb = (bgrx >> 16 & 0xff) | (bgrx & 0xff00) | (bgrx & 0xff) << 16;
                *to = (rgb | 0xff00_0000).to_le_bytes();
            }
        }
        Self::new(rect, rgba)
    }

    /// A tile of these pixels, `R G B 255` each; only the size of `rect` counts.
    pub(crate) fn new(rect: Rect, rgba: Vec<u8>) -> Self {
        Self {
            width: rect.width,
            height: rect.height,
            hash: tile_hash(rect.width, rect.height, &rgba),
            rgba: rgba.into(),
            anchors: OnceCell::new(),
        }
    }

    /// Its pixels, row after row.
    pub(crate) fn rgba(&self) -> &[u8] {
        &self.rgba
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
