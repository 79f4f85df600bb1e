//! `cargo xtask new-op ACTION`: the first draft of an operation, from the recorded contract.
//!
//! The draft compiles: what it takes and answers is there in full. Its handler answers with an internal
//! error, and its test and the lints fail until a person has written it.

mod contract;
mod names;
mod python;
mod rust;

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::failure::{Context, Result, bail};
use crate::shell::Run;
use crate::workspace::Workspace;

use contract::Operation;

const OPS: &str = "crates/server/src/ops";
const COMPAT: &str = "compat/python";

/// The command.
pub fn main(workspace: &Workspace, mut args: Args) -> Result {
    let version = args.option("--api-version")?;
    let action = args
        .positional()
        .context(|| "which operation? cargo xtask new-op ACTION".into())?;
    args.finish()?;
    let made = add(workspace.root(), &action, version.as_deref())?;
    for path in &made {
        println!("  {}", path.display());
    }
    println!(
        "Next: write `handle` and its test, then docs/recipes/add-an-operation.md from step 2 on."
    );
    Ok(())
}

/// Writes the draft into the checkout at `root` and returns the files it made or changed.
fn add(root: &Path, action: &str, version: Option<&str>) -> Result<Vec<PathBuf>> {
    let operation = Operation::find(&root.join("contract"), action, version)?;
    let module = names::snake(action);
    let file = root.join(OPS).join(format!("{module}.rs"));
    if file.exists() {
        bail!("{} is there already", file.display());
    }
    write(&file, &rust::draft(&operation))?;
    Run::new("rustfmt")
        .args(["--edition", "2024"])
        .args([&file])
        .read()?;
    let list = root.join(OPS).join("mod.rs");
    let text = fs::read_to_string(&list).context(|| format!("reading {}", list.display()))?;
    write(&list, &with_line(&text, &format!("{module}::{action}"))?)?;
    let mut made = vec![file, list];
    // The SDK of the suite speaks this version; another version's case goes to its own SDK's suite.
    if operation.version == python::VERSION {
        let case = root.join(COMPAT).join(format!("test_{module}.py"));
        write(&case, &python::case(&operation))?;
        made.push(case);
    }
    Ok(made)
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).context(|| format!("writing {}", path.display()))
}

/// The list of operations with one more, in its alphabetical place.
fn with_line(text: &str, entry: &str) -> Result<String> {
    const OPEN: &str = "operations![\n";
    let start = text
        .find(OPEN)
        .context(|| format!("{OPS}/mod.rs has no list that begins with `operations![`"))?;
    let start = start + OPEN.len();
    let length = text[start..]
        .find("];")
        .context(|| format!("the list in {OPS}/mod.rs has no end"))?;
    let line = format!("    {entry},");
    let mut lines: Vec<_> = text[start..start + length].lines().collect();
    if lines.contains(&line.as_str()) {
        bail!("{entry} is on the list already");
    }
    lines.push(&line);
    lines.sort_unstable();
    Ok(format!(
        "{}{}\n{}",
        &text[..start],
        lines.join("\n"),
        &text[start + length..]
    ))
}

#[cfg(test)]
mod tests;
