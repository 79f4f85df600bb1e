//! The files in which what a session's programs print is kept: beside its home, where no app can put a link, a pipe or a
//! file of its own in their place.

use rustix::fs::{Mode, OFlags};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

/// Programs of different names that are listened to. An image has a handful.
const MAX_LOGS: usize = 32;

/// The longest name of a program that names its file.
const MAX_NAME: usize = 64;

/// The folder of a session's logs.
#[derive(Debug)]
pub struct Logs {
    folder: File,
    open: HashSet<String>,
}

impl Logs {
    /// Over a folder that is the session's user's alone.
    #[must_use]
    pub fn new(folder: File) -> Self {
        Self {
            folder,
            open: HashSet::new(),
        }
    }

    /// The file of a program, `NAME.log`, once: `None` when it was given out before, or the program gets none.
    ///
    /// # Errors
    /// The file cannot be made or opened.
    pub fn open(&mut self, program: &str) -> io::Result<Option<OwnedFd>> {
        if self.open.contains(program) || self.open.len() == MAX_LOGS {
            return Ok(None);
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = format!("{}.log", file_name(program));
        let file = rustix::fs::openat(&self.folder, name, flags, Mode::RUSR | Mode::WUSR)?;
        self.open.insert(program.to_owned());
        Ok(Some(file))
    }
}

/// A program's own name, of characters that need no quoting.
fn file_name(program: &str) -> String {
    let name = program.rsplit('/').next().unwrap_or(program);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let name = name.chars().map(|c| if plain(c) { c } else { '_' });
    let name: String = name.take(MAX_NAME).collect();
    // A hidden file, or no name at all, would not be found again.
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_file_and_there_are_so_many() {
        let folder = tempfile::tempdir().unwrap();
        let mut logs = Logs::new(File::open(folder.path()).unwrap());
        assert!(logs.open("/usr/bin/foot").unwrap().is_some());
        assert!(logs.open("/usr/bin/foot").unwrap().is_none());
        assert!(folder.path().join("foot.log").is_file());
        let given = (0..2 * MAX_LOGS).filter(|at| logs.open(&at.to_string()).unwrap().is_some());
        assert_eq!(given.count(), MAX_LOGS - 1);
    }

    #[test]
    fn a_name_stays_within_its_folder() {
        assert_eq!(file_name("../../etc/x y"), "x_y");
        assert_eq!(file_name("/usr/bin/.."), "_.");
        assert_eq!(file_name("bin/"), "_");
        assert_eq!(file_name(&"é".repeat(100)), "_".repeat(64));
    }
}
