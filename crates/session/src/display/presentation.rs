//! When what an app drew came into a frame, for apps that ask (`wp_presentation`).

use super::Stage;
use super::windows::Entry;
use smithay::desktop::utils::OutputPresentationFeedback;
use smithay::reexports::wayland_protocols::wp::presentation_time::server::wp_presentation_feedback::Kind;
use smithay::utils::{Monotonic, Time};
use smithay::wayland::presentation::Refresh;
use std::time::Duration;

/// Frames come when there is damage, at most this often: frame callbacks pace the apps.
const SHORTEST: Duration = Duration::from_millis(16);

impl Stage {
    /// The windows to be seen are in a frame as they are since `at` of the monotonic clock.
    pub fn presented(&mut self, at: Duration) {
        let visible: Vec<_> = self.windows.visible().collect();
        let mut feedback = self.feedback(&visible);
        // No screen is behind this: no retrace to count and no clock but ours.
        let at: Time<Monotonic> = at.into();
        feedback.presented(at, Refresh::variable(SHORTEST), 0, Kind::empty());
    }

    /// What was drawn where nobody looks will not be seen; `watched` says whether anybody looks at all.
    pub fn overlook(&mut self, watched: bool) {
        let covered: Vec<_> = if watched {
            let visible: Vec<_> = self.windows.visible().map(|entry| &entry.window).collect();
            let covered = self.windows.all();
            covered
                .filter(|entry| !visible.contains(&&entry.window))
                .collect()
        } else {
            self.windows.all().collect()
        };
        self.feedback(&covered).discarded();
    }

    fn feedback(&self, windows: &[&Entry]) -> OutputPresentationFeedback {
        let output = &self.output;
        let mut feedback = OutputPresentationFeedback::new(output);
        for entry in windows {
            entry.window.take_presentation_feedback(
                &mut feedback,
                |_, _| Some(output.clone()),
                |_, _| Kind::empty(),
            );
        }
        feedback
    }
}
