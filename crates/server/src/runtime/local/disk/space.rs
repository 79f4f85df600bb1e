//! How much room a file system has, for bytes and for files.

use std::path::Path;
use std::time::Duration;

/// Faster than any disk that a server is likely to have: how soon the reserve can be reached follows from it.
const FASTEST_BYTES_PER_S: u64 = 1 << 30;

/// Between two looks, at least and at most.
const LOOKS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// What a file system says of itself. One that makes room for files as they come says that it has none, and runs
/// out of bytes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Its size.
    pub bytes: u64,
    /// Bytes that this process may still write.
    pub bytes_free: u64,
    /// Files that it can hold; 0 when that depends on the bytes.
    pub files: u64,
    /// Files that it can still hold.
    pub files_free: u64,
}

/// What there is too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Bytes.
    Bytes,
    /// Files, which are to be had by the number.
    Files,
}

impl Space {
    /// Of the file system that a path is on.
    ///
    /// # Errors
    /// There is no such path.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let told = rustix::fs::statvfs(path)?;
        Ok(Self {
            bytes: told.f_blocks.saturating_mul(told.f_frsize),
            bytes_free: told.f_bavail.saturating_mul(told.f_frsize),
            files: told.f_files,
            files_free: told.f_favail,
        })
    }

    /// As large a part of its files as `bytes` is of its bytes; `None` where files are not counted.
    pub fn files_for(&self, bytes: u64) -> Option<u64> {
        if self.files == 0 || self.bytes == 0 {
            return None;
        }
        let files = u128::from(bytes) * u128::from(self.files) / u128::from(self.bytes);
        Some(u64::try_from(files).unwrap_or(u64::MAX))
    }

    /// What of a reserve is not there.
    pub fn short_of(&self, reserve: u64) -> Option<Short> {
        let files = self.files_for(reserve);
        if self.bytes_free < reserve {
            Some(Short::Bytes)
        } else if files.is_some_and(|reserve| self.files_free < reserve) {
            Some(Short::Files)
        } else {
            None
        }
    }

    /// When to look again, so that a reserve is not used up in between.
    pub fn look_again_in(&self, reserve: u64) -> Duration {
        let above = self.bytes_free.saturating_sub(reserve);
        let [least, most] = LOOKS;
        Duration::from_millis(above / (FASTEST_BYTES_PER_S / 1000)).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn space(gib_free: u64, files_free: u64) -> Space {
        Space {
            bytes: 100 * GIB,
            bytes_free: gib_free * GIB,
            files: 1_000_000,
            files_free,
        }
    }

    #[test]
    fn a_reserve_is_of_bytes_and_of_as_large_a_part_of_the_files() {
        assert_eq!(space(2, 20_000).short_of(2 * GIB), None);
        assert_eq!(space(1, 20_000).short_of(2 * GIB), Some(Short::Bytes));
        assert_eq!(space(2, 19_999).short_of(2 * GIB), Some(Short::Files));
        assert_eq!(space(0, 0).short_of(0), None, "no reserve is always there");
    }

    #[test]
    fn where_files_are_not_counted_only_bytes_run_out() {
        let uncounted = Space {
            files: 0,
            ..space(2, 0)
        };
        assert_eq!(uncounted.short_of(2 * GIB), None);
        assert_eq!(uncounted.files_for(GIB), None);
    }

    #[test]
    fn the_closer_the_reserve_the_sooner_it_is_looked_at_again() {
        let milliseconds = |gib_free| space(gib_free, 1).look_again_in(GIB).as_millis();
        assert_eq!(milliseconds(0), 250);
        assert_eq!(milliseconds(1), 250);
        assert!((2000..2100).contains(&milliseconds(3)));
        assert_eq!(milliseconds(90), 5000);
    }

    #[test]
    fn this_machine_tells_of_itself() {
        let told = Space::of(Path::new("/")).unwrap();
        assert!(told.bytes >= told.bytes_free && told.bytes > 0, "{told:?}");
        assert!(Space::of(Path::new("/no/such/place")).is_err());
    }
}
