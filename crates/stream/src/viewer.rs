//! What one viewer holds, and whether it may be sent more.

use crate::picture::Picture;
use crate::shared::Made;
use greenroom_session_api::units;
use greenroom_tiles::{Grid, Tile};
use std::collections::VecDeque;
use std::rc::Rc;

/// Updates a viewer may have been sent without acknowledging them: one on its way, one being drawn.
const CREDIT: usize = 2;

/// How many states a viewer may be behind before its picture's pixels are let go. Sixty-four viewers
/// that stand still at different moments must not keep sixty-four screens in memory.
const KEPT_STATES: u64 = 8;

/// One viewer.
#[derive(Debug, Default)]
pub struct Viewer {
    held: Held,
    in_flight: VecDeque<Flight>,
    /// It has said what it has; before that nothing is sent.
    ready: bool,
    last_update: u64,
}

/// What a viewer's player holds once it has drawn everything it was sent.
#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    /// Tiles by hash, `None` where it is not known.
    Hashes(Grid, Vec<Option<u64>>),
    /// Exactly this.
    Picture(Rc<Picture>),
}

/// What a viewer holds, for whoever makes a unit: viewers for whom this is equal can share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Nothing at all.
    Nothing,
    /// The picture of this state.
    State(u64),
    /// Its own mixture.
    Own,
}

#[derive(Debug)]
struct Flight {
    update: u64,
    tiles: Rc<[usize]>,
}

/// What a viewer holds in the place of one tile.
pub enum HeldTile<'a> {
    Unknown,
    Hash(u64),
    Exactly(&'a Tile),
}

impl Viewer {
    /// The player says what it holds.
    pub fn have(&mut self, have: &units::Have) {
        let grid =
            Grid::new(have.width, have.height).filter(|grid| grid.tiles() == have.tiles.len());
        self.held = match grid {
            None => Held::Nothing,
            Some(grid) => {
                let mut tiles: Vec<_> = have.tiles.iter().copied().map(Some).collect();
                // What is on its way will change these after it spoke.
                for index in self.in_flight.iter().flat_map(|flight| flight.tiles.iter()) {
                    if let Some(tile) = tiles.get_mut(*index) {
                        *tile = None;
                    }
                }
                Held::Hashes(grid, tiles)
            }
        };
        self.in_flight.clear();
        self.ready = true;
    }

    /// The player has drawn this update and those before it.
    pub fn acknowledged(&mut self, update: u64) {
        while self
            .in_flight
            .front()
            .is_some_and(|flight| flight.update <= update)
        {
            self.in_flight.pop_front();
        }
    }

    /// Whether it may and should be sent the way to `now`.
    pub fn wants(&self, now: &Picture) -> bool {
        let up_to_date = matches!(&self.held, Held::Picture(held) if held.state == now.state);
        self.ready && !up_to_date && self.in_flight.len() < CREDIT
    }

    /// What a unit for it builds on.
    pub fn base(&self) -> Base {
        match &self.held {
            Held::Nothing => Base::Nothing,
            Held::Hashes(..) => Base::Own,
            Held::Picture(held) => Base::State(held.state),
        }
    }

    /// The number of the last update it was sent.
    pub fn last_update(&self) -> u64 {
        self.last_update
    }

    /// The size it holds, if any.
    pub fn grid(&self) -> Option<Grid> {
        match &self.held {
            Held::Nothing => None,
            Held::Hashes(grid, _) => Some(*grid),
            Held::Picture(held) => Some(held.grid),
        }
    }

    /// What it holds in the place of tile `index` of its grid.
    pub fn tile(&self, index: usize) -> HeldTile<'_> {
        match &self.held {
            Held::Nothing => HeldTile::Unknown,
            Held::Hashes(_, tiles) => tiles[index].map_or(HeldTile::Unknown, HeldTile::Hash),
            Held::Picture(held) => HeldTile::Exactly(&held.tiles[index]),
        }
    }

    /// It holds `now` without having been sent anything.
    pub fn holds(&mut self, now: &Rc<Picture>) {
        self.held = Held::Picture(Rc::clone(now));
    }

    /// It was sent the way to `now`.
    pub fn sent(&mut self, now: &Rc<Picture>, made: &Made) {
        self.holds(now);
        self.last_update = made.update;
        self.in_flight.push_back(Flight {
            update: made.update,
            tiles: Rc::clone(&made.tiles),
        });
    }

    /// Lets go of the pixels of a picture that is long past; their hashes suffice to go on.
    pub fn forget_what_is_long_past(&mut self, now: &Picture) {
        if let Held::Picture(held) = &self.held
            && now.state - held.state > KEPT_STATES
        {
            let tiles = held.tiles.iter().map(|tile| Some(tile.hash())).collect();
            self.held = Held::Hashes(held.grid, tiles);
        }
    }
}
