//! The session's picture at one moment, as tiles that later moments share.

use crate::ring::{self, Slot};
use greenroom_session_api::frames;
use greenroom_tiles::unit::MAX_INPUTS;
use greenroom_tiles::{Grid, HadInput, Tile, frame_hash};
use std::rc::Rc;

/// What was on the screen. Never changed once made: viewers keep the one they were sent.
#[derive(Debug)]
pub struct Picture {
    /// Its size.
    pub grid: Grid,
    /// Counts the pictures that differ from the one before.
    pub state: u64,
    /// Every tile; one that did not change is the same as in the picture before.
    pub tiles: Vec<Rc<Tile>>,
    /// Since when each shows what it does, on the holder's clock.
    pub since_us: Vec<u64>,
    /// The frame hash.
    pub hash: u64,
    /// When the holder began to compose it.
    pub composed_at_us: u64,
    /// Up to where the apps had had each input stream, the latest news last.
    pub had_input: Vec<HadInput>,
}

impl Picture {
    /// The picture after `frame`. Without a picture `before`, and whenever the size differs, everything
    /// counts as damaged; `all_damaged` says so for a ring's first frame.
    pub fn after(
        before: Option<&Self>,
        slot: Slot<'_>,
        frame: &frames::Frame,
        all_damaged: bool,
    ) -> Self {
        let grid = slot.grid;
        let read = |index| Rc::new(Tile::from_bgrx(slot.memory, slot.stride, grid.tile(index)));
        let had_input = before.map_or_else(Vec::new, |before| before.had_input.clone());
        let had_input = latest(had_input, frame);
        let composed_at_us = frame.composed_at_us;

        let Some(before) = before.filter(|before| before.grid == grid) else {
            let tiles: Vec<_> = (0..grid.tiles()).map(read).collect();
            return Self {
                grid,
                state: before.map_or(0, |before| before.state) + 1,
                hash: frame_hash(grid, tiles.iter().map(|tile| tile.hash())),
                since_us: vec![composed_at_us; tiles.len()],
                tiles,
                composed_at_us,
                had_input,
            };
        };
        let mut damaged = vec![all_damaged; grid.tiles()];
        for rect in &frame.damage {
            for index in grid.touched(ring::rect(rect)) {
                damaged[index] = true;
            }
        }
        let mut tiles = before.tiles.clone();
        let mut since_us = before.since_us.clone();
        let mut changed = false;
        for (index, _) in damaged.iter().enumerate().filter(|(_, damaged)| **damaged) {
            let tile = read(index);
            // Apps redraw what has not changed; only what has is news.
            if tile.hash() != tiles[index].hash() {
                tiles[index] = tile;
                since_us[index] = composed_at_us;
                changed = true;
            }
        }
        let hash = match changed {
            true => frame_hash(grid, tiles.iter().map(|tile| tile.hash())),
            false => before.hash,
        };
        Self {
            grid,
            state: before.state + u64::from(changed),
            tiles,
            since_us,
            hash,
            composed_at_us,
            had_input,
        }
    }
}

/// What was had, with the news of `frame`; the streams that were silent the longest are dropped.
fn latest(mut had: Vec<HadInput>, frame: &frames::Frame) -> Vec<HadInput> {
    for news in &frame.had_input {
        had.retain(|known| known.stream != news.stream);
        had.push(HadInput {
            stream: news.stream,
            seq: news.seq,
        });
    }
    had.split_off(had.len().saturating_sub(MAX_INPUTS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::input::InputAck;

    const GRID: (u32, u32) = (130, 70);

    fn frame(damage: &[(u32, u32, u32, u32)], had_input: &[(u64, u64)]) -> frames::Frame {
        frames::Frame {
            damage: damage
                .iter()
                .map(|&(x, y, width, height)| frames::Rect {
                    x,
                    y,
                    width,
                    height,
                })
                .collect(),
            had_input: had_input
                .iter()
                .map(|&(stream, seq)| InputAck { stream, seq })
                .collect(),
            ..frames::Frame::default()
        }
    }

    fn slot(memory: &[u8]) -> Slot<'_> {
        Slot {
            grid: Grid::new(GRID.0, GRID.1).unwrap(),
            stride: 4 * GRID.0 as usize,
            memory,
        }
    }

    #[test]
    fn only_damaged_tiles_are_read_and_only_changed_ones_are_new() {
        let mut memory = vec![0; (4 * GRID.0 * GRID.1) as usize];
        let at = |composed_at_us, frame| frames::Frame {
            composed_at_us,
            ..frame
        };
        let first = Picture::after(None, slot(&memory), &at(7, frame(&[], &[])), true);
        assert_eq!((first.state, first.tiles.len()), (1, 6));
        // Pixel (100, 5) changes; the damage says so and more.
        memory[4 * (5 * 130 + 100)] = 9;
        let damage = at(9, frame(&[(60, 0, 50, 10)], &[]));
        let second = Picture::after(Some(&first), slot(&memory), &damage, false);
        assert_eq!(second.state, 2);
        assert_ne!(second.hash, first.hash);
        assert_eq!(second.since_us, [7, 9, 7, 7, 7, 7]);
        let same: Vec<_> = (0..6)
            .filter(|index| Rc::ptr_eq(&first.tiles[*index], &second.tiles[*index]))
            .collect();
        assert_eq!(same, [0, 2, 3, 4, 5]);
    }

    #[test]
    fn a_redraw_without_a_change_is_the_same_state() {
        let memory = vec![0; (4 * GRID.0 * GRID.1) as usize];
        let first = Picture::after(None, slot(&memory), &frame(&[], &[]), true);
        let again = frame(&[(0, 0, 130, 70)], &[(1, 2)]);
        let second = Picture::after(Some(&first), slot(&memory), &again, true);
        assert_eq!((second.state, second.hash), (first.state, first.hash));
        assert_eq!(second.had_input, [HadInput { stream: 1, seq: 2 }]);
    }

    #[test]
    fn the_latest_input_of_each_stream_is_kept_and_their_number_is_bounded() {
        let had = latest(Vec::new(), &frame(&[], &[(1, 5), (2, 7)]));
        let had = latest(had, &frame(&[], &[(1, 6)]));
        let pairs: Vec<_> = had.iter().map(|had| (had.stream, had.seq)).collect();
        assert_eq!(pairs, [(2, 7), (1, 6)]);
        let flood: Vec<_> = (0..100).map(|stream| (stream, 1)).collect();
        let had = latest(had, &frame(&[], &flood));
        assert_eq!(had.len(), MAX_INPUTS);
        assert_eq!(had[MAX_INPUTS - 1].stream, 99);
    }
}
