//! The databases that servers of checks and benchmarks are started on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::build;
use crate::failure::{Context, Result, bail};
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

    /// The one that an option names.
    pub fn of_option(word: &str) -> Result<Self> {
        match word {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            other => bail!("`{other}` is no database; there are sqlite and postgres"),
        }
    }

    /// An empty one, unless servers make it themselves.
    pub fn make(self, program: &Path, cluster: Cluster) -> Result<Option<NewDatabase>> {
        match self {
            Self::Sqlite => Ok(None),
            Self::Postgres => NewDatabase::make(program, cluster).map(Some),
        }
    }
}

/// Where a database of PostgreSQL lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// Where all tests have theirs. It forgets what it holds when the machine loses power.
    Shared,
    /// Alone in one that is on disk before it answers, as a user's is.
    Durable,
}

/// The program that makes databases of PostgreSQL.
pub fn build_program(workspace: &Workspace) -> Result<PathBuf> {
    build::example(workspace, Profile::Dev, "greenroom-testkit", PROGRAM)
}

/// An empty database of PostgreSQL, which runs for as long as this value lives.
pub struct NewDatabase {
    // Its standard input closes with it, on which it ends, also when we are killed.
    program: Child,
    url: String,
}

impl NewDatabase {
    fn make(program: &Path, cluster: Cluster) -> Result<Self> {
        let starting = || format!("starting {}", program.display());
        let mut child = Command::new(program)
            .args((cluster == Cluster::Durable).then_some("durable"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(starting)?;
        let said = child.stdout.take().context(starting)?;
        let mut it = Self {
            program: child,
            url: String::new(),
        };
        BufReader::new(said)
            .read_line(&mut it.url)
            .context(|| format!("reading what {} says", program.display()))?;
        it.url.truncate(it.url.trim_end().len());
        if it.url.is_empty() {
            bail!("{} made no database", program.display());
        }
        Ok(it)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a server's environment has to say to be on it: a variable and its value.
    pub fn setting(&self) -> (&'static str, &str) {
        ("GREENROOM_DATABASE_URL", &self.url)
    }
}

impl Drop for NewDatabase {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
