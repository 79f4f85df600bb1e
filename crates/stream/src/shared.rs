//! What viewers share: whole units where they hold the same, encoded tiles where they do not.

use greenroom_tiles::{Encoder, Tile, TileCode};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Units kept of one state. Viewers that keep up all begin at the same one.
const MAX_UNITS: usize = 8;

/// Bytes of encoded tiles kept.
const MAX_CODES: usize = 4 << 20;

/// What a unit depends on beside the picture it leads to: viewers for whom this is equal can share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it builds on.
    pub base: Base,
    /// The viewer draws version 1 only: it neither copies nor keeps.
    pub plain: bool,
    /// The viewer's cache is emptied first.
    pub forget: bool,
    /// The tiles that it finds in its cache, ascending.
    pub cached: Vec<usize>,
}

/// What a viewer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Nothing at all.
    Nothing,
    /// The picture of this state.
    State(u64),
    /// Its own mixture.
    Own,
}

/// A unit that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its number.
    pub update: u64,
    /// The message that carries it, framed.
    pub message: Rc<[u8]>,
    /// The tiles it changes.
    pub changed: Rc<[usize]>,
    /// The tiles of the picture before that the viewer keeps.
    pub kept: Rc<[usize]>,
}

/// Units that lead to the present state, by what they depend on.
#[derive(Debug, Default)]
pub struct Units {
    to: u64,
    made: Vec<(Given, Made)>,
}

impl Units {
    /// A unit from `given` to the state `to`, numbered above `last_update` as a viewer's must be.
    pub fn get(&self, given: &Given, to: u64, last_update: u64) -> Option<Made> {
        let (_, made) = self
            .made
            .iter()
            .find(|(from, made)| from == given && made.update > last_update)?;
        (self.to == to).then(|| made.clone())
    }

    /// Keeps a unit for the next viewer that holds the same.
    pub fn keep(&mut self, given: Given, to: u64, made: &Made) {
        if given.base == Base::Own {
            return;
        }
        if self.to != to {
            self.to = to;
            self.made.clear();
        }
        self.made.retain(|(from, _)| *from != given);
        if self.made.len() == MAX_UNITS {
            self.made.remove(0);
        }
        self.made.push((given, made.clone()));
    }
}

/// Encoded tiles by content: what they show, and the version they build on.
#[derive(Debug, Default)]
pub struct Codes {
    codes: BTreeMap<(Option<u64>, u64), Rc<TileCode>>,
    bytes: usize,
}

impl Codes {
    /// The way from `held` to `now`; `None` when they are the same.
    pub fn get(
        &mut self,
        encoder: &mut Encoder,
        now: &Tile,
        held: Option<&Tile>,
    ) -> Option<Rc<TileCode>> {
        let key = (held.map(Tile::hash), now.hash());
        if let Some(code) = self.codes.get(&key) {
            return Some(Rc::clone(code));
        }
        let code = Rc::new(encoder.tile(now, held)?);
        if self.bytes + code.size() > MAX_CODES {
            self.clear();
        }
        self.bytes += code.size();
        self.codes.insert(key, Rc::clone(&code));
        Some(code)
    }

    /// Lets go of all, when there is nobody to share with.
    pub fn clear(&mut self) {
        self.codes.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(update: u64) -> Made {
        Made {
            update,
            message: Rc::default(),
            changed: Rc::default(),
            kept: Rc::default(),
        }
    }

    fn given(base: Base) -> Given {
        Given {
            base,
            plain: false,
            forget: false,
            cached: vec![3],
        }
    }

    #[test]
    fn a_unit_is_shared_only_between_viewers_that_hold_the_same() {
        let mut units = Units::default();
        let third = given(Base::State(3));
        units.keep(third.clone(), 4, &made(10));
        assert!(units.get(&third, 4, 9).is_some());
        let others = [
            given(Base::State(2)),
            Given {
                plain: true,
                ..third.clone()
            },
            Given {
                forget: true,
                ..third.clone()
            },
            Given {
                cached: vec![3, 4],
                ..third.clone()
            },
        ];
        for other in others {
            assert!(units.get(&other, 4, 9).is_none(), "{other:?}");
        }
        assert!(units.get(&third, 5, 9).is_none(), "another end");
        assert!(units.get(&third, 4, 10).is_none(), "a number already used");
        let own = given(Base::Own);
        units.keep(own.clone(), 4, &made(11));
        assert!(units.get(&own, 4, 0).is_none(), "nobody else holds that");
        units.keep(third.clone(), 5, &made(12));
        assert!(units.get(&third, 4, 9).is_none(), "the past is let go");
    }

    #[test]
    fn the_number_of_units_kept_is_bounded() {
        let mut units = Units::default();
        for state in 0..100 {
            units.keep(given(Base::State(state)), 200, &made(state + 1));
        }
        assert_eq!(units.made.len(), MAX_UNITS);
        assert!(units.get(&given(Base::State(99)), 200, 0).is_some());
    }
}
