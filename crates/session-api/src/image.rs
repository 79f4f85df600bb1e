//! The image of a session that is not of this machine's apps: folders with its files, one above another.

use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// The most folders of one image: an image of an image of an image, and so on.
pub const MAX_LAYERS: usize = 16;

/// The longest path of such a folder, so that all of them fit into one call of the kernel's, which takes a page.
const MAX_PATH: usize = 200;

/// Whose files a session's apps see instead of the machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Folders with its files, at most [`MAX_LAYERS`]. What one has hides what those after it have at that path.
    pub layers: Vec<PathBuf>,
    /// The folder that keeps what the session changes of them.
    pub changes: PathBuf,
}

/// The word that has the holder's program try in a folder what it mounts for sessions of images, and say
/// [`LayersTried::word`].
pub const TRY_LAYERS: &str = "--try-layers";

/// How an image's files look to the apps of a session that is a user of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayersTried {
    /// Root's are the session's, which may change them in its layer.
    Owned,
    /// As in the folder: the session may change what everybody may.
    AsTheyAre,
}

impl LayersTried {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::AsTheyAre => "as-they-are",
        }
    }

    /// What a word is for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owned, Self::AsTheyAre]
            .into_iter()
            .find(|tried| tried.word() == word)
    }
}

impl Image {
    pub(crate) fn is_whole(&self) -> bool {
        (1..=MAX_LAYERS).contains(&self.layers.len())
            && self.layers.iter().all(|path| is_folder_path(path))
            && is_folder_path(&self.changes)
    }
}

/// Whether a path can be that of an image's folder: absolute, without `.` and `..`, not the root, at most 200 bytes
/// of UTF-8, and with none of the characters that separate what the kernel is told of an overlay.
#[must_use]
pub fn is_folder_path(path: &Path) -> bool {
    let plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    path.is_absolute()
        && path.components().count() > 1
        && path.components().all(plain)
        && path.to_str().is_some_and(|text| {
            text.len() <= MAX_PATH && !text.contains([',', ':', '\\', '\0', '\n'])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_that_says_one_thing_to_the_kernel_is_a_folder_of_an_image() {
        for (path, taken) in [
            ("/srv/images/debian-12", true),
            ("/srv/with space", true),
            ("srv/images", false),
            ("/", false),
            ("/srv/../etc", false),
            ("/srv,upperdir=/etc", false),
            ("/srv:/etc", false),
            ("/srv\\:", false),
            ("", false),
        ] {
            assert_eq!(is_folder_path(Path::new(path)), taken, "{path}");
        }
        assert!(!is_folder_path(Path::new(&format!("/{}", "d".repeat(200)))));
    }
}
