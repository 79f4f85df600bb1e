//! How a checked entry changes the pixels of a picture.

use crate::cache::Cache;
use crate::copy::Copy;
use crate::grid::{Grid, Rect};
use crate::hash::tile_hash;
use crate::steps::{Steps, cached_hash};
use crate::unit::{Entry, Kind};
use crate::{palette, predict};

/// A tile that a viewer keeps.
pub struct Pixels {
    width: u32,
    rgba: Box<[u8]>,
}

impl Pixels {
    /// Its width and height.
    pub fn size(&self) -> (u32, u32) {
        // A kept tile has pixels; its height is a tile's.
        (
            self.width,
            (self.rgba.len() / (4 * self.width as usize)) as u32,
        )
    }
}

/// The pixels a viewer holds.
pub struct Picture {
    /// Its size.
    pub grid: Grid,
    /// `R G B 255` each, row after row without padding.
    pub rgba: Vec<u8>,
    /// Of each tile.
    pub hashes: Vec<u64>,
}

impl Picture {
    /// A black picture.
    pub fn black(grid: Grid) -> Self {
        let rgba = [0, 0, 0, 255].repeat(grid.whole().area());
        let mut picture = Self {
            grid,
            rgba,
            hashes: Vec::with_capacity(grid.tiles()),
        };
        // Black tiles are alike but for the size, and there are four sizes at most.
        let mut known: Vec<(u32, u32, u64)> = Vec::new();
        let mut scratch = Vec::new();
        for index in 0..grid.tiles() {
            let Rect { width, height, .. } = grid.tile(index);
            let alike = known.iter().find(|(w, h, _)| (*w, *h) == (width, height));
            let hash = alike.map_or_else(|| picture.hash(index, &mut scratch), |(.., hash)| *hash);
            if alike.is_none() {
                known.push((width, height, hash));
            }
            picture.hashes.push(hash);
        }
        picture
    }

    /// The hash of a tile, computed from its pixels.
    pub fn hash(&self, index: usize, scratch: &mut Vec<u8>) -> u64 {
        let tile = self.grid.tile(index);
        scratch.clear();
        self.gather(tile, scratch);
        tile_hash(tile.width, tile.height, scratch)
    }

    /// Where row `y` of `rect` lies in `rgba`.
    fn row(&self, rect: Rect, y: u32) -> std::ops::Range<usize> {
        let start = 4 * ((rect.y + y) as usize * self.grid.width() as usize + rect.x as usize);
        start..start + 4 * rect.width as usize
    }

    /// Adds the pixels of a rectangle to others, row after row.
    fn gather(&self, rect: Rect, into: &mut Vec<u8>) {
        for y in 0..rect.height {
            into.extend_from_slice(&self.rgba[self.row(rect, y)]);
        }
    }

    /// Does what a unit says.
    pub fn take(&mut self, steps: &Steps<'_>, cache: &mut Cache<Pixels>, scratch: &mut Vec<u8>) {
        let kept: Vec<_> = steps
            .keep
            .iter()
            .map(|tile| (self.hashes[*tile], self.pixels(*tile)))
            .collect();
        self.copy(&steps.copies, scratch);
        let mut stale: Vec<bool> = vec![false; self.hashes.len()];
        for tile in steps
            .copies
            .iter()
            .flat_map(|copy| self.grid.touched(copy.to))
        {
            stale[tile] = true;
        }
        for (entry, data) in &steps.entries {
            stale[entry.tile] = entry.kind != Kind::Cached;
            let rect = on_screen(self.grid, entry);
            match entry.kind {
                Kind::Palette { colours } => self.draw_palette(rect, colours, data),
                Kind::Predicted(predictor) => self.draw_predicted(rect, predictor, data, scratch),
                Kind::Changed => self.draw_changed(rect, data),
                Kind::Cached => {
                    let hash = cached_hash(data);
                    if let Some(pixels) = cache.get(hash) {
                        self.draw_pixels(rect, &pixels.rgba);
                        self.hashes[entry.tile] = hash;
                    }
                    cache.touch(hash);
                }
            }
        }
        for tile in (0..stale.len()).filter(|tile| stale[*tile]) {
            self.hashes[tile] = self.hash(tile, scratch);
        }
        for (hash, pixels) in kept {
            cache.keep(hash, pixels);
        }
    }

    /// The pixels of a tile.
    pub fn pixels(&self, index: usize) -> Pixels {
        let tile = self.grid.tile(index);
        let mut rgba = Vec::with_capacity(4 * tile.area());
        self.gather(tile, &mut rgba);
        Pixels {
            width: tile.width,
            rgba: rgba.into(),
        }
    }

    /// Moves what has moved: all is taken before any is put, since one may lie where another is taken from.
    fn copy(&mut self, copies: &[Copy], scratch: &mut Vec<u8>) {
        scratch.clear();
        for from in copies.iter().map(Copy::from) {
            self.gather(from, scratch);
        }
        let mut at = 0;
        for copy in copies {
            let bytes = 4 * copy.to.area();
            let taken = &scratch[at..at + bytes];
            self.draw_pixels(copy.to, taken);
            at += bytes;
        }
    }

    fn draw_pixels(&mut self, rect: Rect, rgba: &[u8]) {
        for (y, line) in (0..rect.height).zip(rgba.chunks(4 * rect.width as usize)) {
            let row = self.row(rect, y);
            self.rgba[row].copy_from_slice(line);
        }
    }

    fn draw_palette(&mut self, rect: Rect, colours: usize, data: &[u8]) {
        let (list, packed) = data.split_at(3 * colours);
        let bytes = palette::row_bytes(rect.width, colours);
        let mut indices = [0; crate::TILE as usize];
        let indices = &mut indices[..rect.width as usize];
        for y in 0..rect.height {
            let start = y as usize * bytes;
            palette::unpack_row(&packed[start..start + bytes], colours, indices);
            let row = self.row(rect, y);
            for (pixel, index) in self.rgba[row]
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(&*indices)
            {
                let colour = 3 * usize::from(*index);
                pixel[..3].copy_from_slice(&list[colour..colour + 3]);
            }
        }
    }

    fn draw_predicted(
        &mut self,
        rect: Rect,
        predictor: predict::Predictor,
        data: &[u8],
        scratch: &mut Vec<u8>,
    ) {
        scratch.clear();
        scratch.extend_from_slice(data);
        let (width, area) = (rect.width as usize, rect.area());
        for plane in scratch.chunks_mut(area) {
            predict::restore(predictor, plane, width);
        }
        let (g, rest) = scratch.split_at(area);
        let (r, b) = rest.split_at(area);
        for y in 0..rect.height {
            let at = y as usize * width;
            let row = self.row(rect, y);
            for (x, pixel) in self.rgba[row].as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let green = g[at + x];
                pixel[0] = r[at + x].wrapping_add(green);
                pixel[1] = green;
                pixel[2] = b[at + x].wrapping_add(green);
            }
        }
    }

    fn draw_changed(&mut self, rect: Rect, data: &[u8]) {
        let (width, area) = (rect.width as usize, rect.area());
        for y in 0..rect.height {
            let at = y as usize * width;
            let row = self.row(rect, y);
            for (x, pixel) in self.rgba[row].as_chunks_mut::<4>().0.iter_mut().enumerate() {
                for (channel, value) in pixel[..3].iter_mut().enumerate() {
                    *value = value.wrapping_add(data[channel * area + at + x]);
                }
            }
        }
    }
}

/// Where an entry's part lies in the picture.
pub fn on_screen(grid: Grid, entry: &Entry) -> Rect {
    let tile = grid.tile(entry.tile);
    Rect {
        x: tile.x + entry.part.x,
        y: tile.y + entry.part.y,
        ..entry.part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_black_picture_knows_the_hashes_of_its_tiles() {
        let picture = Picture::black(Grid::new(200, 130).unwrap());
        let mut scratch = Vec::new();
        for (index, hash) in picture.hashes.iter().enumerate() {
            assert_eq!(*hash, picture.hash(index, &mut scratch));
        }
    }
}
