//! How much a session has on the disk, found out while its apps may do there what they like.
//!
//! Folders are opened one inside the other and links are not followed, so that nothing outside is counted whatever
//! is renamed meanwhile. What is removed meanwhile is not counted, and what is moved may be counted twice or not at
//! all: the next time it will be right.

use super::super::folder::{FLAGS, is_folder};
use rustix::fs::{AtFlags, Dir, Mode, Stat};
use rustix::io::Errno;
use std::io;
use std::path::Path;
use std::time::Instant;

/// Folders within folders. Each is a descriptor of the server's, so the apps must not choose how many.
const MAX_DEPTH: usize = 256;

/// The unit of the kernel's count, whatever a file system's own is.
const BLOCK: u64 = 512;

/// Entries between two pauses.
const BATCH: u32 = 1024;

/// How much longer than the work a pause is.
const PAUSE: u32 = 4;

/// What a session has on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes that are taken up: holes in files are not.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
    /// Some of it cannot be looked at: it lies too deep, or in folders that are closed to their owner.
    pub hidden: bool,
}

impl Size {
    /// Counts what was measured elsewhere as well.
    pub fn add(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.files += more.files;
        self.hidden |= more.hidden;
    }
}

/// Measures what is in a folder. With every batch of entries it asks whether there is no `hurry`, and then pauses, so
/// that it takes a fifth of a processor at most.
///
/// # Errors
/// There is no such folder.
pub fn measure(folder: &Path, hurry: impl Fn() -> bool) -> io::Result<Size> {
    let top = rustix::fs::open(folder, FLAGS, Mode::empty())?;
    let device = rustix::fs::fstat(&top)?.st_dev;
    let mut size = Size::default();
    let mut open = vec![Dir::new(top)?];
    let (mut batch, mut began) = (0, Instant::now());
    while let Some(dir) = open.last_mut() {
        let Some(Ok(entry)) = dir.next() else {
            open.pop();
            continue;
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        batch += 1;
        if batch == BATCH {
            if !hurry() {
                std::thread::sleep(began.elapsed() * PAUSE);
            }
            (batch, began) = (0, Instant::now());
        }
        let here = dir.fd()?;
        // Gone in the meantime, or of another file system: neither takes up anything here.
        let stat = match rustix::fs::statat(here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stat.st_dev == device => stat,
            _ => continue,
        };
        size.files += 1;
        size.bytes += taken_up(&stat);
        if !is_folder(&stat) {
            continue;
        }
        let inside = rustix::fs::openat(here, name, FLAGS, Mode::empty());
        match inside.and_then(Dir::new) {
            Ok(inside) if open.len() < MAX_DEPTH => open.push(inside),
            Ok(_) | Err(Errno::ACCESS) => size.hidden = true,
            Err(_) => {}
        }
    }
    Ok(size)
}

/// Bytes that a file takes up.
pub fn blocks(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(BLOCK)
}

/// A file of several names is counted at each of them in part.
fn taken_up(stat: &Stat) -> u64 {
    let names = if is_folder(stat) { 1 } else { stat.st_nlink };
    blocks(stat) / names.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const MIB: u64 = 1 << 20;

    fn size_of(folder: &Path) -> Size {
        measure(folder, || true).unwrap()
    }

    fn file(path: &Path, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap();
        fs::write(path, vec![1; bytes]).unwrap();
        // Some file systems decide on what a file takes up when it is written out.
        fs::File::open(path).unwrap().sync_all().unwrap();
    }

    #[test]
    fn what_is_taken_up_is_counted_and_holes_and_second_names_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let empty = size_of(folder.path());
        assert_eq!((empty.bytes, empty.files), (0, 0));
        fs::create_dir_all(at("a/b")).unwrap();
        file(&at("a/b/file"), MIB);
        fs::hard_link(at("a/b/file"), at("again")).unwrap();
        fs::File::create(at("holes"))
            .unwrap()
            .set_len(1000 * MIB)
            .unwrap();
        let size = size_of(folder.path());
        assert_eq!(size.files, 5);
        assert!((MIB..2 * MIB).contains(&size.bytes), "{size:?}");
        assert!(!size.hidden);
    }

    #[test]
    fn what_links_point_to_is_not_counted() {
        let outside = tempfile::tempdir().unwrap();
        file(&outside.path().join("file"), MIB);
        let folder = tempfile::tempdir().unwrap();
        symlink(outside.path(), folder.path().join("folder")).unwrap();
        symlink(outside.path().join("file"), folder.path().join("file")).unwrap();
        symlink(".", folder.path().join("round")).unwrap();
        let size = size_of(folder.path());
        assert_eq!(size.files, 3);
        assert!(size.bytes < MIB, "{size:?}");
        let linked = folder.path().join("folder");
        assert!(measure(&linked, || true).is_err());
    }

    #[test]
    fn what_lies_too_deep_is_told_to_be_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().to_owned();
        for _ in 0..MAX_DEPTH - 1 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        assert!(!size_of(folder.path()).hidden);
        fs::create_dir(deep.join("deeper")).unwrap();
        assert!(size_of(folder.path()).hidden);
    }

    #[test]
    fn what_is_closed_to_its_owner_is_told_to_be_hidden() {
        if rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: nothing is closed to root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        assert!(size_of(folder.path()).hidden);
    }
}
