//! Whether the kernel has ended processes of the sandbox because its memory was used up.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The counter of such ends. It is opened with the rights the holder begins with and read ever after.
#[derive(Debug, Default)]
pub struct OomKills {
    counter: Option<File>,
    seen: u64,
}

impl OomKills {
    /// The counter at `path`; without one nothing is ever counted.
    ///
    /// # Errors
    /// There is no such file, or it is not ours to read.
    pub fn at(path: Option<&Path>) -> std::io::Result<Self> {
        Ok(Self {
            counter: path.map(File::open).transpose()?,
            seen: 0,
        })
    }

    /// Whether there were some since this was last asked.
    pub fn fresh(&mut self) -> bool {
        // The file is longer where the kernel counts more, and never long.
        let mut bytes = [0; 1024];
        let read = self
            .counter
            .as_ref()
            .and_then(|counter| counter.read_at(&mut bytes, 0).ok());
        let text = std::str::from_utf8(&bytes[..read.unwrap_or(0)]).unwrap_or_default();
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "))
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(self.seen);
        std::mem::replace(&mut self.seen, count) < count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_added_since_the_last_look_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.events");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("low 0\noom 7\noom_kill 0\noom_group_kill 3\n");
        let mut kills = OomKills::at(Some(&path)).unwrap();
        assert!(!kills.fresh());
        write("low 0\noom 7\noom_kill 2\noom_group_kill 3\n");
        assert!(kills.fresh());
        assert!(!kills.fresh());
        write("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
        assert!(kills.fresh());
        write("something else");
        assert!(!kills.fresh());
    }

    #[test]
    fn without_a_counter_nothing_is_fresh() {
        assert!(!OomKills::at(None).unwrap().fresh());
        assert!(OomKills::at(Some(Path::new("/no/such/file"))).is_err());
    }
}
