//! What programs print. It is taken from their pipes at once, so that none of them ever waits, and kept in files that do
//! not grow beyond a bound: of a flood the end is kept.

use rustix::pipe::PipeFlags;
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

/// The largest file, in bytes.
const MOST: u64 = 256 << 10;

/// What stays of a file that would become larger.
const KEPT: usize = 64 << 10;

/// Taken from one pipe before the others have their turn.
const AT_ONCE: usize = 64 << 10;

/// Pipes at once. A program that ended leaves one only if something it started holds it open.
const MAX_PIPES: usize = 64;

/// The files, and the pipes that lead to them.
#[derive(Debug, Default)]
pub struct Printed {
    files: HashMap<String, Rc<File>>,
    pipes: Vec<Pipe>,
}

#[derive(Debug)]
struct Pipe {
    end: File,
    file: Rc<File>,
}

impl Printed {
    /// What programs of this name print goes to the end of `file` from here on.
    pub fn keep(&mut self, name: String, file: File) {
        self.files.insert(name, Rc::new(file));
    }

    /// Where a program of this name is to print; `None` when nobody listens.
    pub fn pipe(&mut self, name: &str) -> Option<OwnedFd> {
        let file = Rc::clone(self.files.get(name)?);
        if self.pipes.len() == MAX_PIPES {
            return None;
        }
        let (end, other) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).ok()?;
        // Ours alone: what a program's own end does when the pipe is full is the program's business.
        rustix::fs::fcntl_setfl(&end, rustix::fs::OFlags::NONBLOCK).ok()?;
        self.pipes.push(Pipe {
            end: File::from(end),
            file,
        });
        Some(other)
    }

    /// The pipes, to be waited for.
    pub fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.pipes.iter().map(|pipe| pipe.end.as_fd())
    }

    /// Takes what some of the pipes have, told in their order.
    pub fn take(&mut self, ready: &[bool]) {
        let mut ready = ready.iter();
        self.pipes
            .retain_mut(|pipe| !ready.next().is_some_and(|ready| *ready) || pipe.take());
    }
}

impl Pipe {
    /// Whether there can be more.
    fn take(&mut self) -> bool {
        let mut bytes = vec![0; AT_ONCE];
        match self.end.read(&mut bytes) {
            Ok(0) => false,
            Ok(read) => {
                // A full disk is no reason to have the program wait.
                let _ = append(&self.file, &bytes[..read]);
                true
            }
            Err(error) => matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock),
        }
    }
}

fn append(file: &File, bytes: &[u8]) -> std::io::Result<()> {
    let mut length = file.metadata()?.len();
    if length + bytes.len() as u64 > MOST {
        let mut tail = vec![0; KEPT];
        // More than that is there: a read is shorter than what is missing to the bound.
        file.read_exact_at(&mut tail, length.saturating_sub(KEPT as u64))?;
        file.set_len(0)?;
        file.write_all_at(&tail, 0)?;
        length = tail.len() as u64;
    }
    file.write_all_at(bytes, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn kept(printed: &mut Printed) -> (tempfile::NamedTempFile, File) {
        let file = tempfile::NamedTempFile::new().unwrap();
        printed.keep("app".to_owned(), file.reopen().unwrap());
        let end = File::from(printed.pipe("app").unwrap());
        (file, end)
    }

    #[test]
    fn a_flood_leaves_its_end_and_never_waits() {
        let mut printed = Printed::default();
        let (file, mut end) = kept(&mut printed);
        for line in 0..100_000 {
            writeln!(end, "line {line}").unwrap();
            printed.take(&[true]);
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.len() <= 256 << 10, "{}", text.len());
        assert!(text.ends_with("line 99998\nline 99999\n"));
        assert!(text.len() >= 64 << 10);
    }

    #[test]
    fn a_pipe_is_there_until_the_last_who_prints_has_gone() {
        let mut printed = Printed::default();
        let (file, mut end) = kept(&mut printed);
        let mut heir = end.try_clone().unwrap();
        writeln!(end, "one").unwrap();
        drop(end);
        printed.take(&[true]);
        printed.take(&[true]);
        writeln!(heir, "two").unwrap();
        printed.take(&[true]);
        assert_eq!(printed.pipes().count(), 1);
        drop(heir);
        printed.take(&[true]);
        assert_eq!(printed.pipes().count(), 0);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn who_is_not_listened_to_gets_no_pipe_and_there_are_so_many() {
        let mut printed = Printed::default();
        assert!(printed.pipe("other").is_none());
        let (_file, _end) = kept(&mut printed);
        let ends: Vec<_> = (0..MAX_PIPES).filter_map(|_| printed.pipe("app")).collect();
        assert_eq!(ends.len(), MAX_PIPES - 1);
    }
}
