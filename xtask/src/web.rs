//! `cargo xtask web`: the player, from the crate that encodes its pictures to the files a browser loads.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::failure::{Context, Result};
use crate::node;
use crate::setup::{self, Scope};
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};

/// The player's folder.
pub const PLAYER: &str = "web/player";
const WASM: &str = "wasm32-unknown-unknown";
/// The root manifest's profile for what a browser downloads.
const WASM_PROFILE: &str = "player";

/// The command: builds for both profiles' install layouts.
pub fn main(workspace: &Workspace, args: Args) -> Result {
    args.finish()?;
    setup::prepare(workspace, Scope::Build)?;
    build(workspace)?;
    install(workspace, Profile::Dev)?;
    install(workspace, Profile::Release)
}

/// Builds the decoder and the player into `web/player/dist`.
pub fn build(workspace: &Workspace) -> Result {
    wasm(workspace)?;
    node::install(workspace, PLAYER)?;
    Run::new("npm")
        .args(["run", "--silent", "build"])
        .env("GREENROOM_TILES_WASM", decoder(workspace))
        .dir(workspace.root(), PLAYER)
        .run()
}

/// The compiled decoder.
pub fn decoder(workspace: &Workspace) -> PathBuf {
    let folder = workspace.target().join(WASM).join(WASM_PROFILE);
    folder.join("greenroom_tiles.wasm")
}

/// Compiles the tiles crate for the browser, always optimised: a debug decoder is unusably slow.
pub fn wasm(workspace: &Workspace) -> Result {
    Run::cargo()
        .args([
            "build",
            "--locked",
            "--package",
            "greenroom-tiles",
            "--lib",
            "--no-default-features",
        ])
        .args(["--target", WASM, "--profile", WASM_PROFILE])
        .dir(workspace.root(), "")
        .run()
}

/// Copies the built player beside the binaries of a profile.
pub fn install(workspace: &Workspace, profile: Profile) -> Result {
    let to = workspace.bin_dir(profile).join("player");
    if to.exists() {
        fs::remove_dir_all(&to).context(|| format!("removing {}", to.display()))?;
    }
    copy(&workspace.path(PLAYER).join("dist"), &to)
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).context(|| format!("creating {}", to.display()))?;
    let entries = fs::read_dir(from).context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let path = entry
            .context(|| format!("reading {}", from.display()))?
            .path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).context(|| format!("copying {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_with_what_is_in_it() {
        let base = std::env::temp_dir().join(format!("xtask-web-{}", std::process::id()));
        fs::create_dir_all(base.join("from/inner")).unwrap();
        fs::write(base.join("from/inner/a.js"), "1").unwrap();
        copy(&base.join("from"), &base.join("to")).unwrap();
        assert_eq!(fs::read_to_string(base.join("to/inner/a.js")).unwrap(), "1");
        fs::remove_dir_all(&base).unwrap();
    }
}
