//! What apps ask for, gathered until their events were read: who asks for a thing a thousand times is answered once, so
//! that answering costs us no more than it cost them to ask.

use super::manager::Manager;
use std::collections::BTreeSet;
use x11rb::errors::ConnectionError;
use x11rb::protocol::xproto::{ConnectionExt as _, Window};

/// What is to be done for whom. It is done after a bounded number of events, which bounds it as well.
#[derive(Debug, Default)]
pub struct Asked {
    /// Windows that are shown and that no window manager touches.
    pub shown: BTreeSet<Window>,
    /// Managed windows that say something else of themselves.
    pub changed: BTreeSet<Window>,
    /// Managed windows that are owed a place.
    pub place: BTreeSet<Window>,
    /// Managed windows whose states are to be told.
    pub states: BTreeSet<Window>,
    /// The window to come up.
    pub raise: Option<Window>,
    /// The window to have the keyboard.
    pub focus: Option<Window>,
    /// The window that had it last, by its app's doing or ours.
    pub taken: Option<Window>,
}

impl Manager {
    pub(super) fn do_what_was_asked(&mut self) -> Result<(), ConnectionError> {
        let mut asked = std::mem::take(&mut self.asked);
        for window in asked.shown {
            self.count(window)?;
        }
        for window in asked.changed {
            if self.read_again(window)? {
                asked.place.insert(window);
                asked.states.insert(window);
            }
        }
        for window in asked.place {
            self.place(window)?;
        }
        for window in asked.states {
            self.publish_states(window)?;
        }
        if let Some(window) = asked.raise {
            self.raise(window)?;
        }
        let focus = match (asked.focus, asked.taken) {
            (None, Some(taken)) if self.active != Some(taken) && !self.active_has_focus()? => {
                Some(taken)
            }
            (focus, _) => focus,
        };
        match focus {
            // It may have gone meanwhile.
            Some(window) if self.find(window).is_some() => self.focus(Some(window)),
            _ => Ok(()),
        }
    }

    /// Whether the window that we gave the keyboard has it now, whatever came of what was before.
    fn active_has_focus(&self) -> Result<bool, ConnectionError> {
        let asked = self.connection.get_input_focus()?.reply_unchecked()?;
        let has_it = asked.map(|reply| reply.focus);
        Ok(has_it.is_some() && has_it == self.active)
    }

    /// Answers whether it is to be treated otherwise now.
    fn read_again(&mut self, window: Window) -> Result<bool, ConnectionError> {
        let (connection, atoms) = (&self.connection, &self.atoms);
        let Some(managed) = self.windows.iter_mut().find(|it| it.window == window) else {
            return Ok(false);
        };
        let before = (managed.kind, managed.wish);
        managed.read_again(connection, atoms)?;
        Ok((managed.kind, managed.wish) != before)
    }
}
