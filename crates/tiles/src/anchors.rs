//! Places in a tile that are chosen by what is there, so that they are chosen again when it has moved.

use crate::tile::Tile;

/// Pixels in a row that make an anchor.
const WINDOW: usize = 32;

/// One window in so many is an anchor.
const ONE_IN: u32 = 128;

/// The most anchors of a tile. Text has about fifteen.
const MOST: usize = 64;

/// A window of pixels inside a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Tells its pixels from others'.
    pub key: u64,
    /// Its left end in the tile.
    pub x: u8,
    /// Its row in the tile.
    pub y: u8,
}

/// The anchors of a tile, row after row. A window of one colour is none: it looks alike everywhere.
pub fn of(tile: &Tile) -> Box<[Anchor]> {
    let mut anchors = Vec::new();
    let whole = tile.whole();
    for y in 0..whole.height {
        let row = tile.row(whole, y);
        if row[1..] == row[..row.len() - 1] {
            continue;
        }
        // Shifted out of 32 bits after 32 pixels, so it depends on the window alone.
        let mut rolling = 0_u32;
        for (end, pixel) in (1..).zip(row) {
            let mixed = u32::from_le_bytes(*pixel).wrapping_mul(0x9e37_79b1);
            rolling = (rolling << 1).wrapping_add(mixed ^ mixed >> 15);
            if rolling < u32::MAX / ONE_IN && end >= WINDOW {
                let window = &row[end - WINDOW..end];
                if window[1..] != window[..WINDOW - 1] {
                    // Both fit: a tile has at most 64 pixels each way.
                    let (x, y) = ((end - WINDOW) as u8, y as u8);
                    let key = twox_hash::XxHash3_64::oneshot(window.as_flattened());
                    anchors.push(Anchor { key, x, y });
                }
            }
        }
    }
    anchors.truncate(MOST);
    anchors.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    #[test]
    fn what_has_moved_has_the_same_anchors() {
        let noise =
            |x: usize, y: usize| ((x * 7919 + y * 104_729) as u32).wrapping_mul(2_654_435_761);
        let tile = |dx: usize, dy: usize| {
            let bgrx: Vec<u8> = (0..64 * 64)
                .flat_map(|at| noise(at % 64 + dx, at / 64 + dy).to_le_bytes())
                .collect();
            Tile::from_bgrx(&bgrx, 256, Grid::new(64, 64).unwrap().whole())
        };
        let (before, after) = (of(&tile(0, 0)), of(&tile(3, 5)));
        let found = after.iter().filter(|anchor| {
            before.contains(&Anchor {
                x: anchor.x + 3,
                y: anchor.y + 5,
                ..**anchor
            })
        });
        assert!(found.count() > 2, "{before:?} {after:?}");
    }

    #[test]
    fn one_colour_has_no_anchor() {
        let grid = Grid::new(64, 64).unwrap();
        for level in 0..=255 {
            let tile = Tile::from_bgrx(&[level; 4 * 64 * 64], 256, grid.whole());
            assert!(of(&tile).is_empty());
        }
    }
}
