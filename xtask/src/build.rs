//! Builds what a server needs beside it: the binaries and the player, in one folder.

use crate::failure::Result;
use crate::shell::Run;
use crate::web;
use crate::workspace::{Profile, Workspace};

/// The crates whose programs make the install layout.
const CRATES: &[&str] = &["greenroom-server", "greenroom-session", "greenroom-stream"];

/// The programs of the install layout.
pub fn binaries(workspace: &Workspace, profile: Profile) -> Result {
    Run::cargo()
        .args(["build", "--locked", "--bins"])
        .args(CRATES.iter().flat_map(|name| ["--package", name]))
        .args(profile.flags())
        .dir(workspace.root(), "")
        .run()
}

/// The player, beside the programs of a profile.
pub fn player(workspace: &Workspace, profile: Profile) -> Result {
    web::build(workspace)?;
    web::install(workspace, profile)
}
