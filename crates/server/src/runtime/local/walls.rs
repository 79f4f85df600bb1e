//! What keeps sessions apart on this machine: which mechanism acts, what is missing, and what to do about it.

mod images;

use super::disk;
use super::limits::Limiter;
use super::{RuntimeError, Settings, X11, network, runs_as_others, settings};
use crate::catalogue::on_path;
use crate::config::Config;
use greenroom_session_api::spec::{Network, X_SERVER};
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// One of the walls around a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wall {
    /// What it is for.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What acts, in words for an administrator.
    pub acts: String,
    /// What to do about what is missing; empty when nothing is.
    pub advice: &'static str,
}

/// How a wall stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As it should.
    Whole,
    /// Sessions run, and can do to others what they should not.
    Partly,
    /// No session can start.
    Missing,
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = match self.standing {
            Standing::Whole => "ok",
            Standing::Partly => "partly",
            Standing::Missing => "missing",
        };
        write!(f, "{}: {standing}: {}", self.name, self.acts)?;
        match self.advice {
            "" => Ok(()),
            advice => write!(f, " ({advice})"),
        }
    }
}

/// The walls that sessions of a server have which this process would be. Tries a sandbox.
///
/// # Errors
/// The data folder's path cannot be told.
pub fn walls(config: &Config) -> Result<Vec<Wall>, RuntimeError> {
    let own_ids = runs_as_others();
    // Looked at once: it takes a trial.
    let (network, network_wall) = network::look(config.sessions.network, own_ids);
    let settings = settings(config, network)?;
    // A data folder that is yet to be made will be on the file system of the one above it.
    let there = settings.data_dir.ancestors().find(|path| path.is_dir());
    let there = there.unwrap_or(Path::new("/"));
    let limiter = Limiter::find(there);
    let mut walls = vec![
        programs(&settings),
        sandbox(own_ids),
        system_calls(read_sysctl("kernel/seccomp/actions_avail").as_deref()),
        network_wall,
        limits(&limiter),
        disk(settings.disk, there),
        x_servers(&settings),
    ];
    let holder = settings.install_dir.join("greenroom-session");
    walls.extend(images::images(config, &holder, there));
    Ok(walls)
}

fn programs(settings: &Settings) -> Wall {
    let needed = ["greenroom-session", "greenroom-init", "greenroom-stream"];
    let lacking: Vec<&str> = needed
        .into_iter()
        .filter(|name| !settings.install_dir.join(name).is_file())
        .collect();
    let folder = settings.install_dir.display();
    if lacking.is_empty() {
        return whole("programs", format!("all in {folder}"));
    }
    Wall {
        name: "programs",
        standing: Standing::Missing,
        acts: format!("{} not in {folder}", lacking.join(", ")),
        advice: "install them there, or set install_dir",
    }
}

fn sandbox(own_ids: bool) -> Wall {
    let missing = |acts: String, advice| Wall {
        name: "users",
        standing: Standing::Missing,
        acts,
        advice,
    };
    if !on_path("bwrap") {
        return missing(
            "bubblewrap is not there".to_owned(),
            "install the package bubblewrap",
        );
    }
    let mut trial = Command::new("bwrap");
    trial.args(["--unshare-pid", "--unshare-ipc", "--unshare-uts"]);
    trial.args(["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]);
    if !own_ids {
        trial.arg("--unshare-user");
    }
    let tried = trial.args(["--", "true"]).stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() && own_ids => whole(
            "users",
            "each session is a user of its own, in a sandbox of bubblewrap's".to_owned(),
        ),
        Ok(output) if output.status.success() => whole(
            "users",
            "each session is in a user namespace, in a sandbox of bubblewrap's".to_owned(),
        ),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = said.lines().next().unwrap_or("it says nothing");
            missing(format!("no sandbox can be made: {why}"), hint(read_sysctl))
        }
        Err(error) => missing(
            format!("bubblewrap cannot be run: {error}"),
            "look at its file",
        ),
    }
}

/// What most likely forbids sandboxes, by the kernel's settings.
fn hint(setting: impl Fn(&str) -> Option<String>) -> &'static str {
    let is = |path: &str, value: &str| setting(path).as_deref() == Some(value);
    if is("kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor forbids user namespaces: give /usr/bin/bwrap a profile with `userns,`, as Ubuntu's documentation \
         shows, or run the server as root"
    } else if is("kernel/unprivileged_userns_clone", "0") {
        "set the sysctl kernel.unprivileged_userns_clone to 1, or run the server as root"
    } else if is("user/max_user_namespaces", "0") {
        "raise the sysctl user.max_user_namespaces, or run the server as root"
    } else {
        "a container around this server may forbid it: it has to allow namespaces and an unmasked /proc"
    }
}

fn read_sysctl(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?;
    Some(text.trim().to_owned())
}

/// `actions` is what the kernel says its filters can do with a call.
fn system_calls(actions: Option<&str>) -> Wall {
    let has = |action| {
        let mut actions = actions.unwrap_or_default().split_ascii_whitespace();
        actions.any(|known| known == action)
    };
    if has("errno") && has("kill_process") {
        let acts = "those that administer a machine are refused by seccomp".to_owned();
        return whole("system calls", acts);
    }
    Wall {
        name: "system calls",
        standing: Standing::Missing,
        acts: "the kernel cannot filter them, and no session starts without".to_owned(),
        advice: "the kernel needs CONFIG_SECCOMP_FILTER, and a container around this server must not hide it",
    }
}

fn limits(limiter: &Limiter) -> Wall {
    let lacking = limiter.lacking();
    if lacking.is_empty() {
        return whole(
            "limits",
            format!("memory, cpu, processes by {}", limiter.mechanism()),
        );
    }
    Wall {
        name: "limits",
        standing: Standing::Partly,
        acts: format!(
            "{}; not of a whole session: {}",
            limiter.mechanism(),
            lacking.join(", ")
        ),
        advice: "run the server as root, or under systemd with Delegate=yes in its unit",
    }
}

fn disk(rules: disk::Rules, folder: &Path) -> Wall {
    let of_disk = |standing, acts, advice| Wall {
        name: "disk",
        standing,
        acts,
        advice,
    };
    if let Err(error) = rules.admit(folder) {
        return of_disk(
            Standing::Missing,
            error.to_string(),
            "make room on it, or lower sessions.reserve_mib",
        );
    }
    let limit = match rules.limit {
        Some(bytes) => format!("{} MiB for each", bytes >> 20),
        None => "no limit for any".to_owned(),
    };
    let acts = format!(
        "the server measures what sessions write, with {limit}, and ends the one that grows most when less than {} MiB \
         are free",
        rules.reserve >> 20
    );
    match (rules.limit, rules.reserve) {
        (Some(_), 1..) => of_disk(Standing::Whole, acts, ""),
        _ => of_disk(
            Standing::Partly,
            acts,
            "set sessions.disk_mib and sessions.reserve_mib",
        ),
    }
}

/// No wall, but what an administrator looks for here when an app does not start.
fn x_servers(settings: &Settings) -> Wall {
    let (acts, advice) = if settings.network == Network::Host {
        ("not with the machine's network", "")
    } else if !settings.install_dir.join(X11).is_file() {
        ("greenroom-x11 is not there", "install it beside the others")
    } else if !Path::new(X_SERVER).is_file() {
        ("Xwayland is not there", "install the package xwayland")
    } else {
        ("each app that speaks X has a server of its own", "")
    };
    Wall {
        advice,
        ..whole("X", acts.to_owned())
    }
}

/// A wall that stands as it should.
pub fn whole(name: &'static str, acts: String) -> Wall {
    Wall {
        name,
        standing: Standing::Whole,
        acts,
        advice: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_forbids_is_told_with_what_to_do() {
        let only = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| value.to_owned())
        };
        for (name, value, told) in [
            (
                "kernel/apparmor_restrict_unprivileged_userns",
                "1",
                "AppArmor",
            ),
            (
                "kernel/unprivileged_userns_clone",
                "0",
                "unprivileged_userns_clone",
            ),
            ("user/max_user_namespaces", "0", "max_user_namespaces"),
            ("kernel/unprivileged_userns_clone", "1", "container"),
        ] {
            let hint = hint(only(name, value));
            assert!(hint.contains(told), "{hint}");
        }
    }

    #[test]
    fn a_kernel_without_filters_for_system_calls_starts_no_session() {
        let whole = system_calls(Some("kill_process kill_thread trap errno trace log allow"));
        assert_eq!(whole.standing, Standing::Whole);
        for actions in [None, Some("kill_thread errno_not allow")] {
            assert_eq!(system_calls(actions).standing, Standing::Missing);
        }
    }

    #[test]
    fn without_groups_the_limits_are_told_to_be_partial() {
        let wall = limits(&Limiter::default());
        assert_eq!(wall.standing, Standing::Partly);
        let line = wall.to_string();
        for part in ["limits: partly: ", "memory", "cpu", "processes", "Delegate"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn a_disk_without_room_lets_no_session_start_and_one_without_rules_is_told_of() {
        let here = Path::new("/");
        let rules = |limit, reserve| disk::Rules { limit, reserve };
        let standing = |rules| disk(rules, here).standing;
        assert_eq!(standing(rules(Some(1 << 30), 1)), Standing::Whole);
        assert_eq!(standing(rules(None, 1)), Standing::Partly);
        assert_eq!(standing(rules(Some(1 << 30), 0)), Standing::Partly);
        let full = disk(rules(Some(1 << 30), u64::MAX), here);
        assert_eq!(full.standing, Standing::Missing);
        assert!(full.to_string().contains("MiB"), "{full}");
    }

    #[test]
    fn programs_that_are_not_there_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.general.install_dir = folder.path().to_owned();
        config.general.data_dir = folder.path().join("not/yet/made");
        std::fs::write(folder.path().join("greenroom-init"), "").unwrap();
        let walls = walls(&config).unwrap();
        let programs = &walls[0];
        assert_eq!(programs.standing, Standing::Missing);
        assert!(
            programs
                .acts
                .starts_with("greenroom-session, greenroom-stream not in"),
            "{programs}"
        );
        assert!(!folder.path().join("not").exists(), "looking makes nothing");
        let x = walls.last().unwrap().to_string();
        assert_eq!(
            x,
            "X: ok: greenroom-x11 is not there (install it beside the others)"
        );
    }
}
