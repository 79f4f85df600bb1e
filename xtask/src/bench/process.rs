//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::failure::{Context, Result};

/// A process that is being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched(pub u32);

impl Watched {
    /// Its child that was started under this name. The kernel's own name for a process will not do: of a
    /// program that was opened before it was started, it is the number of the descriptor.
    pub fn child(self, name: &str) -> Option<Self> {
        let entries = fs::read_dir("/proc").ok()?.flatten();
        let mut all =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Watched));
        all.find(|it| it.parent() == Some(self.0) && it.started_as(name))
    }

    fn parent(self) -> Option<u32> {
        parent(&fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?)
    }

    fn started_as(self, name: &str) -> bool {
        let line = fs::read_to_string(format!("/proc/{}/cmdline", self.0)).unwrap_or_default();
        line.split('\0')
            .next()
            .and_then(|program| program.rsplit('/').next())
            == Some(name)
    }

    /// The processor time of all its threads so far.
    pub fn cpu(self) -> Result<Duration> {
        let folder = format!("/proc/{}/task", self.0);
        let tasks = fs::read_dir(&folder).context(|| format!("reading {folder}"))?;
        let spent = tasks.flatten().filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Ok(Duration::from_nanos(spent.sum()))
    }

    /// Its share of the memory it maps, in MiB: pages that several processes share are divided among them.
    pub fn memory_mib(self) -> Result<f64> {
        let path = format!("/proc/{}/smaps_rollup", self.0);
        let text = fs::read_to_string(&path).context(|| format!("reading {path}"))?;
        let kib = text.lines().find_map(|line| {
            line.strip_prefix("Pss:")?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        });
        kib.map(|kib| kib / 1024.0)
            .context(|| format!("{path} has no Pss"))
    }
}

/// The second field after the name, which stands in parentheses and may hold anything.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_costs_something() {
        let this = Watched(std::process::id());
        assert!(this.memory_mib().unwrap() > 0.1);
        assert!(this.cpu().unwrap() > Duration::ZERO);
    }

    #[test]
    fn a_child_is_found_by_the_name_it_was_started_under() {
        use std::os::unix::process::CommandExt;
        let mut child = std::process::Command::new("sleep")
            .arg0("some-streamer")
            .arg("60")
            .spawn()
            .unwrap();
        let found = Watched(std::process::id()).child("some-streamer");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, Some(Watched(child.id())));
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(parent("7 (a) b) S 3 7 7"), Some(3));
        assert_eq!(parent("nonsense"), None);
    }
}
