//! Writes the recorded units of the current version: `cargo run -p greenroom-tiles --example golden DIR`.
//!
//! They are made once per version of the format and kept: see `tests/golden.rs`. These are of version 2,
//! and what it adds: a scroll, a page that is kept, the same page again, and a cache that is emptied.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Screen, unit, unit_of_moves, unit_with};
use greenroom_tiles::{Encoder, Prelude};

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(std::path::PathBuf::from) else {
        return Err(std::io::Error::other("the folder to write to is missing"));
    };
    let mut encoder = Encoder::new()?;
    let page = Screen::terminal(260, 150);
    let mut scrolled = page.clone();
    scrolled.shift(page.everything(), 0, -23);
    let mut other = Screen::new(260, 150);
    other.paint(other.everything(), |x, y| [x as u8, y as u8, (x ^ y) as u8]);
    let keep: Vec<_> = (0..page.grid.tiles()).collect();
    let keeping = |keep: &[usize], forget| Prelude {
        forget,
        keep: keep.to_vec(),
        copies: Vec::new(),
    };

    let made = [
        (unit(&mut encoder, 1, &page, None), &page),
        (
            unit_of_moves(&mut encoder, 2, &scrolled, &page).0,
            &scrolled,
        ),
        (unit(&mut encoder, 3, &page, Some(&scrolled)), &page),
        (
            unit_with(&mut encoder, 4, &other, &page, keeping(&keep, false), &[]),
            &other,
        ),
        // All of the page but two tiles is taken from the cache, and some of the other is kept.
        (
            unit_with(
                &mut encoder,
                5,
                &page,
                &other,
                keeping(&[1, 2, 3, 7], false),
                &keep[2..],
            ),
            &page,
        ),
        (
            unit_with(
                &mut encoder,
                6,
                &other,
                &page,
                keeping(&[], false),
                &[1, 2, 3, 7],
            ),
            &other,
        ),
        (
            unit_with(&mut encoder, 7, &page, &other, keeping(&[0], true), &[]),
            &page,
        ),
        (
            unit_with(&mut encoder, 8, &other, &page, keeping(&[], false), &[0]),
            &other,
        ),
    ];
    let (mut units, mut hashes) = (Vec::new(), String::new());
    for (unit, screen) in made {
        // A unit of a small picture is small.
        units.extend_from_slice(&(unit.len() as u32).to_le_bytes());
        units.extend_from_slice(&unit);
        hashes.push_str(&format!("{:016x}\n", screen.hash()));
    }
    std::fs::write(folder.join("v2.units"), units)?;
    std::fs::write(folder.join("v2.hashes"), hashes)
}
