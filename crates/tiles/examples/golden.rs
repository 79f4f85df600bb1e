//! Writes the recorded units of the current version: `cargo run -p greenroom-tiles --example golden DIR`.
//!
//! They are made once per version of the format and kept: see `tests/golden.rs`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Random, Screen, unit};
use greenroom_tiles::Encoder;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(std::path::PathBuf::from) else {
        return Err(std::io::Error::other("the folder to write to is missing"));
    };
    let mut encoder = Encoder::new()?;
    let mut random = Random(1);
    let mut screen = Screen::terminal(260, 150);
    let (mut units, mut hashes) = (Vec::new(), String::new());
    let mut record = |update, now: &Screen, held: Option<&Screen>| {
        let unit = unit(&mut encoder, update, now, held);
        // A unit of a small picture is small.
        units.extend_from_slice(&(unit.len() as u32).to_le_bytes());
        units.extend_from_slice(&unit);
        hashes.push_str(&format!("{:016x}\n", now.hash()));
    };
    record(1, &screen, None);
    for update in 2..30 {
        let held = screen.clone();
        screen.scribble(&mut random);
        record(update, &screen, Some(&held));
    }
    // A resize, then a change in the new size.
    let mut screen = Screen::terminal(70, 190);
    record(30, &screen, None);
    let held = screen.clone();
    screen.glyph(2, 3, 4);
    record(31, &screen, Some(&held));
    std::fs::write(folder.join("v1.units"), units)?;
    std::fs::write(folder.join("v1.hashes"), hashes)
}
