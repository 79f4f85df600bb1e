//! The machine's name as a session's apps see it: its own, and the same for as long as the session lasts.
//!
//! The real one would tell sessions which of them share a machine, and identify it to whoever apps talk to.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

const FILE: &str = "machine-id";
const LENGTH: usize = 32;

/// The session's machine id, 32 hexadecimal digits; made when there is none yet.
///
/// # Errors
/// It can be neither read nor kept.
pub fn of_session(session_dir: &Path) -> io::Result<String> {
    let path = session_dir.join(FILE);
    match read(&path) {
        Ok(id) => return Ok(id),
        Err(error) if [ErrorKind::NotFound, ErrorKind::InvalidData].contains(&error.kind()) => {}
        Err(error) => return Err(error),
    }
    let uuid = std::fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    let id: String = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    // Written aside, so that a half-written one is never found.
    let fresh = path.with_extension("fresh");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(&fresh)?;
    file.write_all(id.as_bytes())?;
    std::fs::rename(&fresh, &path)?;
    read(&path)
}

fn read(path: &Path) -> io::Result<String> {
    let mut id = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LENGTH as u64 + 1).read_to_string(&mut id)?;
    let is_whole = id.len() == LENGTH && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_whole
        .then_some(id)
        .ok_or_else(|| ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_its_id_and_another_has_another() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let id = of_session(one.path()).unwrap();
        assert_eq!(of_session(one.path()).unwrap(), id);
        assert_ne!(of_session(other.path()).unwrap(), id);
        let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        assert_ne!(machine.trim(), id);
    }

    #[test]
    fn what_is_no_id_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "half").unwrap();
        assert_eq!(of_session(folder.path()).unwrap().len(), LENGTH);
    }
}
