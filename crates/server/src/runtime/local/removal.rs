//! Removing a tree that strangers filled: as deep as they liked, and shut as they liked.
//!
//! No recursion and no long path: what is deeper than a folder of the root is moved up to the root first, so two folders
//! are open at any time, and each is moved once. No link is followed.

use super::folder;
use rustix::fs::{AtFlags, Dir, Mode, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Names that are read before they are dealt with, since a folder changes under whoever reads it.
const AT_ONCE: usize = 1024;

/// Removes a folder and all that is in it; fine if it is not there. Whoever could fill it must be gone.
///
/// # Errors
/// Something in it cannot be removed; the rest of it may be gone.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let root = match rustix::fs::open(path, folder::FLAGS, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut moved = 0_u64;
    loop {
        let names = names(&root)?;
        if names.is_empty() {
            break;
        }
        for name in &names {
            if !remove_entry(&root, name)? {
                empty(&root, name, &mut moved)?;
                unlinkat(&root, name, AtFlags::REMOVEDIR)?;
            }
        }
    }
    Ok(rustix::fs::rmdir(path)?)
}

/// Empties a folder of the root: what is not empty itself goes to the root.
fn empty(root: &OwnedFd, name: &CString, moved: &mut u64) -> io::Result<()> {
    let folder = open_folder(root, name)?;
    loop {
        let names = names(&folder)?;
        if names.is_empty() {
            return Ok(());
        }
        for name in &names {
            if !remove_entry(&folder, name)? {
                move_up(&folder, name, root, moved)?;
            }
        }
    }
}

/// Removes what is no folder, and folders with nothing in them; whether it did.
fn remove_entry(folder: &OwnedFd, name: &CString) -> io::Result<bool> {
    let about = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(about) => about,
        Err(Errno::NOENT) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    let is_folder = folder::is_folder(&about);
    let how = if is_folder {
        AtFlags::REMOVEDIR
    } else {
        AtFlags::empty()
    };
    match unlinkat(folder, name, how) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) if is_folder => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn move_up(folder: &OwnedFd, name: &CString, root: &OwnedFd, moved: &mut u64) -> io::Result<()> {
    // Whoever moves a folder writes to it, as it names its parent.
    open_up(folder, name)?;
    loop {
        *moved += 1;
        match renameat(folder, name, root, format!("{moved}")) {
            Ok(()) => return Ok(()),
            // The root has such a name, of its own.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn open_folder(root: &OwnedFd, name: &CString) -> io::Result<OwnedFd> {
    open_up(root, name)?;
    Ok(openat(root, name, folder::FLAGS, Mode::empty())?)
}

/// Lets a folder's owner, who is not root, into it.
fn open_up(parent: &OwnedFd, name: &CString) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Ok(rustix::fs::chmodat(
        parent,
        name,
        Mode::RWXU,
        AtFlags::empty(),
    )?)
}

fn names(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let entries = Dir::read_from(folder)?;
    let names = entries.filter_map(|entry| match entry {
        Ok(entry) if [c".", c".."].contains(&entry.file_name()) => None,
        Ok(entry) => Some(Ok(entry.file_name().to_owned())),
        Err(error) => Some(Err(error.into())),
    });
    names.take(AT_ONCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// Folders within folders, deeper than a path can be and more than can be open at once.
    fn deep(root: &Path, depth: usize) {
        let mut folder: OwnedFd = fs::File::open(root).unwrap().into();
        for _ in 0..depth {
            rustix::fs::mkdirat(&folder, "deeper", Mode::RWXU).unwrap();
            folder = openat(&folder, "deeper", folder::FLAGS, Mode::empty()).unwrap();
        }
        rustix::fs::mkdirat(&folder, "last", Mode::RWXU).unwrap();
    }

    #[test]
    fn a_tree_of_any_depth_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("home");
        fs::create_dir(&root).unwrap();
        deep(&root, 5_000);
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        remove_tree(&root).unwrap();
    }

    #[test]
    fn what_is_in_the_way_is_removed_and_nothing_beyond_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        fs::create_dir_all(kept.join("inside")).unwrap();
        let root = folder.path().join("home");
        // Names that the moved folders would get, as files and as folders that are full.
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        fs::create_dir_all(root.join("a/d/e")).unwrap();
        fs::write(root.join("1"), "").unwrap();
        fs::create_dir_all(root.join("2/full/of/it")).unwrap();
        for at in 0..3000 {
            fs::write(root.join(format!("a/file-{at}")), "").unwrap();
        }
        symlink(&kept, root.join("link")).unwrap();
        symlink(&kept, root.join("a/b/c/link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("a/pipe"), Mode::empty()).unwrap();
        for shut in ["a/b/c", "a/b", "a"] {
            fs::set_permissions(root.join(shut), Permissions::from_mode(0o000)).unwrap();
        }
        remove_tree(&root).unwrap();
        assert!(!root.exists() && kept.join("inside").is_dir());
    }

    #[test]
    fn a_link_in_the_trees_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("kept")).unwrap();
        symlink(folder.path().join("kept"), folder.path().join("link")).unwrap();
        assert!(remove_tree(&folder.path().join("link")).is_err());
        assert!(folder.path().join("kept").is_dir());
    }
}
