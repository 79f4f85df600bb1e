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
