//! Builds what a server needs beside it: the binaries and the player, in one folder.

use std::path::PathBuf;

use crate::failure::Result;
use crate::shell::Run;
use crate::web;
use crate::workspace::{Profile, Workspace};

/// The crates whose programs make the install layout.
const CRATES: &[&str] = &[SERVER, "greenroom-session", "greenroom-stream"];

/// The crate of the server.
pub const SERVER: &str = "greenroom-server";

/// The programs of the install layout.
pub fn binaries(workspace: &Workspace, profile: Profile) -> Result {
    programs_of(workspace, profile, CRATES)
}

/// The server alone, for what starts no session.
pub fn server(workspace: &Workspace, profile: Profile) -> Result {
    programs_of(workspace, profile, &[SERVER])
}

fn programs_of(workspace: &Workspace, profile: Profile, crates: &[&str]) -> Result {
    Run::cargo()
        .args(["build", "--locked", "--bins"])
        .args(crates.iter().flat_map(|name| ["--package", name]))
        .args(profile.flags())
        .dir(workspace.root(), "")
        .run()
}

/// The player, beside the programs of a profile.
pub fn player(workspace: &Workspace, profile: Profile) -> Result {
    web::build(workspace)?;
    web::install(workspace, profile)
}

/// A program that only checks and benchmarks need; answers where it lies.
pub fn example(
    workspace: &Workspace,
    profile: Profile,
    package: &str,
    name: &str,
) -> Result<PathBuf> {
    Run::cargo()
        .args(["build", "--locked", "--package", package, "--example", name])
        .args(profile.flags())
        .dir(workspace.root(), "")
        .run()?;
    Ok(workspace.bin_dir(profile).join("examples").join(name))
}
