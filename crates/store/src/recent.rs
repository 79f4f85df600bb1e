//! What was read lately, for as long as nobody has written since.
//!
//! The database itself says whether anything was committed, by this process or by another. Who asks before
//! looking here sees every write that was answered before, as a read of the database would. One commit makes
//! all of it old, whatever it was about: that needs nobody to know what a read depends on, and between two
//! commits the pages and keys that everybody asks for are read once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A state of the database, to be compared with another; `None` of one where it cannot be told.
pub(crate) type Version = i64;

/// What the database said of its state when it was first asked for the sake of one call.
#[derive(Default)]
pub(crate) struct Moment(Mutex<Option<Version>>);

impl Moment {
    /// What it said then; asks when it was not asked yet, or did not say.
    pub(crate) fn version(&self, ask: impl FnOnce() -> Option<Version>) -> Option<Version> {
        let mut version = self.lock();
        if version.is_none() {
            *version = ask();
        }
        *version
    }

    /// The call has written: what it reads next must show that.
    pub(crate) fn passes(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Version>> {
        // Whole at every moment, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers of one kind of question.
pub(crate) struct Recent<K, V> {
    most: usize,
    weigh: fn(&V) -> usize,
    known: Mutex<Known<K, V>>,
}

struct Known<K, V> {
    version: Option<Version>,
    answers: HashMap<K, V>,
    weight: usize,
}

impl<K, V> Known<K, V> {
    fn nothing(version: Option<Version>) -> Self {
        Self {
            version,
            answers: HashMap::new(),
            weight: 0,
        }
    }
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Answers that weigh at most so much together.
    pub(crate) fn new(most: usize, weigh: fn(&V) -> usize) -> Self {
        Self {
            most,
            weigh,
            known: Mutex::new(Known::nothing(None)),
        }
    }

    /// The answer, if it still is one. `version` is what the database said after the caller came.
    pub(crate) fn get(&self, version: Version, key: &K) -> Option<V> {
        let mut known = self.lock();
        if known.version == Some(version) {
            return known.answers.get(key).cloned();
        }
        let old = std::mem::replace(&mut *known, Known::nothing(Some(version)));
        // Not while others wait: there may be many.
        drop(known);
        drop(old);
        None
    }

    /// Keeps an answer that was read after the database had said `version`.
    pub(crate) fn put(&self, version: Version, key: K, answer: V) {
        let weight = (self.weigh)(&answer);
        let mut known = self.lock();
        if known.version != Some(version) || weight > self.most {
            return;
        }
        let mut old = Known::nothing(None);
        if known.weight + weight > self.most {
            // All go, not the eldest: what is asked for often is back at once.
            old = std::mem::replace(&mut *known, Known::nothing(Some(version)));
        }
        if known.answers.insert(key, answer).is_none() {
            known.weight += weight;
        }
        drop(known);
        drop(old);
    }

    fn lock(&self) -> MutexGuard<'_, Known<K, V>> {
        // Whole at every moment, so a panic elsewhere does not spoil it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_until_the_version_is_another() {
        let recent = Recent::new(10, |_| 1);
        assert_eq!(recent.get(1, &"key"), None);
        recent.put(1, "key", "answer");
        assert_eq!(recent.get(1, &"key"), Some("answer"));
        assert_eq!(recent.get(2, &"key"), None);
        assert_eq!(recent.get(1, &"key"), None, "what is old stays old");
    }

    #[test]
    fn a_call_asks_once_until_it_writes() {
        let moment = Moment::default();
        assert_eq!(moment.version(|| None), None);
        assert_eq!(moment.version(|| Some(1)), Some(1));
        assert_eq!(moment.version(|| Some(2)), Some(1));
        moment.passes();
        assert_eq!(moment.version(|| Some(2)), Some(2));
    }

    #[test]
    fn an_answer_that_was_old_before_it_came_is_not_kept() {
        let recent = Recent::new(10, |_| 1);
        assert_eq!(recent.get(1, &"key"), None);
        assert_eq!(recent.get(2, &"key"), None);
        recent.put(1, "key", "answer");
        assert_eq!(recent.get(2, &"key"), None);
    }

    #[test]
    fn no_more_answers_are_kept_than_there_is_room_for() {
        let recent = Recent::new(10, |_| 1);
        recent.get(1, &0);
        for key in 0..25 {
            recent.put(1, key, key);
        }
        let kept: Vec<_> = (0..25).filter(|key| recent.get(1, key).is_some()).collect();
        assert_eq!(kept, [20, 21, 22, 23, 24]);
        let heavy = Recent::new(10, |weight: &usize| *weight);
        heavy.get(1, &0);
        heavy.put(1, 0, 11);
        assert_eq!(heavy.get(1, &0), None);
        heavy.put(1, 1, 6);
        heavy.put(1, 2, 5);
        assert_eq!((heavy.get(1, &1), heavy.get(1, &2)), (None, Some(5)));
    }
}
