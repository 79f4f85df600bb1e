//! The ends of what a session's programs printed. The folder is the session's user's, so no link in it is followed, and
//! only plain files of its owner are read.

use super::super::{Log, Source};
use super::folder;
use super::spawn::Places;
use rustix::fs::{Mode, OFlags, openat};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The most that is read of a file, from its end.
const TAIL: u64 = 64 << 10;

/// The most files that are read, and names that are looked at.
const MAX_FILES: usize = 16;
const MAX_NAMES: usize = 1000;

/// Where a holder has what its apps print kept, below the session's folder.
const APPS: &str = "logs";

/// Reads what `source` printed; nothing when there is no such file.
pub fn read(places: &Places, source: Source) -> io::Result<Vec<Log>> {
    match source {
        Source::Holder => {
            let folder = open_folder(&places.session_dir)?;
            let owner = File::from(folder.try_clone()?).metadata()?.uid();
            let names = ["holder.log.1", "holder.log"].map(str::to_owned);
            Ok(tails(&folder, names, owner))
        }
        Source::Apps => of_apps(&places.session_dir),
    }
}

fn of_apps(session_dir: &Path) -> io::Result<Vec<Log>> {
    let folder = match open_folder(&session_dir.join(APPS)) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let owner = File::from(folder.try_clone()?).metadata()?.uid();
    let mut names: Vec<String> = rustix::fs::Dir::read_from(&folder)?
        .take(MAX_NAMES)
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
        .filter(|name| name.ends_with(".log") && !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(tails(&folder, names, owner))
}

fn tails(folder: &OwnedFd, names: impl IntoIterator<Item = String>, owner: u32) -> Vec<Log> {
    let logs = names.into_iter().filter_map(|name| {
        // One that cannot be read, or must not be, is none; the others are.
        let text = tail(folder, &name, owner).ok().flatten()?;
        Some(Log { name, text })
    });
    logs.take(MAX_FILES).collect()
}

fn tail(folder: &OwnedFd, name: &str, owner: u32) -> io::Result<Option<String>> {
    // Without waiting, since the name may be a pipe's.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(openat(folder, name, flags, Mode::empty())?);
    let about = file.metadata()?;
    if !about.is_file() || about.uid() != owner {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(about.len().saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, folder::FLAGS, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn places(folder: &Path) -> Places {
        let places = Places {
            session_dir: folder.join("p-0"),
            run_dir: folder.join("run"),
        };
        fs::create_dir_all(places.session_dir.join("logs")).unwrap();
        places
    }

    fn names(places: &Places, source: Source) -> Vec<String> {
        let logs = read(places, source).unwrap();
        logs.into_iter().map(|log| log.name).collect()
    }

    #[test]
    fn the_end_of_each_apps_output_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let logs = places.session_dir.join("logs");
        fs::write(logs.join("foot.log"), "hello\n").unwrap();
        fs::write(logs.join("long.log"), "x".repeat(100_000)).unwrap();
        fs::write(logs.join("notes.txt"), "").unwrap();
        let read = read(&places, Source::Apps).unwrap();
        assert_eq!(read[0].text, "hello\n");
        assert_eq!(read[1].text.len(), 64 << 10);
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn no_link_is_followed_and_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let logs = places.session_dir.join("logs");
        fs::write(folder.path().join("secret.log"), "secret").unwrap();
        symlink(folder.path().join("secret.log"), logs.join("a.log")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, logs.join("b.log"), Mode::RUSR).unwrap();
        fs::create_dir(logs.join("c.log")).unwrap();
        assert_eq!(names(&places, Source::Apps), [""; 0]);
        fs::remove_dir_all(&logs).unwrap();
        symlink(folder.path(), &logs).unwrap();
        assert!(read(&places, Source::Apps).is_err());
    }

    #[test]
    fn the_holders_log_is_read_with_the_one_before_and_neither_need_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        assert_eq!(names(&places, Source::Holder), [""; 0]);
        assert_eq!(names(&places, Source::Apps), [""; 0]);
        fs::write(places.session_dir.join("holder.log.1"), "").unwrap();
        fs::write(places.session_dir.join("holder.log"), "").unwrap();
        assert_eq!(
            names(&places, Source::Holder),
            ["holder.log.1", "holder.log"]
        );
    }
}
