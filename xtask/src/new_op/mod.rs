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
    println!("Next: docs/recipes/add-an-operation.md from step 2 on.");
    Ok(())
}

/// Writes the draft into the checkout at `root` and returns the files it made or changed.
fn add(root: &Path, action: &str, version: Option<&str>) -> Result<Vec<PathBuf>> {
    let operation = Operation::find(&root.join("contract"), action, version)?;
    let module = names::snake(action);
    let folder = operation.folder();
    let file = root
        .join(OPS)
        .join(folder.unwrap_or_default())
        .join(format!("{module}.rs"));
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
    let line = format!("{module}::{action},");
    write(&list, &with_line(&text, folder, &line)?)?;
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

/// The list of operations with one more, in its alphabetical place: among those that stand alone, or after
/// the name of a product with a folder of its own.
fn with_line(text: &str, folder: Option<&str>, entry: &str) -> Result<String> {
    let open = match folder {
        None => "operations![\n".to_owned(),
        Some(folder) => format!(" in {folder}]\n"),
    };
    let start = text
        .find(&open)
        .context(|| format!("{OPS}/mod.rs has no line that ends with `{}`", open.trim()))?;
    let start = start + open.len();
    let line = format!("    {entry}");
    // The entries end where something else begins: another product's name, or the end of the list.
    let entries = text[start..]
        .lines()
        .take_while(|line| line.contains("::") && line.ends_with(','));
    let mut lines: Vec<_> = entries.collect();
    let length: usize = lines.iter().map(|line| line.len() + 1).sum();
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
