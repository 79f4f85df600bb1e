//! What the streamer costs as a process, and what it sends: `cargo bench -p greenroom-stream`.
//!
//! Every picture is held against the session's. Rows are printed as they are measured. The tiles' own cost is in
//! `greenroom-tiles`, example `cost`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Holder, Viewer};
use std::io::Write;
use std::time::{Duration, Instant};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
/// Bytes in a row of pixels.
const ROW: usize = 4 * WIDTH as usize;

fn main() {
    still();
    caret();
    typing();
    scroll(8, 1);
    scroll(100, 1);
    scroll(8, 10);
    windows();
    full(1);
    full(10);
}

fn row(text: &str) {
    // A closed standard output is nobody's loss.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Processor time of the streamer.
fn busy(holder: &Holder) -> Duration {
    let path = format!("/proc/{}/schedstat", holder.streamer.id());
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    let ran = stat.split_whitespace().next().unwrap_or_default();
    Duration::from_nanos(ran.parse().unwrap_or_default())
}

/// What a kind of change cost, of which there were `count` in a second.
fn cost(name: &str, each: Duration, bytes: usize, per_second: u32) {
    let share = 100.0 * f64::from(per_second) * each.as_secs_f64();
    let bits = 8 * bytes * per_second as usize;
    row(&format!(
        "{name}: {bytes} bytes and {each:?} of processor each; at {per_second}/s {share:.1} % of a core, {} kbit/s",
        bits / 1000
    ));
}

/// Lines of words in two columns between bars that stand still: pixels of few colours, a line 18 rows.
fn document(lines: usize, seed: u32) -> Vec<u8> {
    let mut pixels = vec![0xf4; ROW * 18 * lines];
    let mut state = seed | 1;
    let mut random = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % limit
    };
    for line in 0..lines {
        let letters = 40 + random(140);
        for letter in (0..letters).filter(|_| random(6) > 0).collect::<Vec<_>>() {
            let shape = random(26);
            for stroke in 0..40 {
                let mix = shape.wrapping_mul(2_654_435_761).wrapping_add(stroke * 977);
                let (x, y) = (mix >> 7 & 7, 3 + (mix >> 11) % 12);
                let at = ROW * (18 * line + y as usize) + 4 * (100 + 9 * letter + x) as usize;
                pixels[at..at + 3].fill([0, 60, 130, 200][(mix >> 20) as usize % 4]);
            }
        }
    }
    pixels
}

/// Everything drawn anew by an app that says nothing of a scroll.
fn scroll(pixels: usize, count: usize) {
    const FRAMES: usize = 60;
    let content = document((HEIGHT as usize + FRAMES * pixels).div_ceil(18), 3);
    let mut holder = Holder::start(WIDTH, HEIGHT);
    let mut viewers: Vec<Viewer> = (0..count).map(|_| holder.viewer()).collect();
    let mut at = 0;
    let mut step = |holder: &mut Holder, viewers: &mut [Viewer]| {
        holder.show(0, 0, WIDTH, HEIGHT, &content[ROW * at..]);
        at += pixels;
        let exact = holder.rgba();
        let mut bytes = 0;
        for viewer in viewers {
            bytes = viewer.draw().1;
            assert!(
                viewer.picture.pixels() == exact,
                "a viewer shows something else"
            );
        }
        bytes
    };
    for viewer in &mut viewers {
        viewer.draw();
    }
    step(&mut holder, &mut viewers);
    let before = busy(&holder);
    let bytes: usize = (1..FRAMES).map(|_| step(&mut holder, &mut viewers)).sum();
    let each = (busy(&holder) - before) / (FRAMES as u32 - 1);
    let name = format!("scroll by {pixels} pixels, {count} viewers");
    cost(&name, each, bytes / (FRAMES - 1), 30);
}

/// Two windows that take turns.
fn windows() {
    let screens = [document(60, 5), document(60, 6)];
    let mut holder = Holder::start(WIDTH, HEIGHT);
    let mut viewer = holder.viewer();
    viewer.draw();
    for turn in 0..6 {
        holder.rest();
        let (before, begun) = (busy(&holder), Instant::now());
        holder.show(0, 0, WIDTH, HEIGHT, &screens[turn % 2]);
        let bytes = viewer.draw().1;
        let (each, took) = (busy(&holder) - before, begun.elapsed());
        assert!(viewer.picture.pixels() == holder.rgba());
        let seen = if turn < 2 { "new" } else { "seen before" };
        row(&format!(
            "window {seen}: {bytes} bytes, {each:?} of processor, {took:?} to the player's picture"
        ));
    }
}

/// A caret that comes and goes in text.
fn caret() {
    let text = document(60, 4);
    let mut holder = Holder::start(WIDTH, HEIGHT);
    holder.show(0, 0, WIDTH, HEIGHT, &text);
    let mut viewer = holder.viewer();
    viewer.draw();
    let before = busy(&holder);
    let mut bytes = 0;
    for blink in 0..60 {
        holder.rest();
        let level = if blink % 2 == 0 { 0 } else { 0xf4 };
        holder.show(1000, 540, 2, 16, &[level; 4 * 2 * 16]);
        bytes += viewer.draw().1;
        assert!(viewer.picture.pixels() == holder.rgba());
    }
    cost("caret", (busy(&holder) - before) / 60, bytes / 60, 2);
}
/// Text-like pixels: few colours, much detail.
fn text(seed: u32) -> Vec<u8> {
    let mut state = seed;
    (0..WIDTH * HEIGHT)
        .flat_map(|at| {
            if at % 5 == 0 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            }
            let level = [0, 0, 0, 90, 160, 220][(state >> 24) as usize % 6];
            [level, level, level, 0]
        })
        .collect()
}

fn still() {
    let mut holder = Holder::start(WIDTH, HEIGHT);
    holder.show(0, 0, WIDTH, HEIGHT, &text(1));
    let mut viewer = holder.viewer();
    viewer.draw();
    let (before, begun) = (busy(&holder), Instant::now());
    std::thread::sleep(Duration::from_secs(5));
    let share = (busy(&holder) - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    row(&format!(
        "still screen, one viewer: {:.2} % of a core",
        100.0 * share
    ));
    row(&format!(
        "resident: {}, of which shared: {}",
        holder.proc_status("VmRSS"),
        holder.proc_status("RssShmem")
    ));
}

fn typing() {
    let mut holder = Holder::start(WIDTH, HEIGHT);
    holder.show(0, 0, WIDTH, HEIGHT, &text(1));
    let mut viewer = holder.viewer();
    viewer.draw();
    let glyphs = text(7);
    let (before, mut bytes, mut slowest) = (busy(&holder), 0, Duration::ZERO);
    for typed in 0..200 {
        let glyph = &glyphs[typed * 4000..][..4 * 9 * 18];
        let begun = Instant::now();
        holder.show(9 * (typed as u32), 540, 9, 18, glyph);
        bytes += viewer.draw().1;
        slowest = slowest.max(begun.elapsed());
    }
    let each = (busy(&holder) - before) / 200;
    cost("a character", each, bytes / 200, 10);
    row(&format!(
        "a character: at most {slowest:?} to the player's picture"
    ));
}

fn full(count: usize) {
    let mut holder = Holder::start(WIDTH, HEIGHT);
    let mut viewers: Vec<Viewer> = (0..count).map(|_| holder.viewer()).collect();
    for viewer in &mut viewers {
        viewer.draw();
    }
    let before = busy(&holder);
    let mut bytes = 0;
    for seed in 1..=10 {
        holder.show(0, 0, WIDTH, HEIGHT, &text(seed));
        for viewer in &mut viewers {
            bytes = viewer.draw().1;
        }
    }
    let each = (busy(&holder) - before) / 10;
    row(&format!(
        "a full screen of text to {count} viewers: {each:?} of processor, {bytes} bytes each"
    ));
}
