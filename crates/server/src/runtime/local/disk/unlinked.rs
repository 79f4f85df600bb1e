//! What a session's processes keep of files that have no name any more, and that a walk through folders does not
//! meet. What is only mapped into memory, its descriptor being closed, is not found.

use rustix::fs::AtFlags;
use std::collections::HashSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// Descriptors that are looked at in one session: many times what apps have that are no attempt at something.
const MOST: usize = 1 << 16;

/// Bytes that they take up of the file system `device`.
pub fn bytes(processes: &[u32], device: u64) -> u64 {
    let mut known = HashSet::new();
    let folders = processes.iter().map(|pid| format!("/proc/{pid}/fd"));
    let descriptors = folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    let mut bytes = 0;
    for descriptor in descriptors.flatten().take(MOST) {
        let path = descriptor.path();
        // Asked by its text first: what else a descriptor may be is not to be touched.
        let is_unlinked = fs::read_link(&path).is_ok_and(|to| {
            let to = to.as_os_str().as_bytes();
            to.starts_with(b"/") && to.ends_with(b" (deleted)")
        });
        if !is_unlinked {
            continue;
        }
        let stat = rustix::fs::statat(rustix::fs::CWD, &path, AtFlags::empty());
        let Ok(stat) = stat else { continue };
        if stat.st_dev == device && stat.st_nlink == 0 && known.insert(stat.st_ino) {
            bytes += super::walk::blocks(&stat);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_without_a_name_counts_once_for_as_long_as_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let device = rustix::fs::stat(folder.path()).unwrap().st_dev;
        let own = [std::process::id()];
        let path = folder.path().join("file");
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&vec![1; 4 << 20]).unwrap();
        file.sync_all().unwrap();
        let before = bytes(&own, device);
        fs::remove_file(&path).unwrap();
        let again = file.try_clone().unwrap();
        assert!(bytes(&own, device) >= before + (4 << 20));
        assert_eq!(bytes(&own, device + 1), 0);
        drop(file);
        assert!(bytes(&own, device) >= before + (4 << 20));
        drop(again);
        assert!(bytes(&own, device) < before + (4 << 20));
    }
}
