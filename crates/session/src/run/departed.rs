//! Apps whose first process left with exit 0 and goes on in others that it started, as some do: the launch lasts as long
//! as they show something, or may still come to.

use super::Holder;
use crate::display::launch_of;
use greenroom_session_api::init::Ended;
use std::time::{Duration, Instant};

/// What an app that has drawn nothing gets to connect after its first process has left.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The launches whose first process has left, and how.
#[derive(Debug, Default)]
pub struct Departed(Vec<Launch>);

#[derive(Debug)]
struct Launch {
    ended: Ended,
    connect_by: Instant,
}

impl Departed {
    /// When there is something to be decided even if nothing happens.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let due = self.0.iter().map(|launch| launch.connect_by);
        due.filter(|at| *at > now).min()
    }
}

impl Holder {
    /// The first process of a launch has left with exit 0.
    pub(super) fn depart(&mut self, ended: Ended, now: Instant) {
        // Nobody knows yet which process the app is now.
        self.apps.started(ended.launch, 0);
        self.departed.0.push(Launch {
            ended,
            connect_by: now + CONNECT_WITHIN,
        });
    }

    /// Ends the launches of which nothing is left.
    pub(super) fn tend_departed(&mut self, now: Instant) {
        let all = std::mem::take(&mut self.departed.0);
        for launch in all {
            if self.goes_on(&launch, now) {
                self.departed.0.push(launch);
            } else {
                self.end_launch(launch.ended);
            }
        }
    }

    fn goes_on(&self, launch: &Launch, now: Instant) -> bool {
        let number = launch.ended.launch;
        if self.apps.has_drawn(number) {
            return self.stage.shows(number);
        }
        let waits = self.stop.is_none() && now < launch.connect_by;
        waits
            || self
                .clients
                .iter()
                .any(|it| launch_of(&it.client) == number)
    }
}
