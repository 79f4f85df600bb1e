//! The npm packages of a folder, installed when its lock file says they changed.

use std::fs;
use std::path::Path;

use crate::failure::{Context, Result};
use crate::shell::Run;
use crate::workspace::Workspace;

/// Beside the installed packages: the lock file they were installed from.
const MARK: &str = "node_modules/.installed-from.json";

/// Runs `npm ci` in `folder` unless exactly these packages are installed already.
pub fn install(workspace: &Workspace, folder: &str) -> Result {
    let at = workspace.path(folder);
    if is_current(&at) {
        return Ok(());
    }
    Run::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .dir(workspace.root(), folder)
        .run()?;
    let lock = at.join("package-lock.json");
    fs::copy(&lock, at.join(MARK)).context(|| format!("remembering {}", lock.display()))?;
    Ok(())
}

fn is_current(folder: &Path) -> bool {
    let read = |name: &str| fs::read(folder.join(name)).ok();
    read(MARK).is_some_and(|installed| Some(installed) == read("package-lock.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_current_only_for_the_lock_file_they_came_from() {
        let folder = std::env::temp_dir().join(format!("xtask-node-{}", std::process::id()));
        fs::create_dir_all(folder.join("node_modules")).unwrap();
        fs::write(folder.join("package-lock.json"), "{}").unwrap();
        assert!(!is_current(&folder));
        fs::write(folder.join(MARK), "{}").unwrap();
        assert!(is_current(&folder));
        fs::write(folder.join("package-lock.json"), "{\"changed\": 1}").unwrap();
        assert!(!is_current(&folder));
        fs::remove_dir_all(&folder).unwrap();
    }
}
