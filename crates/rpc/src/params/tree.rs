//! Flat names taken apart at their dots.

use super::{MAX_DEPTH, ParamError, Params};
use std::collections::BTreeMap;

/// A parameter's own text, if it has one, and what its name is a prefix of.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) children: BTreeMap<&'a str, Tree<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(params: &'a Params) -> Result<Self, ParamError> {
        let mut root = Self::default();
        for (name, value) in params.iter() {
            if name.split('.').count() > MAX_DEPTH {
                let outermost = name.split('.').next().unwrap_or_default();
                return Err(ParamError::invalid("is nested too deep").within(outermost));
            }
            let mut at = &mut root;
            for segment in name.split('.') {
                at = at.children.entry(segment).or_default();
            }
            at.text = Some(value);
        }
        Ok(root)
    }

    /// Takes away the value at `path`, and whatever then holds nothing any more; false when there is
    /// none.
    pub(super) fn remove<'p>(&mut self, mut path: impl Iterator<Item = &'p str>) -> bool {
        let Some(name) = path.next() else {
            return self.text.take().is_some();
        };
        let Some(child) = self.children.get_mut(name) else {
            return false;
        };
        let removed = child.remove(path);
        if child.text.is_none() && child.children.is_empty() {
            self.children.remove(name);
        }
        removed
    }
}
