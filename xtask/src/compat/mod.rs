//! The official SDKs' suites (`compat/`) against a real server on an empty data folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Result};
use crate::scratch;
use crate::server::Server;
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};

const SUITE: &str = "compat/python";
const REQUIREMENTS: &str = "compat/python/requirements.txt";

/// Runs the Python suite; the programs must have been built.
pub fn check(workspace: &Workspace) -> Result {
    let python = environment(workspace)?;
    scratch::with_server(workspace, Profile::Dev, "sdk", |server, _| {
        suite(workspace, &python, server)
    })
}

fn suite(workspace: &Workspace, python: &Path, server: &Server) -> Result {
    let keys = server.keys()?;
    Run::new(python)
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet", SUITE])
        .env("APPSTREAM_ENDPOINT", server.address().to_string())
        // Some tests start a server of their own, with settings that this one does not have.
        .env(
            "SERVER_PROGRAM",
            workspace
                .bin_dir(Profile::Dev)
                .join("greenroom")
                .display()
                .to_string(),
        )
        .secret_env("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.id)
        .secret_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.secret)
        // The tests lie in the tree, which holds nothing that is made.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .dir(workspace.root(), "")
        .run()
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
