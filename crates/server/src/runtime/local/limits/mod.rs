//! How much of the machine a session's apps may take, and what holds them to it.
//!
//! Groups of processes where this server may make them: then the apps together are counted and limited. Else each
//! process is bounded by itself, which keeps one from taking everything and not all of them
//! (decision 0057).

mod group;
mod processes;
mod tree;

use super::folder::sessions_in;
use super::{RuntimeError, files};
use crate::runtime::{Share, Usage};
use greenroom_model::PersistentId;
use greenroom_session_api::spec;
use group::Group;
pub use processes::Processes;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tree::{Controller, Tree, Version};

/// What holds the apps of sessions to their share.
#[derive(Debug, Default)]
pub struct Limiter {
    trees: Vec<Ground>,
    /// Held while the folder above the sessions' groups is made, and while it is removed.
    turn: Mutex<()>,
}

/// A tree with the folder in which this server makes its groups.
#[derive(Debug)]
struct Ground {
    version: Version,
    folder: PathBuf,
    controllers: BTreeSet<Controller>,
}

impl Limiter {
    /// What this process may use, for the sessions of `data_dir`: two servers of one machine have groups of their
    /// own.
    pub fn find(data_dir: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let name = match fs::metadata(data_dir) {
            Ok(own) => format!("greenroom-{:x}-{:x}", own.dev(), own.ino()),
            Err(_) => return Self::default(),
        };
        let trees = tree::trees(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        Self {
            trees: trees
                .into_iter()
                .filter_map(|tree| Ground::of(&tree, &name))
                .collect(),
            turn: Mutex::default(),
        }
    }

    /// Makes the groups of a session whose holder is about to begin, and says what that is to be told. What a
    /// holder before left in them is ended.
    pub fn make(
        &self,
        session: &PersistentId,
        share: &Share,
    ) -> Result<spec::Limits, RuntimeError> {
        let _turn = super::lock(&self.turn);
        let mut limits = spec::Limits::default();
        for ground in &self.trees {
            let group = ground.group(session);
            group.remove().map_err(failed("clear"))?;
            ground.make()?;
            group.make(share).map_err(failed("set up"))?;
            limits.join.push(group.procs());
            limits.oom_events = limits.oom_events.or(group.oom_events());
        }
        if !self.counts(Controller::Memory) {
            limits.data_bytes = Some(share.memory_mib.saturating_mul(1 << 20));
        }
        if !self.counts(Controller::Pids) {
            limits.processes = Some(share.processes);
        }
        // These files are in memory.
        limits.scratch_bytes = Some(share.memory_mib.saturating_mul(1 << 20) / 2);
        Ok(limits)
    }

    /// Removes the groups of a session whose holder is gone, and ends what is left in them.
    pub fn remove(&self, session: &PersistentId) -> Result<(), RuntimeError> {
        for ground in &self.trees {
            let group = ground.group(session);
            group.remove().map_err(failed("remove"))?;
        }
        let _turn = super::lock(&self.turn);
        for ground in &self.trees {
            // Refused as long as there is another session's group in it.
            let _ = fs::remove_dir(&ground.folder);
        }
        Ok(())
    }

    /// Removes the groups of all sessions but those that are held, as a server that was killed leaves them. What still
    /// has a process stays: nothing is ended because nobody knows it.
    pub fn sweep(&self, held: &[PersistentId]) {
        let _turn = super::lock(&self.turn);
        for ground in &self.trees {
            let groups = sessions_in(&ground.folder);
            for (_, group) in groups.filter(|(session, _)| !held.contains(session)) {
                // Refused as long as there is a process in it.
                let _ = fs::remove_dir(group);
            }
            let _ = fs::remove_dir(&ground.folder);
        }
    }

    /// What a session's apps have taken.
    pub fn usage(&self, session: &PersistentId) -> Usage {
        let mut usage = Usage::default();
        for ground in &self.trees {
            ground.group(session).add_usage(&mut usage);
        }
        usage
    }

    /// Whether [`Self::usage`] tells all there is to tell.
    pub fn counts_all(&self) -> bool {
        let counts_time = |it: &Ground| match it.version {
            Version::One => it.controllers.contains(&Controller::CpuAccount),
            Version::Two => it.controllers.contains(&Controller::Cpu),
        };
        self.trees.iter().any(counts_time)
            && self.counts(Controller::Memory)
            && self.counts(Controller::Pids)
    }

    /// What acts, in words for an administrator.
    pub fn mechanism(&self) -> String {
        let versions: BTreeSet<&str> = self
            .trees
            .iter()
            .map(|ground| match ground.version {
                Version::One => "control groups of version 1",
                Version::Two => "control groups of version 2",
            })
            .collect();
        match versions.is_empty() {
            true => "bounds on single processes".to_owned(),
            false => Vec::from_iter(versions).join(" and "),
        }
    }

    /// What is not counted of a session as a whole.
    pub fn lacking(&self) -> Vec<&'static str> {
        let all = [
            (Controller::Memory, "memory"),
            (Controller::Cpu, "cpu"),
            (Controller::Pids, "processes"),
        ];
        let lacks = all.into_iter().filter(|(it, _)| !self.counts(*it));
        lacks.map(|(_, name)| name).collect()
    }

    /// The folders in which the sessions' groups are.
    #[cfg(test)]
    pub fn folders(&self) -> Vec<PathBuf> {
        self.trees.iter().map(|it| it.folder.clone()).collect()
    }

    fn counts(&self, controller: Controller) -> bool {
        self.trees
            .iter()
            .any(|ground| ground.controllers.contains(&controller))
    }
}

impl Ground {
    /// The folder in a tree, if it can be made there.
    fn of(tree: &Tree, name: &str) -> Option<Self> {
        let ground = Self {
            version: tree.version,
            folder: tree.own.join(name),
            controllers: tree.prepare(),
        };
        let usable = !ground.controllers.is_empty() && ground.make().is_ok();
        // It is made for each session anew, and stays now if there is one in it.
        let _ = fs::remove_dir(&ground.folder);
        usable.then_some(ground)
    }

    fn make(&self) -> Result<(), RuntimeError> {
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(files("make", &self.folder)(error));
            }
            _ => {}
        }
        if self.version == Version::Two {
            for controller in &self.controllers {
                tree::pass_down(&self.folder, *controller)
                    .map_err(files("set up", &self.folder))?;
            }
        }
        Ok(())
    }

    fn group(&self, session: &PersistentId) -> Group {
        let path = self.folder.join(session.as_str());
        Group::at(path, self.version, &self.controllers)
    }
}

fn failed(doing: &'static str) -> impl FnOnce((PathBuf, io::Error)) -> RuntimeError {
    move |(path, error)| files(doing, &path)(error)
}
