//! Files that the apps are shown in place of others while they run.

use super::Holder;
use calloop::timer::{TimeoutAction, Timer};
use greenroom_session_api::files::File;
use std::time::Duration;

/// When files are put in place once more.
const ONCE_MORE: Duration = Duration::from_secs(10);

impl Holder {
    /// Shows these files from now on, and puts them in place twice: Chromium begins to watch its folder a moment after
    /// it has read it, and of a change between the two it would hear nothing for a quarter of an hour.
    pub(super) fn show(&mut self, files: Vec<File>) {
        if let Some(earlier) = self.shown_once_more.take() {
            self.handle.remove(earlier);
        }
        self.put_in_place(&files);
        let once_more = Timer::from_duration(ONCE_MORE);
        let inserted = self.handle.insert_source(once_more, move |_, _, holder| {
            holder.shown_once_more = None;
            holder.put_in_place(&files);
            TimeoutAction::Drop
        });
        self.shown_once_more = inserted.ok();
    }

    fn put_in_place(&self, files: &[File]) {
        if let Err(error) = self.setup.files.replace(files) {
            tracing::error!(%error, "the apps' files stay as they were");
        }
    }
}
