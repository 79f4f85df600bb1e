//! What is kept with a session while something runs for it: where its holder is, and what was made of what
//! the holder said so far.
//!
//! It is written with the session's status, in one transaction, so a server that is killed and started again
//! neither counts a failure twice nor launches an app twice.

use crate::runtime::{AppSeen, Handle, Seen};
use greenroom_model::{AppId, Timestamp, hex};
use greenroom_session_api::files::File;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A session's holder, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosting {
    /// Where it is.
    pub handle: Handle,
    /// When something was last launched in it.
    pub launched_at: Timestamp,
    /// Launches whose end was taken note of.
    #[serde(default)]
    handled: BTreeSet<u64>,
    /// For each app that was ordered, its latest launch at that moment, 0 if it had none: until the holder
    /// reports another one, the order is on its way.
    #[serde(default)]
    ordered: BTreeMap<AppId, u64>,
    /// The digest of the files that its apps were last told to be shown; empty: of none.
    #[serde(default)]
    files: String,
}

impl Hosting {
    /// A holder that was just started with these apps and files.
    pub fn started(handle: Handle, apps: &[AppId], files: &[File], now: Timestamp) -> Self {
        Self {
            handle,
            launched_at: now,
            handled: BTreeSet::new(),
            ordered: apps.iter().map(|app| (app.clone(), 0)).collect(),
            files: digest(files),
        }
    }

    /// A holder that was found and about which nothing else is known.
    pub fn found(handle: Handle, now: Timestamp) -> Self {
        Self::started(handle, &[], &[], now)
    }

    /// The form the store keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Maps with text for keys, numbers and bytes: there is nothing JSON could refuse.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Hosting::to_bytes`] gave; `None` when a server wrote it that did so differently.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether the end of this launch was not taken note of yet.
    pub fn is_news(&self, app: &AppSeen) -> bool {
        !app.state.lives() && !self.handled.contains(&app.launch)
    }

    /// Takes note of the end of a launch.
    pub fn handle_end(&mut self, app: &AppSeen) {
        self.handled.insert(app.launch);
    }

    /// Forgets launches that the holder itself has forgotten.
    pub fn forget_old(&mut self, seen: &Seen) {
        self.handled
            .retain(|launch| seen.apps.iter().any(|app| app.launch == *launch));
    }

    /// Whether an app that is to be open has to be ordered.
    pub fn lacks(&self, app: &AppId, seen: &Seen) -> bool {
        match latest(app, seen) {
            Some(launch) if launch.state.lives() => false,
            launch => self.ordered.get(app) != Some(&launch.map_or(0, |launch| launch.launch)),
        }
    }

    /// Takes note that an app was ordered.
    pub fn order(&mut self, app: &AppId, seen: &Seen) {
        let launch = latest(app, seen).map_or(0, |launch| launch.launch);
        self.ordered.insert(app.clone(), launch);
    }

    /// Whether these are the files that its apps were last told to be shown.
    pub fn shows(&self, files: &[File]) -> bool {
        self.files == digest(files)
    }

    /// Takes note that its apps are shown these files.
    pub fn show(&mut self, files: &[File]) {
        self.files = digest(files);
    }
}

/// What stands for files: they may hold more than is worth keeping with every session.
fn digest(files: &[File]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let mut digest = Sha256::new();
    for text in files.iter().flat_map(|file| [&file.path, &file.contents]) {
        digest.update(text.len().to_le_bytes());
        digest.update(text);
    }
    hex::encode(&digest.finalize())
}

fn latest<'a>(app: &AppId, seen: &'a Seen) -> Option<&'a AppSeen> {
    seen.apps.iter().find(|launch| launch.app_id == *app)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::AppState;

    fn handle() -> Handle {
        Handle {
            run_dir: "/data/run/p-0".into(),
            key: [171; 32],
            pid: 7,
            started: 8,
            uid: None,
            boot_id: String::new(),
        }
    }

    fn app() -> AppId {
        AppId::parse("ca-foot").unwrap()
    }

    fn seen(launch: u64, state: AppState) -> Seen {
        Seen {
            apps: vec![AppSeen {
                app_id: app(),
                launch,
                state,
            }],
            stopping: false,
        }
    }

    #[test]
    fn what_the_store_keeps_reads_back() {
        let mut hosting = Hosting::started(handle(), &[app()], &[], Timestamp(5));
        hosting.handle_end(&seen(1, AppState::Closed).apps[0]);
        assert_eq!(Hosting::from_bytes(&hosting.to_bytes()), Some(hosting));
        assert_eq!(Hosting::from_bytes(b"of another age"), None);
    }

    #[test]
    fn an_app_is_ordered_once_and_again_only_after_it_was_seen_to_end() {
        let failed = |launch| seen(launch, AppState::Failed(String::new()));
        let mut hosting = Hosting::started(handle(), &[app()], &[], Timestamp(0));
        assert!(!hosting.lacks(&app(), &Seen::default()), "it is on its way");
        assert!(!hosting.lacks(&app(), &seen(1, AppState::Launched)));
        assert!(hosting.lacks(&app(), &failed(1)));
        hosting.order(&app(), &failed(1));
        assert!(
            !hosting.lacks(&app(), &failed(1)),
            "the order is on its way"
        );
        assert!(hosting.lacks(&app(), &failed(2)));
        let found = Hosting::found(handle(), Timestamp(0));
        assert!(found.lacks(&app(), &Seen::default()));
    }

    #[test]
    fn an_end_is_news_once() {
        let closed = seen(3, AppState::Closed);
        let mut hosting = Hosting::found(handle(), Timestamp(0));
        assert!(hosting.is_news(&closed.apps[0]));
        hosting.handle_end(&closed.apps[0]);
        hosting.forget_old(&closed);
        assert!(!hosting.is_news(&closed.apps[0]));
        hosting.forget_old(&Seen::default());
        assert!(hosting.is_news(&closed.apps[0]));
    }
}
