//! What the streamer costs as a process: `cargo bench -p greenroom-stream`.
//!
//! Rows are printed as they are measured. The tiles' own cost is in `greenroom-tiles`, example `cost`.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Holder, Viewer};
use std::io::Write;
use std::time::{Duration, Instant};

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

fn main() {
    still();
    typing();
    full(1);
    full(10);
}

fn row(text: &str) {
    // A closed standard output is nobody's loss.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Processor time of the streamer.
fn busy(holder: &Holder) -> Duration {
    let path = format!("/proc/{}/stat", holder.streamer.id());
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11);
    let ticks: u64 = fields
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_secs(ticks) / rustix::param::clock_ticks_per_second() as u32
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
    row(&format!(
        "a character: {} bytes, {each:?} of processor, at most {slowest:?} to the player's picture",
        bytes / 200
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
