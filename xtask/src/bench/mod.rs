//! `cargo xtask bench NAME [--json FILE]`: measures, prints a table, and can write the figures for a machine
//! to read.
//!
//! The exit status says whether it could measure, never whether the figures are good.

mod list;
mod process;
mod report;
mod session;
mod skeleton;
mod viewer;

use std::fs;

use crate::args::Args;
use crate::failure::{Context, Result, bail};
use crate::workspace::Workspace;

use report::Report;

/// One benchmark by name.
struct Bench {
    name: &'static str,
    about: &'static str,
    /// Takes its own options out of the arguments, and refuses what is left of them.
    run: fn(&Workspace, Args, &mut Report) -> Result,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "list",
        about: "pages of a group's sessions, on both databases; [--rows N] [--database sqlite|postgres]",
        run: list::measure,
    },
    Bench {
        name: "session",
        about: "what a holder and its sandbox add to an app, and a hundred sessions on one server",
        run: session::measure,
    },
    Bench {
        name: "skeleton",
        about: "one session from its order to pixels in a browser",
        run: skeleton::measure,
    },
];

/// The command.
pub fn main(workspace: &Workspace, mut args: Args) -> Result {
    let json = args.option("--json")?;
    let name = args.positional();
    let Some(bench) = name
        .as_deref()
        .and_then(|name| BENCHES.iter().find(|it| it.name == name))
    else {
        let known: Vec<_> = BENCHES
            .iter()
            .map(|it| format!("  {}  {}", it.name, it.about))
            .collect();
        bail!("which benchmark? There are:\n{}", known.join("\n"));
    };
    let mut report = Report::new(bench.name);
    let measured = (bench.run)(workspace, args, &mut report);
    // What was measured before a failure is still worth reading.
    println!("\n{}", report.table());
    measured?;
    if let Some(path) = json {
        fs::write(&path, format!("{:#}\n", report.json())).context(|| format!("writing {path}"))?;
    }
    Ok(())
}
