//! A session's layer as a folder of its own, copied while its apps may do there what they like.
//!
//! Folders are opened one inside the other and links are never followed, so that nothing outside is read whatever is
//! renamed meanwhile. What is removed meanwhile is left out.

use super::super::folder::FLAGS;
use super::super::layers;
use super::super::spawn::files;
use super::file::{self, Marks};
use crate::runtime::RuntimeError;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Folders within folders. Each is two descriptors of the server's, so the apps must not choose how many.
const MAX_DEPTH: usize = 128;

/// Files of several names that are kept one; further ones are copied for each name.
const MAX_LINKS: usize = 1 << 16;

/// Entries between two questions whether to go on.
const BATCH: u32 = 1024;

/// What is of no use to others: temporary files, which lie in the layer as nothing else of a session's own does.
const LEFT_OUT: &str = "var/tmp";

/// What may be done to a file of an image: not to become root by starting it.
const MODES: u32 = 0o1777;

type Asked<'a> = &'a dyn Fn() -> Result<(), RuntimeError>;

/// Copies the tree at `from` to `to`, which is not there. `root` is the user that stands for root in it, where the
/// server is root itself. `go_on` is asked now and then.
///
/// # Errors
/// There is nothing to be copied, it is too deep, a file is written to all the time, or whatever `go_on` says; what is
/// at `to` then is of no use.
pub fn copy_tree(
    from: &Path,
    to: &Path,
    root: Option<u32>,
    go_on: Asked<'_>,
) -> Result<(), RuntimeError> {
    let top = match rustix::fs::open(from, FLAGS, Mode::empty()) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Err(RuntimeError::NothingChanged),
        Err(error) => return Err(files("open", from)(error.into())),
    };
    let target = make_top(to).map_err(files("make", to))?;
    let mut copying = Copying {
        target: &target,
        root,
        go_on,
        at: PathBuf::new(),
        links: HashMap::new(),
        marks: Marks::default(),
        batch: 0,
    };
    let first = target.try_clone().map_err(files("open", to))?;
    copying
        .all(top, first)
        .map_err(|failure| failure.at(&from.join(&copying.at)))
}

fn make_top(to: &Path) -> io::Result<OwnedFd> {
    rustix::fs::mkdir(to, Mode::RWXU)?;
    Ok(rustix::fs::open(to, FLAGS, Mode::empty())?)
}

/// Why the copying ends early.
pub enum Failure {
    /// With what is being copied.
    Here(io::Error),
    /// Another reason than that.
    Told(RuntimeError),
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::Here(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Here(error)
    }
}

impl Failure {
    fn at(self, path: &Path) -> RuntimeError {
        match self {
            Self::Here(error) => files("copy", path)(error),
            Self::Told(error) => error,
        }
    }
}

struct Copying<'a> {
    target: &'a OwnedFd,
    root: Option<u32>,
    go_on: Asked<'a>,
    /// What is being copied, below the top.
    at: PathBuf,
    /// Files of several names that were copied, by their number.
    links: HashMap<u64, PathBuf>,
    marks: Marks,
    batch: u32,
}

/// A folder that is being copied.
struct Level {
    from: Dir,
    to: OwnedFd,
    about: Stat,
}

impl Copying<'_> {
    fn all(&mut self, top: OwnedFd, target: OwnedFd) -> Result<(), Failure> {
        let mut open = vec![self.level(top, target)?];
        while let Some(level) = open.last_mut() {
            let Some(entry) = level.from.next() else {
                self.like(&level.to, &level.about)?;
                open.pop();
                self.at.pop();
                continue;
            };
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.at.push(OsStr::from_bytes(name.to_bytes()));
            self.step()?;
            let inside = match self.at == Path::new(LEFT_OUT) {
                true => None,
                false => self.entry(level.from.fd()?, &level.to, name)?,
            };
            match inside {
                None => drop(self.at.pop()),
                Some(_) if open.len() == MAX_DEPTH => {
                    return Err(io::Error::other("it lies too deep").into());
                }
                Some(inside) => open.push(inside),
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        self.batch += 1;
        if self.batch < BATCH {
            return Ok(());
        }
        self.batch = 0;
        (self.go_on)().map_err(Failure::Told)
    }

    /// Copies what is no folder, and opens what is one.
    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: &OwnedFd,
        name: &CStr,
    ) -> Result<Option<Level>, Failure> {
        let about = match rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            about => about?,
        };
        match FileType::from_raw_mode(about.st_mode) {
            FileType::Directory => return self.folder(from, to, name),
            FileType::RegularFile => self.file(from, to, name)?,
            FileType::Symlink => self.link(from, to, name, &about)?,
            // So an overlay keeps that something of below was removed.
            kind @ FileType::CharacterDevice if about.st_rdev == 0 => {
                rustix::fs::mknodat(to, name, kind, Mode::empty(), 0)?;
            }
            // Pipes and sockets are of processes, and a device in an image is of no effect.
            _ => {}
        }
        Ok(None)
    }

    fn folder(
        &mut self,
        from: BorrowedFd<'_>,
        to: &OwnedFd,
        name: &CStr,
    ) -> Result<Option<Level>, Failure> {
        let folder = match rustix::fs::openat(from, name, FLAGS, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            folder => folder?,
        };
        rustix::fs::mkdirat(to, name, Mode::RWXU)?;
        let copy = rustix::fs::openat(to, name, FLAGS, Mode::empty())?;
        self.level(folder, copy).map(Some)
    }

    fn level(&mut self, from: OwnedFd, to: OwnedFd) -> Result<Level, Failure> {
        self.marks.copy(&from, &to)?;
        Ok(Level {
            about: rustix::fs::fstat(&from)?,
            from: Dir::new(from)?,
            to,
        })
    }

    fn file(&mut self, from: BorrowedFd<'_>, to: &OwnedFd, name: &CStr) -> Result<(), Failure> {
        // What is no file any more may be something that an open waits for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(from, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            file => file?,
        };
        let about = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it was a file and is none any more").into());
        }
        let several = about.st_nlink > 1;
        if let Some(first) = several.then(|| self.links.get(&about.st_ino)).flatten() {
            return Ok(rustix::fs::linkat(
                self.target,
                first,
                to,
                name,
                AtFlags::empty(),
            )?);
        }
        let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let copy = rustix::fs::openat(to, name, create, Mode::RUSR | Mode::WUSR)?;
        self.marks.copy(&file, &copy)?;
        let mut copy = File::from(copy);
        let about = file::copy(&mut file.into(), &mut copy, self.go_on)?;
        self.like(&copy.into(), &about)?;
        if several && self.links.len() < MAX_LINKS {
            self.links.insert(about.st_ino, self.at.clone());
        }
        Ok(())
    }

    fn link(
        &self,
        from: BorrowedFd<'_>,
        to: &OwnedFd,
        name: &CStr,
        about: &Stat,
    ) -> Result<(), Failure> {
        let leads_to = match rustix::fs::readlinkat(from, name, Vec::new()) {
            Err(Errno::NOENT) => return Ok(()),
            leads_to => leads_to?,
        };
        rustix::fs::symlinkat(&leads_to, to, name)?;
        if let Some((user, group)) = self.owner(about) {
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::chownat(to, name, Some(user), Some(group), flags)?;
        }
        Ok(())
    }

    /// Gives a copy the owner, the mode and the time of what it was copied from.
    fn like(&self, copy: &OwnedFd, about: &Stat) -> Result<(), Failure> {
        if let Some((user, group)) = self.owner(about) {
            rustix::fs::fchown(copy, Some(user), Some(group))?;
        }
        rustix::fs::fchmod(copy, Mode::from_raw_mode(about.st_mode & MODES))?;
        Ok(rustix::fs::futimens(copy, &file::times(about))?)
    }

    /// Only root gives files to others.
    fn owner(&self, about: &Stat) -> Option<(Uid, Gid)> {
        let root = self.root?;
        let owner = |id| layers::owner_in_image(id, root);
        Some((
            Uid::from_raw(owner(about.st_uid)),
            Gid::from_raw(owner(about.st_gid)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::XattrFlags;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    fn copied(from: &Path, root: Option<u32>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy");
        copy_tree(from, &to, root, &|| Ok(())).unwrap();
        (folder, to)
    }

    #[test]
    fn what_makes_a_layer_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("etc/new")).unwrap();
        fs::write(at("etc/file"), "text").unwrap();
        fs::hard_link(at("etc/file"), at("etc/again")).unwrap();
        fs::set_permissions(at("etc/file"), Permissions::from_mode(0o640)).unwrap();
        symlink("../../outside", at("etc/link")).unwrap();
        let gone = FileType::CharacterDevice;
        rustix::fs::mknodat(rustix::fs::CWD, at("etc/gone"), gone, Mode::empty(), 0).unwrap();
        let mark = rustix::fs::setxattr(
            at("etc/new"),
            "user.overlay.opaque",
            b"y",
            XattrFlags::empty(),
        );
        let origin = rustix::fs::setxattr(
            at("etc/file"),
            "user.overlay.origin",
            b"handle",
            XattrFlags::empty(),
        );
        let mut sparse = File::create(at("sparse")).unwrap();
        sparse.set_len(1 << 32).unwrap();
        io::Write::write_all(&mut sparse, b"begin").unwrap();
        let (_kept, copy) = copied(folder.path(), None);
        let of = |path: &str| fs::symlink_metadata(copy.join(path)).unwrap();
        assert_eq!(fs::read_to_string(copy.join("etc/file")).unwrap(), "text");
        assert_eq!(of("etc/file").mode() & 0o7777, 0o640);
        assert_eq!(of("etc/file").ino(), of("etc/again").ino());
        let before = fs::metadata(at("etc/file")).unwrap();
        assert_eq!(
            of("etc/file").modified().unwrap(),
            before.modified().unwrap()
        );
        assert_eq!(
            fs::read_link(copy.join("etc/link")).unwrap(),
            Path::new("../../outside")
        );
        assert!(of("etc/gone").file_type().is_char_device() && of("etc/gone").rdev() == 0);
        assert_eq!(of("sparse").len(), 1 << 32);
        assert!(of("sparse").blocks() < 1 << 10, "its hole is filled");
        let mut value = [0; 8];
        let read = |path: &str, name: &str, value: &mut [u8]| {
            rustix::fs::getxattr(copy.join(path), name, value)
        };
        // A file system in memory may not take such marks.
        if mark.is_ok() && origin.is_ok() {
            assert_eq!(read("etc/new", "user.overlay.opaque", &mut value), Ok(1));
            assert!(read("etc/file", "user.overlay.origin", &mut value).is_err());
        }
    }

    #[test]
    fn what_could_do_harm_or_is_a_process_s_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("var/tmp/own")).unwrap();
        fs::create_dir_all(at("var/lib/var/tmp")).unwrap();
        fs::write(at("tool"), "").unwrap();
        fs::set_permissions(at("tool"), Permissions::from_mode(0o6755)).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let (_kept, copy) = copied(folder.path(), None);
        let mode = fs::metadata(copy.join("tool")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o755);
        assert!(!copy.join("pipe").exists() && !copy.join("var/tmp").exists());
        assert!(copy.join("var/lib/var/tmp").is_dir());
    }

    #[test]
    fn a_session_s_user_is_root_in_the_image_and_others_stay_who_they_are() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root gives files to others");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for (name, owner) in [("own", 240_000), ("other", 33)] {
            fs::write(at(name), "").unwrap();
            std::os::unix::fs::chown(at(name), Some(owner), Some(owner)).unwrap();
        }
        symlink("own", at("link")).unwrap();
        std::os::unix::fs::lchown(at("link"), Some(240_000), Some(240_000)).unwrap();
        let (_kept, copy) = copied(folder.path(), Some(240_000));
        let owner = |name: &str| {
            let about = fs::symlink_metadata(copy.join(name)).unwrap();
            (about.uid(), about.gid())
        };
        assert_eq!(owner("own"), (0, 0));
        assert_eq!(owner("link"), (0, 0));
        assert_eq!(owner("other"), (33, 33));
    }

    #[test]
    fn what_lies_too_deep_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().join("layer");
        for _ in 0..MAX_DEPTH {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        let to = folder.path().join("copy");
        let failed = copy_tree(&folder.path().join("layer"), &to, None, &|| Ok(()));
        let RuntimeError::Files { path, .. } = failed.unwrap_err() else {
            panic!("another error")
        };
        assert_eq!(path, deep);
    }
}
