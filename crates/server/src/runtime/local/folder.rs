//! The folders below the data folder that strangers can write to, or that are named after sessions.

use greenroom_model::PersistentId;
use rustix::fs::{FileType, OFlags, Stat};
use std::path::{Path, PathBuf};

/// How a folder is opened that somebody could have put a link in the place of.
pub const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Whether it is one.
pub fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// The sessions that entries of `folder` are named after, with the paths of those; none where there is no such folder.
pub fn sessions_in(folder: &Path) -> impl Iterator<Item = (PersistentId, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some((PersistentId::parse(&name).ok()?, entry.path()))
    })
}
