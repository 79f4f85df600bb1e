//! What a group has from the moment at which it is made.

use super::record::GroupSpec;
use crate::connection::Connection;
use crate::error::{Result, StoreError};
use crate::grants;
use crate::tags::{self, Tag, Tagged};
use greenroom_model::EndUserId;

/// Who may connect to a new group, and its tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beginning {
    /// Users granted the whole group.
    pub users: Vec<EndUserId>,
    /// Users granted a session each, in the order of the sessions; at most as many as there are.
    pub session_users: Vec<EndUserId>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl From<Vec<EndUserId>> for Beginning {
    /// Users of the whole group, and nothing else.
    fn from(users: Vec<EndUserId>) -> Self {
        Self {
            users,
            ..Self::default()
        }
    }
}

impl Beginning {
    /// Writes it, once the group has its slots.
    pub(super) fn write(self, c: &mut dyn Connection, spec: &GroupSpec) -> Result<()> {
        let (account, id, at) = (&spec.account, &spec.id, spec.created);
        grants::grant_group(c, account, id, &self.users, at)?;
        grants::grant_sessions(c, account, id, &self.session_users, at)?;
        match tags::tag_one(c, account, Tagged::Group, id.as_str(), &self.tags)? {
            None => Ok(()),
            Some(_) => Err(StoreError::NoRoom),
        }
    }
}
