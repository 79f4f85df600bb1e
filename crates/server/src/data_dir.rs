//! The folder with everything that a server keeps, used by one server at a time.

use greenroom_model::{Entropy, ServerId};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A session's sockets lie below the folder, and the kernel takes 107 bytes for the whole name of one.
const MAX_PATH: usize = 60;

/// A server that is killed while it starts a session leaves a child that has the lock open until it has become
/// the session's own program, which takes some milliseconds.
const LETTING_GO: Duration = Duration::from_millis(500);

/// The database in the folder.
pub const DATABASE: &str = "greenroom.db";

/// Where the server that uses the folder, or used it last, is reached: what commands beside it ask.
pub const ENDPOINT: &str = "endpoint";

/// The file with the id of the server. Sessions live on the server of this id: no two may have copies of it.
const SERVER_ID: &str = "server-id";

/// The folder, for as long as this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // Closing the file lets go of the folder, also when the process is killed.
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Sockets below it would have names that are too long.
    #[error("the data folder {} has a path of {} bytes; {MAX_PATH} are the most, for the sockets in it", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// A server is using it.
    #[error("the data folder {} is in use by a server that runs", .0.display())]
    InUse(PathBuf),
    /// It cannot be made, entered or written to.
    #[error("cannot use the data folder {}", path.display())]
    Io {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder when there is none, and takes hold of it.
    ///
    /// # Errors
    /// It cannot be used, or somebody else does.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io {
            path: path.to_owned(),
            source,
        };
        let path = std::path::absolute(path).map_err(failed)?;
        if path.as_os_str().len() > MAX_PATH {
            return Err(DataDirError::TooLong(path));
        }
        // Sessions of a server that runs as root are users of their own, who pass through to their folders;
        // what is not for them is closed to them file by file.
        let mode = if rustix::process::geteuid().is_root() {
            0o711
        } else {
            0o700
        };
        let made = path.is_dir();
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(&path)
            .map_err(failed)?;
        if !made {
            // The mask of the process has its say when a folder is made.
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(failed)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        let until = Instant::now() + LETTING_GO;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => return Err(DataDirError::InUse(path)),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The id of the server that this folder belongs to, made at its first start.
    ///
    /// # Errors
    /// The file with it cannot be read or written, or holds something else.
    pub fn server_id(&self, entropy: &dyn Entropy) -> Result<ServerId, DataDirError> {
        let path = self.path.join(SERVER_ID);
        let kept = match std::fs::read_to_string(&path) {
            Ok(text) => ServerId::parse(text.trim())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = ServerId::new(entropy);
                self.write_secret(SERVER_ID, &format!("{id}\n")).map(|_| id)
            }
            Err(error) => Err(error),
        };
        kept.map_err(|source| DataDirError::Io { path, source })
    }

    /// Writes a file that only its owner reads: whole, or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_secret(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        File::open(&self.path)?.sync_all()?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_testkit::SeededEntropy;

    #[test]
    fn a_server_keeps_its_id_and_takes_no_broken_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let data = DataDir::open(&path).unwrap();
        let made = data.server_id(&SeededEntropy::new(1)).unwrap();
        assert_eq!(data.server_id(&SeededEntropy::new(2)).unwrap(), made);
        std::fs::write(path.join("server-id"), "x").unwrap();
        let broken = data.server_id(&SeededEntropy::new(2)).unwrap_err();
        assert!(broken.to_string().contains("server-id"), "{broken}");
    }

    #[test]
    fn one_server_at_a_time_uses_a_folder() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let first = DataDir::open(&path).unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::InUse(_))));
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_path_too_long_for_sockets_is_refused_before_anything_is_made() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x".repeat(61));
        let error = DataDir::open(&path).unwrap_err();
        assert!(error.to_string().contains("60 are the most"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_secret_file_is_its_owners_only_and_replaced_whole() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::open(&home.path().join("data")).unwrap();
        data.write_secret("s.json", "one").unwrap();
        let path = data.write_secret("s.json", "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::read_dir(data.path()).unwrap().count(),
            2,
            "the lock and the secret"
        );
    }
}
