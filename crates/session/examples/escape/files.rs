//! Attempts on files, folders and mounts.

use crate::{checked, unlike};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::symlink;

/// Succeeds when one of `paths` does.
pub fn any(paths: &[&str], attempt: fn(&str) -> io::Result<()>) -> io::Result<()> {
    let mut last = Err(unlike("nothing to try"));
    for path in paths {
        last = attempt(path);
        if last.is_ok() {
            break;
        }
    }
    last
}

pub fn read(path: &str) -> io::Result<()> {
    File::open(path)?.read(&mut [0; 1]).map(drop)
}

/// Opens only: what is written to some of these files reboots machines.
pub fn open_to_write(path: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}

pub fn list(folder: &str, wanted: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name().to_string_lossy().contains(wanted) {
            return Ok(());
        }
    }
    Err(unlike("not among the names"))
}

/// A second name for a file, which would outlive the walls around the first.
pub fn link(target: &str, name: &str) -> io::Result<()> {
    let _ = fs::remove_file(name);
    fs::hard_link(target, name)?;
    fs::remove_file(name)
}

/// Puts a link to elsewhere in the place of a folder, for whoever next goes through it.
pub fn replace(folder: &str) -> io::Result<()> {
    let aside = format!("{folder}-aside");
    fs::rename(folder, &aside)?;
    symlink("/etc", folder)?;
    fs::remove_file(folder)?;
    fs::rename(aside, folder)
}

/// A device of one's own: the first console's memory device.
pub fn make_device(name: &str) -> io::Result<()> {
    let _ = fs::remove_file(name);
    let path = CString::new(name)?;
    // SAFETY: the path ends with a zero and outlives the call.
    let made = unsafe { libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 1)) };
    checked(made.into())?;
    fs::remove_file(name)
}

/// Mounts something empty, and takes it away again.
pub fn mount(folder: &str) -> io::Result<()> {
    let path = CString::new(folder)?;
    let (kind, nothing) = (c"tmpfs".as_ptr(), std::ptr::null());
    // SAFETY: every string ends with a zero and outlives the calls; no data is passed.
    unsafe {
        checked(libc::mount(kind, path.as_ptr(), kind, 0, nothing).into())?;
        checked(libc::umount2(path.as_ptr(), libc::MNT_DETACH).into()).map(drop)
    }
}
