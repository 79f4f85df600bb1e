//! The bytes of a tile unit, versions 1 and 2.
//!
//! All numbers are little-endian. A unit is a header, the inputs, and one zstd frame.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 2 | `47 54`, "GT" |
//! | 2 | 1 | version: 1 or 2, the lower where it suffices |
//! | 3 | 1 | kind of unit: 1 = tiles. Others are for video, sound |
//! | 4 | 8 | number of the update; grows within a connection |
//! | 12 | 8 | when the holder began to compose the picture, µs of its monotonic clock |
//! | 20 | 8 | [frame hash](crate::frame_hash) of the picture once the unit is applied |
//! | 28 | 2 | width of the picture |
//! | 30 | 2 | height of the picture |
//! | 32 | 2 | flags: bit 0 = reset, in version 2 bit 1 = forget; the others are 0 |
//! | 34 | 2 | inputs *n*, at most 16 |
//! | 36 | 4 | entries *m*, at most the tiles of the picture |
//! | 40 | 4 | bytes in the zstd frame once decompressed |
//! | 44 | 2 + 2 | in version 2 only: runs of tiles to keep *k*, copies *c*, at most 64 |
//! | then | 16 *n* | inputs: stream (8), the last sequence number the apps had had (8) |
//! | then | rest | one zstd frame with a window of at most 1 MiB |
//!
//! With **reset** the viewer begins with a black picture of the unit's size, and nothing is kept or
//! copied; without it the size is the one the viewer has. With **forget** the viewer's
//! [cache](crate::Cache) is emptied first.
//!
//! The decompressed bytes are *k* runs, *c* copies, *m* entries, then the data of each entry in the same
//! order. A viewer keeps tiles as they are before the unit, then copies, then draws entries; entries
//! find in the cache what was in it before the unit. Afterwards the cache counts those that were drawn as
//! used and then takes those that are kept, each in order.
//!
//! A run: the first tile (2), further tiles (2); runs ascend. A copy: x, y it is taken from (2 + 2), x, y,
//! width, height of where it goes (2 + 2 + 2 + 2); all copies take from the picture before the unit, and
//! together they write no more pixels than it has. An entry:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | index of the tile in the [grid](crate::Grid); above the entry before it |
//! | 4 | 1 | kind |
//! | 5 | 1 | parameter |
//! | 6 | 1 + 1 | x, y inside the tile of the part the entry changes |
//! | 8 | 1 + 1 | width − 1, height − 1 of the part |
//!
//! | kind | parameter | data |
//! |---|---|---|
//! | 0 palette | colours − 1 | the colours, `R G B` each; then, for each row of the part, one index per pixel, packed from the lowest bit up into 0, 1, 2, 4 or 8 bits (1, 2, ≤ 4, ≤ 16, ≤ 256 colours), each row padded to a byte |
//! | 1 predicted | predictor: 0 left, 1 up, 2 median | three planes (G, R − G, B − G), one byte per pixel: value − prediction, modulo 256 |
//! | 2 changed | 0 | three planes (R, G, B), one byte per pixel: new − old, modulo 256 |
//! | 3 cached, since version 2 | 0 | the [hash](crate::tile_hash) of a tile of this size in the viewer's cache |
//!
//! Predictions take the pixels of the part only: left and up of its edge count as 0; in the first row
//! every predictor is *left*, in the first column of the others it is *up*. *median* is that of left,
//! up and left + up − up-left, limited to 0..=255.
//!
//! An entry whose part is the whole tile and whose kind is 0 or 1 stands alone. Any other, and every copy,
//! builds on what the viewer holds, and is sent only to a viewer known to hold the very version it was
//! made from. A cached entry's part is the whole tile.

use crate::copy::{Copy, MAX_COPIES};
use crate::decode::DecodeError;
use crate::grid::{Grid, Rect};

/// The most inputs a unit names.
pub const MAX_INPUTS: usize = 16;
/// The window of a unit's zstd frame as a power of two, which bounds the memory of decoding.
pub const WINDOW_LOG: u32 = 20;

const MAGIC: [u8; 2] = *b"GT";
/// The highest version that is drawn here.
pub const VERSION: u8 = 2;

const KIND_TILES: u8 = 1;
const FLAG_RESET: u16 = 1;
const FLAG_FORGET: u16 = 2;
pub(crate) const ENTRY: usize = 10;
/// The bytes of a run of tiles to keep.
pub(crate) const KEEP: usize = 4;

/// Up to where the apps had had the input of a stream when the picture was composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HadInput {
    /// The input stream.
    pub stream: u64,
    /// Its last event that was had.
    pub seq: u64,
}

/// What a unit says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The number of the update, which the player acknowledges.
    pub update: u64,
    /// When the holder began to compose the picture, in microseconds of its monotonic clock.
    pub composed_at_us: u64,
    /// The hash of the picture once the unit is applied.
    pub frame_hash: u64,
    /// The size of the picture.
    pub grid: Grid,
    /// Begin with a black picture.
    pub reset: bool,
    /// What the apps had had; at most [`MAX_INPUTS`] go into a unit.
    pub had_input: Vec<HadInput>,
}

/// What a viewer does before it draws tiles. Nothing of it can be said in version 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prelude {
    /// Empties the cache.
    pub forget: bool,
    /// Tiles to keep as they are, ascending.
    pub keep: Vec<usize>,
    /// What has moved; at most [`MAX_COPIES`].
    pub copies: Vec<Copy>,
}

/// A unit taken apart, nothing of it decompressed.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub version: u8,
    pub header: Header,
    pub forget: bool,
    pub keeps: usize,
    pub copies: usize,
    pub entries: usize,
    pub unpacked: usize,
    pub packed: &'a [u8],
}

#[cfg(feature = "encode")]
impl Prelude {
    /// The bytes of what is kept and copied, and how many runs the former are.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) -> usize {
        let mut runs = 0;
        for run in self.keep.chunk_by(|tile, next| tile + 1 == *next) {
            // A picture has at most 128 × 128 tiles.
            bytes.extend_from_slice(&(run[0] as u16).to_le_bytes());
            bytes.extend_from_slice(&((run.len() - 1) as u16).to_le_bytes());
            runs += 1;
        }
        for copy in &self.copies {
            copy.write(bytes);
        }
        runs
    }
}

impl Header {
    /// Writes the header of a unit of these `sizes`: entries, decompressed bytes, and in version 2 the
    /// prelude with its runs of kept tiles.
    #[cfg(feature = "encode")]
    pub(crate) fn write(
        &self,
        (entries, unpacked): (usize, usize),
        prelude: Option<(&Prelude, usize)>,
        unit: &mut Vec<u8>,
    ) {
        let inputs = &self.had_input[..self.had_input.len().min(MAX_INPUTS)];
        let forget = prelude.is_some_and(|(prelude, _)| prelude.forget);
        let flags = if self.reset { FLAG_RESET } else { 0 } | if forget { FLAG_FORGET } else { 0 };
        unit.extend_from_slice(&MAGIC);
        unit.extend_from_slice(&[if prelude.is_some() { 2 } else { 1 }, KIND_TILES]);
        unit.extend_from_slice(&self.update.to_le_bytes());
        unit.extend_from_slice(&self.composed_at_us.to_le_bytes());
        unit.extend_from_slice(&self.frame_hash.to_le_bytes());
        // A grid's sides, a grid's tiles and what they decompress to are far below these types' limits.
        unit.extend_from_slice(&(self.grid.width() as u16).to_le_bytes());
        unit.extend_from_slice(&(self.grid.height() as u16).to_le_bytes());
        unit.extend_from_slice(&flags.to_le_bytes());
        unit.extend_from_slice(&(inputs.len() as u16).to_le_bytes());
        unit.extend_from_slice(&(entries as u32).to_le_bytes());
        unit.extend_from_slice(&(unpacked as u32).to_le_bytes());
        if let Some((prelude, runs)) = prelude {
            unit.extend_from_slice(&(runs as u16).to_le_bytes());
            unit.extend_from_slice(&(prelude.copies.len() as u16).to_le_bytes());
        }
        for input in inputs {
            unit.extend_from_slice(&input.stream.to_le_bytes());
            unit.extend_from_slice(&input.seq.to_le_bytes());
        }
    }
}

pub(crate) fn parse(unit: &[u8]) -> Result<Parts<'_>, DecodeError> {
    let mut bytes = Bytes(unit);
    if bytes.array()? != MAGIC {
        return Err(DecodeError::NotAUnit);
    }
    let [version, kind] = bytes.array()?;
    if !(1..=VERSION).contains(&version) || kind != KIND_TILES {
        return Err(DecodeError::Unsupported { version, kind });
    }
    let update = bytes.u64()?;
    let composed_at_us = bytes.u64()?;
    let frame_hash = bytes.u64()?;
    let (width, height) = (bytes.u16()?, bytes.u16()?);
    let grid = Grid::new(width.into(), height.into()).ok_or(DecodeError::Size)?;
    let flags = bytes.u16()?;
    let (reset, forget) = (flags & FLAG_RESET != 0, flags & FLAG_FORGET != 0);
    let known = if version == 1 {
        FLAG_RESET
    } else {
        FLAG_RESET | FLAG_FORGET
    };
    let inputs = usize::from(bytes.u16()?);
    let entries = bytes.u32()? as usize;
    let unpacked = bytes.u32()? as usize;
    let (keeps, copies) = match version {
        1 => (0, 0),
        _ => (usize::from(bytes.u16()?), usize::from(bytes.u16()?)),
    };
    if flags & !known != 0
        || inputs > MAX_INPUTS
        || entries > grid.tiles()
        || keeps > grid.tiles()
        || copies > MAX_COPIES
        || reset && (keeps, copies) != (0, 0)
    {
        return Err(DecodeError::Header);
    }
    let mut had_input = Vec::with_capacity(inputs);
    for _ in 0..inputs {
        let (stream, seq) = (bytes.u64()?, bytes.u64()?);
        had_input.push(HadInput { stream, seq });
    }
    Ok(Parts {
        version,
        header: Header {
            update,
            composed_at_us,
            frame_hash,
            grid,
            reset,
            had_input,
        },
        forget,
        keeps,
        copies,
        entries,
        unpacked,
        packed: bytes.0,
    })
}

/// How an entry's data is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Palette { colours: usize },
    Predicted(crate::predict::Predictor),
    Changed,
    Cached,
}

/// An entry of the table: which part of which tile, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub tile: usize,
    pub kind: Kind,
    /// Inside the tile.
    pub part: Rect,
}

impl Entry {
    /// The bytes of data that belong to it.
    pub fn data_len(&self) -> usize {
        match self.kind {
            Kind::Palette { colours } => {
                3 * colours
                    + crate::palette::row_bytes(self.part.width, colours)
                        * self.part.height as usize
            }
            Kind::Predicted(_) | Kind::Changed => 3 * self.part.area(),
            Kind::Cached => 8,
        }
    }

    #[cfg(feature = "encode")]
    pub fn write(&self, table: &mut Vec<u8>) {
        let (kind, parameter) = match self.kind {
            Kind::Palette { colours } => (0, (colours - 1) as u8),
            Kind::Predicted(predictor) => (1, predictor as u8),
            Kind::Changed => (2, 0),
            Kind::Cached => (3, 0),
        };
        let Rect {
            x,
            y,
            width,
            height,
        } = self.part;
        table.extend_from_slice(&(self.tile as u32).to_le_bytes());
        // Positions and sizes inside a tile are at most 64.
        table.extend_from_slice(&[kind, parameter, x as u8, y as u8]);
        table.extend_from_slice(&[(width - 1) as u8, (height - 1) as u8]);
    }

    /// Reads a row of the table and holds it against the grid.
    pub fn parse(row: &[u8; ENTRY], version: u8, grid: Grid) -> Result<Self, DecodeError> {
        let [a, b, c, d, kind, parameter, x, y, width, height] = *row;
        let tile = u32::from_le_bytes([a, b, c, d]) as usize;
        let kind = match (kind, parameter) {
            (0, last) => Kind::Palette {
                colours: usize::from(last) + 1,
            },
            (1, predictor) => Kind::Predicted(
                crate::predict::Predictor::from_byte(predictor).ok_or(DecodeError::Entry)?,
            ),
            (2, 0) => Kind::Changed,
            (3, 0) if version > 1 => Kind::Cached,
            _ => return Err(DecodeError::Entry),
        };
        let part = Rect {
            x: x.into(),
            y: y.into(),
            width: u32::from(width) + 1,
            height: u32::from(height) + 1,
        };
        if tile >= grid.tiles() {
            return Err(DecodeError::Entry);
        }
        let whole = grid.tile(tile);
        let beyond = part.x + part.width > whole.width || part.y + part.height > whole.height;
        let partial = (part.width, part.height) != (whole.width, whole.height);
        if beyond || kind == Kind::Cached && partial {
            return Err(DecodeError::Entry);
        }
        Ok(Self { tile, kind, part })
    }
}

/// What is left of a unit to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }
}
