//! What a viewer keeps of pictures past: one rule, run by the streamer and by the player alike.

use std::collections::BTreeMap;

/// Tiles a cache keeps: 64 MiB of whole ones, eight screens of 1920×1080.
pub const CACHED_TILES: usize = 4096;

/// Tiles by their [hash](crate::tile_hash), the least recently used of which go first.
///
/// The player keeps pixels, the streamer only knows that it does (`T = ()`). What either holds follows
/// from the units alone, in their order, so the streamer need not be told.
#[derive(Debug)]
pub struct Cache<T> {
    tiles: BTreeMap<u64, (u64, T)>,
    /// The tiles by when they were last used.
    order: BTreeMap<u64, u64>,
    uses: u64,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            tiles: BTreeMap::new(),
            order: BTreeMap::new(),
            uses: 0,
        }
    }
}

impl<T> Cache<T> {
    /// What is kept under this hash. Looking is no use.
    #[must_use]
    pub fn get(&self, hash: u64) -> Option<&T> {
        self.tiles.get(&hash).map(|(_, tile)| tile)
    }

    /// The tile is used again.
    pub fn touch(&mut self, hash: u64) {
        if let Some((used, _)) = self.tiles.get_mut(&hash) {
            self.order.remove(used);
            self.uses += 1;
            *used = self.uses;
            self.order.insert(self.uses, hash);
        }
    }

    /// Keeps a tile; one that is kept already counts as used. The oldest go where there are too many.
    pub fn keep(&mut self, hash: u64, tile: T) {
        if self.tiles.contains_key(&hash) {
            self.touch(hash);
            return;
        }
        self.uses += 1;
        self.tiles.insert(hash, (self.uses, tile));
        self.order.insert(self.uses, hash);
        while self.tiles.len() > CACHED_TILES {
            let Some((_, oldest)) = self.order.pop_first() else {
                return;
            };
            self.tiles.remove(&oldest);
        }
    }

    /// Keeps nothing any more.
    pub fn clear(&mut self) {
        self.tiles.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_tiles_go_first() {
        let mut cache = Cache::default();
        for hash in 0..CACHED_TILES as u64 {
            cache.keep(hash, hash);
        }
        cache.touch(0);
        cache.keep(1, 1);
        cache.keep(9_999_999, 7);
        cache.keep(9_999_998, 7);
        assert_eq!(cache.get(0), Some(&0), "used");
        assert_eq!(cache.get(1), Some(&1), "kept again");
        assert_eq!((cache.get(2), cache.get(3)), (None, None), "the oldest");
        assert_eq!((cache.get(4), cache.get(9_999_998)), (Some(&4), Some(&7)));
        assert_eq!(cache.tiles.len(), CACHED_TILES);
        assert_eq!(cache.order.len(), CACHED_TILES);
    }

    #[test]
    fn what_is_not_kept_is_not_used() {
        let mut cache = Cache::default();
        cache.keep(1, ());
        cache.touch(2);
        cache.clear();
        cache.touch(1);
        assert_eq!((cache.get(1), cache.get(2)), (None, None));
        assert!(cache.order.is_empty());
    }
}
