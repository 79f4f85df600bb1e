//! Getting a holder going: its folders, its spec, and a process that outlives whoever started it.

#[cfg(test)]
mod tests;

use super::layers;
use super::limits::Limiter;
use super::process::{Process, command_line, started_at};
use super::removal;
use super::{Handle, Plan, RuntimeError, Settings, X11};
use greenroom_model::{PersistentId, hex};
use greenroom_session_api::spec::{self, HOLDER_PID, Spec};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The scale of a session nobody has looked at yet.
const SCALE_120: u32 = 120;

/// Where a session's things lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// Home, spec and log; outlives the holder.
    pub session_dir: PathBuf,
    /// Sockets and pid file of the holder.
    pub run_dir: PathBuf,
}

impl Places {
    /// The places of `session` below the data folder.
    pub fn of(data_dir: &Path, session: &PersistentId) -> Self {
        Self {
            session_dir: data_dir.join("sessions").join(session.as_str()),
            run_dir: data_dir.join("run").join(session.as_str()),
        }
    }

    fn spec(&self) -> PathBuf {
        self.session_dir.join("spec.json")
    }

    fn home(&self) -> PathBuf {
        self.session_dir.join("home")
    }

    /// What the session changed of its image.
    pub fn layers(&self) -> PathBuf {
        self.session_dir.join("layer")
    }

    /// The folders that its apps can write to.
    pub fn written(&self) -> Vec<PathBuf> {
        let layers = fs::read_dir(self.layers()).into_iter().flatten().flatten();
        // What the kernel keeps beside it is closed even to its owner, and no app gets there.
        let changed = layers.map(|layer| layer.path().join(layers::UPPER));
        changed.chain([self.home()]).collect()
    }

    fn log(&self) -> PathBuf {
        self.session_dir.join("holder.log")
    }
}

/// Starts a holder. Whoever calls knows that there is none.
pub fn spawn(
    settings: &Settings,
    limiter: &Limiter,
    places: &Places,
    plan: &Plan,
    key: [u8; 32],
    uid: Option<u32>,
) -> Result<(Child, Handle), RuntimeError> {
    settings.disk.admit(&settings.data_dir)?;
    folders(places, uid)?;
    let image = layers::of_session(places, plan.image.as_ref())?;
    if is_held(&places.run_dir)? {
        return Err(RuntimeError::StillThere);
    }
    let spec = Spec {
        persistent_id: plan.persistent_id.as_str().to_owned(),
        session_dir: places.session_dir.clone(),
        run_dir: places.run_dir.clone(),
        key_hex: hex::encode(&key),
        uid,
        gid: uid,
        width: plan.width,
        height: plan.height,
        scale_120: SCALE_120,
        apps: plan.apps.clone(),
        init: settings.install_dir.join("greenroom-init"),
        stream: settings.install_dir.join("greenroom-stream"),
        x11: Some(settings.install_dir.join(X11)),
        locale: settings.locale.clone(),
        timezone: settings.timezone.clone(),
        network: settings.network,
        limits: spec::Limits {
            file_bytes: settings.disk.largest_file(),
            ..limiter.make(&plan.persistent_id, &plan.share)?
        },
        files: plan.files.clone(),
        image,
    };
    write_secret(&places.spec(), &spec.to_json()?)?;
    let child = run(settings, places)?;
    let pid = child.id();
    let handle = Handle {
        run_dir: places.run_dir.clone(),
        key,
        pid,
        // A child that ended already is a zombie until it is waited for; no process began at 0.
        started: started_at(pid).unwrap_or(0),
        uid,
        boot_id: settings.boot_id.clone(),
    };
    // The holder writes the same; but from here on it must be found even if both are killed.
    let note = format!("{} {}\n", handle.pid, handle.started);
    write_secret(&places.run_dir.join(HOLDER_PID), note.as_bytes())?;
    Ok((child, handle))
}

/// The holder that runs for a session, if one does: by its pid file, checked against the process and what it was told
/// when it was started.
pub fn find(
    settings: &Settings,
    places: &Places,
) -> Result<Option<(Process, Handle)>, RuntimeError> {
    let pid_file = places.run_dir.join(HOLDER_PID);
    let Some(note) = read_bounded(&pid_file, 64)? else {
        return Ok(None);
    };
    let note = String::from_utf8_lossy(&note);
    let mut numbers = note.split_ascii_whitespace().map(str::parse::<u64>);
    let (Some(Ok(pid)), Some(Ok(started))) = (numbers.next(), numbers.next()) else {
        return Ok(None);
    };
    let Ok(pid) = u32::try_from(pid) else {
        return Ok(None);
    };
    let process =
        Process::find(pid, started).map_err(files("look at the process of", &pid_file))?;
    // The note lies where the session's user may write: what it names is ended as a holder, so it has to be one. Nobody
    // can have another user's process carry such words.
    let words = command_line(pid);
    let holds = words.ends_with(&["--spec".into(), places.spec().into_os_string()]);
    let (Some(process), true) = (process, holds) else {
        return Ok(None);
    };
    let spec = match read_bounded(&places.spec(), spec::MAX_SPEC)? {
        Some(json) => Some(Spec::from_json(&json)?),
        None => {
            // Without its key it cannot be spoken to. It is there all the same, so it is never given a
            // second one beside it, and it can be killed.
            tracing::warn!(run_dir = %places.run_dir.display(), pid, "a holder has lost its spec");
            None
        }
    };
    let handle = Handle {
        run_dir: places.run_dir.clone(),
        key: spec.as_ref().and_then(Spec::key).unwrap_or_default(),
        pid,
        started,
        uid: spec.and_then(|spec| spec.uid),
        // It runs.
        boot_id: settings.boot_id.clone(),
    };
    Ok(Some((process, handle)))
}

/// Removes what a holder that is gone has left, and with `home` all the session has here.
pub fn clear(places: &Places, home: bool) -> Result<(), RuntimeError> {
    remove_tree(&places.run_dir)?;
    if home {
        remove_tree(&places.session_dir)
    } else {
        // The key in it is worth nothing any more, but a secret that lies about invites questions.
        remove_file(&places.spec())
    }
}

/// Makes a folder that others may pass through but not list: sessions run as other users.
pub fn make_dir(path: &Path, mode: u32) -> Result<(), RuntimeError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(files("make", path))
}

/// Whether a holder has the folder. It locks it before it does anything else, so this also tells of one that
/// an earlier server started and that has come to nothing more yet.
fn is_held(run_dir: &Path) -> Result<bool, RuntimeError> {
    let folder = File::open(run_dir).map_err(files("open", run_dir))?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(false),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(files("lock", run_dir)(error.into())),
    }
}

fn folders(places: &Places, uid: Option<u32>) -> Result<(), RuntimeError> {
    make_dir(&places.session_dir, 0o711)?;
    make_dir(&places.run_dir, 0o711)?;
    let home = places.home();
    if !home.is_dir() {
        make_dir(&home, 0o700)?;
    }
    if let Some(uid) = uid {
        lchown(&home, Some(uid), Some(uid)).map_err(files("hand over", &home))?;
    }
    Ok(())
}

fn run(settings: &Settings, places: &Places) -> Result<Child, RuntimeError> {
    let log = log_file(&places.log())?;
    let other = log.try_clone().map_err(files("open", &places.log()))?;
    let program = settings.install_dir.join("greenroom-session");
    let mut command = Command::new(&program);
    command
        .arg("--spec")
        .arg(places.spec())
        // A folder that is always there, so that nothing is pinned and nothing is given away.
        .current_dir("/")
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "RUST_LOG"))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(other);
    // SAFETY: between fork and exec only setsid(2) is called, which is safe there: it allocates nothing and
    // takes no lock. Without a session of its own the holder would go down with the server's terminal.
    unsafe {
        command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?));
    }
    command
        .spawn()
        .map_err(|source| RuntimeError::Spawn { program, source })
}

/// A fresh log; the one of the holder before stays beside it, since it may tell why that one went.
fn log_file(path: &Path) -> Result<File, RuntimeError> {
    match fs::rename(path, path.with_extension("log.1")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(files("move aside", path)(error));
        }
        _ => {}
    }
    OpenOptions::new()
        .create_new(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(files("make", path))
}

/// Writes a file only its owner may read, whole or not at all.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), RuntimeError> {
    let fresh = path.with_extension("new");
    remove_file(&fresh)?;
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(files("write", path))
}

/// Reads a plain file; what is none is not there. The run folder is the session's user's, who could put a link or a
/// pipe in a file's place.
fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, RuntimeError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let mut bytes = Vec::new();
    let read = file.and_then(|file| match file.metadata()?.is_file() {
        true => file.take(limit).read_to_end(&mut bytes).map(Some),
        false => Ok(None),
    });
    match read {
        Ok(read) => Ok(read.map(|_| bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(None),
        Err(error) => Err(files("read", path)(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), RuntimeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files("remove", path)(error)),
        _ => Ok(()),
    }
}

pub fn remove_tree(path: &Path) -> Result<(), RuntimeError> {
    removal::remove_tree(path).map_err(files("remove", path))
}

/// An I/O error with what was tried on what.
pub fn files(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RuntimeError {
    let path = path.to_owned();
    move |source| RuntimeError::Files {
        doing,
        path,
        source,
    }
}
