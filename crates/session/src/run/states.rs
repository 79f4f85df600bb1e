//! What viewers asked to be told of the session: its states, as they are now. One that reads slowly misses what
//! was in between, so an app that changes them without pause fills nobody's queue.

use super::clipboard::Clipboard;
use super::{Holder, Peer};
use crate::display::Stage;
use greenroom_session_api::viewer::{Want, from_holder::News};

/// What a viewer wants, and what of it has changed since it was told.
#[derive(Debug, Default)]
pub struct States {
    wanted: Want,
    changed: Want,
}

impl States {
    /// Whether the viewer is to be told what apps copy.
    pub fn wants_copied(&self) -> bool {
        self.wanted.copied
    }
}

impl Holder {
    /// A viewer said what it wants: it has everything to learn.
    pub(super) fn want(&mut self, id: u64, want: Want) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.states = States {
                wanted: want,
                changed: want,
            };
        }
    }

    /// These states are others now.
    pub(super) fn note_changed(&mut self, changed: Want) {
        for peer in self.peers.values_mut() {
            let States {
                wanted,
                changed: noted,
            } = &mut peer.states;
            noted.cursor_images |= changed.cursor_images && wanted.cursor_images;
            noted.copied |= changed.copied && wanted.copied;
            noted.text_fields |= changed.text_fields && wanted.text_fields;
        }
    }
}

/// Tells a viewer what has changed, unless it has not read what it was told before; whether there was anything.
pub(super) fn tell(peer: &mut Peer, stage: &mut Stage, clipboard: &Clipboard) -> bool {
    if !peer.link.outbox.is_empty() {
        return false;
    }
    let mut changed = std::mem::take(&mut peer.states.changed);
    if changed.copied {
        match clipboard.offer() {
            Some(offer) => peer.link.tell_viewer(News::Copied(offer)),
            // It is told once it is known.
            None => {
                peer.states.changed.copied = true;
                changed.copied = false;
            }
        }
    }
    if changed.cursor_images {
        let image = stage.cursor_image().clone();
        peer.link.tell_viewer(News::CursorImage(image));
    }
    if changed.text_fields {
        peer.link.tell_viewer(News::TextField(stage.text_field()));
    }
    changed != Want::default()
}
