//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::failure::{Context, Result};

/// A process that is being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched(pub u32);

impl Watched {
    /// Its first child of this name; the kernel keeps fifteen characters of it.
    pub fn child(self, name: &str) -> Option<Self> {
        let wanted = &name[..name.len().min(15)];
        let numbered = fs::read_dir("/proc")
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbered.map(Watched).find(|child| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.0)).unwrap_or_default();
            parent_and_name(&stat) == Some((self.0, wanted))
        })
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

fn parent_and_name(stat: &str) -> Option<(u32, &str)> {
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1;
    Some((after.split_whitespace().nth(1)?.parse().ok()?, name))
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
    fn a_name_may_hold_anything() {
        assert_eq!(parent_and_name("7 (a) b) S 3 7 7"), Some((3, "a) b")));
        assert_eq!(parent_and_name("nonsense"), None);
    }
}
