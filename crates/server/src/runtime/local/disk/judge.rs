//! Which sessions have to go for what they have on the disk. Sizes and times come in, nothing is done here.

use super::space::Short;
use super::walk::Size;
use greenroom_model::PersistentId;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a session may be over its limit: long enough for its user to tidy up, since one that was ended starts
/// over its limit and can only be tidied up while it runs.
const GRACE: Duration = Duration::from_secs(600);

/// So many times its limit ends a session at once.
const AT_ONCE: u64 = 2;

/// Who has grown by less than this is not why the disk is full.
const LEAST_GROWTH: Size = Size {
    bytes: 8 << 20,
    files: 1_000,
    hidden: false,
};

/// What a session may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Bytes.
    pub bytes: u64,
    /// Files and folders, where the file system has them by the number.
    pub files: Option<u64>,
}

/// What is known of the sessions.
#[derive(Debug)]
pub struct Judge {
    limit: Option<Limit>,
    sessions: HashMap<PersistentId, Known>,
    /// Every session that there was has been measured: one that is not known is new.
    knows_all: bool,
}

#[derive(Debug)]
struct Known {
    size: Size,
    /// What it had when there was room for all the last time.
    roomy: Size,
    over_since: Option<Instant>,
}

impl Judge {
    /// A judge who knows nobody yet.
    pub fn new(limit: Option<Limit>) -> Self {
        Self {
            limit,
            sessions: HashMap::new(),
            knows_all: false,
        }
    }

    /// Whether a session was measured before.
    pub fn knows(&self, session: &PersistentId) -> bool {
        self.sessions.contains_key(session)
    }

    /// A session that does not run was measured.
    pub fn note(&mut self, session: &PersistentId, size: Size) {
        let roomy = match self.knows_all {
            true => Size::default(),
            // It may have been like that for years.
            false => size,
        };
        let known = self
            .sessions
            .entry(session.clone())
            .or_insert_with(|| Known {
                size,
                roomy,
                over_since: None,
            });
        known.size = size;
    }

    /// A session that runs was measured. Says why it has to go, if it has to.
    pub fn hear(&mut self, session: &PersistentId, size: Size, now: Instant) -> Option<String> {
        self.note(session, size);
        let (limit, known) = (self.limit?, self.sessions.get_mut(session)?);
        let Some(why) = limit.broken_by(size) else {
            known.over_since = None;
            return None;
        };
        let since = *known.over_since.get_or_insert(now);
        let late = now.saturating_duration_since(since) >= GRACE;
        let goes = late || limit.times(AT_ONCE).broken_by_count(size);
        // The next holder of it has its own time.
        known.over_since = known.over_since.filter(|_| !goes);
        goes.then_some(why)
    }

    /// A round over the sessions is done: `there` are all that have something on the disk, of which `running` can
    /// change it. `roomy` says that there is room for all of it.
    pub fn end_round(
        &mut self,
        there: &HashSet<PersistentId>,
        running: &HashSet<PersistentId>,
        roomy: bool,
    ) {
        self.sessions.retain(|session, _| there.contains(session));
        self.knows_all = true;
        for (session, known) in &mut self.sessions {
            if !running.contains(session) {
                known.over_since = None;
            }
            if roomy {
                known.roomy = known.size;
            }
        }
    }

    /// Whose growth has used up the room, if it was somebody's who runs. What was there before is nobody's fault: a
    /// session that is large and keeps still is not ended for what its neighbour writes.
    pub fn greediest(&self, short: Short, running: &HashSet<PersistentId>) -> Option<PersistentId> {
        let growth = |known: &Known| match short {
            Short::Bytes => known.size.bytes.saturating_sub(known.roomy.bytes),
            Short::Files => known.size.files.saturating_sub(known.roomy.files),
        };
        let least = match short {
            Short::Bytes => LEAST_GROWTH.bytes,
            Short::Files => LEAST_GROWTH.files,
        };
        let grown = self
            .sessions
            .iter()
            .filter(|(session, _)| running.contains(session))
            .map(|(session, known)| (growth(known), session));
        let (most, session) = grown.max()?;
        (most >= least).then(|| session.clone())
    }
}

impl Limit {
    fn times(self, times: u64) -> Self {
        Self {
            bytes: self.bytes.saturating_mul(times),
            files: self.files.map(|files| files.saturating_mul(times)),
        }
    }

    fn broken_by_count(self, size: Size) -> bool {
        size.bytes > self.bytes || self.files.is_some_and(|files| size.files > files)
    }

    /// How a session breaks it, in words for an administrator.
    fn broken_by(self, size: Size) -> Option<String> {
        let mib = |bytes: u64| bytes >> 20;
        if size.bytes > self.bytes {
            let (has, may) = (mib(size.bytes), mib(self.bytes));
            return Some(format!("it keeps {has} MiB on the disk and may keep {may}"));
        }
        match self.files {
            Some(files) if size.files > files => {
                let has = size.files;
                Some(format!(
                    "it keeps {has} files on the disk and may keep {files}"
                ))
            }
            // Who hides may have anything.
            _ => size
                .hidden
                .then(|| "it keeps files in folders that cannot be looked into".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn id(name: &str) -> PersistentId {
        PersistentId::parse(name).unwrap()
    }

    fn has(mib: u64, files: u64) -> Size {
        Size {
            bytes: mib * MIB,
            files,
            hidden: false,
        }
    }

    fn judge() -> Judge {
        Judge::new(Some(Limit {
            bytes: 100 * MIB,
            files: Some(5_000),
        }))
    }

    #[test]
    fn who_is_over_the_limit_has_time_to_tidy_up_and_twice_the_limit_ends_at_once() {
        let (mut judge, it, now) = (judge(), id("p-a"), Instant::now());
        assert_eq!(judge.hear(&it, has(100, 5_000), now), None);
        assert_eq!(judge.hear(&it, has(150, 0), now), None);
        let later = now + GRACE;
        let why = judge.hear(&it, has(150, 0), later).unwrap();
        assert_eq!(why, "it keeps 150 MiB on the disk and may keep 100");
        // Tidied up in between, it has the time again.
        assert_eq!(judge.hear(&it, has(90, 0), later), None);
        assert_eq!(judge.hear(&it, has(150, 0), later), None);
        assert!(judge.hear(&it, has(201, 0), now).is_some());
        let why = judge.hear(&it, has(1, 10_001), now).unwrap();
        assert_eq!(why, "it keeps 10001 files on the disk and may keep 5000");
    }

    #[test]
    fn hiding_is_like_being_over_the_limit() {
        let (mut judge, it, now) = (judge(), id("p-a"), Instant::now());
        let hidden = Size {
            hidden: true,
            ..has(1, 1)
        };
        assert_eq!(judge.hear(&it, hidden, now), None);
        assert!(judge.hear(&it, hidden, now + GRACE).is_some());
    }

    #[test]
    fn without_a_limit_nobody_is_over_it() {
        let mut judge = Judge::new(None);
        assert_eq!(
            judge.hear(&id("p-a"), has(1 << 30, 1 << 40), Instant::now()),
            None
        );
    }

    #[test]
    fn who_has_grown_most_since_there_was_room_is_the_one_and_who_is_only_large_is_not() {
        let (mut judge, now) = (Judge::new(None), Instant::now());
        let all = HashSet::from(["p-large", "p-fast", "p-new"].map(id));
        for (name, size) in [("p-large", has(9_000, 0)), ("p-fast", has(1, 0))] {
            judge.hear(&id(name), size, now);
        }
        // Met when nobody was known.
        judge.end_round(&all, &all, false);
        assert_eq!(judge.greediest(Short::Bytes, &all), None);
        judge.hear(&id("p-large"), has(9_010, 0), now);
        judge.hear(&id("p-fast"), has(50, 0), now);
        assert_eq!(judge.greediest(Short::Bytes, &all), Some(id("p-fast")));
        assert_eq!(judge.greediest(Short::Files, &all), None);
        // It has not been there before.
        judge.hear(&id("p-new"), has(100, 0), now);
        assert_eq!(judge.greediest(Short::Bytes, &all), Some(id("p-new")));
        // Only who runs can go on growing.
        let running = HashSet::from([id("p-large")]);
        assert_eq!(judge.greediest(Short::Bytes, &running), Some(id("p-large")));
        judge.end_round(&all, &all, true);
        assert_eq!(judge.greediest(Short::Bytes, &all), None);
    }

    #[test]
    fn who_was_stopped_has_time_to_tidy_up_again() {
        let (mut judge, it, now) = (judge(), id("p-a"), Instant::now());
        let there = HashSet::from([it.clone()]);
        assert_eq!(judge.hear(&it, has(150, 0), now), None);
        judge.end_round(&there, &HashSet::new(), true);
        assert_eq!(judge.hear(&it, has(150, 0), now + GRACE), None);
        assert!(judge.knows(&it));
        judge.end_round(&HashSet::new(), &HashSet::new(), true);
        assert!(!judge.knows(&it));
    }
}
