//! Files that a session's sandbox shows its apps beside those of its image, from the server's hand.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The folders of the sandbox that may hold such files. What the machine has there is not seen then.
///
/// Debian's Chromium takes the policies of its administrator from this one, and again whenever they change.
pub const FILE_PLACES: [&str; 1] = ["/etc/chromium/policies/managed"];

/// The most files of one session.
pub const MAX_FILES: usize = 16;

/// The most bytes of all of them.
pub const MAX_FILES_BYTES: usize = 256 << 10;

/// A text file in one of the [`FILE_PLACES`]. Apps read it and cannot change it.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub struct File {
    /// Where it is inside: a place, `/`, and a name of lower-case letters, digits and `.-_`.
    #[prost(string, tag = "1")]
    pub path: String,
    /// All that is in it.
    #[prost(string, tag = "2")]
    pub contents: String,
}

impl File {
    /// Its place and its name there; `None` when it is in none of the places.
    #[must_use]
    pub fn place_and_name(&self) -> Option<(&'static str, &str)> {
        let (folder, name) = self.path.rsplit_once('/')?;
        let place = FILE_PLACES.into_iter().find(|place| *place == folder)?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let is_name =
            (1..=64).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(is_plain);
        is_name.then_some((place, name))
    }
}

/// Whether a holder takes these files: few, small, apart, and in the places for them.
#[must_use]
pub fn are_taken(files: &[File]) -> bool {
    let mut paths = HashSet::new();
    let bytes: usize = files.iter().map(|file| file.contents.len()).sum();
    files.len() <= MAX_FILES
        && bytes <= MAX_FILES_BYTES
        && files
            .iter()
            .all(|file| file.place_and_name().is_some() && paths.insert(&file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> File {
        File {
            path: path.to_owned(),
            contents: "{}".to_owned(),
        }
    }

    #[test]
    fn only_plain_names_in_the_places_are_taken() {
        let place = FILE_PLACES[0];
        for (path, taken) in [
            (format!("{place}/greenroom.json"), true),
            (format!("{place}/.hidden"), false),
            (format!("{place}/.."), false),
            (format!("{place}/"), false),
            (format!("{place}/a/b"), false),
            (format!("{place}/Upper"), false),
            (format!("{place}/{}", "n".repeat(65)), false),
            (place.to_owned(), false),
            ("/etc/passwd".to_owned(), false),
            (format!("{place}/../../../passwd"), false),
            ("greenroom.json".to_owned(), false),
        ] {
            assert_eq!(are_taken(&[file(&path)]), taken, "{path}");
        }
    }

    #[test]
    fn their_number_and_their_bytes_are_bounded_and_no_two_are_one() {
        let named = |at: usize| file(&format!("{}/{at}", FILE_PLACES[0]));
        let many: Vec<File> = (0..MAX_FILES).map(named).collect();
        assert!(are_taken(&many));
        assert!(!are_taken(&[many.clone(), vec![named(99)]].concat()));
        assert!(!are_taken(&[named(1), named(1)]));
        let mut large = named(1);
        large.contents = "x".repeat(MAX_FILES_BYTES);
        assert!(are_taken(std::slice::from_ref(&large)));
        large.contents.push('x');
        assert!(!are_taken(&[large]));
    }
}
