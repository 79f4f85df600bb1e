//! Everything that needs the rights the holder was started with, in order; after it there are none left.
//!
//! Later on folders are reached by the descriptors opened here: the session's user may not be able to walk
//! to them, when the data lies where only root may go.

use crate::limits;
use crate::logs::Logs;
use crate::machine_id;
use crate::oom::OomKills;
use crate::privileges::{self, Stuck};
use crate::sandbox::bwrap::{self, shell};
use crate::sandbox::files::{folder_name, places};
use crate::sandbox::loader::Loader;
use crate::sandbox::{Files, Layers, Plan, Running, Sandbox, SandboxError, Shown, seccomp};
use greenroom_session_api::Spec;
use greenroom_session_api::spec::{
    HOLDER_PID, HOLDER_SOCKET, MAX_SPEC, Network, STREAM_SOCKET, SpecError, X_SERVER,
};
use rustix::fs::{FlockOperation, Gid, Mode, OFlags, Uid};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The folder with the compositor's sockets, beneath the run folder.
const SOCKETS: &str = "wayland";

/// The folder with what the apps print, beneath the session's.
const LOGS: &str = "logs";

/// The folder with what an image gets from our hand, beneath the run folder.
const SYSTEM: &str = "system";

/// The holder cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file or folder is not to be had.
    #[error("cannot {doing} {}", path.display())]
    Files {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The spec is no spec.
    #[error("cannot follow {}", path.display())]
    Spec {
        /// The spec.
        path: PathBuf,
        /// Why not.
        source: SpecError,
    },
    /// Another process holds the session.
    #[error("another holder has this session")]
    Held,
    /// There is no sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Privileges are left.
    #[error("cannot give up the privileges")]
    Privileges(#[from] Stuck),
    /// A call of the kernel's failed.
    #[error("cannot {0}")]
    Kernel(&'static str, #[source] io::Error),
}

/// What the holder goes on with.
#[derive(Debug)]
pub struct Setup {
    /// What it was told.
    pub spec: Spec,
    /// What a peer must present.
    pub key: [u8; 32],
    /// Where server and gateways connect.
    pub door: UnixListener,
    /// Who started the holder; nobody else but root is heard at the door.
    pub starter: u32,
    /// Where the streamer is to accept, if there is one.
    pub stream_door: UnixListener,
    /// The streamer's program; `None` when there is none, and then no picture leaves.
    pub streamer: Option<File>,
    /// The sandbox, begun.
    pub sandbox: Running,
    /// What of its processes the kernel ended for want of memory.
    pub oom_kills: OomKills,
    /// Its apps' sockets.
    pub sockets: SocketsDir,
    /// What its apps are shown of the server's files.
    pub files: Files,
    /// Where what they print is kept.
    pub logs: Logs,
    /// The shell of its user.
    pub shell: &'static str,
    /// The words that start the program which keeps an X server, if the apps may have one.
    pub x11: Option<Vec<String>>,
    run_dir: File,
    // Kept so that no descriptor of ours is ever at the numbers the streamer expects its own at.
    _reserved: Vec<File>,
}

impl Setup {
    /// Does it all, and is nobody in particular afterwards.
    ///
    /// # Errors
    /// The holder cannot begin; what it began is undone or goes with its process.
    pub fn from_spec(path: &Path, sandbox: &dyn Sandbox) -> Result<Self, SetupError> {
        let reserved =
            reserve_descriptors().map_err(|error| SetupError::Kernel("open /dev/null", error))?;
        // What is made here is its owner's alone, sockets above all, which take no mode when they are made.
        let private = Mode::RWXG | Mode::RWXO;
        rustix::process::umask(private);
        let starter = rustix::process::getuid().as_raw();
        let spec = read_spec(path)?;
        // A spec that was read has a sound key.
        let key = spec.key().unwrap_or_default();
        let owner = spec.uid.zip(spec.gid);

        let run_dir = folder(&spec.run_dir, owner)?;
        rustix::fs::flock(&run_dir, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| SetupError::Held)?;
        let home = spec.session_dir.join("home");
        folder(&home, owner)?;
        let logs = Logs::new(folder(&spec.session_dir.join(LOGS), owner)?);
        let machine_id = machine_id::of_session(&spec.session_dir)
            .map_err(|error| SetupError::Kernel("name the machine", error))?;
        let sockets_path = spec.run_dir.join(SOCKETS);
        let sockets = SocketsDir(fresh_folder(&sockets_path, owner)?);
        let (shown_files, shown) = show_files(&spec, &run_dir, owner)?;

        let door = listen(&spec.run_dir.join(HOLDER_SOCKET), owner)?;
        let stream_door = listen(&spec.run_dir.join(STREAM_SOCKET), owner)?;
        let streamer = match File::open(&spec.stream) {
            Ok(program) => Some(program),
            Err(error) => {
                tracing::error!(path = %spec.stream.display(), %error, "no streamer: nobody will see this session");
                None
            }
        };
        write_pid(&spec.run_dir.join(HOLDER_PID))?;
        let oom_events = spec.limits.oom_events.as_deref();
        let oom_kills =
            OomKills::at(oom_events).map_err(files("open", oom_events.unwrap_or(Path::new(""))))?;
        let layers = match &spec.image {
            Some(image) => {
                let system = spec.run_dir.join(SYSTEM);
                fresh_folder(&system, None)?;
                let loader = Loader::of_this_process();
                let loader =
                    loader.map_err(|error| SetupError::Kernel("find the loader of init", error))?;
                Some(Layers::new(image.clone(), system, loader))
            }
            None => None,
        };
        let shell = shell(layers.as_ref());
        let x11 = x_servers(&spec, layers.as_ref());
        // The sandbox's folders are its root's, and its apps must be able to walk through them.
        rustix::process::umask(Mode::WGRP | Mode::WOTH);
        let sandbox = sandbox.start(&Plan {
            init: spec.init.clone(),
            x11: x11.as_ref().and_then(|_| spec.x11.clone()),
            home,
            runtime_dir: sockets_path,
            user: owner,
            network: spec.network,
            timezone: spec.timezone.clone(),
            limits: spec.limits.clone(),
            machine_id,
            files: shown,
            layers,
        })?;
        rustix::process::umask(private);
        // The apps do not have these: they were started before.
        limits::of_the_holder().map_err(|error| SetupError::Kernel("bound the holder", error))?;

        if let Some((uid, gid)) = owner {
            privileges::give_up(uid, gid)?;
        }
        seccomp::enter()?;
        let hidden = rustix::process::DumpableBehavior::NotDumpable;
        rustix::process::set_dumpable_behavior(hidden)
            .map_err(|error| SetupError::Kernel("hide the memory", error.into()))?;
        Ok(Self {
            spec,
            key,
            door,
            starter,
            stream_door,
            streamer,
            sandbox,
            oom_kills,
            sockets,
            files: shown_files,
            logs,
            shell,
            x11,
            run_dir,
            _reserved: reserved,
        })
    }

    /// Leaves nothing in the run folder that could be taken for a holder.
    pub fn clear(&self) {
        self.sockets.clear();
        self.files.clear();
        for name in [HOLDER_SOCKET, STREAM_SOCKET, HOLDER_PID] {
            // What is gone already need not go.
            let _ = rustix::fs::unlinkat(&self.run_dir, name, rustix::fs::AtFlags::empty());
        }
        let _ = rustix::fs::unlinkat(&self.run_dir, SOCKETS, rustix::fs::AtFlags::REMOVEDIR);
    }
}

/// The folder the apps find the compositor's sockets in. They may write into it, so what they left there is
/// cleared with care: names are resolved in this folder only and links are not followed.
#[derive(Debug)]
pub struct SocketsDir(File);

impl SocketsDir {
    /// A socket of this name for apps to connect to.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn listen(&self, name: &str) -> io::Result<UnixListener> {
        self.remove(name);
        let listener = UnixListener::bind(self.path().join(name))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Takes a socket away.
    pub fn remove(&self, name: &str) {
        let _ = rustix::fs::unlinkat(&self.0, name, rustix::fs::AtFlags::empty());
    }

    fn clear(&self) {
        let entries = std::fs::read_dir(self.path())
            .into_iter()
            .flatten()
            .flatten();
        for path in entries.map(|entry| entry.path()) {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }

    /// Reaches the folder whatever its path is and whoever we are now; and fits a socket's short name.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// The words that start the program which keeps X servers, where apps can have one. With the machine's network they
/// have none: an X client tries the abstract socket of its display first, and that would be whoever's on the machine
/// took it.
fn x_servers(spec: &Spec, image: Option<&Layers>) -> Option<Vec<String>> {
    let is_there = spec.x11.as_ref().is_some_and(|path| path.is_file());
    let has_server = match image {
        Some(layers) => layers.has(X_SERVER),
        None => Path::new(X_SERVER).is_file(),
    };
    if !(is_there && has_server) || spec.network == Network::Host {
        return None;
    }
    let loader = image.and_then(Layers::loader).into_iter();
    let words = loader.flat_map(Loader::words);
    Some(words.chain([bwrap::X11.to_owned()]).collect())
}

/// The numbers below the first that a new descriptor may have: 3 and 4 are the streamer's.
const FIRST_FREE: i32 = 5;

fn reserve_descriptors() -> io::Result<Vec<File>> {
    let mut reserved = Vec::new();
    loop {
        let nothing = File::open("/dev/null")?;
        if nothing.as_raw_fd() >= FIRST_FREE {
            return Ok(reserved);
        }
        reserved.push(nothing);
    }
}

fn read_spec(path: &Path) -> Result<Spec, SetupError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(files("open", path))?;
    file.take(MAX_SPEC)
        .read_to_end(&mut bytes)
        .map_err(files("read", path))?;
    Spec::from_json(&bytes).map_err(|source| SetupError::Spec {
        path: path.to_owned(),
        source,
    })
}

/// The files of the spec, and the folders that show them.
fn show_files(
    spec: &Spec,
    run_dir: &File,
    owner: Option<(u32, u32)>,
) -> Result<(Files, Vec<Shown>), SetupError> {
    let mut folders = BTreeMap::new();
    let mut shown = Vec::new();
    for place in places(&spec.files) {
        let path = spec.run_dir.join(folder_name(place));
        folders.insert(place, fresh_folder(&path, owner)?);
        shown.push(Shown {
            folder: path,
            place,
        });
    }
    let drafts = run_dir.try_clone().map_err(files("open", &spec.run_dir))?;
    let written = Files::new(drafts, folders);
    written
        .replace(&spec.files)
        .map_err(files("write the files in", &spec.run_dir))?;
    Ok((written, shown))
}

/// A folder as [`folder`] makes it, with nothing in it.
fn fresh_folder(path: &Path, owner: Option<(u32, u32)>) -> Result<File, SetupError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(files("clear", path)(error)),
        _ => folder(path, owner),
    }
}

/// A folder of the session's user and nobody else.
fn folder(path: &Path, owner: Option<(u32, u32)>) -> Result<File, SetupError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(files("make", path))?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| files("open", path)(error.into()))?;
    if let Some((uid, gid)) = owner {
        rustix::fs::fchown(&folder, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
            .map_err(|error| files("hand over", path)(error.into()))?;
    }
    rustix::fs::fchmod(&folder, Mode::RWXU)
        .map_err(|error| files("close to others", path)(error.into()))?;
    Ok(OwnedFd::into(folder))
}

fn listen(path: &Path, owner: Option<(u32, u32)>) -> Result<UnixListener, SetupError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(files("remove", path)(error));
        }
        _ => {}
    }
    // The umask makes it its owner's alone.
    let listener = UnixListener::bind(path).map_err(files("listen at", path))?;
    listener
        .set_nonblocking(true)
        .map_err(files("listen at", path))?;
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(files("hand over", path))?;
    }
    Ok(listener)
}

fn write_pid(path: &Path) -> Result<(), SetupError> {
    let stat = std::fs::read_to_string("/proc/self/stat")
        .map_err(files("read", Path::new("/proc/self/stat")))?;
    let note = format!(
        "{} {}\n",
        std::process::id(),
        start_time(&stat).unwrap_or_default()
    );
    let fresh = path.with_extension("fresh");
    let _ = std::fs::remove_file(&fresh);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(files("make", &fresh))?;
    io::Write::write_all(&mut file, note.as_bytes()).map_err(files("write", &fresh))?;
    std::fs::rename(&fresh, path).map_err(files("make", path))
}

/// Field 22 of `/proc/PID/stat`; the program's name, field 2, may hold spaces and parentheses.
fn start_time(stat: &str) -> Option<&str> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split_ascii_whitespace().nth(22 - 3)
}

fn files(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SetupError {
    let path = path.to_owned();
    move |source| SetupError::Files {
        doing,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_program_name() {
        let stat = "42 (a ) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 0 0";
        assert_eq!(start_time(stat), Some("777"));
        assert_eq!(start_time("nonsense"), None);
    }

    #[test]
    fn what_apps_leave_among_the_sockets_is_cleared_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let kept = outside.path().join("kept");
        std::fs::write(&kept, "").unwrap();
        let inside = tempfile::tempdir().unwrap();
        let sockets = SocketsDir(File::open(inside.path()).unwrap());
        let socket = sockets.listen("wayland-1").unwrap();
        std::fs::create_dir_all(inside.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
        drop(socket);
        sockets.clear();
        assert_eq!(std::fs::read_dir(inside.path()).unwrap().count(), 0);
        assert!(kept.exists());
    }
}
