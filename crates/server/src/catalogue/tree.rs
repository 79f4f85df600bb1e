//! The files of an image, read without ever leaving it: links are followed as the image's own apps would follow them.

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

/// The most files of one folder that are listed.
const MAX_NAMES: usize = 4096;

/// The folders of an image, the topmost first. A link of one that leads to what only another has leads nowhere here.
#[derive(Debug)]
pub struct Tree(Vec<OwnedFd>);

impl Tree {
    /// The tree of an image with these folders.
    ///
    /// # Errors
    /// One of them is no folder, or may not be read.
    pub fn open(folders: &[PathBuf]) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = folders
            .iter()
            .map(|path| rustix::fs::open(path, flags, Mode::empty()));
        Ok(Self(opened.collect::<Result<_, Errno>>()?))
    }

    /// A file of the image.
    ///
    /// # Errors
    /// It is not there, it is something else, or it may not be read.
    pub fn file(&self, path: &str) -> io::Result<File> {
        let found = self.find(path, OFlags::PATH)?;
        match FileType::from_raw_mode(fstat(&found)?.st_mode) {
            FileType::RegularFile => {}
            // So an overlay keeps that a file of a folder below was removed.
            FileType::CharacterDevice => return Err(io::ErrorKind::NotFound.into()),
            _ => return Err(io::Error::other("it is no file")),
        }
        // Only now: to open a device may do something, and to open a pipe may take for ever.
        File::open(format!("/proc/self/fd/{}", found.as_raw_fd()))
    }

    /// Whether the image has something at that path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.find(path, OFlags::PATH).is_ok_and(|found| {
            let kind = fstat(&found).map(|stat| FileType::from_raw_mode(stat.st_mode));
            kind.is_ok_and(|kind| kind != FileType::CharacterDevice)
        })
    }

    /// The names in a folder of the image, those that were removed above included; none if it is not there.
    ///
    /// # Errors
    /// It may not be read, or holds too many.
    pub fn names(&self, path: &str) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for root in &self.0 {
            let folder = match open_in(root, path, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(folder) => folder,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(error) => return Err(error.into()),
            };
            for entry in rustix::fs::Dir::new(folder)? {
                let entry = entry?;
                names.extend(entry.file_name().to_str().ok().map(str::to_owned));
                if names.len() > MAX_NAMES {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
            }
        }
        Ok(names)
    }

    fn find(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        for root in &self.0 {
            match open_in(root, path, flags) {
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                found => return Ok(found?),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

fn open_in(root: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    fn text(tree: &Tree, path: &str) -> io::Result<String> {
        let mut text = String::new();
        tree.file(path)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn links_lead_where_they_lead_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        fs::write(root.join("etc/own"), "own").unwrap();
        symlink("/etc/own", root.join("absolute")).unwrap();
        symlink("../../../../etc/own", root.join("up")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let tree = Tree::open(&[root]).unwrap();
        assert_eq!(text(&tree, "/absolute").unwrap(), "own");
        assert_eq!(text(&tree, "/up").unwrap(), "own");
        for path in ["/out", "/../secret", "/loop", "/etc", "/etc/own/x"] {
            assert!(text(&tree, path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_topmost_folder_that_has_a_file_counts_and_a_pipe_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["top/a", "base/a"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        fs::write(at("top/a/x"), "new").unwrap();
        fs::write(at("base/a/x"), "old").unwrap();
        fs::write(at("base/a/y"), "below").unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, at("top/a/pipe"), FileType::Fifo, mode, 0).unwrap();
        let tree = Tree::open(&[at("top"), at("base")]).unwrap();
        assert_eq!(text(&tree, "a/x").unwrap(), "new");
        assert_eq!(text(&tree, "a/y").unwrap(), "below");
        assert!(tree.file("a/pipe").is_err());
        assert!(tree.has("a/pipe") && !tree.has("a/z"));
        let names: Vec<String> = tree
            .names("a")
            .unwrap()
            .into_iter()
            .filter(|it| !it.starts_with('.'))
            .collect();
        assert_eq!(names, ["pipe", "x", "y"]);
        assert!(Tree::open(&[at("top/a/x")]).is_err());
    }
}
