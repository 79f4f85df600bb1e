//! `bench skeleton`: one persistent session, from its order to pixels in a browser, release builds throughout.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::args::Args;
use crate::failure::{Context, Result};
use crate::server::Server;
use crate::sessions::{Group, TERMINAL, holders};
use crate::setup::{self, Scope};
use crate::workspace::{Profile, Workspace};
use crate::{build, node, scratch};

use super::process::Watched;
use super::report::Report;
use super::viewer::Viewer;

const USER: &str = "alice";
const CREATIONS: usize = 20;
const OPENINGS: usize = 20;
const KEYS: u32 = 200;
/// How long the screen is left alone. Figures per second come from it, so it is long against any timer.
const STILL: Duration = Duration::from_secs(30);
/// How often the API is asked whether a session runs; the figure is no more exact than this.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Measures everything, in the order of a session's life.
pub fn measure(workspace: &Workspace, args: Args, report: &mut Report) -> Result {
    args.finish()?;
    setup::prepare(workspace, Scope::Test)?;
    build::binaries(workspace, Profile::Release)?;
    build::player(workspace, Profile::Release)?;
    node::install(workspace, "tests/e2e")?;
    scratch::with_server(workspace, Profile::Release, "bench", &[], |server, data| {
        let api = Api::new(server.address(), server.keys()?);
        report.add(
            "no session",
            "server memory (PSS)",
            "MiB",
            Watched(server.pid()).memory_mib()?,
        );
        creations(&api, data, report)?;
        let group = Group::create(&api, "bench", TERMINAL, 1)?;
        let measured = group
            .wait_until_running()
            .and_then(|_| one_session(workspace, server, data, &group, report));
        measured.and(group.delete(data))
    })
}

/// From the order's answer to the first listing that says `RUNNING`: the app has drawn.
fn creations(api: &Api, data: &Path, report: &mut Report) -> Result {
    let mut times = Vec::with_capacity(CREATIONS);
    for _ in 0..CREATIONS {
        let began = Instant::now();
        let group = Group::create(api, "bench", TERMINAL, 1)?;
        group.watch_until_running(LOOK_EVERY)?;
        times.push(milliseconds(began.elapsed()));
        group.delete(data)?;
    }
    report.add_times("one foot session", "create to RUNNING", &times);
    Ok(())
}

fn one_session(
    workspace: &Workspace,
    server: &Server,
    data: &Path,
    group: &Group<'_>,
    report: &mut Report,
) -> Result {
    let session = group
        .session_ids()?
        .into_iter()
        .next()
        .context(|| "the group has no session".into())?;
    group.authorize(&session, USER)?;
    let (server_process, holder) = (Watched(server.pid()), holder(data)?);
    at_rest(
        report,
        "one session, no viewer",
        &[("holder", holder), ("server", server_process)],
    )?;

    let mut viewer = Viewer::start(workspace)?;
    let (mut from_link, mut from_connect) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        let link = group
            .ticket(&session, USER)?
            .link(&format!("http://{}", server.address()));
        let answer = viewer.open(&link)?;
        from_link.extend(answer["link_ms"].as_f64());
        from_connect.extend(answer["connect_ms"].as_f64());
    }
    let view = "1280x800 terminal, headless Chromium";
    report.add_times(view, "link opened to first picture", &from_link);
    report.add_times(view, "ticket sent to first picture", &from_connect);

    report.add_times(view, "key to picture", &viewer.press_keys(KEYS)?);

    let before = viewer.stats()?["bytesDown"].as_f64();
    let streamer = holder
        .child("greenroom-stream")
        .context(|| "no streamer beside a viewer".into())?;
    at_rest(
        report,
        "one session, still screen, one viewer",
        &[
            ("holder", holder),
            ("streamer", streamer),
            ("server", server_process),
        ],
    )?;
    let after = viewer.stats()?["bytesDown"].as_f64();
    if let (Some(before), Some(after)) = (before, after) {
        let per_second = (after - before) / STILL.as_secs_f64();
        report.add(
            "one session, still screen, one viewer",
            "bytes to the browser",
            "B/s",
            per_second,
        );
    }
    Ok(())
}

/// Processor time and memory of processes while nothing happens. This is the one wait for a duration: the
/// duration is what is measured over.
fn at_rest(report: &mut Report, workload: &str, processes: &[(&str, Watched)]) -> Result {
    let cpu = || {
        processes
            .iter()
            .map(|(_, process)| process.cpu())
            .collect::<Result<Vec<_>>>()
    };
    let (before, began) = (cpu()?, Instant::now());
    std::thread::sleep(STILL);
    let (after, took) = (cpu()?, began.elapsed());
    for (((name, process), before), after) in processes.iter().zip(before).zip(after) {
        let share = after.saturating_sub(before).as_secs_f64() / took.as_secs_f64();
        report.add(
            workload,
            &format!("{name} CPU"),
            "% of a core",
            share * 100.0,
        );
        report.add(
            workload,
            &format!("{name} memory (PSS)"),
            "MiB",
            process.memory_mib()?,
        );
    }
    Ok(())
}

fn holder(data: &Path) -> Result<Watched> {
    let found = holders(data);
    found
        .first()
        .copied()
        .map(Watched)
        .context(|| "a running session without a holder".into())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
