//! `bench list`: pages of one delivery group of many sessions, asked for over HTTP as the official clients do,
//! and beside them a bare HTTP server that gives the same answer.
//!
//! What fills the database, sends the requests and answers as the baseline is the example `list_bench` of
//! `greenroom-server`; this file puts the databases and their states in order and says which figures have goals.

use std::path::Path;

use crate::args::Args;
use crate::database::{self, Cluster, Database, NewDatabase};
use crate::failure::{Context, Result};
use crate::server::{self, Server};
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};
use crate::{build, interrupt, scratch};

use super::process::Watched;
use super::report::{Better, Figure, Report, Said};

/// Sessions of the group, one database after the other.
const SIZES: &[u32] = &[1_000, 100_000, 1_000_000];

/// The size that some goals are about.
const LARGEST: u32 = 1_000_000;

/// Callers are not limited: what is measured is how fast the server is, not how fast it lets anybody be.
const SETTINGS: &[(&str, &str)] = &[
    ("GREENROOM_THROTTLING_ACCOUNT_PER_SECOND", "0"),
    ("GREENROOM_THROTTLING_OPERATION_PER_SECOND", "0"),
];

/// What figures should reach: workload, metric, goal, and whether only the largest group has it.
const GOALS: &[(&str, &str, f64, bool)] = &[
    ("one hot page", RATIO, 0.50, false),
    ("pages at random", RATIO, 0.30, false),
    ("middle page", "latency over the first's", 1.5, false),
    ("last page", "latency over the first's", 1.5, false),
    (
        "pages at random, 100 statuses/s written",
        "latency p99",
        5.0,
        true,
    ),
    (AFTERWARDS, MEMORY, 150.0, true),
];

const RATIO: &str = "rate over baseline";
const AFTERWARDS: &str = "after all of these";
const MEMORY: &str = "anonymous memory";

/// Measures every size on each database, before and after a tenth of the sessions has been deleted.
pub fn measure(workspace: &Workspace, mut args: Args, report: &mut Report) -> Result {
    let rows = args.option("--rows")?;
    let database = args.option("--database")?;
    args.finish()?;
    let sizes = match rows {
        None => SIZES.to_vec(),
        Some(text) => vec![text.parse().context(|| format!("--rows {text}"))?],
    };
    let databases = match database {
        None => Database::ALL.to_vec(),
        Some(word) => vec![Database::of_option(&word)?],
    };
    build::server(workspace, Profile::Release)?;
    let parts = build::example(workspace, Profile::Release, build::SERVER, "list_bench")?;
    let new_database = database::build_program(workspace)?;
    for rows in sizes {
        for &database in &databases {
            // One cluster for each size: nothing in it is left from another.
            let made = database.make(&new_database, Cluster::Durable)?;
            scratch::with_data(workspace, "list", |data| {
                let bench = Bench {
                    workspace,
                    parts: &parts,
                    data,
                    database,
                    made: made.as_ref(),
                    rows,
                };
                bench.write("fill", &[&rows.to_string()])?;
                bench.state("", report)?;
                bench.write("thin", &[])?;
                bench.state(", a tenth deleted", report)
            })?;
        }
    }
    Ok(())
}

/// One group on one database.
struct Bench<'a> {
    workspace: &'a Workspace,
    parts: &'a Path,
    data: &'a Path,
    database: Database,
    made: Option<&'a NewDatabase>,
    rows: u32,
}

impl Bench<'_> {
    fn part(&self, name: &str) -> Run {
        let run = Run::new(self.parts).args([name]).args([self.data]);
        let setting = self.made.map(NewDatabase::setting);
        setting
            .into_iter()
            .fold(run, |run, (name, value)| run.env(name, value))
    }

    /// Changes the rows, and leaves the database as it is some minutes later.
    fn write(&self, part: &str, arguments: &[&str]) -> Result {
        self.part(part).args(arguments).run()?;
        match self.made {
            None => Ok(()),
            // What PostgreSQL does by itself, at a moment of its choice, would be measured along.
            Some(made) => Run::new("psql")
                .args(["--quiet", made.url()])
                .args(["--command", "VACUUM (ANALYZE)"])
                .args(["--command", "CHECKPOINT"])
                .run(),
        }
    }

    /// A server on the database as it is now, and all workloads.
    fn state(&self, suffix: &str, report: &mut Report) -> Result {
        let address = server::free_address(0)?;
        let (profile, data) = (Profile::Release, self.data);
        let setting = self.made.map(NewDatabase::setting);
        let settings: Vec<_> = SETTINGS.iter().copied().chain(setting).collect();
        let server = Server::start(self.workspace, profile, data, address, &settings)?;
        let pid = server.pid();
        let _interrupted = interrupt::Guard::new(move || interrupt::terminate(pid))?;
        println!(
            "    {} sessions{suffix} on {}",
            self.rows,
            self.database.name()
        );
        let lines = self.part("load").args([address.to_string()]).read()?;
        for line in lines.lines() {
            report.push(self.figure(suffix, line)?);
        }
        // Of the server alone: PostgreSQL's is another's.
        let memory = Watched(pid).anonymous_mib()?;
        let line = format!("{AFTERWARDS}\t{MEMORY}\tMiB\t{memory}");
        report.push(self.figure(suffix, &line)?);
        server.stop()
    }

    fn figure(&self, suffix: &str, line: &str) -> Result<Figure> {
        let said = Said::parse(line)?;
        Ok(Figure {
            workload: format!("{} sessions{suffix}: {}", self.rows, said.workload),
            metric: said.metric.to_owned(),
            subject: self.database.name(),
            unit: said.unit.to_owned(),
            value: said.value,
            better: better(said.metric),
            goal: goal(said.workload, said.metric, self.rows),
        })
    }
}

fn better(metric: &str) -> Better {
    match metric.contains("rate") {
        true => Better::Higher,
        false => Better::Lower,
    }
}

fn goal(workload: &str, metric: &str, rows: u32) -> Option<f64> {
    let (.., goal, _) = GOALS
        .iter()
        .find(|(its_workload, its_metric, _, largest)| {
            *its_workload == workload && *its_metric == metric && (!largest || rows == LARGEST)
        })?;
    Some(*goal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_about_a_million_sessions_are_no_goals_of_less() {
        assert_eq!(goal(AFTERWARDS, MEMORY, LARGEST), Some(150.0));
        assert_eq!(goal(AFTERWARDS, MEMORY, 1_000), None);
        assert_eq!(goal("one hot page", RATIO, 1_000), Some(0.5));
        assert_eq!(goal("one hot page", "rate", LARGEST), None);
    }
}
