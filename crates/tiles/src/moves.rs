//! Finds what has moved between two pictures, from their pixels alone.
//!
//! Anchors of the new picture are looked for in the old one, and the way most of them went is taken.
//! Where the pixels went the same way is then measured row by row. A copy need not be right everywhere:
//! whoever makes a unit encodes the difference to the picture *after* the copies, so what is found here
//! decides what a unit costs and never what a viewer sees.

use crate::copy::{self, MAX_COPIES};
use crate::grid::{Grid, Rect, TILE};
use crate::tile::Tile;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Anchors that must have gone the same way.
const LEAST_VOTES: usize = 4;

/// Anchors that are asked for their vote.
const ENOUGH_ANCHORS: usize = 1000;

/// Ways that are tried. A pattern that repeats votes for ways that nothing went.
const MOST_SHIFTS: usize = 3;

/// Places at which an anchor may have been; one that was at more says nothing, nor does one that is still
/// where it was.
const MOST_PLACES: usize = 4;

/// Rows that are worth a copy.
const LEAST_ROWS: u32 = 8;

/// Segments of a row that are held against where they came from, and how many may differ: a caret or a
/// row under the pointer does not cut a copy in two.
const SEGMENTS: u32 = 8;
const MAY_DIFFER: u32 = 1;

/// Two pictures of one size, as tiles.
pub struct Pictures<'a> {
    /// Their size.
    pub grid: Grid,
    /// The picture before.
    pub held: &'a [Rc<Tile>],
    /// The picture now.
    pub now: &'a [Rc<Tile>],
}

impl Pictures<'_> {
    /// What has moved, looked for where tiles `changed`, which ascend. Rectangles do not overlap.
    #[must_use]
    pub fn copies(&self, changed: &[usize]) -> Vec<copy::Copy> {
        let shifts = self.shifts(changed);
        shifts
            .iter()
            .map(|shift| self.moved(shift, changed))
            .find(|copies| !copies.is_empty())
            .unwrap_or_default()
    }

    /// Whether one of `copies` makes all of tile `index` what it is now.
    #[must_use]
    pub fn made(&self, copies: &[copy::Copy], index: usize) -> bool {
        let tile = self.grid.tile(index);
        let whole = copies
            .iter()
            .find(|copy| copy.to.common(tile) == Some(tile));
        whole.is_some_and(|copy| {
            (tile.y..tile.y + tile.height).all(|y| {
                let line = Line {
                    grid: self.grid,
                    now: (self.now, y),
                    held: (self.held, y - copy.to.y + copy.from_y),
                    dx: i64::from(copy.to.x) - i64::from(copy.from_x),
                };
                line.alike(tile.x, tile.width) == tile.width
            })
        })
    }

    /// Tile `index` of the picture before once copies are made in it; `None` when none touches it.
    #[must_use]
    pub fn copied(&self, copies: &[copy::Copy], index: usize) -> Option<Tile> {
        let place = self.grid.tile(index);
        let mut rgba: Option<Vec<u8>> = None;
        for copy in copies {
            let Some(to) = place.common(copy.to) else {
                continue;
            };
            let rgba = rgba.get_or_insert_with(|| self.held[index].rgba().to_vec());
            for y in to.y..to.y + to.height {
                let from = (self.held, y - copy.to.y + copy.from_y);
                let mut x = to.x;
                while x < to.x + to.width {
                    let (_, pixels) = pixels(self.grid, from, x - copy.to.x + copy.from_x);
                    let count = pixels.len().min((to.x + to.width - x) as usize);
                    let line = pixels[..count].as_flattened();
                    let at = 4 * ((y - place.y) * place.width + x - place.x) as usize;
                    rgba[at..at + line.len()].copy_from_slice(line);
                    x += count as u32;
                }
            }
        }
        rgba.map(|rgba| Tile::new(place, rgba))
    }

    /// What has moved as `shift` says.
    fn moved(&self, shift: &Shift, changed: &[usize]) -> Vec<copy::Copy> {
        let rows: Vec<_> = self
            .rows(changed)
            .filter_map(|y| self.row(shift, y))
            .collect();
        rows.chunk_by(|row, next| row.y + 1 == next.y)
            .filter_map(|rows| self.copy(shift, rows))
            .take(MAX_COPIES)
            .collect()
    }

    /// The ways anchors went, that of most of them first.
    fn shifts(&self, changed: &[usize]) -> Vec<Shift> {
        // Of a large change a part of the anchors, chosen by what they are, says as much as all.
        let all = changed.iter().map(|index| self.now[*index].anchors().len());
        let one_in = (all.sum::<usize>() / ENOUGH_ANCHORS).max(1) as u64;
        let asked = |(key, _): &(u64, (u32, u32))| key.is_multiple_of(one_in);
        let mut before: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
        for (key, place) in self.anchors(self.held, changed).filter(asked) {
            before.entry(key).or_default().push(place);
        }
        let mut votes: BTreeMap<(i64, i64), Vec<u32>> = BTreeMap::new();
        for (key, (x, y)) in self.anchors(self.now, changed).filter(asked) {
            let places = before.get(&key).map_or(&[][..], Vec::as_slice);
            if places.len() > MOST_PLACES || places.contains(&(x, y)) {
                continue;
            }
            for (from_x, from_y) in places {
                let way = (
                    i64::from(x) - i64::from(*from_x),
                    i64::from(y) - i64::from(*from_y),
                );
                votes.entry(way).or_default().push(x);
            }
        }
        let mut shifts: Vec<_> = votes
            .into_iter()
            .filter(|(_, at)| at.len() >= LEAST_VOTES)
            .collect();
        shifts.sort_by_key(|(_, at)| std::cmp::Reverse(at.len()));
        let shift = |((dx, dy), mut at): ((i64, i64), Vec<u32>)| {
            at.sort_unstable();
            // The outermost may have gone this way by chance.
            let trim = at.len() / 16;
            let (left, right) = (at[trim], at[at.len() - 1 - trim] + 1);
            Shift {
                dx,
                dy,
                left,
                right,
            }
        };
        shifts.into_iter().take(MOST_SHIFTS).map(shift).collect()
    }

    fn anchors<'b>(
        &'b self,
        tiles: &'b [Rc<Tile>],
        changed: &'b [usize],
    ) -> impl Iterator<Item = (u64, (u32, u32))> + 'b {
        changed.iter().flat_map(move |index| {
            let at = self.grid.tile(*index);
            tiles[*index].anchors().iter().map(move |anchor| {
                let place = (at.x + u32::from(anchor.x), at.y + u32::from(anchor.y));
                (anchor.key, place)
            })
        })
    }

    /// The rows of pixels that the tiles span.
    fn rows(&self, tiles: &[usize]) -> std::ops::Range<u32> {
        match (tiles.first(), tiles.last()) {
            (Some(first), Some(last)) => {
                let last = self.grid.tile(*last);
                self.grid.tile(*first).y..last.y + last.height
            }
            _ => 0..0,
        }
    }

    /// How far row `y` has moved as `shift` says; `None` when it has not.
    fn row(&self, shift: &Shift, y: u32) -> Option<Row> {
        let from_y = u32::try_from(i64::from(y) - shift.dy).ok()?;
        if from_y >= self.grid.height() {
            return None;
        }
        let line = Line {
            grid: self.grid,
            now: (self.now, y),
            held: (self.held, from_y),
            dx: shift.dx,
        };
        let still = Line {
            held: (self.held, y),
            dx: 0,
            ..line
        };
        let (first, end) = line.bounds();
        let width = shift.right - shift.left;
        let step = (width / SEGMENTS).max(TILE);
        let differing = (shift.left..shift.right)
            .step_by(step as usize)
            .filter(|x| {
                let length = TILE.min(shift.right - x);
                line.alike(*x, length) != length
            })
            .count();
        if differing as u32 > MAY_DIFFER || differing > 0 && width <= TILE {
            return None;
        }
        // What did not change need not be copied, and may be wrong if it is.
        let changed_from = first + still.alike(first, shift.left - first);
        let changed_to = end - still.alike_before(end, end - shift.right);
        let unchanged_inside = changed_from == shift.left
            && changed_to == shift.right
            && still.alike(shift.left, width) == width;
        Some(Row {
            y,
            left: Reach {
                alike: line.alike_before(shift.left, shift.left - first),
                needed: shift.left - changed_from,
            },
            right: Reach {
                alike: line.alike(shift.right, end - shift.right),
                needed: changed_to - shift.right,
            },
            changed: !unchanged_inside,
        })
    }

    /// The rectangle that consecutive rows are best copied in.
    fn copy(&self, shift: &Shift, rows: &[Row]) -> Option<copy::Copy> {
        let first = rows.iter().position(|row| row.changed)?;
        let last = rows.iter().rposition(|row| row.changed)?;
        let rows = &rows[first..=last];
        let height = rows.len() as u32;
        let left = shift.left - reach(rows.iter().map(|row| row.left));
        let right = shift.right + reach(rows.iter().map(|row| row.right));
        let to = Rect {
            x: left,
            y: rows[0].y,
            width: right - left,
            height,
        };
        let from_x = u32::try_from(i64::from(to.x) - shift.dx).ok()?;
        let from_y = u32::try_from(i64::from(to.y) - shift.dy).ok()?;
        (height >= LEAST_ROWS).then_some(copy::Copy { from_x, from_y, to })
    }
}

/// The way things went, and the columns in which they surely did.
struct Shift {
    dx: i64,
    dy: i64,
    left: u32,
    right: u32,
}

/// A row that has moved.
#[derive(Debug, Clone, Copy)]
struct Row {
    y: u32,
    left: Reach,
    right: Reach,
    /// It is not what was in its place before.
    changed: bool,
}

/// Pixels beyond one end of the columns that have surely moved.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// So many have moved too.
    alike: u32,
    /// The last of so many has changed, 0 for none.
    needed: u32,
}

/// How far a copy of all rows is best extended: each pixel it gets right where it was needed counts for it,
/// each it gets wrong against it.
fn reach(rows: impl Iterator<Item = Reach>) -> u32 {
    let (mut alike, mut right): (Vec<_>, Vec<_>) = rows
        .map(|row| (row.alike, row.alike.min(row.needed)))
        .unzip();
    alike.sort_unstable();
    right.sort_unstable();
    let (mut best, mut gain, mut at) = ((0, 0_i64), 0_i64, 0);
    // Nothing changes between these.
    let mut ends: Vec<_> = alike.iter().chain(&right).copied().collect();
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        let wrong = alike.partition_point(|reach| *reach <= at);
        let useful = right.len() - right.partition_point(|reach| *reach <= at);
        gain += i64::from(end - at) * (useful as i64 - wrong as i64);
        at = end;
        if gain > best.1 {
            best = (end, gain);
        }
    }
    best.0
}

/// A row of the picture now beside the row of the picture before that it may have come from.
#[derive(Clone, Copy)]
struct Line<'a> {
    grid: Grid,
    now: (&'a [Rc<Tile>], u32),
    held: (&'a [Rc<Tile>], u32),
    dx: i64,
}

impl Line<'_> {
    /// The columns of the picture now whose origin lies inside the picture before.
    fn bounds(&self) -> (u32, u32) {
        let width = i64::from(self.grid.width());
        // Both lie in 0..=width, and a shift is smaller than the picture.
        let first = self.dx.max(0) as u32;
        let end = (width + self.dx.min(0)) as u32;
        (first, end)
    }

    /// How many of `length` pixels from column `x` on came from there.
    fn alike(&self, x: u32, length: u32) -> u32 {
        let mut done = 0;
        while done < length {
            let from = (i64::from(x + done) - self.dx) as u32;
            let now = pixels(self.grid, self.now, x + done).1;
            let held = pixels(self.grid, self.held, from).1;
            let count = now.len().min(held.len()).min((length - done) as usize);
            let (now, held) = (&now[..count], &held[..count]);
            if now != held {
                let same = now.iter().zip(held).take_while(|(now, held)| now == held);
                return done + same.count() as u32;
            }
            done += count as u32;
        }
        length
    }

    /// How many of the `length` pixels before column `x` came from there.
    fn alike_before(&self, x: u32, length: u32) -> u32 {
        let mut done = 0;
        while done < length {
            let last = x - done - 1;
            let from = (i64::from(last) - self.dx) as u32;
            let now = pixels(self.grid, self.now, last).0;
            let held = pixels(self.grid, self.held, from).0;
            let count = now.len().min(held.len()).min((length - done) as usize);
            let (now, held) = (&now[now.len() - count..], &held[held.len() - count..]);
            if now != held {
                let pairs = now.iter().rev().zip(held.iter().rev());
                return done + pairs.take_while(|(now, held)| now == held).count() as u32;
            }
            done += count as u32;
        }
        length
    }
}

/// The pixels of a row up to and with column `x`, and those from it on, that lie in one tile.
fn pixels(grid: Grid, (tiles, y): (&[Rc<Tile>], u32), x: u32) -> (&[[u8; 4]], &[[u8; 4]]) {
    let tile = &tiles[(y / TILE) as usize * grid.columns() + (x / TILE) as usize];
    let row = tile.row(tile.whole(), y % TILE);
    let at = (x % TILE) as usize;
    (&row[..=at], &row[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_reaches_as_far_as_more_is_right_than_wrong() {
        let rows = |pairs: &[(u32, u32)]| {
            reach(pairs.iter().map(|&(alike, needed)| Reach { alike, needed }))
        };
        assert_eq!(rows(&[]), 0);
        // A window's edge, where everything moved up to it.
        assert_eq!(rows(&[(50, 90), (50, 80), (52, 90)]), 50);
        // Lines of text of several lengths, on a ground that looks alike further on.
        assert_eq!(rows(&[(400, 10), (400, 300), (400, 0)]), 300);
        // A button that floats above a few of many rows.
        assert_eq!(rows(&[(10, 100), (100, 100), (100, 90), (100, 100)]), 100);
        // Beside what moved stands something that did not.
        assert_eq!(rows(&[(200, 0), (3, 0), (5, 0)]), 0);
    }
}
