//! What a unit has a viewer do, taken out of its decompressed bytes and checked before any of it is done.

use crate::cache::Cache;
use crate::copy::{COPY, Copy};
use crate::decode::DecodeError;
use crate::draw::Pixels;
use crate::grid::Grid;
use crate::palette;
use crate::unit::{ENTRY, Entry, KEEP, Kind, Parts};

/// Checked steps; nothing of them can fail.
pub struct Steps<'a> {
    /// Tiles to keep, as they are before the unit.
    pub keep: Vec<usize>,
    /// Moves inside the picture.
    pub copies: Vec<Copy>,
    /// Tiles to draw, each with the data that belongs to it.
    pub entries: Vec<(Entry, &'a [u8])>,
}

impl<'a> Steps<'a> {
    /// Takes the decompressed bytes of a unit apart.
    pub fn parse(
        parts: &Parts<'_>,
        bytes: &'a [u8],
        cache: &Cache<Pixels>,
    ) -> Result<Self, DecodeError> {
        let grid = parts.header.grid;
        let (keeps, bytes) = split(bytes, parts.keeps * KEEP)?;
        let (copies, bytes) = split(bytes, parts.copies * COPY)?;
        let (table, mut data) = split(bytes, parts.entries * ENTRY)?;
        let keep = kept(keeps.as_chunks().0, grid)?;
        let copies = copied(copies.as_chunks().0, grid)?;
        let mut entries = Vec::with_capacity(parts.entries);
        let mut next_tile = 0;
        for row in table.as_chunks().0 {
            let entry = Entry::parse(row, parts.version, grid)?;
            if entry.tile < next_tile {
                return Err(DecodeError::Entry);
            }
            next_tile = entry.tile + 1;
            let own;
            (own, data) = split(data, entry.data_len())?;
            if !colours_exist(&entry, own) {
                return Err(DecodeError::Colour);
            }
            if entry.kind == Kind::Cached {
                let known = cache.get(cached_hash(own)).filter(|_| !parts.forget);
                if known.map(|tile| tile.size()) != Some((entry.part.width, entry.part.height)) {
                    return Err(DecodeError::NotCached);
                }
            }
            entries.push((entry, own));
        }
        if data.is_empty() {
            Ok(Self {
                keep,
                copies,
                entries,
            })
        } else {
            Err(DecodeError::Header)
        }
    }
}

/// The most bytes that the steps of a unit are once decompressed.
pub fn most_bytes(parts: &Parts<'_>) -> usize {
    // No entry has more than a palette and three bytes for each of its pixels.
    let entry = ENTRY + 3 * palette::MAX_COLOURS + 3 * (crate::TILE * crate::TILE) as usize;
    parts.keeps * KEEP + parts.copies * COPY + parts.entries * entry
}

/// The hash that the data of a cached entry is.
pub fn cached_hash(data: &[u8]) -> u64 {
    data.as_chunks()
        .0
        .first()
        .map_or(0, |hash| u64::from_le_bytes(*hash))
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), DecodeError> {
    bytes.split_at_checked(at).ok_or(DecodeError::Header)
}

/// The tiles of runs that ascend.
fn kept(runs: &[[u8; KEEP]], grid: Grid) -> Result<Vec<usize>, DecodeError> {
    let mut tiles = Vec::new();
    let mut next = 0;
    for [a, b, c, d] in runs {
        let first = usize::from(u16::from_le_bytes([*a, *b]));
        let end = first + usize::from(u16::from_le_bytes([*c, *d])) + 1;
        if first < next || end > grid.tiles() {
            return Err(DecodeError::Keep);
        }
        tiles.extend(first..end);
        next = end;
    }
    Ok(tiles)
}

/// Copies that together write no more than the picture has, which bounds their cost.
fn copied(rows: &[[u8; COPY]], grid: Grid) -> Result<Vec<Copy>, DecodeError> {
    let copies: Vec<_> = rows
        .iter()
        .map(|row| Copy::parse(row, grid))
        .collect::<Result<_, _>>()?;
    let written: usize = copies.iter().map(|copy| copy.to.area()).sum();
    if written > grid.whole().area() {
        return Err(DecodeError::Copy);
    }
    Ok(copies)
}

/// Whether every index of a palette entry names one of its colours.
fn colours_exist(entry: &Entry, data: &[u8]) -> bool {
    let Kind::Palette { colours } = entry.kind else {
        return true;
    };
    if colours == 1 << palette::index_bits(colours) {
        return true;
    }
    let bytes = palette::row_bytes(entry.part.width, colours);
    let mut indices = [0; crate::TILE as usize];
    let indices = &mut indices[..entry.part.width as usize];
    data[3 * colours..].chunks(bytes).all(|row| {
        palette::unpack_row(row, colours, indices);
        indices.iter().all(|index| usize::from(*index) < colours)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Picture;
    use crate::{HadInput, Header, tile_hash};

    const GRID: (u32, u32) = (150, 70);

    /// The parts and bytes of a unit that keeps two runs, copies twice and draws three tiles, one of them
    /// from the cache.
    fn rich() -> (Parts<'static>, Vec<u8>, u64) {
        let black = [0, 0, 0, 255].repeat(64 * 64);
        let hash = tile_hash(64, 64, &black);
        let mut bytes = vec![0, 0, 0, 0, 2, 0, 1, 0];
        for number in [3_u16, 4, 80, 9, 40, 50, 0, 0, 1, 1, 9, 9] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 2, 0, 0, 1, 0]);
        bytes.extend_from_slice(&[1, 0, 0, 0, 3, 0, 0, 0, 63, 63]);
        bytes.extend_from_slice(&[4, 0, 0, 0, 2, 0, 5, 1, 1, 1]);
        bytes.extend_from_slice(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 0b10_01]);
        bytes.extend_from_slice(&hash.to_le_bytes());
        bytes.extend_from_slice(&[9; 12]);
        let header = Header {
            update: 1,
            composed_at_us: 2,
            frame_hash: 3,
            grid: Grid::new(GRID.0, GRID.1).unwrap(),
            reset: false,
            had_input: vec![HadInput { stream: 4, seq: 5 }],
        };
        let parts = Parts {
            version: 2,
            header,
            forget: false,
            keeps: 2,
            copies: 2,
            entries: 3,
            unpacked: bytes.len(),
            packed: &[],
        };
        (parts, bytes, hash)
    }

    fn world(hash: u64) -> (Picture, Cache<Pixels>) {
        let picture = Picture::black(Grid::new(GRID.0, GRID.1).unwrap());
        let mut cache = Cache::default();
        cache.keep(hash, picture.pixels(0));
        (picture, cache)
    }

    #[test]
    fn what_a_unit_says_is_taken_apart() {
        let (parts, bytes, hash) = rich();
        let steps = Steps::parse(&parts, &bytes, &world(hash).1).unwrap();
        assert_eq!(steps.keep, [0, 2, 3]);
        assert_eq!(steps.copies.len(), 2);
        let kinds: Vec<_> = steps.entries.iter().map(|(entry, _)| entry.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Palette { colours: 3 }, Kind::Cached, Kind::Changed]
        );
    }

    #[test]
    fn no_bytes_of_steps_make_drawing_panic() {
        let (parts, good, hash) = rich();
        let (mut seed, mut refused, mut drawn) = (1_u64, 0, 0);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..=seed >> 62 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 32) as usize % bytes.len();
                bytes[at] = (seed >> 24) as u8;
            }
            let (mut picture, mut cache) = world(hash);
            match Steps::parse(&parts, &bytes, &cache) {
                Ok(steps) => {
                    drawn += 1;
                    picture.take(&steps, &mut cache, &mut Vec::new());
                    for tile in 0..parts.header.grid.tiles() {
                        assert_eq!(picture.hashes[tile], picture.hash(tile, &mut Vec::new()));
                    }
                }
                Err(_) => refused += 1,
            }
        }
        assert!(
            refused > 1_000 && drawn > 1_000,
            "{refused} refused, {drawn} drawn"
        );
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let (parts, good, hash) = rich();
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            let cache = world(hash).1;
            Steps::parse(&parts, &bytes, &cache).err()
        };
        assert_eq!(with(2, 2), Some(DecodeError::Keep), "runs overlap");
        assert_eq!(with(6, 4), Some(DecodeError::Keep), "no such tile");
        assert_eq!(with(8, 111), Some(DecodeError::Copy), "from outside");
        assert_eq!(with(12, 111), Some(DecodeError::Copy), "to outside");
        assert_eq!(with(16, 0), Some(DecodeError::Copy), "of nothing");
        assert_eq!(
            with(50, 62),
            Some(DecodeError::Entry),
            "a part of a cached tile"
        );
        assert_eq!(with(76, 0), Some(DecodeError::NotCached));
        let forgetting = Parts {
            forget: true,
            ..rich().0
        };
        let cache = world(hash).1;
        let outcome = Steps::parse(&forgetting, &good, &cache).err();
        assert_eq!(outcome, Some(DecodeError::NotCached));
        let cached = rich().1;
        let older = Parts {
            version: 1,
            ..rich().0
        };
        let outcome = Steps::parse(&older, &cached, &cache).err();
        assert_eq!(outcome, Some(DecodeError::Entry), "version 1 has no cache");
    }

    #[test]
    fn copies_that_write_more_than_the_picture_are_refused() {
        let grid = Grid::new(GRID.0, GRID.1).unwrap();
        let all = [0, 0, 0, 0, 0, 0, 0, 0, 150, 0, 70, 0];
        assert_eq!(copied(&[all], grid).map(|copies| copies.len()), Ok(1));
        assert_eq!(copied(&[all, all], grid), Err(DecodeError::Copy));
    }
}
