//! One session's group in one tree: its limits, what it has used, and its end.

use super::tree::{Controller, Version};
use crate::runtime::{Share, Usage};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The period over which processors' time is shared out, in microseconds; the kernel's own default.
const PERIOD_US: u64 = 100_000;

/// The kernel is done with the processes of a holder that has ended long before that.
const EMPTY_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(5);

/// A group, whether it is there or not.
#[derive(Debug)]
pub struct Group {
    path: PathBuf,
    version: Version,
    controllers: BTreeSet<Controller>,
}

impl Group {
    /// The group at `path`.
    pub fn at(path: PathBuf, version: Version, controllers: &BTreeSet<Controller>) -> Self {
        Self {
            path,
            version,
            controllers: controllers.clone(),
        }
    }

    /// Makes it, with its limits. It must not be there.
    pub fn make(&self, share: &Share) -> Result<(), (PathBuf, io::Error)> {
        fs::create_dir(&self.path).map_err(|error| (self.path.clone(), error))?;
        for limit in self
            .controllers
            .iter()
            .flat_map(|it| self.limits(*it, share))
        {
            let path = self.path.join(limit.file);
            match fs::write(&path, limit.value) {
                Err(error) if limit.is_optional && error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(|error| (path, error))?,
            }
        }
        Ok(())
    }

    fn limits(&self, controller: Controller, share: &Share) -> Vec<Limit> {
        let memory = share.memory_mib.saturating_mul(1 << 20).to_string();
        let quota = share.cpu_percent.saturating_mul(PERIOD_US / 100);
        match (controller, self.version) {
            // Swap counts: what is over the limit must not go on at the expense of the machine's disk.
            (Controller::Memory, Version::One) => vec![
                Limit::of("memory.limit_in_bytes", memory.clone()),
                Limit::if_there("memory.memsw.limit_in_bytes", memory),
            ],
            (Controller::Memory, Version::Two) => vec![
                Limit::of("memory.max", memory),
                Limit::if_there("memory.swap.max", "0".to_owned()),
            ],
            (Controller::Cpu, Version::One) => vec![
                Limit::of("cpu.cfs_period_us", PERIOD_US.to_string()),
                Limit::of("cpu.cfs_quota_us", quota.to_string()),
            ],
            (Controller::Cpu, Version::Two) => {
                vec![Limit::of("cpu.max", format!("{quota} {PERIOD_US}"))]
            }
            (Controller::CpuAccount, _) => Vec::new(),
            (Controller::Pids, _) => vec![Limit::of("pids.max", share.processes.to_string())],
        }
    }

    /// The file by which a process joins it.
    pub fn procs(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// The file with the number of its processes that were ended for want of memory.
    pub fn oom_events(&self) -> Option<PathBuf> {
        let name = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let counted = self.controllers.contains(&Controller::Memory);
        counted.then(|| self.path.join(name))
    }

    /// Adds what it has used to `usage`; what it does not count is left as it is.
    pub fn add_usage(&self, usage: &mut Usage) {
        let number = |name: &str| {
            let text = fs::read_to_string(self.path.join(name)).ok()?;
            text.trim().parse::<u64>().ok()
        };
        for controller in &self.controllers {
            match (controller, self.version) {
                (Controller::Memory, Version::One) => {
                    usage.memory_bytes = number("memory.usage_in_bytes").or(usage.memory_bytes);
                }
                (Controller::Memory, Version::Two) => {
                    usage.memory_bytes = number("memory.current").or(usage.memory_bytes);
                }
                (Controller::CpuAccount, _) => {
                    let took = number("cpuacct.usage").map(Duration::from_nanos);
                    usage.cpu = took.or(usage.cpu);
                }
                (Controller::Cpu, Version::Two) => {
                    let text = fs::read_to_string(self.path.join("cpu.stat")).unwrap_or_default();
                    let took = text
                        .lines()
                        .find_map(|line| line.strip_prefix("usage_usec "));
                    let took = took.and_then(|took| took.trim().parse().ok());
                    usage.cpu = took.map(Duration::from_micros).or(usage.cpu);
                }
                (Controller::Cpu, Version::One) => {}
                (Controller::Pids, _) => {
                    usage.processes = number("pids.current").or(usage.processes);
                }
            }
        }
    }

    /// Takes it away, and ends what is still in it: whoever calls knows that the session's holder is gone.
    pub fn remove(&self) -> Result<(), (PathBuf, io::Error)> {
        let until = Instant::now() + EMPTY_WITHIN;
        loop {
            match fs::remove_dir(&self.path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error)
                    if error.kind() != io::ErrorKind::ResourceBusy || Instant::now() >= until =>
                {
                    return Err((self.path.clone(), error));
                }
                Err(_) => {
                    end_members(&self.procs());
                    std::thread::sleep(LOOK);
                }
            }
        }
    }
}

fn end_members(procs: &Path) {
    let members = fs::read_to_string(procs).unwrap_or_default();
    let members = members.lines().filter_map(|line| line.parse().ok());
    for pid in members.filter_map(rustix::process::Pid::from_raw) {
        // Gone is as good as ended.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

struct Limit {
    file: &'static str,
    value: String,
    is_optional: bool,
}

impl Limit {
    fn of(file: &'static str, value: String) -> Self {
        Self {
            file,
            value,
            is_optional: false,
        }
    }

    /// Of what not every kernel counts.
    fn if_there(file: &'static str, value: String) -> Self {
        Self {
            is_optional: true,
            ..Self::of(file, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Share = Share {
        memory_mib: 4096,
        cpu_percent: 150,
        processes: 512,
    };

    /// A group of files that the kernel would have made.
    fn made(
        version: Version,
        controllers: &[Controller],
        files: &[&str],
    ) -> (tempfile::TempDir, Group) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p-a");
        let group = Group::at(
            path.clone(),
            version,
            &controllers.iter().copied().collect(),
        );
        group.make(&SHARE).unwrap();
        for file in files {
            assert!(path.join(file).is_file(), "{file}");
        }
        (folder, group)
    }

    fn read(group: &Group, file: &str) -> String {
        fs::read_to_string(group.path.join(file)).unwrap()
    }

    #[test]
    fn the_second_version_is_told_of_memory_time_and_processes() {
        let all = [Controller::Memory, Controller::Cpu, Controller::Pids];
        let (_folder, group) = made(Version::Two, &all, &["memory.swap.max"]);
        assert_eq!(read(&group, "memory.max"), "4294967296");
        assert_eq!(read(&group, "cpu.max"), "150000 100000");
        assert_eq!(read(&group, "pids.max"), "512");
        assert_eq!(group.oom_events(), Some(group.path.join("memory.events")));
    }

    #[test]
    fn what_the_second_version_counts_is_read() {
        let all = [Controller::Memory, Controller::Cpu, Controller::Pids];
        let (_folder, group) = made(Version::Two, &all, &[]);
        fs::write(group.path.join("memory.current"), "1000\n").unwrap();
        fs::write(
            group.path.join("cpu.stat"),
            "usage_usec 2500000\nuser_usec 1\n",
        )
        .unwrap();
        let mut usage = Usage::default();
        group.add_usage(&mut usage);
        let seen = Usage {
            memory_bytes: Some(1000),
            cpu: Some(Duration::from_millis(2500)),
            processes: None,
        };
        assert_eq!(usage, seen, "what cannot be read is not known");
    }

    #[test]
    fn a_tree_of_one_kind_is_told_of_that_and_nothing_else() {
        let (_folder, group) = made(Version::One, &[Controller::Cpu], &["cpu.cfs_period_us"]);
        assert_eq!(read(&group, "cpu.cfs_quota_us"), "150000");
        assert_eq!(fs::read_dir(&group.path).unwrap().count(), 2);
        assert_eq!(group.oom_events(), None);
    }

    #[test]
    fn a_group_that_is_not_there_is_removed_already() {
        let nowhere = PathBuf::from("/nowhere/p-a");
        Group::at(nowhere, Version::Two, &BTreeSet::new())
            .remove()
            .unwrap();
    }
}
