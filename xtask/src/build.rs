//! Builds what a server needs beside it: the binaries and the player, in one folder.

use crate::failure::Result;
use crate::shell::Run;
use crate::web;
use crate::workspace::{Profile, Workspace};

/// The programs of the install layout.
pub fn binaries(workspace: &Workspace, profile: Profile) -> Result {
    Run::cargo()
        .args([
            "build",
            "--locked",
            "--workspace",
            "--exclude",
            "xtask",
            "--bins",
        ])
        .args(profile.flags())
        .dir(workspace.root(), "")
        .run()
}

/// The player, beside the programs of a profile.
pub fn player(workspace: &Workspace, profile: Profile) -> Result {
    web::build(workspace)?;
    web::install(workspace, profile)
}
