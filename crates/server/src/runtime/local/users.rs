//! User ids of sessions, when the server is root: each session's apps run as a user of their own.
//!
//! The owner of a session's home is the record of its id. Nothing else keeps it, so nothing can disagree
//! with the files that would be exposed if it did.

use super::RuntimeError;
use super::folder::sessions_in;
use greenroom_model::PersistentId;
use std::collections::HashMap;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Which ids are in use.
#[derive(Debug)]
pub struct Users {
    ids: Range<u32>,
    taken: HashMap<PersistentId, u32>,
}

impl Users {
    /// Ids out of `ids`, those of the homes below `sessions` being in use.
    pub fn of(ids: Range<u32>, sessions: &Path) -> Self {
        let taken = sessions_in(sessions).filter_map(|(session, path)| {
            let home = std::fs::symlink_metadata(path.join("home")).ok()?;
            Some((session, home.uid()))
        });
        Self {
            ids,
            taken: taken.collect(),
        }
    }

    /// The session's id, a new one if it has none.
    pub fn take(&mut self, session: &PersistentId) -> Result<u32, RuntimeError> {
        if let Some(id) = self.taken.get(session).filter(|id| self.ids.contains(id)) {
            return Ok(*id);
        }
        let used: std::collections::HashSet<u32> = self.taken.values().copied().collect();
        let free = self.ids.clone().find(|id| !used.contains(id));
        let id = free.ok_or_else(|| RuntimeError::NoUserId(self.ids.end - self.ids.start))?;
        self.taken.insert(session.clone(), id);
        Ok(id)
    }

    /// The session's id, if it has one.
    pub fn of_session(&self, session: &PersistentId) -> Option<u32> {
        self.taken.get(session).copied()
    }

    /// The session's home is gone, and with it everything that belonged to the id.
    pub fn give_back(&mut self, session: &PersistentId) {
        self.taken.remove(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> PersistentId {
        PersistentId::parse(&format!("p-{name}")).unwrap()
    }

    #[test]
    fn a_session_keeps_its_id_and_shares_it_with_no_other() {
        let mut users = Users::of(5000..5002, Path::new("/nowhere"));
        assert_eq!(users.take(&session("a")).unwrap(), 5000);
        assert_eq!(users.take(&session("b")).unwrap(), 5001);
        assert_eq!(users.take(&session("a")).unwrap(), 5000);
        assert!(matches!(
            users.take(&session("c")),
            Err(RuntimeError::NoUserId(2))
        ));
        users.give_back(&session("a"));
        assert_eq!(users.take(&session("c")).unwrap(), 5000);
    }

    #[test]
    fn a_restarted_server_reads_the_ids_from_the_homes() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("p-a/home");
        std::fs::create_dir_all(&home).unwrap();
        let own = std::fs::metadata(&home).unwrap().uid();
        let mut users = Users::of(own..own + 2, folder.path());
        assert_eq!(users.take(&session("b")).unwrap(), own + 1);
        assert_eq!(users.take(&session("a")).unwrap(), own);
    }
}
