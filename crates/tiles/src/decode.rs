//! The viewer's picture, and how a unit changes it.

use crate::cache::Cache;
use crate::draw::{Picture, Pixels, on_screen};
use crate::grid::Rect;
use crate::hash::frame_hash;
use crate::steps::{Steps, most_bytes};
use crate::unit::{self, HadInput, WINDOW_LOG};
use ruzstd::decoding::FrameDecoder;

/// A unit that cannot be drawn. The picture is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends too early.
    #[error("the unit ends too early")]
    Short,
    /// It does not begin like a unit.
    #[error("these bytes are no unit")]
    NotAUnit,
    /// It is of a version or kind this build does not draw.
    #[error("version {version}, kind {kind} of units is not supported")]
    Unsupported {
        /// The version it has.
        version: u8,
        /// The kind it has.
        kind: u8,
    },
    /// Its picture has a size that none may have, or another than the one held.
    #[error("the unit is for a picture of another size")]
    Size,
    /// Its header contradicts itself.
    #[error("the header contradicts itself")]
    Header,
    /// Its data does not decompress to what the header says.
    #[error("the data does not decompress to what the header says")]
    Compression,
    /// An entry is out of bounds, out of order or of an unknown kind.
    #[error("an entry is out of bounds, out of order or of an unknown kind")]
    Entry,
    /// An entry's pixel has a colour that its palette lacks.
    #[error("a pixel has a colour that its palette lacks")]
    Colour,
    /// A copy is empty or out of bounds, or all of them write more than the picture has.
    #[error("a copy is empty or out of bounds")]
    Copy,
    /// A run of tiles to keep is out of bounds or out of order.
    #[error("tiles to keep are out of bounds or out of order")]
    Keep,
    /// An entry names a tile that the cache lacks, or has in another size: say anew what is held.
    #[error("a tile is not in the cache")]
    NotCached,
}

/// What a unit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Its number, to acknowledge.
    pub update: u64,
    /// When the holder began to compose the picture, in microseconds of its monotonic clock.
    pub composed_at_us: u64,
    /// The picture was begun anew, perhaps in another size.
    pub reset: bool,
    /// What the apps had had when it was composed.
    pub had_input: Vec<HadInput>,
    /// What changed. After a reset: everything.
    pub damage: Vec<Rect>,
    /// The picture is the session's. Otherwise say anew which tiles are held.
    pub frame_hash_matches: bool,
}

/// A viewer's picture, and what it keeps of those before.
#[derive(Default)]
pub struct Framebuffer {
    picture: Option<Picture>,
    cache: Cache<Pixels>,
    zstd: FrameDecoder,
    // Kept between units: a fresh buffer costs more than its use.
    unpacked: Vec<u8>,
    scratch: Vec<u8>,
}

impl Framebuffer {
    /// A viewer's picture before its first unit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws a unit.
    ///
    /// # Errors
    /// The unit cannot be drawn; the picture is as it was.
    pub fn apply(&mut self, unit: &[u8]) -> Result<Applied, DecodeError> {
        let parts = unit::parse(unit)?;
        let grid = parts.header.grid;
        if !parts.header.reset && self.picture.as_ref().map(|p| p.grid) != Some(grid) {
            return Err(DecodeError::Size);
        }
        self.unpack(&parts)?;
        let steps = Steps::parse(&parts, &self.unpacked, &self.cache)?;

        // From here on nothing fails.
        let reset = parts.header.reset;
        let picture = match &mut self.picture {
            Some(picture) if !reset => picture,
            picture => picture.insert(Picture::black(grid)),
        };
        if parts.forget {
            self.cache.clear();
        }
        picture.take(&steps, &mut self.cache, &mut self.scratch);
        let damage = if reset {
            vec![grid.whole()]
        } else {
            let drawn = joined(
                steps
                    .entries
                    .iter()
                    .map(|(entry, _)| on_screen(grid, entry)),
            );
            steps
                .copies
                .iter()
                .map(|copy| copy.to)
                .chain(drawn)
                .collect()
        };
        Ok(Applied {
            update: parts.header.update,
            composed_at_us: parts.header.composed_at_us,
            reset,
            had_input: parts.header.had_input,
            damage,
            frame_hash_matches: frame_hash(grid, picture.hashes.iter().copied())
                == parts.header.frame_hash,
        })
    }

    /// Decompresses a unit.
    fn unpack(&mut self, parts: &unit::Parts<'_>) -> Result<(), DecodeError> {
        if parts.unpacked > most_bytes(parts) {
            return Err(DecodeError::Header);
        }
        self.unpacked.clear();
        self.unpacked.resize(parts.unpacked, 0);
        self.zstd.set_max_window_size(1 << WINDOW_LOG);
        match self.zstd.decode_all(parts.packed, &mut self.unpacked) {
            Ok(length) if length == parts.unpacked => Ok(()),
            Ok(_) | Err(_) => Err(DecodeError::Compression),
        }
    }

    /// Pixels across; 0 before the first unit.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.picture.as_ref().map_or(0, |p| p.grid.width())
    }

    /// Pixels down; 0 before the first unit.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.picture.as_ref().map_or(0, |p| p.grid.height())
    }

    /// The pixels, `R G B 255` each, row after row without padding.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        self.picture.as_ref().map_or(&[], |p| &p.rgba)
    }

    /// The hash of each tile, row after row: what the viewer holds. Empty before the first unit.
    #[must_use]
    pub fn tile_hashes(&self) -> &[u64] {
        self.picture.as_ref().map_or(&[], |p| &p.hashes)
    }

    /// The hash of the picture, computed anew from all its pixels; 0 before the first unit.
    #[must_use]
    pub fn frame_hash(&self) -> u64 {
        self.picture.as_ref().map_or(0, |p| {
            let mut scratch = Vec::new();
            frame_hash(
                p.grid,
                (0..p.grid.tiles()).map(|index| p.hash(index, &mut scratch)),
            )
        })
    }
}

/// Rectangles with those that continue one another to the right made one.
fn joined(rects: impl Iterator<Item = Rect>) -> Vec<Rect> {
    let mut joined: Vec<Rect> = Vec::new();
    for rect in rects {
        match joined.last_mut() {
            Some(last)
                if (last.y, last.height) == (rect.y, rect.height)
                    && last.x + last.width == rect.x =>
            {
                last.width += rect.width;
            }
            _ => joined.push(rect),
        }
    }
    joined
}

#[cfg(test)]
#[cfg(feature = "encode")]
mod tests {
    use super::*;
    use crate::unit::{ENTRY, Prelude};
    use crate::{Encoder, Grid, Header, Tile};

    /// A unit of several kinds of entries and its decompressed bytes.
    fn rich_unit() -> (Header, Vec<u8>) {
        let grid = Grid::new(150, 70).unwrap();
        let bgrx: Vec<u8> = (0..4 * 150 * 70_usize)
            .map(|at| match at / 4 % 150 {
                0..64 => (at.wrapping_mul(at) >> 3) as u8,
                64..128 => (at / 600 % 3) as u8,
                _ => 7,
            })
            .collect();
        let mut encoder = Encoder::new().unwrap();
        let tiles = (0..grid.tiles()).map(|index| Tile::from_bgrx(&bgrx, 600, grid.tile(index)));
        let codes: Vec<_> = tiles
            .map(|tile| encoder.tile(&tile, None).unwrap())
            .collect();
        let header = Header {
            update: 1,
            composed_at_us: 2,
            frame_hash: 3,
            grid,
            reset: true,
            had_input: vec![HadInput { stream: 4, seq: 5 }],
        };
        let unit = encoder
            .unit(&header, &Prelude::default(), codes.iter().enumerate())
            .unwrap();
        let parts = unit::parse(&unit).unwrap();
        let mut unpacked = vec![0; parts.unpacked];
        FrameDecoder::new()
            .decode_all(parts.packed, &mut unpacked)
            .unwrap();
        assert_eq!(parts.header, header);
        (header, unpacked)
    }

    fn repacked(header: &Header, entries: usize, unpacked: &[u8]) -> Vec<u8> {
        let mut unit = Vec::new();
        header.write((entries, unpacked.len()), None, &mut unit);
        unit.extend(zstd::bulk::compress(unpacked, 1).unwrap());
        unit
    }

    #[test]
    fn damage_under_the_compression_is_refused_or_drawn_but_never_panics() {
        let (header, unpacked) = rich_unit();
        let table = header.grid.tiles() * ENTRY;
        let (mut seed, mut refused, mut drawn) = (1_u64, 0, 0);
        for _ in 0..20_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mut bytes = unpacked.clone();
            let within = if seed >> 63 == 0 { table } else { bytes.len() };
            bytes[(seed >> 32) as usize % within] = (seed >> 24) as u8;
            let unit = repacked(&header, header.grid.tiles(), &bytes);
            match Framebuffer::new().apply(&unit) {
                Ok(_) => drawn += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(
            refused > 1_000 && drawn > 1_000,
            "{refused} refused, {drawn} drawn"
        );
    }

    #[test]
    fn a_tile_named_twice_or_out_of_order_is_refused() {
        let (header, unpacked) = rich_unit();
        for (first, second) in [(0, 0), (1, 0)] {
            let mut bytes = unpacked.clone();
            bytes[0] = first;
            bytes[ENTRY] = second;
            let unit = repacked(&header, header.grid.tiles(), &bytes);
            assert_eq!(Framebuffer::new().apply(&unit), Err(DecodeError::Entry));
        }
    }

    #[test]
    fn a_colour_outside_the_palette_is_refused() {
        let grid = Grid::new(2, 1).unwrap();
        let header = Header {
            grid,
            had_input: Vec::new(),
            ..rich_unit().0
        };
        // Three colours in two bits each; 0b11 would be a fourth.
        let entry = [0, 0, 0, 0, 0, 2, 0, 0, 1, 0];
        let colours = [1, 1, 1, 2, 2, 2, 3, 3, 3];
        let with = |indices: u8| {
            let bytes = [&entry[..], &colours, &[indices]].concat();
            let mut viewer = Framebuffer::new();
            let outcome = viewer.apply(&repacked(&header, 1, &bytes));
            outcome.map(|_| viewer.pixels().to_vec())
        };
        assert_eq!(with(0b10_01), Ok(vec![2, 2, 2, 255, 3, 3, 3, 255]));
        assert_eq!(with(0b11_01), Err(DecodeError::Colour));
    }

    #[test]
    fn neighbours_in_a_row_are_one_rectangle_of_damage() {
        let rect = |x, y, width| Rect {
            x,
            y,
            width,
            height: 64,
        };
        let rects = [
            rect(0, 0, 64),
            rect(64, 0, 64),
            rect(192, 0, 8),
            rect(0, 64, 64),
        ];
        assert_eq!(
            joined(rects.into_iter()),
            [rect(0, 0, 128), rect(192, 0, 8), rect(0, 64, 64)]
        );
    }
}
