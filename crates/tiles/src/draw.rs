//! How a checked entry changes the pixels of a picture.

use crate::grid::{Grid, Rect};
use crate::hash::tile_hash;
use crate::unit::{Entry, Kind};
use crate::{palette, predict};

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
        for y in 0..tile.height {
            scratch.extend_from_slice(&self.rgba[self.row(tile, y)]);
        }
        tile_hash(tile.width, tile.height, scratch)
    }

    /// Where row `y` of `rect` lies in `rgba`.
    fn row(&self, rect: Rect, y: u32) -> std::ops::Range<usize> {
        let start = 4 * ((rect.y + y) as usize * self.grid.width() as usize + rect.x as usize);
        start..start + 4 * rect.width as usize
    }

    /// Draws a checked entry with the data that belongs to it.
    pub fn draw(&mut self, entry: &Entry, data: &[u8], scratch: &mut Vec<u8>) {
        let rect = on_screen(self.grid, entry);
        match entry.kind {
            Kind::Palette { colours } => self.draw_palette(rect, colours, data),
            Kind::Predicted(predictor) => self.draw_predicted(rect, predictor, data, scratch),
            Kind::Changed => self.draw_changed(rect, data),
        }
        self.hashes[entry.tile] = self.hash(entry.tile, scratch);
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
