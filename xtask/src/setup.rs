//! `cargo xtask setup`: finds out what this machine lacks, says why it is needed, and installs it.
//!
//! When nothing is missing it asks a few programs for their version and is done: no package list is
//! refreshed and no network is used.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::args::Args;
use crate::failure::{Context, Result, bail};
use crate::shell::Run;
use crate::workspace::Workspace;

/// What the machine is prepared for; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Compiling every crate and the player.
    Build,
    /// Running sessions on this machine.
    Demo,
    /// Every check of `cargo xtask test`, except the cargo subcommands: see [`tool`].
    Test,
    /// The benchmarks, for what they compare with.
    Bench,
}

/// The least version of Node that the player's build and the end-to-end test are run with.
const NODE_MAJOR: u32 = 20;

/// Debian's packages: name, from which scope on, and why.
const PACKAGES: &[(&str, Scope, &str)] = &[
    (
        "pkg-config",
        Scope::Build,
        "finds the two libraries below when the compositor is built",
    ),
    (
        "libpixman-1-dev",
        Scope::Build,
        "the compositor draws with pixman",
    ),
    ("libxkbcommon-dev", Scope::Build, "the compositor's keymaps"),
    (
        "bubblewrap",
        Scope::Demo,
        "the sandbox every session runs in",
    ),
    (
        "passt",
        Scope::Demo,
        "carries what sessions send to the internet",
    ),
    (
        "nftables",
        Scope::Demo,
        "keeps sessions from what is nearer than the internet",
    ),
    (
        "wl-clipboard",
        Scope::Test,
        "apps that copy and paste, for the tests of the clipboard",
    ),
    (
        "xclip",
        Scope::Test,
        "the same of apps that speak X, in parts where it is large",
    ),
    (
        "iproute2",
        Scope::Test,
        "makes the machine with an outside that sessions' network is tested on",
    ),
    (
        "xkb-data",
        Scope::Demo,
        "the keyboard layouts that keymaps are made from",
    ),
    (
        "fonts-dejavu-core",
        Scope::Demo,
        "a terminal without a font draws nothing",
    ),
    ("foot", Scope::Demo, "the terminal of the built-in image"),
    (
        "mousepad",
        Scope::Demo,
        "the text editor of the built-in image",
    ),
    (
        "dbus-daemon",
        Scope::Demo,
        "the message bus that apps expect in their session",
    ),
    ("pulseaudio", Scope::Demo, "the sound server of a session"),
    (
        "xdg-desktop-portal-gtk",
        Scope::Demo,
        "lets apps have files chosen and addresses opened",
    ),
    (
        "desktop-file-utils",
        Scope::Demo,
        "writes down which app opens what",
    ),
    (
        "fonts-noto-cjk",
        Scope::Demo,
        "letters for Chinese, Japanese and Korean",
    ),
    ("fonts-noto-color-emoji", Scope::Demo, "pictures for emoji"),
    (
        "pulseaudio-utils",
        Scope::Test,
        "plays and records in a session",
    ),
    (
        "libglib2.0-bin",
        Scope::Test,
        "asks a session's portals, and sets what they answer",
    ),
    (
        "xwayland",
        Scope::Demo,
        "the X server of apps that do not speak Wayland",
    ),
    ("xterm", Scope::Test, "an app that speaks X alone"),
    (
        "dbus-bin",
        Scope::Test,
        "asks a session's message bus who it is",
    ),
    (
        "python3-venv",
        Scope::Test,
        "the official Python SDK runs in an environment of its own",
    ),
    (
        "postgresql",
        Scope::Test,
        "the store is tested on it, in a cluster of the tests' own",
    ),
    (
        "chromium",
        Scope::Demo,
        "the browser of the built-in image, of groups of browsers and of the end-to-end test",
    ),
    (
        "gtk-4-examples",
        Scope::Test,
        "an app of GTK 4 for the tests of sessions",
    ),
    (
        "featherpad",
        Scope::Test,
        "an app of Qt 5 for the tests of sessions",
    ),
    (
        "qtwayland5",
        Scope::Test,
        "without it Qt 5 draws nothing in a session",
    ),
    (
        "python3-pyqt6",
        Scope::Test,
        "an app of Qt 6 for the tests of sessions",
    ),
    (
        "qt6-wayland",
        Scope::Test,
        "without it Qt 6 draws nothing in a session",
    ),
    (
        "openjdk-17-jre",
        Scope::Test,
        "Java with its windows, for the tests of sessions",
    ),
    (
        "bsh",
        Scope::Test,
        "an app of Java for the tests of sessions, without compiling one",
    ),
    (
        "firefox-esr",
        Scope::Test,
        "the other browser that sessions are tested with",
    ),
    (
        "libreoffice-writer",
        Scope::Demo,
        "the office app of the built-in image",
    ),
    (
        "libreoffice-gtk3",
        Scope::Demo,
        "without it LibreOffice draws nothing in a session",
    ),
    (
        "weston",
        Scope::Bench,
        "the compositor that `bench session` compares with",
    ),
];

/// Rust components and targets: the rustup arguments that add one, how its presence is seen, and why.
const RUST: &[(&[&str], &[&str], &str)] = &[
    (
        &["component", "add", "rustfmt"],
        &["fmt", "--version"],
        "formats the code",
    ),
    (
        &["component", "add", "clippy"],
        &["clippy", "--version"],
        "lints the code",
    ),
];

/// A cargo subcommand at the version this project is checked with.
#[derive(Clone, Copy)]
pub struct Tool {
    /// Its crate, which is also its program.
    pub name: &'static str,
    version: &'static str,
    why: &'static str,
}

/// Runs tests in parallel, one process each.
pub const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.128",
    why: "runs the tests",
};
/// Checks licences, sources and duplicates of the dependencies.
pub const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    why: "checks the dependencies' licences and sources",
};

/// The command: everything, tools included.
pub fn main(workspace: &Workspace, mut args: Args) -> Result {
    let scope = match args.option("--for")?.as_deref() {
        None | Some("test") => Scope::Test,
        Some("demo") => Scope::Demo,
        Some("build") => Scope::Build,
        Some(other) => bail!("--for is build, demo or test, not `{other}`"),
    };
    args.finish()?;
    prepare(workspace, scope)?;
    if scope == Scope::Test {
        for wanted in [NEXTEST, DENY] {
            tool(workspace, wanted)?;
        }
    }
    println!("  everything needed is there");
    Ok(())
}

/// Installs what is missing for a scope.
pub fn prepare(workspace: &Workspace, scope: Scope) -> Result {
    check_node()?;
    install_rust_parts(workspace)?;
    install_packages(scope)
}

fn check_node() -> Result {
    let told = Run::new("node").args(["--version"]).read();
    let told = told.context(|| {
        format!("Node.js {NODE_MAJOR} or newer is needed (with npm) to build the player")
    })?;
    match major(&told) {
        Some(version) if version >= NODE_MAJOR => Ok(()),
        _ => bail!(
            "Node.js {NODE_MAJOR} or newer is needed to build the player; this is {}",
            told.trim()
        ),
    }
}

/// `v20.1.2` has major version 20.
fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn install_rust_parts(workspace: &Workspace) -> Result {
    for (install, probe, why) in RUST {
        if !Run::cargo()
            .args(*probe)
            .dir(workspace.root(), "")
            .succeeds()
        {
            println!("  missing: {} ({why})", install[2]);
            Run::new("rustup").args(*install).run()?;
        }
    }
    let sysroot = Run::new("rustc").args(["--print", "sysroot"]).read()?;
    let wasm = PathBuf::from(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib");
    if !wasm.is_dir() {
        println!(
            "  missing: wasm32-unknown-unknown (the player decodes with the crate that encodes)"
        );
        Run::new("rustup")
            .args(["target", "add", "wasm32-unknown-unknown"])
            .run()?;
    }
    Ok(())
}

fn install_packages(scope: Scope) -> Result {
    let wanted: Vec<_> = PACKAGES
        .iter()
        .filter(|(_, from, _)| *from <= scope)
        .collect();
    let names: Vec<_> = wanted.iter().map(|(name, ..)| *name).collect();
    let listing = Run::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .read();
    let Ok(listing) = listing else {
        println!(
            "  this is no Debian: see to it yourself that these are there: {}",
            names.join(" ")
        );
        return Ok(());
    };
    let installed = installed(&listing);
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|(name, ..)| !installed.contains(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for (name, _, why) in &missing {
        println!("  missing: {name} ({why})");
    }
    let root = rustix::process::geteuid().is_root();
    apt(root, &["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt(
        root,
        &[
            install.as_slice(),
            &missing.iter().map(|(name, ..)| *name).collect::<Vec<_>>(),
        ]
        .concat(),
    )
}

fn apt(root: bool, args: &[&str]) -> Result {
    // A package that asks a question would wait for ever; sudo drops the variable unless told on its line.
    let line = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet",
    ]
    .into_iter()
    .chain(args.iter().copied());
    if root {
        return Run::new("env").args(line.skip(1)).run();
    }
    // The terminal itself is asked for the password, so no standard input is needed.
    Run::new("sudo").args(line).run()
}

/// The packages that dpkg calls installed; a removed package whose settings remain is not.
fn installed(listing: &str) -> BTreeSet<&str> {
    listing
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect()
}

/// The path of a cargo subcommand; it is compiled into the target folder unless it is found.
///
/// One found on PATH is taken as it is, whatever its version: the checks do not depend on fine points,
/// and compiling it takes minutes.
pub fn tool(workspace: &Workspace, tool: Tool) -> Result<PathBuf> {
    let ours = workspace.tools().join("bin").join(tool.name);
    if ours.is_file() {
        return Ok(ours);
    }
    let probe = tool.name.trim_start_matches("cargo-");
    if Run::new(tool.name).args([probe, "--version"]).succeeds() {
        return Ok(tool.name.into());
    }
    println!(
        "  missing: {} {} ({}); compiling it takes some minutes",
        tool.name, tool.version, tool.why
    );
    Run::cargo()
        .args([
            "install",
            "--locked",
            "--version",
            tool.version,
            tool.name,
            "--root",
        ])
        .args([workspace.tools()])
        // The project's own setting must not be compiled in: a shared target folder would be rebuilt.
        .args(["--target-dir"])
        .args([workspace.tools().join("build")])
        .run()?;
    // Only the program is of use; its build folder is larger than ours.
    let build = workspace.tools().join("build");
    std::fs::remove_dir_all(&build).context(|| format!("removing {}", build.display()))?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_package_does_not_count_as_installed() {
        let listing = "foot installed\nmousepad config-files\nbubblewrap not-installed\n";
        assert_eq!(installed(listing), BTreeSet::from(["foot"]));
    }

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("weird"), None);
    }

    #[test]
    fn a_test_machine_also_gets_what_a_build_machine_gets() {
        assert!(Scope::Build < Scope::Demo && Scope::Demo < Scope::Test);
    }
}
