//! The clipboard of the apps, as the holder takes part in it: it hears of what they copy, and offers what a viewer has.

use super::{News, Stage};
use smithay::input::Seat;
use smithay::wayland::selection::data_device::{
    clear_data_device_selection, request_data_device_client_selection, set_data_device_selection,
};
use smithay::wayland::selection::{SelectionHandler, SelectionSource, SelectionTarget};
use std::os::fd::OwnedFd;

/// Apps that wait for what a viewer has copied, at once.
const MAX_PASTES: usize = 16;

/// An app reads what a viewer has copied.
#[derive(Debug)]
pub struct Paste {
    /// As which type.
    pub name: String,
    /// Where it is to be written to.
    pub into: OwnedFd,
}

/// What is known of the apps' clipboard.
#[derive(Debug, Default)]
pub(super) struct Clipboard {
    /// What the app that copied last can give.
    types: Vec<String>,
    pastes: Vec<Paste>,
}

impl Stage {
    /// What the app that copied last can give; nothing once a viewer has copied.
    pub fn copied_types(&self) -> &[String] {
        &self.clipboard.types
    }

    /// Has the app that copied last write it as one of its types.
    pub fn read_copied(&self, name: &str, into: OwnedFd) {
        if let Err(error) =
            request_data_device_client_selection::<Self>(&self.seat, name.to_owned(), into)
        {
            tracing::debug!(%error, "what was copied is not to be had any more");
        }
    }

    /// Offers the apps what a viewer has copied, in the place of what they have; nothing when there are no types.
    pub fn offer_copied(&mut self, types: Vec<String>) {
        self.clipboard.types.clear();
        if types.is_empty() {
            clear_data_device_selection::<Self>(&self.display, &self.seat);
        } else {
            set_data_device_selection::<Self>(&self.display, &self.seat, types, ());
        }
    }

    /// Who has asked for what a viewer has copied since the last call.
    pub fn take_pastes(&mut self) -> Vec<Paste> {
        std::mem::take(&mut self.clipboard.pastes)
    }
}

impl SelectionHandler for Stage {
    type SelectionUserData = ();

    fn new_selection(
        &mut self,
        target: SelectionTarget,
        source: Option<SelectionSource>,
        _seat: Seat<Self>,
    ) {
        if target == SelectionTarget::Clipboard {
            self.clipboard.types = source.map_or_else(Vec::new, |source| source.mime_types());
            self.tell(News::Copied);
        }
    }

    fn send_selection(
        &mut self,
        target: SelectionTarget,
        name: String,
        into: OwnedFd,
        _seat: Seat<Self>,
        _data: &(),
    ) {
        // Who asks for more at once finds it empty.
        if target == SelectionTarget::Clipboard && self.clipboard.pastes.len() < MAX_PASTES {
            self.clipboard.pastes.push(Paste { name, into });
        }
    }
}
