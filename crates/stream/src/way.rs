//! The way from what a viewer holds to the picture now: what it copies, takes from its cache and is sent.

use crate::picture::Picture;
use crate::shared::{Codes, Given};
use crate::viewer::{HeldTile, Viewer};
use greenroom_tiles::{Encoder, Pictures, Prelude, TileCode};
use std::rc::Rc;

/// Changed tiles that are worth looking for a move among them.
const MOVE_TILES: usize = 4;

/// A tile that was shown for this long is kept by a viewer when it changes: somebody may come back to it.
/// What a scroll or a video shows in passing is not.
const RESTED_US: u64 = 300_000;

/// The part of a tile that must be described anew for what was there to be kept. What was typed is sooner
/// typed again than fetched.
const MOST_OF: usize = 4;

/// What a unit says.
pub struct Way {
    /// The viewer begins with a black picture.
    pub reset: bool,
    /// What it does before it draws.
    pub prelude: Prelude,
    /// The tiles it draws.
    pub tiles: Vec<(usize, Rc<TileCode>)>,
    /// The tiles that are others afterwards.
    pub changed: Vec<usize>,
}

impl Way {
    /// Finds the way for a viewer for which `given` holds. With `codes`, encoded tiles are shared.
    pub fn find(
        now: &Picture,
        viewer: &Viewer,
        given: &Given,
        encoder: &mut Encoder,
        mut codes: Option<&mut Codes>,
    ) -> Self {
        let reset = viewer.grid() != Some(now.grid);
        let held = viewer.picture().filter(|_| !reset && !given.plain);
        let changed: Vec<_> = viewer.changed(now).collect();
        let mut prelude = Prelude {
            forget: given.forget,
            ..Prelude::default()
        };
        let pictures = held.map(|held| Pictures {
            grid: now.grid,
            held: &held.tiles,
            now: &now.tiles,
        });
        if let Some(pictures) = &pictures {
            let mut cached = given.cached.iter().peekable();
            let anew: Vec<_> = changed
                .iter()
                .filter(|index| cached.next_if_eq(index).is_none())
                .copied()
                .collect();
            if anew.len() >= MOVE_TILES {
                prelude.copies = pictures.copies(&anew);
            }
        }

        let mut tiles = Vec::new();
        let mut cached = given.cached.iter().peekable();
        for (index, tile) in now.tiles.iter().enumerate() {
            if cached.next_if_eq(&&index).is_some() {
                tiles.push((index, Rc::new(TileCode::cached(tile))));
                continue;
            }
            let copied = match &pictures {
                Some(pictures) if pictures.made(&prelude.copies, index) => continue,
                Some(pictures) => pictures.copied(&prelude.copies, index),
                None => None,
            };
            let code = match (&copied, viewer.tile(now.grid, index)) {
                (Some(copied), _) => encoder.tile(tile, Some(copied)).map(Rc::new),
                (None, HeldTile::Hash(hash)) if hash == tile.hash() => None,
                (None, HeldTile::Exactly(held)) if held.hash() == tile.hash() => None,
                (None, held) => {
                    let held = match held {
                        HeldTile::Exactly(held) => Some(held),
                        HeldTile::Unknown | HeldTile::Hash(_) => None,
                    };
                    match &mut codes {
                        Some(codes) => codes.get(encoder, tile, held),
                        None => encoder.tile(tile, held).map(Rc::new),
                    }
                }
            };
            tiles.extend(code.map(|code| (index, code)));
        }
        if let Some(held) = held {
            prelude.keep = kept(now, held, &changed, &tiles);
        }
        Self {
            reset,
            prelude,
            tiles,
            changed,
        }
    }

    /// The viewer is there.
    pub fn is_none(&self) -> bool {
        !self.reset && self.tiles.is_empty() && self.prelude.copies.is_empty()
    }
}

/// The tiles of `held` that a viewer keeps.
fn kept(
    now: &Picture,
    held: &Picture,
    changed: &[usize],
    tiles: &[(usize, Rc<TileCode>)],
) -> Vec<usize> {
    let mut drawn = tiles.iter().peekable();
    let keeps = |index: &usize| {
        while drawn.next_if(|(drawn, _)| drawn < index).is_some() {}
        let little = drawn
            .next_if(|(drawn, _)| drawn == index)
            .is_some_and(|(_, code)| code.area() * MOST_OF < now.grid.tile(*index).area());
        let rested = now.composed_at_us.saturating_sub(held.since_us[*index]) >= RESTED_US;
        rested && !little
    };
    changed.iter().copied().filter(keeps).collect()
}
