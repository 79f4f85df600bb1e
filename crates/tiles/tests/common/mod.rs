//! A session and a viewer without a network: pictures to send, and what a streamer would send of them.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    reason = "a world that cannot be built fails its test"
)]

use greenroom_tiles::{
    Applied, Copy, Encoder, Framebuffer, Grid, Header, Pictures, Prelude, Rect, Tile, TileCode,
    frame_hash,
};
use std::rc::Rc;

/// Numbers that look random and are the same in each run (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit)) as u32
    }
}

/// A picture in memory as the holder writes it, with rows longer than they need be.
#[derive(Clone)]
pub struct Screen {
    pub grid: Grid,
    pub stride: usize,
    pub bgrx: Vec<u8>,
}

impl Screen {
    pub fn new(width: u32, height: u32) -> Self {
        let stride = 4 * width as usize + 12;
        Self {
            grid: Grid::new(width, height).unwrap(),
            stride,
            bgrx: vec![0xee; stride * height as usize],
        }
    }

    pub fn set(&mut self, x: u32, y: u32, [r, g, b]: [u8; 3]) {
        let at = y as usize * self.stride + 4 * x as usize;
        self.bgrx[at..at + 3].copy_from_slice(&[b, g, r]);
    }

    pub fn paint(&mut self, rect: Rect, mut colour: impl FnMut(u32, u32) -> [u8; 3]) {
        for y in rect.y..(rect.y + rect.height).min(self.grid.height()) {
            for x in rect.x..(rect.x + rect.width).min(self.grid.width()) {
                self.set(x, y, colour(x, y));
            }
        }
    }

    pub fn everything(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: self.grid.width(),
            height: self.grid.height(),
        }
    }

    /// A glyph-like blot of smoothed strokes in a cell of 9 × 18 pixels.
    pub fn glyph(&mut self, column: u32, row: u32, code: u64) {
        let mut shape = Random(code);
        let mut strokes = [0_u8; 9 * 18];
        for _ in 0..4 {
            let (x, y) = (1 + shape.below(6), 3 + shape.below(11));
            let upright = shape.below(2) == 0;
            for step in 0..5 {
                let (x, y) = if upright {
                    (x, (y + step).min(16))
                } else {
                    ((x + step).min(7), y)
                };
                strokes[(y * 9 + x) as usize] = 220;
                strokes[(y * 9 + x + 1) as usize] |= 96 + shape.below(4) as u8 * 24;
            }
        }
        let cell = Rect {
            x: column * 9,
            y: row * 18,
            width: 9,
            height: 18,
        };
        self.paint(cell, |x, y| {
            let level = strokes[((y % 18) * 9 + x % 9) as usize];
            [level.saturating_sub(8), level, level.saturating_add(10)]
        });
    }

    /// A terminal full of text.
    pub fn terminal(width: u32, height: u32) -> Self {
        let mut screen = Self::new(width, height);
        screen.paint(screen.everything(), |_, _| [0, 0, 10]);
        let mut text = Random(7);
        for row in 0..height / 18 {
            let length = text.below(width / 9);
            for column in 0..length {
                let code = text.next() % 60;
                screen.glyph(column, row, code);
            }
        }
        screen
    }

    /// Moves what is in `from` by `dx`, `dy`; what would leave the picture is lost.
    pub fn shift(&mut self, from: Rect, dx: i32, dy: i32) {
        let before = self.bgrx.clone();
        for y in from.y..from.y + from.height {
            for x in from.x..from.x + from.width {
                let (to_x, to_y) = (x as i32 + dx, y as i32 + dy);
                let inside = (0..self.grid.width() as i32).contains(&to_x)
                    && (0..self.grid.height() as i32).contains(&to_y);
                if inside {
                    let at = |x: usize, y: usize| y * self.stride + 4 * x;
                    let (to, from) = (at(to_x as usize, to_y as usize), at(x as usize, y as usize));
                    self.bgrx[to..to + 4].copy_from_slice(&before[from..from + 4]);
                }
            }
        }
    }

    /// A random change of a random kind.
    pub fn scribble(&mut self, random: &mut Random) {
        let (width, height) = (self.grid.width(), self.grid.height());
        let (x, y) = (random.below(width), random.below(height));
        let rect = Rect {
            x,
            y,
            width: 1 + random.below(90),
            height: 1 + random.below(90),
        };
        let salt = random.next();
        match random.below(5) {
            0 => self.paint(rect, |_, _| {
                [salt as u8, (salt >> 8) as u8, (salt >> 16) as u8]
            }),
            1 => self.paint(rect, |x, y| {
                [(x * 3) as u8, (y * 2) as u8, (x + y) as u8 ^ salt as u8]
            }),
            2 => self.paint(rect, |_, _| {
                random.next().to_le_bytes()[..3].try_into().unwrap()
            }),
            3 => self.paint(rect, |x, y| {
                if (x ^ y) & 3 == 0 {
                    [255; 3]
                } else {
                    [salt as u8; 3]
                }
            }),
            _ => {
                // A few pixels far apart.
                for _ in 0..3 {
                    let (x, y) = (random.below(width), random.below(height));
                    self.set(x, y, [salt as u8, 0, 255]);
                }
            }
        }
    }

    pub fn tiles(&self) -> Vec<Rc<Tile>> {
        (0..self.grid.tiles())
            .map(|index| self.grid.tile(index))
            .map(|rect| Rc::new(Tile::from_bgrx(&self.bgrx, self.stride, rect)))
            .collect()
    }

    pub fn hash(&self) -> u64 {
        frame_hash(self.grid, self.tiles().iter().map(|tile| tile.hash()))
    }

    /// The pixels as a viewer is to have them.
    pub fn rgba(&self) -> Vec<u8> {
        let row = 4 * self.grid.width() as usize;
        self.bgrx
            .chunks(self.stride)
            .flat_map(|line| line[..row].as_chunks::<4>().0)
            .flat_map(|[b, g, r, _]| [*r, *g, *b, 255])
            .collect()
    }
}

/// What a streamer sends a viewer that holds `held`, or nothing when that is `None`.
pub fn unit(encoder: &mut Encoder, update: u64, now: &Screen, held: Option<&Screen>) -> Vec<u8> {
    let (tiles, before) = (now.tiles(), held.map(Screen::tiles));
    let codes: Vec<_> = tiles
        .iter()
        .enumerate()
        .filter_map(|(index, tile)| {
            Some((
                index,
                encoder.tile(tile, before.as_ref().map(|held| &*held[index]))?,
            ))
        })
        .collect();
    let header = Header {
        update,
        composed_at_us: 1_000 * update,
        frame_hash: frame_hash(now.grid, tiles.iter().map(|tile| tile.hash())),
        grid: now.grid,
        reset: held.is_none(),
        had_input: Vec::new(),
    };
    let codes = codes.iter().map(|(index, code)| (*index, code));
    encoder.unit(&header, &Prelude::default(), codes).unwrap()
}

/// What a streamer sends a viewer that holds `held` and can copy; also what is copied.
pub fn unit_of_moves(
    encoder: &mut Encoder,
    update: u64,
    now: &Screen,
    held: &Screen,
) -> (Vec<u8>, Vec<Copy>) {
    let (tiles, before) = (now.tiles(), held.tiles());
    let changed: Vec<_> = (0..tiles.len())
        .filter(|index| tiles[*index].hash() != before[*index].hash())
        .collect();
    let pictures = Pictures {
        grid: now.grid,
        held: &before,
        now: &tiles,
    };
    let copies = pictures.copies(&changed);
    let prelude = Prelude {
        copies: copies.clone(),
        ..Prelude::default()
    };
    let unit = unit_with(encoder, update, now, held, prelude, &[]);
    (unit, copies)
}

/// What leads a viewer that holds `held` to `now` by way of `prelude`, tiles `cached` from its cache.
pub fn unit_with(
    encoder: &mut Encoder,
    update: u64,
    now: &Screen,
    held: &Screen,
    prelude: Prelude,
    cached: &[usize],
) -> Vec<u8> {
    let (tiles, before) = (now.tiles(), held.tiles());
    let pictures = Pictures {
        grid: now.grid,
        held: &before,
        now: &tiles,
    };
    let codes: Vec<_> = tiles
        .iter()
        .enumerate()
        .filter_map(|(index, tile)| {
            if cached.contains(&index) {
                return Some((index, TileCode::cached(tile)));
            }
            let copied = pictures.copied(&prelude.copies, index);
            let base = copied.as_ref().unwrap_or(&*before[index]);
            let code = encoder.tile(tile, Some(base));
            assert!(!pictures.made(&prelude.copies, index) || code.is_none());
            Some((index, code?))
        })
        .collect();
    let header = Header {
        update,
        composed_at_us: 1_000 * update,
        frame_hash: frame_hash(now.grid, tiles.iter().map(|tile| tile.hash())),
        grid: now.grid,
        reset: false,
        had_input: Vec::new(),
    };
    let codes = codes.iter().map(|(index, code)| (*index, code));
    encoder.unit(&header, &prelude, codes).unwrap()
}

/// Applies a unit and holds the picture against the session's.
pub fn shows(viewer: &mut Framebuffer, unit: &[u8], screen: &Screen) -> Applied {
    let applied = viewer.apply(unit).unwrap();
    assert!(applied.frame_hash_matches);
    assert_eq!(viewer.frame_hash(), screen.hash());
    assert!(viewer.pixels() == screen.rgba(), "the pixels differ");
    applied
}
