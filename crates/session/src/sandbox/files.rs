//! Files from the server's hand, which the apps see and cannot change.
//!
//! Each place is a folder of the run folder, bound read-only into the sandbox as a whole, so that a file can be
//! replaced while apps run: they watch the folder, and a file bound by itself would stay the old one.

use greenroom_session_api::files::{File, are_taken};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A folder of this side that the sandbox shows at a path of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Where it lies.
    pub folder: PathBuf,
    /// Where the apps see it.
    pub place: &'static str,
}

/// The places of a sandbox that hold files, and their folders.
#[derive(Debug)]
pub struct Files {
    // Beside the folders, so that nobody who watches one sees half a file in it.
    drafts: fs::File,
    folders: BTreeMap<&'static str, fs::File>,
}

/// The name of a file that is being written.
const DRAFT: &str = "file.draft";

/// The folder of a place, in the run folder.
pub fn folder_name(place: &str) -> String {
    format!("files{}", place.replace('/', "-"))
}

/// The places that these files are in.
pub fn places(files: &[File]) -> impl Iterator<Item = &'static str> + '_ {
    let mut known = HashSet::new();
    let places = files.iter().filter_map(|file| file.place_and_name());
    places
        .map(|(place, _)| place)
        .filter(move |place| known.insert(*place))
}

impl Files {
    /// Files in these open folders, with another beside them for drafts.
    pub fn new(drafts: fs::File, folders: BTreeMap<&'static str, fs::File>) -> Self {
        Self { drafts, folders }
    }

    /// Has the places hold these files and no others. Each is there as it was or as it is to be, at every moment.
    ///
    /// # Errors
    /// The files are too many, too large or not in the places, and nothing is done; or one cannot be written.
    pub fn replace(&self, files: &[File]) -> io::Result<()> {
        let at_home = |file: &File| {
            let place = file.place_and_name();
            place.is_some_and(|(place, _)| self.folders.contains_key(place))
        };
        if !are_taken(files) || !files.iter().all(at_home) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (place, folder) in &self.folders {
            let wanted = files.iter().filter_map(|file| {
                let (its, name) = file.place_and_name()?;
                (its == *place).then_some((name, file.contents.as_str()))
            });
            let wanted: BTreeMap<&str, &str> = wanted.collect();
            for (name, contents) in &wanted {
                self.write(folder, name, contents)?;
            }
            for entry in rustix::fs::Dir::read_from(folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy();
                if !name.starts_with('.') && !wanted.contains_key(name.as_ref()) {
                    rustix::fs::unlinkat(folder, entry.file_name(), AtFlags::empty())?;
                }
            }
        }
        Ok(())
    }

    /// Takes the folders away.
    pub fn clear(&self) {
        // With nothing in them; what cannot be removed goes with the run folder.
        let _ = self.replace(&[]);
        for place in self.folders.keys() {
            let _ = rustix::fs::unlinkat(&self.drafts, folder_name(place), AtFlags::REMOVEDIR);
        }
    }

    fn write(&self, folder: &fs::File, name: &str, contents: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.drafts, DRAFT, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        // Readable by the apps' user, whoever made it.
        let mode = Mode::RUSR | Mode::RGRP | Mode::ROTH;
        let draft: OwnedFd = rustix::fs::openat(&self.drafts, DRAFT, flags, mode)?;
        rustix::fs::fchmod(&draft, mode)?;
        fs::File::from(draft).write_all(contents.as_bytes())?;
        Ok(rustix::fs::renameat(&self.drafts, DRAFT, folder, name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::files::FILE_PLACES;
    use std::path::Path;

    const PLACE: &str = FILE_PLACES[0];

    fn file(name: &str, contents: &str) -> File {
        File {
            path: format!("{PLACE}/{name}"),
            contents: contents.to_owned(),
        }
    }

    fn files_in(folder: &Path) -> (Files, PathBuf) {
        let shown = folder.join(folder_name(PLACE));
        fs::create_dir(&shown).unwrap();
        let open = |path: &Path| fs::File::open(path).unwrap();
        let folders = BTreeMap::from([(PLACE, open(&shown))]);
        (Files::new(open(folder), folders), shown)
    }

    fn seen(shown: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(shown).unwrap().map(Result::unwrap);
        let mut seen: Vec<_> = entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        seen.sort();
        seen
    }

    #[test]
    fn a_place_holds_what_was_said_last_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (files, shown) = files_in(folder.path());
        files.replace(&[file("a", "1"), file("b", "2")]).unwrap();
        files.replace(&[file("b", "3"), file("c", "4")]).unwrap();
        let expected = [("b", "3"), ("c", "4")].map(|(name, text)| (name.into(), text.into()));
        assert_eq!(seen(&shown), expected);
        files.clear();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_that_are_not_taken_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (files, shown) = files_in(folder.path());
        files.replace(&[file("a", "1")]).unwrap();
        let outside = File {
            path: "/etc/passwd".into(),
            contents: String::new(),
        };
        assert!(files.replace(&[file("a", "2"), outside]).is_err());
        assert_eq!(seen(&shown), [("a".into(), "1".into())]);
    }
}
