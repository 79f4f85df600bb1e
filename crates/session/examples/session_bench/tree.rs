//! The processes of a session, and what the kernel counts for them.

use super::Result;
use std::fs;
use std::time::Duration;

/// The holder and all that descends from it, but the app and what descends from that.
pub fn of_session(holder: u32, app: u32) -> Vec<u32> {
    let mut found = vec![holder];
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        found.extend(children(pid).into_iter().filter(|child| *child != app));
        at += 1;
    }
    found
}

/// The processor time of every thread that lives.
pub fn cpu(processes: &[u32]) -> Result<Duration> {
    let mut nanoseconds = 0;
    for pid in processes {
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = task?.path().join("schedstat");
            let text = fs::read_to_string(&path)?;
            let on_cpu = text.split_ascii_whitespace().next();
            nanoseconds += on_cpu.ok_or("an empty schedstat")?.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Their share of the memory they map: pages that several processes share are divided among them.
pub fn memory_mib(processes: &[u32]) -> Result<f64> {
    let mut kib = 0.0;
    for pid in processes {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(|error| {
            format!("the memory of a session's process cannot be read ({error}): run this as root")
        })?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        kib += number.ok_or("no Pss")?.parse::<f64>()?;
    }
    Ok(kib / 1024.0)
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.unwrap_or_default();
    list.split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}
