//! `bench session`: what a holder and its sandbox add to an app, and how long a hundred sessions take to start and
//! to be adopted.
//!
//! Single sessions are started, measured and compared with the same app under `weston` by the example
//! `session_bench` of `greenroom-session`; this file starts the hundred, and says which figures have goals.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::api::Api;
use crate::args::Args;
use crate::failure::Result;
use crate::server::{self, Server};
use crate::sessions::{Group, TERMINAL, holders};
use crate::setup::{self, Scope};
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};
use crate::{build, interrupt, scratch};

use super::report::{Better, Figure, Report, Said};

const SESSIONS: u32 = 100;
const MANY: &str = "100 terminals on one server";

/// The machine is not asked whether it is large enough, nor the caller how often it asks.
const SETTINGS: &[(&str, &str)] = &[
    ("GREENROOM_CAPACITY_OVERCOMMIT", "100"),
    ("GREENROOM_THROTTLING_ACCOUNT_PER_SECOND", "0"),
    ("GREENROOM_THROTTLING_OPERATION_PER_SECOND", "0"),
];

/// What figures should reach at most: how the workload begins, the metric, and the goal.
const GOALS: &[(&str, &str, f64)] = &[
    ("terminal, from the spawn", "session less raw", 60.0),
    ("GTK editor, from the spawn", "session less raw", 60.0),
    ("browser, from the spawn", "session over raw", 1.25),
    ("still terminal", "CPU", 0.05),
    ("still terminal", "memory (PSS)", 40.0),
    (MANY, "create to all RUNNING", 25.0),
    (MANY, "server's spawn to all adopted", 500.0),
    (MANY, "sessions lost", 0.0),
];

/// Measures single sessions first, while the machine does nothing else.
pub fn measure(workspace: &Workspace, args: Args, report: &mut Report) -> Result {
    args.finish()?;
    setup::prepare(workspace, Scope::Bench)?;
    build::binaries(workspace, Profile::Release)?;
    let package = "greenroom-session";
    let single = build::example(workspace, Profile::Release, package, "session_bench")?;
    scratch::with_data(workspace, "session", |data| {
        let programs = workspace.bin_dir(Profile::Release);
        let lines = Run::new(&single).args([data]).args([&programs]).read()?;
        for line in lines.lines() {
            let said = Said::parse(line)?;
            report.push(figure(said.workload, said.metric, said.unit, said.value));
        }
        Ok(())
    })?;
    scratch::with_data(workspace, "many", |data| many(workspace, data, report))
}

fn many(workspace: &Workspace, data: &Path, report: &mut Report) -> Result {
    let server = serve(workspace, data)?;
    let pid = server.pid();
    let interrupted = interrupt::Guard::new(move || interrupt::terminate(pid))?;
    let api = Api::new(server.address(), server.keys()?);
    let began = Instant::now();
    let group = Group::create(&api, "many", TERMINAL, SESSIONS)?;
    group.wait_until_running()?;
    let seconds = began.elapsed().as_secs_f64();
    report.push(figure(MANY, "create to all RUNNING", "s", seconds));
    let (address, before) = (server.address(), held(data));
    // Dropping a server kills it at once.
    drop(server);
    drop(interrupted);

    let began = Instant::now();
    let server = Server::start(workspace, Profile::Release, data, address, SETTINGS)?;
    // A server that says it is ready has heard of every holder it found.
    let adopted = began.elapsed().as_secs_f64() * 1000.0;
    let pid = server.pid();
    let _interrupted = interrupt::Guard::new(move || interrupt::terminate(pid))?;
    group.wait_until_running()?;
    let metric = "server's spawn to all adopted";
    report.push(figure(MANY, metric, "ms", adopted));
    let lost = before.difference(&held(data)).count();
    report.push(figure(MANY, "sessions lost", "", lost as f64));
    group.delete(data)?;
    server.stop()
}

fn serve(workspace: &Workspace, data: &Path) -> Result<Server> {
    let address = server::free_address(0)?;
    Server::start(workspace, Profile::Release, data, address, SETTINGS)
}

fn held(data: &Path) -> BTreeSet<u32> {
    holders(data).into_iter().collect()
}

fn figure(workload: &str, metric: &str, unit: &str, value: f64) -> Figure {
    let goal = GOALS
        .iter()
        .find(|(its_workload, its_metric, _)| {
            workload.starts_with(its_workload) && metric == *its_metric
        })
        .map(|(.., goal)| *goal);
    Figure {
        workload: workload.to_owned(),
        metric: metric.to_owned(),
        subject: "",
        unit: unit.to_owned(),
        value,
        better: Better::Lower,
        goal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_found_by_how_the_workload_begins() {
        let goal = |workload, metric| figure(workload, metric, "", 0.0).goal;
        let terminal = "terminal, from the spawn to its first frame";
        assert_eq!(goal(terminal, "session less raw"), Some(60.0));
        assert_eq!(goal(terminal, "session over raw"), None);
        assert_eq!(goal("a terminal", "session less raw"), None);
    }
}
