//! Measures encoding and drawing: `cargo run --release -p greenroom-tiles --example cost`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Random, Screen, unit};
use greenroom_tiles::{Encoder, Framebuffer, Rect};
use std::io::Write;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let text = Screen::terminal(1920, 1080);
    let mut scrolled = Screen::terminal(1920, 1080);
    scrolled.bgrx.rotate_left(18 * text.stride);
    let mut typed = text.clone();
    typed.glyph(40, 20, 3);
    let mut photo = Screen::new(1920, 1080);
    let mut random = Random(3);
    photo.paint(photo.everything(), |x, y| {
        let grain = random.below(9);
        [x / 8 + grain, y / 5 + grain, (x + y) / 12 + grain].map(|level| level as u8)
    });
    let mut noise = Screen::new(1920, 1080);
    noise.paint(noise.everything(), |_, _| {
        let [r, g, b, ..] = random.next().to_le_bytes();
        [r, g, b]
    });
    let mut window = text.clone();
    let area = Rect {
        x: 500,
        y: 300,
        width: 600,
        height: 400,
    };
    window.paint(area, |x, y| [x as u8, y as u8, 40]);

    let mut out = std::io::stdout();
    writeln!(out, "1920×1080           encode ms  draw ms      bytes")?;
    for (name, now, held) in [
        ("terminal, all", &text, None),
        ("photo, all", &photo, None),
        ("noise, all", &noise, None),
        ("terminal, scrolled", &scrolled, Some(&text)),
        ("window opens", &window, Some(&text)),
        ("character typed", &typed, Some(&text)),
        ("still", &text, Some(&text)),
    ] {
        let mut encoder = Encoder::new()?;
        let (mut encode, mut draw, mut bytes) = (f64::MAX, f64::MAX, 0);
        for _ in 0..5 {
            let begun = Instant::now();
            let made = unit(&mut encoder, 1, now, held);
            encode = encode.min(begun.elapsed().as_secs_f64() * 1e3);
            bytes = made.len();
            let mut viewer = Framebuffer::new();
            if let Some(held) = held {
                let first = unit(&mut encoder, 0, held, None);
                viewer.apply(&first).map_err(std::io::Error::other)?;
            }
            let begun = Instant::now();
            viewer.apply(&made).map_err(std::io::Error::other)?;
            draw = draw.min(begun.elapsed().as_secs_f64() * 1e3);
        }
        writeln!(out, "{name:<20} {encode:>8.1} {draw:>8.1} {bytes:>10}")?;
    }
    Ok(())
}
