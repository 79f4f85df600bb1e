//! Decides what each viewer is sent: never a queue, always the difference to now. Does no I/O.

use crate::picture::Picture;
use crate::ring::Slot;
use crate::shared::{Codes, Given, Made, Units};
use crate::viewer::Viewer;
use crate::way::Way;
use greenroom_session_api::{encode, frames, units};
use greenroom_tiles::{Encoder, Header};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

/// Tells viewers apart for as long as the process runs.
pub type ViewerId = u64;

/// The picture now and who holds what of it.
pub struct Core {
    encoder: Encoder,
    now: Option<Rc<Picture>>,
    viewers: BTreeMap<ViewerId, Viewer>,
    units: Units,
    codes: Codes,
    updates: u64,
}

impl Core {
    /// No picture yet and nobody to see it.
    ///
    /// # Errors
    /// There is no memory for an encoder.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            encoder: Encoder::new()?,
            now: None,
            viewers: BTreeMap::new(),
            units: Units::default(),
            codes: Codes::default(),
            updates: 0,
        })
    }

    /// Takes what changed out of a slot, which may be released afterwards.
    pub fn frame(&mut self, slot: Slot<'_>, frame: &frames::Frame, all_damaged: bool) {
        let now = Picture::after(self.now.as_deref(), slot, frame, all_damaged);
        for viewer in self.viewers.values_mut() {
            viewer.forget_what_is_long_past(&now);
        }
        self.now = Some(Rc::new(now));
    }

    /// A viewer has come; it is sent nothing before it says what it has.
    pub fn join(&mut self, id: ViewerId) {
        self.viewers.insert(id, Viewer::default());
    }

    /// A viewer has gone.
    pub fn leave(&mut self, id: ViewerId) {
        self.viewers.remove(&id);
        if self.viewers.len() < 2 {
            self.codes.clear();
        }
    }

    /// How many viewers there are.
    pub fn viewers(&self) -> usize {
        self.viewers.len()
    }

    /// What a viewer says.
    pub fn hear(&mut self, id: ViewerId, message: units::ToStreamer) {
        let Some(viewer) = self.viewers.get_mut(&id) else {
            return;
        };
        match message.order {
            Some(units::to_streamer::Order::Have(have)) => viewer.have(&have),
            Some(units::to_streamer::Order::Ack(ack)) => viewer.acknowledged(ack.update),
            // A newer gateway may say what this streamer does not know.
            None => {}
        }
    }

    /// The framed message that brings a viewer to now; `None` when it is there, or has no credit. To be
    /// asked for only when the one before was written out, so that nothing waits in a queue.
    ///
    /// # Errors
    /// There is no memory to compress in.
    pub fn unit(&mut self, id: ViewerId) -> io::Result<Option<Rc<[u8]>>> {
        let (Some(now), Some(viewer)) = (&self.now, self.viewers.get(&id)) else {
            return Ok(None);
        };
        if !viewer.wants(now) {
            return Ok(None);
        }
        let now = Rc::clone(now);
        let given = viewer.given(&now);
        let made = match self.units.get(&given, now.state, viewer.last_update()) {
            Some(made) => Some(made),
            None => self.make(id, &now, &given)?,
        };
        let Some(viewer) = self.viewers.get_mut(&id) else {
            return Ok(None);
        };
        let Some(made) = made else {
            viewer.holds(&now);
            return Ok(None);
        };
        viewer.sent(&now, &given, &made);
        self.units.keep(given, now.state, &made);
        Ok(Some(made.message))
    }

    /// The difference between what a viewer holds and `now`; `None` when there is none.
    fn make(&mut self, id: ViewerId, now: &Picture, given: &Given) -> io::Result<Option<Made>> {
        let codes = (self.viewers.len() > 1).then_some(&mut self.codes);
        let Some(viewer) = self.viewers.get(&id) else {
            return Ok(None);
        };
        let way = Way::find(now, viewer, given, &mut self.encoder, codes);
        if way.is_none() {
            return Ok(None);
        }
        self.updates += 1;
        let header = Header {
            update: self.updates,
            composed_at_us: now.composed_at_us,
            frame_hash: now.hash,
            grid: now.grid,
            reset: way.reset,
            had_input: now.had_input.clone(),
        };
        let tiles = way.tiles.iter().map(|(index, code)| (*index, &**code));
        let bytes = self.encoder.unit(&header, &way.prelude, tiles)?;
        let unit = units::Unit {
            class: units::Class::Display.into(),
            bytes,
        };
        let message = encode(&units::FromStreamer {
            news: Some(units::from_streamer::News::Unit(unit)),
        });
        Ok(Some(Made {
            update: self.updates,
            message: message.into(),
            changed: way.changed.into(),
            kept: way.prelude.keep.into(),
        }))
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
