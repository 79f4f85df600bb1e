//! Taking away the copy of the database that a server has made, and putting one in the database's place.

use crate::data_dir::{DATABASE, DataDir};
use greenroom_model::Timestamp;
use greenroom_store::{COPIES, SealingKey, StoreError, check_copy};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database's file, by what is added to its name: without them, the last commits of
/// a server that was killed are not there.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something in the place of the file.
    #[error("{} exists; a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    /// The copy is not where the server says it is.
    #[error("the server has made {}, which is not there: a backup is made on the server's machine, by who may read its data folder", .0.display())]
    Elsewhere(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot {step} {}", path.display())]
    File {
        /// What was to be done.
        step: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a database, which nobody said to replace.
    #[error("there is a database already, {}: with --replace it is put aside and kept", .0.display())]
    Present(PathBuf),
    /// It is sealed with another key than the one in the folder.
    #[error("{} is sealed with another key than {}: put the one there that it was made with", file.display(), key.display())]
    WrongKey {
        /// The backup.
        file: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// It is not what it must be.
    #[error("{} cannot be restored", path.display())]
    Unfit {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        source: StoreError,
    },
    /// The database has tools of its own.
    #[error("the database is {0}")]
    NotAFile(String),
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { step, path, source }
}

/// Moves the copy of that name from the data folder to `file`, which must not be there.
///
/// # Errors
/// One of them cannot be read or written; there is no `file` then.
pub fn take_away(data_dir: &Path, name: &str, file: &Path) -> Result<(), BackupError> {
    let made = data_dir.join(COPIES).join(name);
    if !made.is_file() {
        return Err(BackupError::Elsewhere(made));
    }
    copy(&made, file)?;
    fs::remove_file(&made).map_err(failed("remove", &made))
}

/// Fails for a file that is there.
///
/// # Errors
/// [`BackupError::Exists`]
pub fn is_free(file: &Path) -> Result<(), BackupError> {
    match file.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists(file.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Checks that a file can take the place of a database with this key, which is in the file beside it.
///
/// # Errors
/// What it is not, or it cannot be read.
pub fn check(file: &Path, (key, key_file): (&SealingKey, &Path)) -> Result<(), BackupError> {
    check_copy(file, key).map_err(|source| match source {
        StoreError::WrongSealingKey => BackupError::WrongKey {
            file: file.to_owned(),
            key: key_file.to_owned(),
        },
        source => BackupError::Unfit {
            path: file.to_owned(),
            source,
        },
    })
}

/// Puts a backup in the place of the database of a stopped server. A database that is there is kept under another
/// name, which is answered. The backup itself is only read.
///
/// # Errors
/// There is a database and `replace` does not say so, the backup is not fit to be one, its secrets are sealed with
/// another key than this one, or a file cannot be read or written. The database is what it was then.
pub fn restore(
    data: &DataDir,
    file: &Path,
    replace: bool,
    key: (&SealingKey, &Path),
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let database = data.path().join(DATABASE);
    let present = database.exists();
    if present && !replace {
        return Err(BackupError::Present(database));
    }
    // Checked where it is to be used: what lies elsewhere may change meanwhile.
    let fresh = data.path().join(format!("{DATABASE}.restoring"));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &fresh)(error));
        }
        _ => copy(file, &fresh)?,
    }
    let put = check(&fresh, key).and_then(|()| {
        let aside = present.then(|| put_aside(data, &database, now));
        let kept = aside.transpose()?;
        fs::rename(&fresh, &database).map_err(failed("write", &database))?;
        sync(data.path())?;
        Ok(kept)
    });
    if put.is_err() {
        // The error is the one to tell.
        fs::remove_file(&fresh).ok();
    }
    put
}

/// Gives a database another name. A power cut at any moment leaves all of it under one of its names: it has both
/// before it loses the first.
fn put_aside(data: &DataDir, database: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let when: String = now.to_wire().replace(['-', ':'], "");
    let kept = data.path().join(format!("{DATABASE}.before-{when}"));
    let mut pairs = vec![(database.to_owned(), kept.clone())];
    pairs.extend(BESIDE.map(|part| (with(database, part), with(&kept, part))));
    pairs.retain(|(old, _)| old.exists());
    for (old, new) in &pairs {
        fs::hard_link(old, new).map_err(failed("keep the present database as", new))?;
    }
    sync(data.path())?;
    for (old, _) in &pairs {
        fs::remove_file(old).map_err(failed("remove", old))?;
    }
    Ok(kept)
}

fn with(path: &Path, part: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(part);
    name.into()
}

/// Copies a file to a new one that only its owner reads; it is on disk afterwards, or not there.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(failed("read", from))?;
    let mut target = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(to)
        .map_err(failed("write", to))?;
    let copied = io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(failed("write", to));
    if copied.is_err() {
        // The error is the one to tell.
        fs::remove_file(to).ok();
        return copied;
    }
    // A name without a folder is one in the folder that the process is in.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync(folder.unwrap_or(Path::new(".")))
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("write to", folder))
}
