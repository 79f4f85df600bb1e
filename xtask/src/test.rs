//! `cargo xtask test`: every check of the project, the cheap ones first, each runnable alone.

use crate::args::Args;
use crate::failure::{Context, Failure, Result, bail};
use crate::setup::{self, DENY, NEXTEST, Scope};
use crate::shell::Run;
use crate::steps::Steps;
use crate::workspace::{Profile, Workspace};
use crate::{build, changed, compat, e2e, node, tidy, web};

/// One check.
struct Check {
    /// What `--only` calls it.
    id: &'static str,
    title: &'static str,
    run: fn(&Workspace) -> Result,
}

/// All checks, in order. Those after `build` use its programs, and do not build again.
const CHECKS: &[Check] = &[
    Check {
        id: "setup",
        title: "install what this machine lacks",
        run: |it| setup::prepare(it, Scope::Test),
    },
    Check {
        id: "fmt",
        title: "format",
        run: fmt,
    },
    Check {
        id: "tidy",
        title: "rules about the tree",
        run: tidy::check,
    },
    Check {
        id: "player",
        title: "types and unit tests of the player",
        run: player,
    },
    Check {
        id: "clippy",
        title: "lints",
        run: clippy,
    },
    Check {
        id: "build",
        title: "build the programs and the tests",
        run: build_all,
    },
    Check {
        id: "web",
        title: "build the player",
        run: |it| build::player(it, Profile::Dev),
    },
    Check {
        id: "wasm",
        title: "the decoder as WASM against the native one",
        run: wasm,
    },
    Check {
        id: "tools",
        title: "find or compile the cargo subcommands",
        run: tools,
    },
    Check {
        id: "unit",
        title: "run the tests",
        run: nextest,
    },
    Check {
        id: "doctest",
        title: "run the examples of the docs",
        run: doctest,
    },
    Check {
        id: "doc",
        title: "build the docs",
        run: doc,
    },
    Check {
        id: "deny",
        title: "licences, sources and duplicates of dependencies",
        run: deny,
    },
    Check {
        id: "sdk",
        title: "the official SDKs against a real server",
        run: compat::check,
    },
    Check {
        id: "e2e",
        title: "a real browser against a real server",
        run: e2e::check,
    },
];

/// The checks that run the programs, by id.
const NEED_PROGRAMS: &[&str] = &["unit", "sdk", "e2e"];

/// The command.
pub fn main(workspace: &Workspace, mut args: Args) -> Result {
    let quick = args.flag("--quick");
    let only = args.option("--only")?;
    args.finish()?;
    match only {
        Some(id) => {
            let known = || {
                CHECKS
                    .iter()
                    .map(|check| check.id)
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let check = CHECKS.iter().find(|check| check.id == id);
            let check =
                check.context(|| format!("no check is called `{id}`; there are: {}", known()))?;
            if NEED_PROGRAMS.contains(&check.id) {
                // Those of an earlier build would be judged instead of what is there now.
                build_all(workspace)?;
                build::player(workspace, Profile::Dev)?;
            }
            (check.run)(workspace)
        }
        None if quick => run_quick(workspace),
        None => run_all(workspace),
    }
}

fn run_all(workspace: &Workspace) -> Result {
    let mut steps = Steps::new(CHECKS.len());
    let before = tree(workspace)?;
    for check in CHECKS {
        steps
            .step(check.title, || (check.run)(workspace))
            .map_err(|failure| {
                Failure::new(format!(
                    "{}: {failure}\nto run it again alone: cargo xtask test --only {}",
                    check.title, check.id
                ))
            })?;
    }
    // What tests and generators write belongs into the target folder; what they wrote into the tree either
    // is stale there, or should be ignored.
    let after = tree(workspace)?;
    if before != after {
        bail!("the checks changed the tree; before:\n{before}\nafter:\n{after}");
    }
    println!(
        "\nAll {} checks passed.\n\n{}",
        CHECKS.len(),
        steps.summary()
    );
    Ok(())
}

/// What git would commit, and what it does not know.
fn tree(workspace: &Workspace) -> Result<String> {
    Run::new("git")
        .args(["status", "--porcelain"])
        .dir(workspace.root(), "")
        .read()
}

/// The inner loop: format and tree of everything, lints of the changed crates and of those that use them, and
/// the changed crates' own unit tests. Whoever relies on more than that runs the whole.
fn run_quick(workspace: &Workspace) -> Result {
    let mut steps = Steps::new(4);
    steps.step("format", || fmt(workspace))?;
    steps.step("rules about the tree", || tidy::check(workspace))?;
    let changed = changed::crates(workspace)?;
    println!(
        "\n  changed crates: {}",
        if changed.own.is_empty() {
            "none".into()
        } else {
            changed.own.join(", ")
        }
    );
    steps.step("lints of what changed and what uses it", || {
        if changed.with_users.is_empty() {
            return Ok(());
        }
        clippy_of(workspace, &packages(&changed.with_users))
    })?;
    steps.step("unit tests of what changed", || {
        if changed.own.is_empty() {
            return Ok(());
        }
        let run = nextest_program(workspace)?.args([
            "nextest",
            "run",
            "--locked",
            "--lib",
            "--bins",
            "--no-tests",
            "pass",
        ]);
        run.args(packages(&changed.own))
            .dir(workspace.root(), "")
            .run()
    })?;
    println!("\n{}", steps.summary());
    Ok(())
}

fn packages(names: &[String]) -> Vec<&str> {
    names.iter().flat_map(|name| ["--package", name]).collect()
}

fn fmt(workspace: &Workspace) -> Result {
    Run::cargo()
        .args(["fmt", "--all", "--check"])
        .dir(workspace.root(), "")
        .run()?;
    // The list of operations declares their modules in a macro, where `cargo fmt` does not look.
    let operations = workspace.root().join("crates/server/src/ops");
    let mut check = Run::new("rustfmt").args(["--check", "--edition", "2024"]);
    let named = || operations.display().to_string();
    for entry in std::fs::read_dir(&operations).context(named)? {
        let path = entry.context(named)?.path();
        if let Some(path) = path.to_str().filter(|path| path.ends_with(".rs")) {
            check = check.args([path]);
        }
    }
    check.dir(workspace.root(), "").run()
}

fn player(workspace: &Workspace) -> Result {
    // Its tests draw recorded units with the decoder that a browser gets.
    web::wasm(workspace)?;
    node::install(workspace, web::PLAYER)?;
    for script in ["check", "test"] {
        Run::new("npm")
            .args(["run", "--silent", script])
            .env("GREENROOM_TILES_WASM", web::decoder(workspace))
            .dir(workspace.root(), web::PLAYER)
            .run()?;
    }
    Ok(())
}

fn clippy(workspace: &Workspace) -> Result {
    clippy_of(workspace, &["--workspace"])
}

fn clippy_of(workspace: &Workspace, selection: &[&str]) -> Result {
    let run = Run::cargo()
        .args(["clippy", "--locked", "--all-targets"])
        .args(selection);
    run.args(["--", "--deny", "warnings"])
        .dir(workspace.root(), "")
        .run()
}

/// Programs and tests in one go: apart, they would build their dependencies twice, with the features that
/// the programs need and with those that the tests add.
fn build_all(workspace: &Workspace) -> Result {
    Run::cargo()
        .args(["build", "--locked", "--workspace", "--all-targets"])
        .dir(workspace.root(), "")
        .run()
}

fn wasm(workspace: &Workspace) -> Result {
    Run::new("node")
        .args(["crates/tiles/tests/wasm.mjs"])
        .args([web::decoder(workspace)])
        .dir(workspace.root(), "")
        .run()
}

/// Compiling these takes minutes on two cores, so it is a step of its own, with nothing heavy beside it.
fn tools(workspace: &Workspace) -> Result {
    for tool in [NEXTEST, DENY] {
        setup::tool(workspace, tool)?;
    }
    Ok(())
}

fn nextest(workspace: &Workspace) -> Result {
    let run = nextest_program(workspace)?.args(["nextest", "run", "--locked", "--workspace"]);
    let screenshots = workspace.target().join("screenshots");
    std::fs::create_dir_all(&screenshots)
        .context(|| format!("creating {}", screenshots.display()))?;
    // The first step has seen to it, so a program that is missing is a failure here.
    run.args(["--no-fail-fast"])
        .env("TESTS_ALL_INSTALLED", "1")
        .env("TESTS_SCREENSHOTS", screenshots)
        .dir(workspace.root(), "")
        .run()
}

fn nextest_program(workspace: &Workspace) -> Result<Run> {
    Ok(Run::new(setup::tool(workspace, NEXTEST)?))
}

fn doctest(workspace: &Workspace) -> Result {
    Run::cargo()
        .args(["test", "--locked", "--workspace", "--doc", "--quiet"])
        .dir(workspace.root(), "")
        .run()
}

fn doc(workspace: &Workspace) -> Result {
    let run = Run::cargo().args(["doc", "--locked", "--workspace", "--no-deps"]);
    run.env("RUSTDOCFLAGS", "--deny warnings")
        .dir(workspace.root(), "")
        .run()
}

fn deny(workspace: &Workspace) -> Result {
    let program = setup::tool(workspace, DENY)?;
    let deny = |args: &[&str]| {
        Run::new(&program)
            .args(["--locked"])
            .args(args)
            .dir(workspace.root(), "")
    };
    deny(&[
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ])
    .run()?;
    // The advisories are a Git repository that not every machine can reach. Its absence must not stop the
    // other checks, and must not look like a pass.
    let fetched = Run::new("timeout")
        .args(["60"])
        .args([&program])
        .args(["--locked", "fetch", "db"]);
    if !fetched.dir(workspace.root(), "").succeeds() {
        println!(
            "\n  NOT CHECKED: security advisories. Their database cannot be reached from here.\n"
        );
        return Ok(());
    }
    deny(&["check", "advisories"])
        .run()
        .or_else(|failure| bail!("a dependency has an advisory: {failure}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_check_can_be_asked_for_by_a_name_of_its_own() {
        let ids: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
    }

    #[test]
    fn what_needs_the_programs_comes_after_they_are_built() {
        let at = |id: &str| CHECKS.iter().position(|check| check.id == id).unwrap();
        for later in ["unit", "sdk", "e2e"] {
            assert!(
                at("build") < at(later) && at("tools") <= at(later),
                "{later}"
            );
        }
        assert!(at("web") < at("e2e"));
    }
}
