//! The processes of sessions, found without asking a server.

use super::Session;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The processes of sessions.
#[derive(Debug, PartialEq, Eq)]
pub struct Processes {
    pub holders: BTreeMap<String, u32>,
    pub apps: BTreeMap<String, u32>,
}

impl Processes {
    pub fn of(data: &Path, sessions: &[Session]) -> Self {
        let holder = |session: &Session| (session.id.clone(), holder_of(data, &session.id));
        let holders: BTreeMap<_, _> = sessions.iter().map(holder).collect();
        let app = |(id, pid): (&String, &u32)| (id.clone(), descendant(*pid, "foot").unwrap());
        Self {
            apps: holders.iter().map(app).collect(),
            holders,
        }
    }

    /// The holder and the app of a session, if it has both now.
    pub fn of_one(data: &Path, session: &Session) -> Option<(u32, u32)> {
        let file = data.join("run").join(&session.id).join("holder.pid");
        let holder = note_of(&std::fs::read_to_string(file).ok()?)?;
        Some((holder, descendant(holder, "foot")?))
    }
}

/// Ends what a test leaves behind: holders outlive everything else, and then the groups of their apps are empty.
pub struct Sweep(pub PathBuf);

impl Drop for Sweep {
    fn drop(&mut self) {
        for run in std::fs::read_dir(self.0.join("run"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let note = std::fs::read_to_string(run.path().join("holder.pid")).unwrap_or_default();
            if let Some(pid) = note_of(&note) {
                kill(pid);
            }
        }
        // As the server names them.
        let Ok(own) = std::fs::metadata(&self.0) else {
            return;
        };
        let name = format!("greenroom-{:x}-{:x}", own.dev(), own.ino());
        remove_groups(Path::new("/sys/fs/cgroup"), &name);
    }
}

/// Removes what is called so of the kernel's groups, once their processes have ended.
fn remove_groups(below: &Path, name: &str) {
    for group in groups_in(below) {
        if !group.ends_with(name) {
            remove_groups(&group, name);
            continue;
        }
        let began = Instant::now();
        let remove = |group: &Path| std::fs::remove_dir(group).is_ok();
        while began.elapsed() < Duration::from_secs(5) {
            groups_in(&group).for_each(|session| _ = remove(&session));
            if remove(&group) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Links are not followed: the kernel has second names for some trees.
fn groups_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path())
}

pub fn kill(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // Gone already is as good.
    let _ = rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL);
}

pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The holder of a session that runs.
pub fn holder_of(data: &Path, session: &str) -> u32 {
    let file = data.join("run").join(session).join("holder.pid");
    note_of(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn note_of(text: &str) -> Option<u32> {
    text.split(' ').next()?.parse().ok()
}

/// A child that was started under that name.
pub fn child_called(pid: u32, name: &str) -> Option<u32> {
    let called = |child: &u32| {
        let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).next() == Some(name.as_bytes())
    };
    children(pid).into_iter().find(called)
}

/// By thread: each knows only the children it made itself.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let lists: String = lists.collect();
    let children = lists.split_whitespace();
    children.filter_map(|pid| pid.parse().ok()).collect()
}

/// The first process of that name below `pid`.
pub fn descendant(pid: u32, name: &str) -> Option<u32> {
    children(pid).into_iter().find_map(|child| {
        let comm = std::fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        if comm.trim() == name {
            Some(child)
        } else {
            descendant(child, name)
        }
    })
}

/// A process and all that descend from it.
pub fn all_below(pid: u32) -> Vec<u32> {
    let below = children(pid).into_iter().flat_map(all_below);
    std::iter::once(pid).chain(below).collect()
}

/// Every process of this machine.
pub fn all_processes() -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.collect()
}

/// Every process that has this text among its arguments.
fn processes_with(argument: &str) -> Vec<u32> {
    let ids = all_processes().into_iter();
    ids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|part| part == argument.as_bytes())
    })
    .collect()
}

/// How many holders of the session there are below the data folder.
pub fn holders_of(data: &Path, session: &str) -> usize {
    let spec = data.join("sessions").join(session).join("spec.json");
    processes_with(&spec.display().to_string()).len()
}

/// Says so when it is not so.
pub fn can_run_sessions() -> bool {
    all_installed(&["bwrap", "foot"])
}

/// Whether these programs are there; says so when one is not.
pub fn all_installed(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| !on_path(program));
    if let Some(program) = missing {
        let all = std::env::var_os("TESTS_ALL_INSTALLED").is_some();
        assert!(!all, "{program} is not installed");
        eprintln!("SKIPPED: {program} is not installed");
    }
    missing.is_none()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
