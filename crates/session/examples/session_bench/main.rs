//! The parts of `cargo xtask bench session` that start single sessions: what a holder and its sandbox add to an
//! app, in time, memory and processor, beside the same app under another compositor.
//!
//! Each figure is a line for the benchmark to read: workload, metric, unit and value, separated by tabs.

mod held;
mod raw;
mod tree;

use greenroom_session_api::spec::App;
use held::{Held, Programs};
use raw::Weston;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Starts of each kind. They take turns, so that whatever else the machine does meets both.
const ROUNDS: usize = 11;

/// How long a session is left alone.
const STILL: Duration = Duration::from_secs(60);

/// The session's pixels, and the other compositor's.
const SIZE: (u32, u32) = (1280, 800);

/// When the benchmark is run by root: whom the apps run as, here and there. `nobody`, since a message bus does not start
/// for a user that the system has no name for.
const USER: u32 = 65_534;

/// Gives the bare app a message bus of its own, which like a session's starts the rest when it is asked for.
const WITH_BUS: [&str; 2] = ["dbus-run-session", "--"];

const USAGE: &str = "session_bench FOLDER PROGRAMS";

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [folder, programs] = arguments[..] else {
        return Err(USAGE.into());
    };
    let programs = Programs::in_folder(Path::new(programs))?;
    let folder = Path::new(folder);
    let weston = Weston::start(&folder.join("weston"))?;
    for (name, argv) in apps() {
        starts(name, &argv, &weston, &programs, folder)?;
    }
    drop(weston);
    still(&programs, folder)
}

fn apps() -> [(&'static str, Vec<&'static str>); 3] {
    let browser = [
        "chromium",
        "--",
        "--ozone-platform=wayland",
        "--no-first-run",
        "about:blank",
    ];
    [
        ("terminal", vec!["weston-terminal", "--shell=/bin/sh"]),
        ("GTK editor", vec!["mousepad"]),
        ("browser", browser.to_vec()),
    ]
}

fn user() -> Option<u32> {
    rustix::process::geteuid().is_root().then_some(USER)
}

/// From the spawn to the first frame, of the bare app without and with a bus, and of the holder that is told to run it.
fn starts(
    name: &str,
    argv: &[&str],
    weston: &Weston,
    programs: &Programs,
    folder: &Path,
) -> Result {
    let (mut raw, mut desktop, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let with_bus = [&WITH_BUS, argv].concat();
    for round in 0..ROUNDS {
        let place = folder.join(format!("start-{round}"));
        raw.push(milliseconds(weston.first_frame(argv, &place.join("raw"))?));
        let first = weston.first_frame(&with_bus, &place.join("bus"))?;
        desktop.push(milliseconds(first));
        let session = Held::start(programs, &place.join("held"), app(argv))?;
        held.push(milliseconds(session.drawn_after));
        session.end()?;
        std::fs::remove_dir_all(&place)?;
    }
    let pairs = || raw.iter().zip(&held);
    let over = pairs().map(|(raw, held)| held - raw).collect();
    let ratio = pairs().map(|(raw, held)| held / raw).collect();
    let workload = format!("{name}, from the spawn to its first frame");
    say(&workload, "raw, p50", "ms", median(raw.clone()))?;
    say(
        &workload,
        "raw with a message bus, p50",
        "ms",
        median(desktop),
    )?;
    say(&workload, "in a session, p50", "ms", median(held.clone()))?;
    say(&workload, "session less raw", "ms", median(over))?;
    say(&workload, "session over raw", "", median(ratio))
}

/// What everything of a session but its app takes while nothing happens and nobody looks.
fn still(programs: &Programs, folder: &Path) -> Result {
    let session = Held::start(programs, &folder.join("still"), app(&["foot", "sh"]))?;
    let processes = tree::of_session(session.holder(), session.app_pid);
    let before = tree::cpu(&processes)?;
    // The one wait for a duration: it is what is measured over.
    std::thread::sleep(STILL);
    let used = tree::cpu(&processes)?.saturating_sub(before);
    let workload = "still terminal, no viewer, all but the app";
    let share = used.as_secs_f64() / STILL.as_secs_f64() * 100.0;
    say(workload, "CPU", "% of a core", share)?;
    say(
        workload,
        "memory (PSS)",
        "MiB",
        tree::memory_mib(&processes)?,
    )?;
    session.end()
}

fn app(argv: &[&str]) -> App {
    App {
        app_id: "ca-bench".to_owned(),
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
        env: Vec::new(),
    }
}

fn say(workload: &str, metric: &str, unit: &str, value: f64) -> Result {
    use std::io::Write;
    let mut out = std::io::stdout();
    Ok(writeln!(out, "{workload}\t{metric}\t{unit}\t{value}")?)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The middle one; the number of rounds is odd.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
