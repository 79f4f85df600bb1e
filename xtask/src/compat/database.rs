//! The databases that the suites are run on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::{Context, Result};
use crate::shell::Run;
use crate::workspace::{Profile, Workspace};

/// Makes databases of PostgreSQL: an example of the crate that starts it for Rust tests.
const PROGRAM: &str = "new_database";

/// What servers keep everything in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A PostgreSQL of the tests' own.
    Postgres,
}

impl Database {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// The operations that can never be answered as asked on it.
    pub fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            // It has tools of its own for that, and says so.
            Self::Postgres => &["CreateBackup"],
        }
    }
}

/// The program that makes databases of PostgreSQL.
pub fn build_program(workspace: &Workspace) -> Result<PathBuf> {
    Run::cargo()
        .args(["build", "--locked", "--package", "greenroom-testkit"])
        .args(["--example", PROGRAM])
        .dir(workspace.root(), "")
        .run()?;
    Ok(workspace
        .bin_dir(Profile::Dev)
        .join("examples")
        .join(PROGRAM))
}

/// An empty database of PostgreSQL, which runs for as long as this value lives.
pub struct NewDatabase {
    // Its standard input closes with it, on which it ends, also when we are killed.
    program: Child,
    url: String,
}

impl NewDatabase {
    /// Has the program make one.
    pub fn make(program: &Path) -> Result<Self> {
        let starting = || format!("starting {}", program.display());
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(starting)?;
        let mut url = String::new();
        let said = child.stdout.take().context(starting)?;
        BufReader::new(said)
            .read_line(&mut url)
            .context(|| format!("reading what {} says", program.display()))?;
        Ok(Self {
            program: child,
            url: url.trim().to_owned(),
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for NewDatabase {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
