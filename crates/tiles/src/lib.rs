//! The exact part of the stream: what a tile unit is, how one is made and how one is drawn.
//!
//! A session's picture is a [`Grid`] of tiles. A unit says which tiles differ from what a viewer holds
//! and what they are now; [`Framebuffer::apply`] draws it, and afterwards the viewer's picture equals
//! the session's, byte for byte, which the unit's frame hash proves. The bytes are defined in [`mod@unit`].
//!
//! Nothing here does I/O or reads a clock. The crate compiles natively and for `wasm32-unknown-unknown`
//! from the same source; there, without the feature `encode`, it is the player's decoder.

#[cfg(feature = "encode")]
mod anchors;
mod cache;
mod copy;
mod decode;
mod draw;
#[cfg(feature = "encode")]
mod encode;
mod grid;
mod hash;
#[cfg(feature = "encode")]
mod moves;
mod palette;
mod predict;
mod steps;
#[cfg(feature = "encode")]
mod tile;
pub mod unit;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use cache::{CACHED_TILES, Cache};
pub use copy::{Copy, MAX_COPIES};
pub use decode::{Applied, DecodeError, Framebuffer};
#[cfg(feature = "encode")]
pub use encode::{Encoder, TileCode};
pub use grid::{Grid, MAX_SIDE, Rect, TILE};
pub use hash::{frame_hash, tile_hash};
#[cfg(feature = "encode")]
pub use moves::Pictures;
#[cfg(feature = "encode")]
pub use tile::Tile;
pub use unit::{HadInput, Header, Prelude};
