//! One file of a layer: its contents as they were at one moment, and the marks beside them.

use super::copy::Failure;
use crate::runtime::RuntimeError;
use rustix::fd::AsFd;
use rustix::fs::{SeekFrom, Stat, Timespec, Timestamps, UTIME_OMIT, XattrFlags, fstat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek};

/// How often a file is copied that is written to meanwhile.
const TRIES: u32 = 5;

/// Bytes between two questions whether to go on.
const CHUNK: u64 = 16 << 20;

/// The most that the kernel keeps of names, and of one value.
const MAX_MARKS: usize = 1 << 16;

/// What an overlay says of a file beside it, in words that hold for another session as well. What it keeps of where a
/// file came from does not.
const OVERLAY_MARKS: [&[u8]; 4] = [b"opaque", b"redirect", b"metacopy", b"whiteout"];

/// Copies the contents, and answers what the file was then.
///
/// # Errors
/// It is written to each time, or whatever `go_on` says.
pub fn copy(
    from: &mut File,
    to: &mut File,
    go_on: &dyn Fn() -> Result<(), RuntimeError>,
) -> Result<Stat, Failure> {
    for _ in 0..TRIES {
        let before = fstat(&*from)?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        contents(from, to, size, go_on)?;
        if is_as(&fstat(&*from)?, &before) {
            return Ok(before);
        }
        to.set_len(0)?;
    }
    let why = "it is written to all the time: stop the session, or what writes to it";
    Err(io::Error::other(why).into())
}

fn is_as(now: &Stat, before: &Stat) -> bool {
    let of = |it: &Stat| {
        (
            it.st_size,
            it.st_mtime,
            it.st_mtime_nsec,
            it.st_ctime,
            it.st_ctime_nsec,
        )
    };
    of(now) == of(before)
}

/// Holes stay holes, or a file that takes up nothing would fill the disk.
fn contents(
    from: &mut File,
    to: &mut File,
    size: u64,
    go_on: &dyn Fn() -> Result<(), RuntimeError>,
) -> Result<(), Failure> {
    to.set_len(size)?;
    let mut at = 0;
    while at < size {
        let begin = match rustix::fs::seek(&*from, SeekFrom::Data(at)) {
            Ok(begin) => begin,
            // Nothing but a hole is left, or it was cut short.
            Err(Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(&*from, SeekFrom::Hole(begin))?.min(size);
        at = begin;
        while at < end {
            from.seek(io::SeekFrom::Start(at))?;
            to.seek(io::SeekFrom::Start(at))?;
            let copied = io::copy(&mut from.take((end - at).min(CHUNK)), to)?;
            if copied == 0 {
                return Ok(());
            }
            at += copied;
            if at < end {
                go_on().map_err(Failure::Told)?;
            }
        }
        at = at.max(end);
    }
    Ok(())
}

/// When it was last written to; when it was last read is of no interest.
pub fn times(about: &Stat) -> Timestamps {
    let nanoseconds = i64::try_from(about.st_mtime_nsec).unwrap_or(0);
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: about.st_mtime,
            tv_nsec: nanoseconds,
        },
    }
}

/// Copies the marks beside files, with the room that it takes.
pub struct Marks {
    names: Box<[u8]>,
    value: Box<[u8]>,
}

impl Default for Marks {
    fn default() -> Self {
        let room = || vec![0; MAX_MARKS].into_boxed_slice();
        Self {
            names: room(),
            value: room(),
        }
    }
}

impl Marks {
    /// Gives `to` those marks of `from` that mean something in an image.
    pub fn copy(&mut self, from: impl AsFd, to: impl AsFd) -> Result<(), Failure> {
        let length = match rustix::fs::flistxattr(&from, &mut *self.names) {
            // A file system without any.
            Err(Errno::NOTSUP) => 0,
            length => length?,
        };
        let names = self.names.get(..length).unwrap_or_default();
        for name in names.split(|byte| *byte == 0).filter(|name| keeps(name)) {
            let length = match rustix::fs::fgetxattr(&from, name, &mut *self.value) {
                // Taken away meanwhile.
                Err(Errno::NODATA) => continue,
                length => length?,
            };
            let value = self.value.get(..length).unwrap_or_default();
            rustix::fs::fsetxattr(&to, name, value, XattrFlags::empty())?;
        }
        Ok(())
    }
}

fn keeps(name: &[u8]) -> bool {
    let of_overlay = [&b"trusted.overlay."[..], b"user.overlay."]
        .iter()
        .find_map(|kind| name.strip_prefix(*kind));
    match of_overlay {
        Some(mark) => OVERLAY_MARKS.contains(&mark),
        None => name.starts_with(b"user."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::io::Write;

    #[test]
    fn a_file_that_is_written_to_all_the_time_is_told_of() {
        let (mut from, mut to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.write_all(&vec![1; 40 << 20]).unwrap();
        let asked = Cell::new(0);
        let writer = from.try_clone().unwrap();
        let grows = || {
            asked.set(asked.get() + 1);
            writer.set_len((40 << 20) + asked.get()).unwrap();
            Ok(())
        };
        assert!(copy(&mut from, &mut to, &grows).is_err());
        assert!(asked.get() >= u64::from(TRIES));
        // And once it rests, it is whole.
        copy(&mut from, &mut to, &|| Ok(())).unwrap_or_else(|_| panic!("it rests"));
        assert_eq!(to.metadata().unwrap().len(), from.metadata().unwrap().len());
    }

    #[test]
    fn only_marks_that_hold_elsewhere_are_kept() {
        for (name, kept) in [
            ("trusted.overlay.opaque", true),
            ("user.overlay.redirect", true),
            ("user.mime_type", true),
            ("trusted.overlay.origin", false),
            ("user.overlay.impure", false),
            ("security.capability", false),
            ("system.posix_acl_access", false),
            ("", false),
        ] {
            assert_eq!(keeps(name.as_bytes()), kept, "{name}");
        }
    }
}
