//! What the demo publishes: a group for each app, whose sessions share one row of numbers.

use std::path::Path;

use serde_json::Value;

use super::USER;
use crate::api::Api;
use crate::failure::Result;
use crate::sessions::{Group, TERMINAL, Ticket, wait_until_gone};

/// Each group's name, app and number of sessions.
const GROUPS: &[(&str, &str, u32)] = &[
    ("demo", TERMINAL, 2),
    ("demo-editor", "ca-mousepad", 1),
    ("demo-office", "ca-writer", 1),
    ("demo-browser", "ca-chromium", 1),
];

/// The groups, in the order of their numbers.
pub struct Published<'a>(Vec<Group<'a>>);

/// A session of one of them.
pub struct Session<'a> {
    group: &'a Group<'a>,
    /// Its persistent id.
    pub id: String,
    /// What it opens.
    pub app: &'static str,
}

impl Session<'_> {
    /// Lets the demo's user in, once.
    pub fn ticket(&self) -> Result<Ticket> {
        self.group.ticket(&self.id, USER)
    }
}

impl<'a> Published<'a> {
    /// Orders what is not there yet.
    pub fn find_or_create(api: &'a Api) -> Result<Self> {
        let groups = GROUPS
            .iter()
            .map(|(name, app, sessions)| Group::find_or_create(api, name, app, *sessions));
        groups.collect::<Result<_>>().map(Self)
    }

    /// Waits until every session has drawn, and gives it to the demo's user.
    pub fn wait_until_running(&self) -> Result {
        for group in &self.0 {
            println!("  {} in group {}", group.app(), group.id());
            group.wait_until_running()?;
            for session in group.session_ids()? {
                group.authorize(&session, USER)?;
            }
        }
        Ok(())
    }

    /// What `ListPersistentAppInstances` answers for the first group.
    pub fn list_first(&self) -> Result<Option<Value>> {
        self.0.first().map(Group::list).transpose()
    }

    /// Every session; the first has number 1.
    pub fn sessions(&self) -> Result<Vec<Session<'_>>> {
        let mut sessions = Vec::new();
        for group in &self.0 {
            let ids = group.session_ids()?.into_iter();
            sessions.extend(ids.map(|id| Session {
                group,
                id,
                app: group.app(),
            }));
        }
        Ok(sessions)
    }

    /// Deletes all of it and waits until no process of a session below `data` is left.
    pub fn delete(self, data: &Path) -> Result {
        self.0.iter().try_for_each(Group::order_deletion)?;
        wait_until_gone(data)
    }
}
