//! What sessions take where the kernel does not count it by session: the sum over their processes, which are those
//! that descend from a holder. Its streamer is not an app's process and does not count.

use super::super::process::Stat;
use super::Usage;
use std::collections::HashMap;
use std::time::Duration;

/// As the kernel cuts the program's name.
const STREAMER: &str = "greenroom-strea";

/// Every process of the machine at one moment.
#[derive(Debug, Default)]
pub struct Processes {
    by_parent: HashMap<u32, Vec<Stat>>,
}

impl Processes {
    /// Those that there are now.
    pub fn now() -> Self {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self::of(pids.filter_map(Stat::read))
    }

    fn of(all: impl IntoIterator<Item = Stat>) -> Self {
        let mut by_parent: HashMap<u32, Vec<Stat>> = HashMap::new();
        for stat in all {
            by_parent.entry(stat.parent).or_default().push(stat);
        }
        Self { by_parent }
    }

    /// The apps' processes of a holder.
    pub fn below(&self, holder: u32) -> Vec<u32> {
        let apps = self.apps(holder);
        apps.into_iter().map(|process| process.pid).collect()
    }

    /// What the apps of a holder take.
    pub fn usage(&self, holder: u32) -> Usage {
        let (mut ticks, mut pages, mut threads) = (0, 0, 0);
        for process in self.apps(holder) {
            ticks += process.ticks;
            pages += process.pages;
            threads += process.threads;
        }
        let per_second = rustix::param::clock_ticks_per_second();
        Usage {
            memory_bytes: Some(pages * rustix::param::page_size() as u64),
            cpu: Some(Duration::from_millis(ticks * 1000 / per_second.max(1))),
            processes: Some(threads),
        }
    }

    fn apps(&self, holder: u32) -> Vec<&Stat> {
        let children = |pid: u32| self.by_parent.get(&pid).into_iter().flatten();
        let mut found: Vec<&Stat> = children(holder)
            .filter(|child| child.name != STREAMER)
            .collect();
        let mut at = 0;
        while let Some(process) = found.get(at) {
            found.extend(children(process.pid));
            at += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_descends_from_a_holder_counts_but_its_streamer_and_itself() {
        let stat = |pid, parent, name: &str| Stat {
            pid,
            parent,
            name: name.to_owned(),
            ticks: 100,
            pages: 10,
            threads: 3,
            started: 1,
        };
        let processes = Processes::of([
            stat(10, 1, "greenroom-sessi"),
            stat(11, 10, "bwrap"),
            stat(12, 11, "greenroom-init"),
            stat(13, 12, STREAMER),
            stat(14, 10, STREAMER),
            stat(20, 1, "greenroom-sessi"),
            stat(21, 20, "bwrap"),
        ]);
        let usage = processes.usage(10);
        assert_eq!(
            usage.processes,
            Some(9),
            "an app may call itself what it likes"
        );
        let page = rustix::param::page_size() as u64;
        assert_eq!(usage.memory_bytes, Some(30 * page));
        assert_eq!(
            usage.cpu.map(|it| it.as_secs()),
            Some(300 / rustix::param::clock_ticks_per_second())
        );
        assert_eq!(processes.usage(99).processes, Some(0));
    }
}
