//! What one viewer holds, and whether it may be sent more.

use crate::picture::Picture;
use crate::shared::{Base, Given, Made};
use greenroom_session_api::units;
use greenroom_tiles::{Cache, Grid, Tile};
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
    /// The highest version of units it draws.
    version: u32,
    /// What its player keeps. Whenever the player says what it holds, both begin anew: a unit that was
    /// refused, or one that is still on its way, would have left them apart.
    cache: Cache<()>,
    forget: bool,
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
        self.version = have.units;
        self.cache.clear();
        self.forget = self.version > 1;
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

    /// What a unit that leads it to `now` depends on.
    pub fn given(&self, now: &Picture) -> Given {
        let base = match &self.held {
            Held::Nothing => Base::Nothing,
            Held::Hashes(..) => Base::Own,
            Held::Picture(held) => Base::State(held.state),
        };
        let cached = |index: &usize| self.cache.get(now.tiles[*index].hash()).is_some();
        Given {
            base,
            plain: self.version < 2,
            forget: self.forget,
            cached: self.changed(now).filter(cached).collect(),
        }
    }

    /// The tiles of `now` that it holds another version of, or that it is not known to hold.
    pub fn changed(&self, now: &Picture) -> impl Iterator<Item = usize> {
        let tiles = now.tiles.iter().enumerate();
        tiles.filter_map(|(index, tile)| {
            let held = match self.tile(now.grid, index) {
                HeldTile::Unknown => None,
                HeldTile::Hash(hash) => Some(hash),
                HeldTile::Exactly(held) => Some(held.hash()),
            };
            (held != Some(tile.hash())).then_some(index)
        })
    }

    /// The very picture it holds, where that is known.
    pub fn picture(&self) -> Option<&Picture> {
        match &self.held {
            Held::Picture(held) => Some(held),
            Held::Nothing | Held::Hashes(..) => None,
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

    /// What it holds in the place of tile `index` of `grid`; nothing in a picture of another size.
    pub fn tile(&self, grid: Grid, index: usize) -> HeldTile<'_> {
        match &self.held {
            Held::Hashes(own, tiles) if *own == grid => {
                tiles[index].map_or(HeldTile::Unknown, HeldTile::Hash)
            }
            Held::Picture(held) if held.grid == grid => HeldTile::Exactly(&held.tiles[index]),
            Held::Nothing | Held::Hashes(..) | Held::Picture(_) => HeldTile::Unknown,
        }
    }

    /// It holds `now` without having been sent anything.
    pub fn holds(&mut self, now: &Rc<Picture>) {
        self.held = Held::Picture(Rc::clone(now));
    }

    /// It was sent the way to `now`.
    pub fn sent(&mut self, now: &Rc<Picture>, given: &Given, made: &Made) {
        if given.forget {
            self.forget = false;
        }
        for index in &given.cached {
            self.cache.touch(now.tiles[*index].hash());
        }
        if let Held::Picture(held) = &self.held {
            for index in made.kept.iter() {
                self.cache.keep(held.tiles[*index].hash(), ());
            }
        }
        self.holds(now);
        self.last_update = made.update;
        self.in_flight.push_back(Flight {
            update: made.update,
            tiles: Rc::clone(&made.changed),
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
