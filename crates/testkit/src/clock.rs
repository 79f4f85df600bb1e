//! A clock that stands still until it is moved.

use greenroom_model::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A [`Clock`] that tells the time it was last given. Share it in an `Arc`, and move it from the test.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// A clock that shows the moment a request was made, given as the request writes it
    /// (`2026-11-24T02:57:56Z`).
    ///
    /// # Panics
    /// When `text` is not of that form.
    #[must_use]
    pub fn at_wire(text: &str) -> Self {
        match Timestamp::from_request(text) {
            Some(now) => Self::at(now),
            None => panic!("{text} is not a time of the form yyyy-MM-ddTHH:mm:ssZ"),
        }
    }

    /// Shows `now` from here on, be it earlier or later.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Lets time pass, and says what time it is then.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let now = self.now().after(by);
        self.set(now);
        now
    }
}

impl Default for TestClock {
    /// 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp(1_767_225_600_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_it_is_moved() {
        let clock = TestClock::at_wire("2026-01-01T00:00:00Z");
        assert_eq!(clock.now(), TestClock::default().now());
        let later = clock.advance(Duration::from_secs(60));
        assert_eq!(later.to_wire(), "2026-01-01T00:01:00.000+00:00");
        clock.set(Timestamp(5));
        assert_eq!(clock.now(), Timestamp(5));
    }
}
