//! The end-to-end test: a real browser, a real server, a real session.

use crate::failure::Result;
use crate::node;
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};

const SUITE: &str = "tests/e2e";

/// Runs the suite; the programs and the player must have been built.
pub fn check(workspace: &Workspace) -> Result {
    node::install(workspace, SUITE)?;
    Run::new("npm")
        .args(["test", "--silent"])
        .env("BIN_DIR", workspace.bin_dir(Profile::Dev))
        // Screenshots, for a person to look at.
        .env("E2E_OUT", workspace.target().join("e2e"))
        .dir(workspace.root(), SUITE)
        .run()
}
