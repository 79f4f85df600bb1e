//! The clipboard of the apps, as the holder takes part in it: it hears of what they copy, and offers what a viewer has.

use super::{News, Stage};
use smithay::input::Seat;
use smithay::reexports::wayland_server::{Client, Resource};
use smithay::wayland::selection::data_device::{
    clear_data_device_selection, request_data_device_client_selection, set_data_device_selection,
};
use smithay::wayland::selection::{SelectionHandler, SelectionSource, SelectionTarget};
use std::os::fd::OwnedFd;

/// Apps that wait for what a viewer has copied, at once.
const MAX_PASTES: usize = 16;

/// Who has copied last, other than an app that speaks Wayland.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A viewer.
    Viewer,
    /// An app of the X server with this number.
    X(u64),
}

/// An app reads what somebody else has copied.
#[derive(Debug)]
pub struct Paste {
    /// Who has copied it.
    pub owner: Owner,
    /// As which type.
    pub name: String,
    /// Where it is to be written to.
    pub into: OwnedFd,
}

/// What is known of the apps' clipboard.
#[derive(Debug, Default)]
pub(super) struct Clipboard {
    /// What who copied last can give.
    types: Vec<String>,
    /// None when it is an app that speaks Wayland.
    owner: Option<Owner>,
    /// Counts what was copied, by whomever.
    changes: u64,
    pastes: Vec<Paste>,
}

impl Stage {
    /// What who copied last can give.
    pub fn copied_types(&self) -> &[String] {
        &self.clipboard.types
    }

    /// Who copied last; none when it is an app that speaks Wayland.
    pub fn copied_by(&self) -> Option<Owner> {
        self.clipboard.owner
    }

    /// How often anything was copied.
    pub fn times_copied(&self) -> u64 {
        self.clipboard.changes
    }

    /// Whether a client has the keyboard: it alone may copy and paste.
    pub fn has_keyboard(&self, client: &Client) -> bool {
        let focus = self.seat.get_keyboard().and_then(|it| it.current_focus());
        focus.and_then(|surface| surface.client()).as_ref() == Some(client)
    }

    /// Has the app that copied last, by Wayland, write it as one of its types.
    pub fn read_copied(&self, name: &str, into: OwnedFd) {
        if let Err(error) =
            request_data_device_client_selection::<Self>(&self.seat, name.to_owned(), into)
        {
            tracing::debug!(%error, "what was copied is not to be had any more");
        }
    }

    /// Offers the apps what somebody has copied, in the place of what they have; nothing when there are no types.
    pub fn offer_copied(&mut self, owner: Owner, types: Vec<String>) {
        self.clipboard.changes += 1;
        self.clipboard.types.clone_from(&types);
        if types.is_empty() {
            self.clipboard.owner = None;
            clear_data_device_selection::<Self>(&self.display, &self.seat);
        } else {
            self.clipboard.owner = Some(owner);
            set_data_device_selection::<Self>(&self.display, &self.seat, types, owner);
        }
        if let Owner::X(_) = owner {
            self.tell(News::Copied);
        }
    }

    /// Who has asked for what is not of an app that speaks Wayland since the last call.
    pub fn take_pastes(&mut self) -> Vec<Paste> {
        std::mem::take(&mut self.clipboard.pastes)
    }
}

impl SelectionHandler for Stage {
    type SelectionUserData = Owner;

    fn new_selection(
        &mut self,
        target: SelectionTarget,
        source: Option<SelectionSource>,
        _seat: Seat<Self>,
    ) {
        if target == SelectionTarget::Clipboard {
            self.clipboard.changes += 1;
            self.clipboard.owner = None;
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
        owner: &Owner,
    ) {
        // Who asks for more at once finds it empty.
        if target == SelectionTarget::Clipboard && self.clipboard.pastes.len() < MAX_PASTES {
            self.clipboard.pastes.push(Paste {
                owner: *owner,
                name,
                into,
            });
        }
    }
}
