//! `cargo xtask`: the project's developer commands. `cargo xtask help` lists them.
#![expect(
    clippy::print_stdout,
    reason = "a developer command talks to a person on the terminal"
)]

mod api;
mod args;
mod bench;
mod build;
mod changed;
mod compat;
mod database;
mod demo;
mod e2e;
mod failure;
mod http;
mod interrupt;
mod new_op;
mod node;
mod scratch;
mod server;
mod sessions;
mod setup;
mod shell;
mod steps;
mod test;
mod tidy;
mod wait;
mod web;
mod workspace;

use std::process::ExitCode;

use args::Args;
use failure::{Result, bail};
use workspace::Workspace;

const HELP: &str = "\
cargo xtask demo [--exit] [--data-dir DIR]   build, serve, publish two sessions, print a link
cargo xtask test [--quick]                   every check; --quick: format, tidy, lints and unit tests of what changed
cargo xtask setup [--for build|demo|test]    install what this machine lacks
cargo xtask web                              build the player (WASM and TypeScript)
cargo xtask tidy                             the rules about the tree that no compiler checks
cargo xtask new-op ACTION                    draft an operation from the recorded contract
cargo xtask bench NAME [--json FILE]         measure (without a name: which there are)
";

fn main() -> ExitCode {
    let mut args = Args::new(std::env::args().skip(1));
    let name = args.positional().unwrap_or_else(|| "help".into());
    match run(&name, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, args: Args) -> Result {
    let workspace = Workspace::find()?;
    match name {
        "help" => print!("{HELP}"),
        "demo" => demo::main(&workspace, args)?,
        "bench" => bench::main(&workspace, args)?,
        "new-op" => new_op::main(&workspace, args)?,
        "setup" => setup::main(&workspace, args)?,
        "test" => test::main(&workspace, args)?,
        "tidy" => tidy::main(&workspace, args)?,
        "web" => web::main(&workspace, args)?,
        other => bail!("no such command\n\n{HELP}(asked for `{other}`)"),
    }
    Ok(())
}
