//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

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

    /// The processor time of all its threads, of those that have ended too; in steps of a clock tick.
    pub fn cpu(self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.0);
        let stat = fs::read_to_string(&path).context(|| format!("reading {path}"))?;
        let ticks = ticks(&stat).context(|| format!("reading the times in {path}"))?;
        Ok(Duration::from_secs(1) * ticks / u32::try_from(clock_ticks_per_second()).unwrap_or(100))
    }

    /// Its share of the memory it maps, in MiB: pages that several processes share are divided among them.
    pub fn memory_mib(self) -> Result<f64> {
        self.mapped_mib("Pss:")
    }

    /// The memory that no file stands behind, in MiB: what only this process's end gives back.
    pub fn anonymous_mib(self) -> Result<f64> {
        self.mapped_mib("Anonymous:")
    }

    fn mapped_mib(self, what: &str) -> Result<f64> {
        let path = format!("/proc/{}/smaps_rollup", self.0);
        let text = fs::read_to_string(&path).context(|| format!("reading {path}"))?;
        let kib = text.lines().find_map(|line| {
            line.strip_prefix(what)?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        });
        kib.map(|kib| kib / 1024.0)
            .context(|| format!("{path} has no {what}"))
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

/// The time spent in the program and in the kernel for it.
fn ticks(stat: &str) -> Option<u32> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::until;

    #[test]
    fn a_process_costs_something() {
        let this = Watched(std::process::id());
        assert!(this.memory_mib().unwrap() > 0.1);
        assert!(this.anonymous_mib().unwrap() > 0.01);
        assert!(this.cpu().unwrap() < Duration::from_secs(3600));
    }

    #[test]
    fn processor_time_is_the_sum_of_both_kinds() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn a_child_is_found_by_the_name_it_was_started_under() {
        use std::os::unix::process::CommandExt;
        let mut child = std::process::Command::new("sleep")
            .arg0("some-streamer")
            .arg("60")
            .spawn()
            .unwrap();
        // A process that has just been started has no command line for a moment.
        let found = until(Duration::from_secs(10), || {
            Ok(Watched(std::process::id()).child("some-streamer"))
        })
        .unwrap();
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
