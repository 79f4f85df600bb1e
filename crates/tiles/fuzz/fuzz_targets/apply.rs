//! Any bytes in the place of a unit: refused, the picture as it was, or drawn with hashes that are true.
#![no_main]

use greenroom_tiles::{Framebuffer, frame_hash};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|units: (&[u8], &[u8])| {
    let mut viewer = Framebuffer::new();
    // The second meets the picture and the cache that the first left.
    for unit in [units.0, units.1] {
        let before = viewer.frame_hash();
        match viewer.apply(unit) {
            Ok(applied) => assert!(applied.reset || viewer.width() > 0),
            Err(_) => assert_eq!(viewer.frame_hash(), before),
        }
        if let Some(grid) = greenroom_tiles::Grid::new(viewer.width(), viewer.height()) {
            let hashes = viewer.tile_hashes().iter().copied();
            assert_eq!(frame_hash(grid, hashes), viewer.frame_hash());
        }
    }
});
