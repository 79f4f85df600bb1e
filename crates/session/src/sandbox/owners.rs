//! Folders whose files look like a session's user's where they are root's, and are as they were.
//!
//! The kernel's mounts with an id mapping, of Linux 5.12; the overlay takes them since 5.19. Not every file system has
//! them: one on the network or an overlay itself has not.

use super::inhabitant::Inhabitant;
use rustix::fs::CWD;
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::thread::UnshareFlags;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// The numbers that a system's own users have, root's included.
const IDS: u32 = 1 << 16;

/// A session's user in the place of root.
#[derive(Debug)]
pub struct Owners(File);

impl Owners {
    /// This user and this group. Other numbers of a system stay as they are; what has theirs by chance, or one beyond
    /// those of a system, is nobody's.
    ///
    /// # Errors
    /// The kernel refuses, as it does to all but root.
    pub fn new(uid: u32, gid: u32) -> io::Result<Self> {
        let inhabitant = Inhabitant::new(UnshareFlags::empty(), || Ok(()))?;
        inhabitant.describe(&map(uid), &map(gid), true)?;
        inhabitant.open("user").map(Self)
    }

    /// The folder, without what is mounted in it, as a mount that is nowhere yet.
    ///
    /// # Errors
    /// The kernel refuses, or the folder's file system knows no mapping.
    pub fn mount_of(&self, folder: &Path) -> io::Result<OwnedFd> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = open_tree(CWD, folder, flags)?;
        let change = libc::mount_attr {
            attr_set: libc::MOUNT_ATTR_IDMAP
                | libc::MOUNT_ATTR_RDONLY
                | libc::MOUNT_ATTR_NOSUID
                | libc::MOUNT_ATTR_NODEV,
            attr_clr: 0,
            propagation: 0,
            userns_fd: self.0.as_raw_fd().cast_unsigned().into(),
        };
        // SAFETY: the call reads an empty text and the change, as long as it is, and both outlive it. It changes a mount
        // that nobody else has.
        let changed = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                tree.as_raw_fd(),
                c"".as_ptr(),
                libc::AT_EMPTY_PATH,
                &raw const change,
                size_of::<libc::mount_attr>(),
            )
        };
        match changed {
            0 => Ok(tree),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Root looks like `id`, and everybody else like themselves; in the kernel's form.
fn map(id: u32) -> String {
    let (below, above) = (id.min(IDS), id.saturating_add(1));
    let lines = [
        (0, id, 1),
        (1, 1, below.saturating_sub(1)),
        (above, above, IDS.saturating_sub(above)),
    ];
    let lines = lines.iter().filter(|(_, _, count)| *count > 0);
    lines
        .map(|(disk, seen, count)| format!("{disk} {seen} {count}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_takes_the_place_of_root_and_nobody_else_s() {
        for (id, expected) in [
            (1, "0 1 1\n2 2 65534\n"),
            (1000, "0 1000 1\n1 1 999\n1001 1001 64535\n"),
            (65_535, "0 65535 1\n1 1 65534\n"),
            (65_536, "0 65536 1\n1 1 65535\n"),
            (u32::MAX, "0 4294967295 1\n1 1 65535\n"),
        ] {
            assert_eq!(map(id), expected);
        }
    }
}
