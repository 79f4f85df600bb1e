//! What viewers share: whole units where they hold the same, encoded tiles where they do not.

use crate::viewer::Base;
use greenroom_tiles::{Encoder, Tile, TileCode};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Units kept of one state. Viewers that keep up all begin at the same one.
const MAX_UNITS: usize = 8;

/// Bytes of encoded tiles kept.
const MAX_CODES: usize = 4 << 20;

/// A unit that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its number.
    pub update: u64,
    /// The message that carries it, framed.
    pub message: Rc<[u8]>,
    /// The tiles it changes.
    pub tiles: Rc<[usize]>,
}

/// Units that lead to the present state, by what they build on.
#[derive(Debug, Default)]
pub struct Units {
    to: u64,
    made: Vec<(Base, Made)>,
}

impl Units {
    /// A unit from `base` to the state `to`, numbered above `last_update` as a viewer's must be.
    pub fn get(&self, base: Base, to: u64, last_update: u64) -> Option<Made> {
        let (_, made) = self
            .made
            .iter()
            .find(|(from, made)| *from == base && made.update > last_update)?;
        (self.to == to).then(|| made.clone())
    }

    /// Keeps a unit for the next viewer that holds the same.
    pub fn keep(&mut self, base: Base, to: u64, made: &Made) {
        if base == Base::Own {
            return;
        }
        if self.to != to {
            self.to = to;
            self.made.clear();
        }
        self.made.retain(|(from, _)| *from != base);
        if self.made.len() == MAX_UNITS {
            self.made.remove(0);
        }
        self.made.push((base, made.clone()));
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
            tiles: Rc::default(),
        }
    }

    #[test]
    fn a_unit_is_shared_only_between_viewers_that_hold_the_same() {
        let mut units = Units::default();
        units.keep(Base::State(3), 4, &made(10));
        assert!(units.get(Base::State(3), 4, 9).is_some());
        assert!(units.get(Base::State(2), 4, 9).is_none(), "another base");
        assert!(units.get(Base::State(3), 5, 9).is_none(), "another end");
        assert!(
            units.get(Base::State(3), 4, 10).is_none(),
            "a number already used"
        );
        units.keep(Base::Own, 4, &made(11));
        assert!(
            units.get(Base::Own, 4, 0).is_none(),
            "nobody else holds that"
        );
        units.keep(Base::State(3), 5, &made(12));
        assert!(
            units.get(Base::State(3), 4, 9).is_none(),
            "the past is let go"
        );
    }

    #[test]
    fn the_number_of_units_kept_is_bounded() {
        let mut units = Units::default();
        for state in 0..100 {
            units.keep(Base::State(state), 200, &made(state + 1));
        }
        assert_eq!(units.made.len(), MAX_UNITS);
        assert!(units.get(Base::State(99), 200, 0).is_some());
    }
}
