//! A real `greenroom serve` started for the demo, the SDK suite or a benchmark.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::api::Keys;
use crate::failure::{Context, Result, bail};
use crate::http;
use crate::wait::until;
use crate::workspace::{Profile, Workspace};

/// How long a server may take until it answers `/readyz`.
const READY: Duration = Duration::from_secs(30);
/// How long a server may take to drain and leave.
const LEAVE: Duration = Duration::from_secs(20);

/// A running server; dropping it kills it, so that a failed check leaves none behind.
pub struct Server {
    child: Child,
    address: SocketAddr,
    data: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Starts the server of a profile on `data`, with these settings as variables of its environment, and waits until
    /// it is ready.
    ///
    /// It gets a process group of its own: Ctrl-C in the terminal reaches us, and we decide in which
    /// order things end.
    pub fn start(
        workspace: &Workspace,
        profile: Profile,
        data: &Path,
        address: SocketAddr,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let program = workspace.bin_dir(profile).join("greenroom");
        fs::create_dir_all(data).context(|| format!("creating {}", data.display()))?;
        let log = data.join("serve.log");
        let out = File::create(&log).context(|| format!("creating {}", log.display()))?;
        let err = out
            .try_clone()
            .context(|| format!("sharing {}", log.display()))?;
        let child = Command::new(&program)
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(data)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .context(|| format!("starting {}", program.display()))?;
        let mut server = Self {
            child,
            address,
            data: data.to_owned(),
            log,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result {
        let deadline = Instant::now() + READY;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                bail!(
                    "greenroom serve ended with {status}; it said:\n{}",
                    self.last_words()
                );
            }
            if http::get(self.address, "/readyz").is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "greenroom serve was not ready within {READY:?}; it said:\n{}",
                    self.last_words()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file its output goes to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The file with the root account's access key.
    pub fn credentials_file(&self) -> PathBuf {
        self.data.join("root-credentials.json")
    }

    /// The root account's access key.
    pub fn keys(&self) -> Result<Keys> {
        let path = self.credentials_file();
        let text = fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
        let value: Value =
            serde_json::from_str(&text).context(|| format!("reading {}", path.display()))?;
        let field = |name: &str| {
            let found = value[name].as_str().map(str::to_owned);
            found.context(|| format!("{} has no {name}", path.display()))
        };
        Ok(Keys {
            id: field("AccessKeyId")?,
            secret: field("AccessKeySecret")?,
        })
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to drain, and waits until it has left.
    pub fn stop(mut self) -> Result {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context(|| "asking greenroom serve to stop".into())?;
        let left = until(LEAVE, || match self.child.try_wait() {
            Ok(status) => Ok(status),
            Err(err) => bail!("waiting for greenroom serve: {err}"),
        })?;
        match left {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!(
                "greenroom serve ended with {status}; it said:\n{}",
                self.last_words()
            ),
            None => bail!(
                "greenroom serve was still draining after {LEAVE:?}; see {}",
                self.log.display()
            ),
        }
    }

    /// The end of its log, for a person.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The wished-for port on the loopback address if it is free, else one that is.
pub fn free_address(wished: u16) -> Result<SocketAddr> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|it| it.local_addr());
    bind(wished)
        .or_else(|_| bind(0))
        .context(|| "looking for a free port on 127.0.0.1".into())
}

/// An empty data folder, short enough for the unix sockets below it.
///
/// The name of a unix socket holds 107 bytes, which a deep checkout uses up; such a one gets its folder
/// in the system's temporary folder.
pub fn data_dir(workspace: &Workspace, name: &str) -> PathBuf {
    let ours = workspace.target().join(name);
    if ours.as_os_str().len() <= LONGEST_DATA_DIR {
        return ours;
    }
    std::env::temp_dir().join(format!(
        "greenroom-{}-{name}",
        rustix::process::geteuid().as_raw()
    ))
}

/// The longest path `greenroom serve` accepts for its data.
const LONGEST_DATA_DIR: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_address(port).unwrap().port(), port);
    }

    #[test]
    fn a_data_folder_is_never_too_long_for_its_sockets() {
        let dir = data_dir(&Workspace::find().unwrap(), "demo");
        assert!(
            dir.as_os_str().len() <= LONGEST_DATA_DIR,
            "{}",
            dir.display()
        );
    }
}
