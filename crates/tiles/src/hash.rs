//! The hashes by which a viewer and a streamer agree on what is on the screen.

use crate::grid::Grid;
use twox_hash::XxHash3_64;

/// The hash of a tile: XXH3-64 of its pixels as `R G B 255` bytes, row after row, seeded with
/// `width << 16 | height` so that a 32×64 tile is none of 64×32.
#[must_use]
pub fn tile_hash(width: u32, height: u32, rgba: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(width << 16 | height), rgba)
}

/// The hash of a picture: XXH3-64 of the hashes of its tiles in order, little-endian, seeded with
/// `width << 16 | height`.
#[must_use]
pub fn frame_hash(grid: Grid, tiles: impl IntoIterator<Item = u64>) -> u64 {
    let bytes: Vec<u8> = tiles.into_iter().flat_map(u64::to_le_bytes).collect();
    XxHash3_64::oneshot_with_seed(u64::from(grid.width() << 16 | grid.height()), &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_content_and_order_all_count() {
        let pixels = [9; 4 * 6];
        assert_ne!(tile_hash(2, 3, &pixels), tile_hash(3, 2, &pixels));
        assert_ne!(tile_hash(2, 3, &pixels), tile_hash(2, 3, &[8; 4 * 6]));
        let grid = Grid::new(128, 64).unwrap();
        assert_ne!(frame_hash(grid, [1, 2]), frame_hash(grid, [2, 1]));
        let turned = Grid::new(64, 128).unwrap();
        assert_ne!(frame_hash(grid, [1, 2]), frame_hash(turned, [1, 2]));
    }

    #[test]
    fn the_hash_is_the_published_xxh3() {
        // XXH3_64bits("") of the reference implementation; a change of library must not change units.
        assert_eq!(tile_hash(0, 0, &[]), 0x2d06_8005_38d3_94c2);
    }
}
