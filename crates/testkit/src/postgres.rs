//! A PostgreSQL of the tests' own, in a folder that goes with it: reached by a Unix socket, and over TCP only by the
//! tests that ask for that.
//!
//! Tests run in many processes (nextest gives each its own), so they share one cluster: the first process
//! that asks starts it, and a keeper ends it once no process has asked for some seconds. A test that needs
//! to end the database itself starts a [`Cluster`] of its own.
//!
//! A test fails where PostgreSQL is not installed: what was not run is not said to have passed.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a cluster may take to be made and to answer: others may be building on the same processors.
const PATIENCE: Duration = Duration::from_secs(120);

/// `nobody`: PostgreSQL refuses to run as root.
const UNPRIVILEGED: u32 = 65_534;

const ROLE: &str = "greenroom";

/// Settings of a cluster that listens on TCP.
const LOOPBACK: &str = "-c listen_addresses=127.0.0.1";

/// Settings of one that answers a commit when it is on disk, as a user's does; they come after those that all have.
const DURABLE: &str = "-c fsync=on";

/// Settings of one that has a certificate.
const ENCRYPTED: &str = "-c ssl=on -c ssl_cert_file=../server.crt -c ssl_key_file=../server.key";

/// Makes the cluster in the folder `$1` unless it is there, and starts it with the settings in `SETTINGS`, on
/// the port that the environment names (`PGPORT`, which PostgreSQL itself reads). What is on
/// disk when the machine loses power is nobody's concern unless they say so.
const START: &str = r#"
set -e
cd "$1"
[ -d data ] || initdb -D data -U greenroom -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1
postgres -D data -k "$1" -c listen_addresses= -c fsync=off -c max_connections=300 $SETTINGS >>postgres.log 2>&1 &
"#;

/// Ends the cluster when whoever started it says so or is gone; removes it in the second case.
const OWNED: &str = r#"
pid=$!
word=
read word || true
kill -INT $pid
wait $pid || true
[ "$word" = stop ] || rm -rf "$1"
"#;

/// Ends the cluster once nobody holds `$2` any more. Whoever comes meanwhile waits until it has ended.
const SHARED: &str = r#"
pid=$!
while sleep 5; do
    exec 9<"$2"
    if flock -n 9; then
        kill -INT $pid
        wait $pid || true
        rm -rf "$1"
        exit
    fi
    exec 9<&-
done
"#;

/// A PostgreSQL that belongs to one test.
#[derive(Debug)]
pub struct Cluster {
    place: Place,
    keeper: Option<Child>,
    settings: String,
}

/// Where a cluster is reached: by a socket in the folder, whose name has the port in it.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    port: u16,
}

/// PostgreSQL's own.
const PORT: u16 = 5432;

impl Cluster {
    /// Makes one and starts it.
    ///
    /// # Panics
    /// PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(PORT, String::new(), &[])
    }

    /// Makes one whose commits are on disk when they are answered, and starts it: for measurements.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    #[must_use]
    pub fn start_durable() -> Self {
        Self::start_with(PORT, DURABLE.to_owned(), &[])
    }

    /// Makes one that listens on the loopback address as well, and starts it.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    #[must_use]
    pub fn start_on_tcp() -> Self {
        Self::start_with(free_port(), LOOPBACK.to_owned(), &[])
    }

    /// As [`Cluster::start_on_tcp`], with a certificate and its key, both PEM.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    #[must_use]
    pub fn start_encrypted(certificate: &str, key: &str) -> Self {
        let settings = format!("{LOOPBACK} {ENCRYPTED}");
        let files = [("server.crt", certificate), ("server.key", key)];
        Self::start_with(free_port(), settings, &files)
    }

    fn start_with(port: u16, settings: String, files: &[(&str, &str)]) -> Self {
        let folder = private_folder("greenroom-pg");
        for (name, text) in files {
            write_private(&folder.join(name), text);
        }
        let mut it = Self {
            place: Place { folder, port },
            keeper: None,
            settings,
        };
        it.start_again();
        it
    }

    /// Starts it after [`Cluster::stop`].
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        let script = format!("{START}{OWNED}");
        let mut shell = shell(&script, &self.place);
        shell.env("SETTINGS", &self.settings);
        self.keeper = Some(spawn(shell.stdin(Stdio::piped())));
        until_it_answers(&self.place);
    }

    /// Ends it as a crash of its machine would end its connections: at once, without asking them.
    pub fn stop(&mut self) {
        let Some(mut keeper) = self.keeper.take() else {
            return;
        };
        if let Some(mut input) = keeper.stdin.take() {
            input.write_all(b"stop\n").ok();
        }
        keeper.wait().ok();
    }

    /// A new and empty database in it, as a URL.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    pub fn database(&self) -> String {
        url_of(&new_database(&self.place), &self.place)
    }

    /// A new and empty database in it, as a URL without a query, by a name of this machine; for one that was started
    /// on TCP.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    pub fn database_at(&self, host: &str) -> String {
        let name = new_database(&self.place);
        format!("postgres://{ROLE}@{host}:{}/{name}", self.place.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        std::fs::remove_dir_all(&self.place.folder).ok();
    }
}

/// A new and empty database in the cluster that all tests share, as a URL.
///
/// # Panics
/// PostgreSQL is not installed or does not start.
#[must_use]
pub fn database() -> String {
    static SHARE: OnceLock<Share> = OnceLock::new();
    let place = &SHARE.get_or_init(Share::take).place;
    url_of(&new_database(place), place)
}

fn url_of(database: &str, Place { folder, port }: &Place) -> String {
    let host = folder.display();
    format!("postgres:///{database}?host={host}&port={port}&user={ROLE}")
}

/// A port that nobody has now; somebody may, by the time that it is taken.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|taken| taken.local_addr())
        .unwrap_or_else(|error| panic!("a port: {error}"))
        .port()
}

/// A file that PostgreSQL takes a key from: its owner's, and nobody else's.
fn write_private(path: &Path, text: &str) {
    let write = || -> io::Result<()> {
        std::fs::write(path, text)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        if own_uid() == 0 {
            std::os::unix::fs::chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED))?;
        }
        Ok(())
    };
    write().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Does in the database of that URL what no program of ours would.
///
/// # Panics
/// The database refuses it.
pub fn execute(url: &str, sql: &str) {
    let done = Command::new("psql")
        .env("PATH", path_with_programs())
        .args(["-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .output()
        .unwrap_or_else(|error| panic!("psql: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "psql: {said}");
}

/// This process's part in the shared cluster, for as long as the process lives.
struct Share {
    place: Place,
    _user: File,
}

impl Share {
    fn take() -> Self {
        let owner = own_uid();
        let home = std::env::temp_dir().join(format!("greenroom-tests-pg-{owner}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&home)
            .unwrap_or_else(|error| panic!("{}: {error}", home.display()));
        let made_by = std::fs::metadata(&home).map(|data| data.uid());
        assert_eq!(
            made_by.ok(),
            Some(owner),
            "{} is another user's",
            home.display()
        );
        let open = |name: &str| {
            File::options()
                .create(true)
                .append(true)
                .open(home.join(name))
                .unwrap_or_else(|error| panic!("{}: {error}", home.display()))
        };
        let (users, starting) = (open("users"), open("starting"));
        users.lock_shared().expect("a lock");
        starting.lock().expect("a lock");
        let place = Place {
            folder: home.join("cluster"),
            port: PORT,
        };
        if !answers(&place) {
            // A keeper that was killed leaves its folder.
            std::fs::remove_dir_all(&place.folder).ok();
            make_folder(&place.folder);
            let script = format!("{START}{SHARED}");
            let mut keeper = shell(&script, &place);
            keeper.arg(home.join("users")).stdin(Stdio::null());
            // The keeper outlives this process; init takes it.
            drop(spawn(&mut keeper));
            until_it_answers(&place);
        }
        starting.unlock().expect("a lock");
        Self {
            place,
            _user: users,
        }
    }
}

fn own_uid() -> u32 {
    // The owner of this process's own entry: the one way to it without a system call of our own.
    std::fs::metadata("/proc/self").map_or(UNPRIVILEGED, |data| data.uid())
}

fn unprivileged(command: &mut Command) {
    if own_uid() == 0 {
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
}

fn shell(script: &str, Place { folder, port }: &Place) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(folder)
        .env("PATH", path_with_programs())
        .env("PGPORT", port.to_string())
        .current_dir(folder)
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    unprivileged(&mut command);
    command
}

fn spawn(command: &mut Command) -> Child {
    command
        .spawn()
        .unwrap_or_else(|error| panic!("a shell for PostgreSQL: {error}"))
}

/// Debian keeps the server's programs off the usual path, in a folder for each version.
fn path_with_programs() -> String {
    let mut path = std::env::var("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort();
    for folder in versions.iter().rev() {
        path = format!("{path}:{}", folder.display());
    }
    path
}

fn private_folder(name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::remove_dir_all(&folder).ok();
    make_folder(&folder);
    folder
}

fn make_folder(folder: &Path) {
    let made = || -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(folder)?;
        if own_uid() == 0 {
            std::os::unix::fs::chown(folder, Some(UNPRIVILEGED), Some(UNPRIVILEGED))?;
        }
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))
    };
    made().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

fn answers(place: &Place) -> bool {
    let mut asked = client("pg_isready", place);
    asked.args(["-d", "postgres"]);
    asked
        .output()
        .unwrap_or_else(|error| {
            panic!("PostgreSQL is not installed (`cargo xtask setup` does): {error}")
        })
        .status
        .success()
}

fn until_it_answers(place: &Place) {
    let limit = Instant::now() + PATIENCE;
    while !answers(place) {
        assert!(
            Instant::now() < limit,
            "PostgreSQL does not start: {}",
            ["initdb.log", "postgres.log"]
                .map(|log| std::fs::read_to_string(place.folder.join(log)).unwrap_or_default())
                .concat()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn new_database(place: &Place) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("case_{}_{number}", std::process::id());
    let made = client("createdb", place)
        .arg(&name)
        .output()
        .unwrap_or_else(|error| panic!("createdb: {error}"));
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "createdb: {said}");
    name
}

fn client(program: &str, place: &Place) -> Command {
    let mut command = Command::new(program);
    command
        .env("PATH", path_with_programs())
        .arg("-h")
        .arg(&place.folder)
        .args(["-p", &place.port.to_string(), "-U", ROLE]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_keeps_what_it_holds_over_a_stop_and_is_gone_with_its_test() {
        let mut cluster = Cluster::start();
        let folder = cluster.place.folder.clone();
        let url = cluster.database();
        cluster.stop();
        assert!(!answers(&cluster.place));
        cluster.start_again();
        let listed = ask(&cluster.place, "SELECT datname FROM pg_database");
        let name = url.split(['/', '?']).nth(3).unwrap();
        assert!(listed.lines().any(|line| line == name), "{listed}");
        drop(cluster);
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_measured_waits_for_the_disk() {
        let cluster = Cluster::start_durable();
        assert_eq!(ask(&cluster.place, "SHOW fsync").trim(), "on");
    }

    #[test]
    fn two_that_ask_get_databases_of_their_own() {
        assert_ne!(database(), database());
    }

    /// What `psql` prints of a query.
    fn ask(place: &Place, sql: &str) -> String {
        let answer = client("psql", place)
            .args(["-d", "postgres", "-Atc", sql])
            .output()
            .unwrap();
        String::from_utf8(answer.stdout).unwrap()
    }
}
