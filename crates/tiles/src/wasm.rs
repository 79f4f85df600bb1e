//! The player's door: exports of the WASM module, without any binding generator.
//!
//! Built by `cargo build -p greenroom-tiles --no-default-features --target wasm32-unknown-unknown
//! --profile player`; `tests/wasm.mjs` is a complete user of it.
//!
//! One instance of the module is one [`Framebuffer`]. `u64` is a `BigInt` on the other side. Every export whose name ends in `_ptr` answers an
//! address in the exported `memory`; it stays valid until the next call of
//! [`greenroom_input`] or [`greenroom_apply`], which may also grow the memory and so detach a
//! JavaScript `ArrayBuffer` of it: make views anew after each call.
//!
//! To draw a unit: `ptr = greenroom_input(n)`, write its `n` bytes at `ptr`, then `greenroom_apply()`.
//! It answers 0, or 1 when the unit was refused; then nothing has changed and `greenroom_error_ptr/_len`
//! say why in UTF-8. After 0, the picture is at `greenroom_pixels_ptr`, `R G B 255` per pixel, rows of
//! `4 * width` bytes without padding, and what follows describes that unit.

use crate::{Applied, Framebuffer};
use std::cell::RefCell;

#[derive(Default)]
struct Player {
    input: Vec<u8>,
    picture: Framebuffer,
    applied: Applied,
    error: String,
    damage: Vec<u32>,
    inputs: Vec<u64>,
    tiles: Vec<u64>,
}

thread_local! {
    // A module instance has one thread; this is its only state.
    static PLAYER: RefCell<Player> = RefCell::default();
}

fn player<T>(ask: impl FnOnce(&mut Player) -> T) -> T {
    PLAYER.with_borrow_mut(ask)
}

/// Makes room for a unit of `length` bytes and answers where to write it. A length over 64 MiB, more
/// than any link carries, answers 0.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_input(length: usize) -> *mut u8 {
    if length > 64 << 20 {
        return std::ptr::null_mut();
    }
    player(|p| {
        p.input.clear();
        p.input.resize(length, 0);
        p.input.as_mut_ptr()
    })
}

/// Draws the unit that was written: 0 when it was drawn, 1 when it was refused.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_apply() -> i32 {
    player(|p| match p.picture.apply(&p.input) {
        Ok(applied) => {
            p.damage = applied
                .damage
                .iter()
                .flat_map(|r| [r.x, r.y, r.width, r.height])
                .collect();
            p.inputs = applied
                .had_input
                .iter()
                .flat_map(|i| [i.stream, i.seq])
                .collect();
            p.tiles = p.picture.tile_hashes().to_vec();
            p.applied = applied;
            0
        }
        Err(error) => {
            p.error = error.to_string();
            1
        }
    })
}

/// Why the last refused unit was refused.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_error_ptr() -> *const u8 {
    player(|p| p.error.as_ptr())
}

/// Bytes of the reason.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_error_len() -> usize {
    player(|p| p.error.len())
}

/// The picture's width; 0 before the first unit.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_width() -> u32 {
    player(|p| p.picture.width())
}

/// The picture's height; 0 before the first unit.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_height() -> u32 {
    player(|p| p.picture.height())
}

/// The picture, `4 * width * height` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_pixels_ptr() -> *const u8 {
    player(|p| p.picture.pixels().as_ptr())
}

/// The number of the last update, to acknowledge.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_update() -> u64 {
    player(|p| p.applied.update)
}

/// When the holder began to compose it, in microseconds of its monotonic clock.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_composed_at_us() -> u64 {
    player(|p| p.applied.composed_at_us)
}

/// 1 when the last update began with a new picture (its size may have changed), else 0.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_was_reset() -> i32 {
    player(|p| p.applied.reset.into())
}

/// 1 when the picture is what the session's was, else 0: then say anew what is held.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_hash_matches() -> i32 {
    player(|p| p.applied.frame_hash_matches.into())
}

/// The hash of the picture, computed anew from all its pixels; 0 before the first unit.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_frame_hash() -> u64 {
    player(|p| p.picture.frame_hash())
}

/// The rectangles the last update changed: x, y, width, height as `u32` each.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_damage_ptr() -> *const u32 {
    player(|p| p.damage.as_ptr())
}

/// Their count.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_damage_len() -> usize {
    player(|p| p.damage.len() / 4)
}

/// The inputs the last update shows: stream, sequence number as `u64` each.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_inputs_ptr() -> *const u64 {
    player(|p| p.inputs.as_ptr())
}

/// Their count.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_inputs_len() -> usize {
    player(|p| p.inputs.len() / 2)
}

/// The hash of each tile, row after row, `u64` each: what `Have` says.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_tiles_ptr() -> *const u64 {
    player(|p| p.tiles.as_ptr())
}

/// Their count; 0 before the first unit.
#[unsafe(no_mangle)]
pub extern "C" fn greenroom_tiles_len() -> usize {
    player(|p| p.tiles.len())
}
