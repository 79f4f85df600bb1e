//! The official SDKs' suites (`compat/`) against a real server on an empty data folder, on each database.

mod coverage;

use std::fs;
use std::path::{Path, PathBuf};

use crate::database::{self, Cluster, Database};
use crate::failure::{Context, Failure, Result};
use crate::node;
use crate::scratch;
use crate::server::Server;
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};

const PYTHON: &str = "compat/python";
const REQUIREMENTS: &str = "compat/python/requirements.txt";
const NODE: &str = "compat/node";

/// Runs both suites on each database; the programs must have been built.
pub fn check(workspace: &Workspace) -> Result {
    let python = environment(workspace)?;
    node::install(workspace, NODE)?;
    let new_database = database::build_program(workspace)?;
    for database in Database::ALL {
        suites(workspace, &python, &new_database, database)
            .map_err(|failure| Failure::new(format!("on {}: {failure}", database.name())))?;
    }
    Ok(())
}

/// The operations that can never be answered as asked on it.
fn lacks(database: Database) -> &'static [&'static str] {
    match database {
        Database::Sqlite => &[],
        // It has tools of its own for that, and says so.
        Database::Postgres => &["CreateBackup"],
    }
}

/// Runs both suites against one server. By then it, and those that single tests start, must have answered every
/// operation.
fn suites(workspace: &Workspace, python: &Path, new_database: &Path, database: Database) -> Result {
    let made = database.make(new_database, Cluster::Shared)?;
    let settings: Vec<_> = made.iter().map(|made| made.setting()).collect();
    scratch::with_data(workspace, "sdk-metrics", |metrics| {
        scratch::with_server(workspace, Profile::Dev, "sdk", &settings, |server, _| {
            // Servers of single tests are on the same kind of database.
            let also = |run: Run| match database {
                Database::Sqlite => run,
                Database::Postgres => run.env("NEW_DATABASE", new_database),
            };
            let run = Run::new(python).args([
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "--quiet",
                PYTHON,
            ]);
            also(pointed_at(server, workspace, run)?)
                // The tests lie in the tree, which holds nothing that is made.
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("METRICS_DIR", metrics)
                .dir(workspace.root(), "")
                .run()?;
            let run = Run::new("npm").args(["test", "--silent"]);
            also(pointed_at(server, workspace, run)?)
                .dir(workspace.root(), NODE)
                .run()?;
            coverage::check(server, metrics, lacks(database))
        })
    })
}

/// A suite that is told where the server is, and who calls.
fn pointed_at(server: &Server, workspace: &Workspace, suite: Run) -> Result<Run> {
    let keys = server.keys()?;
    let program = workspace.bin_dir(Profile::Dev).join("greenroom");
    Ok(suite
        .env("APPSTREAM_ENDPOINT", server.address().to_string())
        // Some tests start a server of their own, with settings that this one does not have.
        .env("SERVER_PROGRAM", program)
        .secret_env("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.id)
        .secret_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.secret))
}

/// The interpreter of an environment with exactly the pinned packages, made anew when the pins change.
fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let home = workspace.target().join("compat/venv");
    let python = home.join("bin/python");
    let (wanted, mark) = (
        workspace.path(REQUIREMENTS),
        home.join("installed-from.txt"),
    );
    let pins = fs::read(&wanted).context(|| format!("reading {}", wanted.display()))?;
    if fs::read(&mark).is_ok_and(|installed| installed == pins) {
        return Ok(python);
    }
    Run::new("python3")
        .args(["-m", "venv", "--clear"])
        .args([&home])
        .run()?;
    Run::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--requirement",
        ])
        .args([&wanted])
        .run()?;
    fs::write(&mark, pins).context(|| format!("writing {}", mark.display()))?;
    Ok(python)
}
