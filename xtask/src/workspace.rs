//! Where things lie in a checkout, and how fast they are built.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Result};

/// How the binaries are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What tests and the demo run.
    Dev,
    /// What benchmarks measure.
    Release,
}

impl Profile {
    /// Cargo's name for the folder of this profile.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }

    /// The flags that make cargo build it.
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &[],
            Self::Release => &["--release"],
        }
    }
}

/// One checkout of the project.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The checkout this program was built from, wherever it is called.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context(|| "xtask lies in no workspace".into())?
            .to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The folder with the root `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the checkout.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's target folder; everything these commands make lies below it.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder that holds the binaries and the player of one profile: the install layout.
    pub fn bin_dir(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder())
    }

    /// Cargo subcommands at pinned versions, for those who do not have them already.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
