//! Lists whose elements have ids: an element without one is new, one with an id takes the place of that.

use crate::error::ApiError;
use crate::ops::fields::{List, Text};
use serde::Serialize;

/// The id of an element.
pub(super) type ElementId = Text<64>;

/// The most bytes of a list. Whatever the browser is told of two of them fits into a session's files.
const MOST_BYTES: usize = 96 << 10;

/// An element of such a list.
pub(super) trait Numbered: Clone + Serialize {
    /// What its ids begin with.
    const PREFIX: &'static str;

    /// Its id; none while it is new.
    fn id(&self) -> Option<&ElementId>;

    /// Gives it an id.
    fn set_id(&mut self, id: Option<ElementId>);
}

/// What faults call the parameters of a change.
pub(super) struct Names {
    /// The elements.
    pub given: &'static str,
    /// The id of one of them.
    pub id: &'static str,
    /// The ids of those to be removed.
    pub removed: &'static str,
}

/// The list after a change; what is new takes the next of the ids.
///
/// # Errors
/// An id names nothing that is there, or there would be too many elements.
pub(super) fn changed<'a, T: Numbered, const MAX: usize>(
    kept: &List<T, MAX>,
    given: &List<T, MAX>,
    removed: &[ElementId],
    ids: &mut impl Iterator<Item = &'a String>,
    names: &Names,
) -> Result<List<T, MAX>, ApiError> {
    let mut items = kept.items().to_vec();
    for id in removed {
        let before = items.len();
        items.retain(|item| item.id() != Some(id));
        if items.len() == before {
            return Err(ApiError::Invalid(names.removed));
        }
    }
    for item in given.items() {
        let mut item = item.clone();
        if item.id().is_none() {
            let id = ids.next().map(|id| format!("{}{id}", T::PREFIX));
            item.set_id(id.and_then(Text::of));
            items.push(item);
        } else {
            let place = items.iter_mut().find(|kept| kept.id() == item.id());
            *place.ok_or(ApiError::Invalid(names.id))? = item;
        }
    }
    let too_much = || ApiError::Invalid(names.given);
    let bytes = serde_json::to_string(&items).map_err(|_| too_much())?.len();
    if bytes > MOST_BYTES {
        return Err(too_much());
    }
    List::of(items).ok_or_else(too_much)
}
