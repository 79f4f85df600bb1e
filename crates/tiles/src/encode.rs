//! How a tile becomes bytes, and bytes a unit.

use crate::grid::Rect;
use crate::palette::{self, Colours};
use crate::predict::{self, Predictor};
use crate::tile::Tile;
use crate::unit::{Entry, Header, Kind, Prelude, WINDOW_LOG};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// One tile's change, encoded but for the compression that a unit's tiles share.
///
/// It depends on the tile's content and on the version it builds on, not on where the tile lies, when,
/// or for whom: viewers share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileCode {
    kind: Kind,
    part: Rect,
    data: Vec<u8>,
}

impl TileCode {
    /// That a viewer takes a tile of this content out of its cache.
    #[must_use]
    pub fn cached(tile: &Tile) -> Self {
        Self {
            kind: Kind::Cached,
            part: tile.whole(),
            data: tile.hash().to_le_bytes().into(),
        }
    }

    /// The pixels that it describes.
    #[must_use]
    pub fn area(&self) -> usize {
        self.part.area()
    }

    /// Its size in memory, roughly, for whoever keeps several.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }
}

/// Makes units. It holds no state that a unit depends on, only buffers worth keeping.
pub struct Encoder {
    zstd: Compressor<'static>,
    colours: Colours,
    planes: [Vec<u8>; 3],
    trial: Vec<u8>,
    best: Vec<u8>,
}

impl Encoder {
    /// An encoder.
    ///
    /// # Errors
    /// zstd has no memory, or does not know a setting.
    pub fn new() -> std::io::Result<Self> {
        let mut zstd = Compressor::new(1)?;
        zstd.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
        Ok(Self {
            zstd,
            colours: Colours::new(),
            planes: Default::default(),
            trial: Vec::new(),
            best: Vec::new(),
        })
    }

    /// What turns `held`, the version the viewer is known to hold, into `now`; without `held`, what
    /// makes `now` from nothing. `None` when they are the same.
    pub fn tile(&mut self, now: &Tile, held: Option<&Tile>) -> Option<TileCode> {
        let held = held.filter(|held| held.whole() == now.whole());
        let Some(held) = held else {
            return Some(self.alone(now, now.whole()));
        };
        let change = Change::between(held, now)?;
        // Far fewer pixels changed than the part has: zeros are nearly free, so sending only the
        // differences beats describing all of the part again.
        if change.pixels * SPARSE < change.part.area() {
            return Some(changed(held, now, change.part));
        }
        Some(self.alone(now, change.part))
    }

    /// The part of `now`, without regard to what was there.
    fn alone(&mut self, now: &Tile, part: Rect) -> TileCode {
        let few = self.colours.take(now.colours(part));
        let colours = self.colours.list.len();
        // In a small part of many colours the list would cost more than the residuals.
        if few && (colours <= 16 || colours * 4 <= part.area()) {
            let mut data = Vec::with_capacity(3 * colours + part.area());
            for colour in &self.colours.list {
                data.extend_from_slice(&colour.to_le_bytes()[..3]);
            }
            for row in self.colours.indices.chunks(part.width as usize) {
                palette::pack_row(row, colours, &mut data);
            }
            return TileCode {
                kind: Kind::Palette { colours },
                part,
                data,
            };
        }
        let predictor = self.predict(now, part);
        TileCode {
            kind: Kind::Predicted(predictor),
            part,
            data: self.best.clone(),
        }
    }

    /// Leaves in `best` the residuals of the predictor whose residuals are the smallest.
    fn predict(&mut self, now: &Tile, part: Rect) -> Predictor {
        for plane in &mut self.planes {
            plane.clear();
        }
        let [green, red, blue] = &mut self.planes;
        for y in part.y..part.y + part.height {
            let row = now.row(part, y);
            green.extend(row.iter().map(|[_, g, _, _]| *g));
            red.extend(row.iter().map(|[r, g, _, _]| r.wrapping_sub(*g)));
            blue.extend(row.iter().map(|[_, g, b, _]| b.wrapping_sub(*g)));
        }
        let mut least = (u64::MAX, Predictor::Left);
        for predictor in Predictor::ALL {
            self.trial.clear();
            for plane in &self.planes {
                predict::residuals(predictor, plane, part.width as usize, &mut self.trial);
            }
            let cost = self
                .trial
                .iter()
                .map(|byte| u64::from(byte.cast_signed().unsigned_abs()))
                .sum();
            if cost < least.0 {
                least = (cost, predictor);
                std::mem::swap(&mut self.best, &mut self.trial);
            }
        }
        least.1
    }

    /// A unit that has a viewer do this, then draw these tiles, whose indices ascend. It is of the lowest
    /// version that can say so.
    ///
    /// # Errors
    /// zstd has no memory.
    pub fn unit<'a>(
        &mut self,
        header: &Header,
        prelude: &Prelude,
        tiles: impl Iterator<Item = (usize, &'a TileCode)> + Clone,
    ) -> std::io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        let runs = prelude.write(&mut unpacked);
        let (mut entries, mut plain) = (0, *prelude == Prelude::default());
        for (tile, code) in tiles.clone() {
            Entry {
                tile,
                kind: code.kind,
                part: code.part,
            }
            .write(&mut unpacked);
            entries += 1;
            plain &= code.kind != Kind::Cached;
        }
        for (_, code) in tiles {
            unpacked.extend_from_slice(&code.data);
        }
        self.zstd.set_compression_level(level(unpacked.len()))?;
        let packed = self.zstd.compress(&unpacked)?;
        let mut unit = Vec::with_capacity(128 + packed.len());
        let prelude = (!plain).then_some((prelude, runs));
        header.write((entries, unpacked.len()), prelude, &mut unit);
        unit.extend_from_slice(&packed);
        Ok(unit)
    }
}

/// How many times more pixels a part must have than were changed for the differences to be sent.
const SPARSE: usize = 8;

/// What is small is worth effort, what is large must not keep the viewer waiting.
fn level(bytes: usize) -> i32 {
    match bytes {
        0..=0x4000 => 9,
        0x4001..=0x4_0000 => 3,
        _ => 1,
    }
}

/// Where two versions of a tile differ.
struct Change {
    part: Rect,
    pixels: usize,
}

impl Change {
    fn between(held: &Tile, now: &Tile) -> Option<Self> {
        let whole = now.whole();
        let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
        let mut pixels = 0;
        for y in 0..whole.height {
            let (old, new) = (held.row(whole, y), now.row(whole, y));
            if old == new {
                continue;
            }
            top = top.min(y);
            bottom = y;
            for (x, _) in (0..)
                .zip(old.iter().zip(new))
                .filter(|(_, (old, new))| old != new)
            {
                left = left.min(x);
                right = right.max(x);
                pixels += 1;
            }
        }
        (pixels > 0).then(|| Self {
            part: Rect {
                x: left,
                y: top,
                width: right - left + 1,
                height: bottom - top + 1,
            },
            pixels,
        })
    }
}

fn changed(held: &Tile, now: &Tile, part: Rect) -> TileCode {
    let mut data = Vec::with_capacity(3 * part.area());
    for channel in 0..3 {
        for y in part.y..part.y + part.height {
            let rows = now.row(part, y).iter().zip(held.row(part, y));
            data.extend(rows.map(|(now, held)| now[channel].wrapping_sub(held[channel])));
        }
    }
    TileCode {
        kind: Kind::Changed,
        part,
        data,
    }
}
