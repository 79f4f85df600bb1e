//! `cargo xtask tidy`: the rules about the whole tree that no compiler checks.
//!
//! Each rule is a pure function over text or over `cargo metadata`, tested on bad samples beside it;
//! this file only reads the tree and collects what they found.

mod borders;
mod docs;
mod files;
mod manifests;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::args::Args;
use crate::failure::{Context, Result, bail};
use crate::shell::Run;
use crate::workspace::Workspace;

/// One file of the tree: its path from the root, and its text unless it is binary.
pub(crate) struct Entry {
    path: String,
    size: u64,
    text: Option<String>,
}

/// The command.
pub fn main(workspace: &Workspace, args: Args) -> Result {
    args.finish()?;
    check(workspace)
}

/// Runs every rule and fails with all that they found.
pub fn check(workspace: &Workspace) -> Result {
    let entries = tree(workspace)?;
    let metadata = metadata(workspace)?;
    let mut found = Vec::new();
    found.extend(borders::check(&metadata));
    for entry in &entries {
        found.extend(files::check(entry));
        if entry.path.ends_with("Cargo.toml") {
            found.extend(manifests::check(
                &entry.path,
                entry.text.as_deref().unwrap_or_default(),
            ));
        }
    }
    found.extend(docs::check(&entries, &borders::members(&metadata)));
    if found.is_empty() {
        println!("  {} files are tidy", entries.len());
        return Ok(());
    }
    for line in &found {
        println!("  {line}");
    }
    bail!("{} untidy places", found.len());
}

/// The dependency graph of the platform we build for.
fn metadata(workspace: &Workspace) -> Result<Value> {
    let text = Run::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .dir(workspace.root(), "")
        .read()?;
    serde_json::from_str(&text).context(|| "reading cargo metadata".into())
}

/// Every file that is committed or could be, including strays that git ignores by name.
fn tree(workspace: &Workspace) -> Result<Vec<Entry>> {
    let git = |args: &[&str]| Run::new("git").args(args).dir(workspace.root(), "").read();
    let mut listed = git(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])?;
    listed.push_str(&git(&[
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--",
        "*.snap.new",
    ])?);
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    // A file deleted but not yet committed is still listed.
    Ok(paths
        .filter_map(|path| read(workspace.root(), path))
        .collect())
}

fn read(root: &Path, path: &str) -> Option<Entry> {
    let full = root.join(path);
    let size = fs::symlink_metadata(&full)
        .ok()
        .filter(|it| it.is_file())?
        .len();
    let text = fs::read(&full)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    Some(Entry {
        path: path.to_owned(),
        size,
        text,
    })
}
