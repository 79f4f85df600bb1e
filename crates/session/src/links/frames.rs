//! The link to the streamer: which frames it has, and how many watch.

use super::Outbox;
use crate::display::ring::Rect;
use crate::display::{Composed, Ring};
use greenroom_session_api::frames::{
    Frame, FromStreamer, Rect as WireRect, Start, ToStreamer, from_streamer::News,
    to_streamer::Order,
};
use greenroom_session_api::input::InputAck;
use greenroom_session_api::{FrameBuffer, FrameError};

/// The streamer says little.
const MAX_NEWS: usize = 4096;

/// Our side of the link.
pub struct Frames {
    inbox: FrameBuffer,
    /// What is to be sent.
    pub outbox: Outbox,
    ring: Ring,
    viewers: u32,
    /// The next frame covers all of the ring, whatever changed.
    whole: bool,
}

impl Frames {
    /// A link to a streamer that was just started.
    ///
    /// # Errors
    /// The ring's descriptor cannot be passed on.
    pub fn new(start: Start, ring: Ring) -> std::io::Result<Self> {
        let mut frames = Self {
            inbox: FrameBuffer::new(MAX_NEWS),
            outbox: Outbox::default(),
            ring,
            viewers: 0,
            whole: true,
        };
        frames.send(Order::Start(start), None);
        frames.announce()?;
        Ok(frames)
    }

    /// Goes on with another ring: the size changed.
    ///
    /// # Errors
    /// The ring's descriptor cannot be passed on.
    pub fn replace_ring(&mut self, ring: Ring) -> std::io::Result<()> {
        self.ring = ring;
        self.whole = true;
        self.announce()
    }

    /// The ring to draw into.
    pub fn ring(&mut self) -> &mut Ring {
        &mut self.ring
    }

    /// Whether a frame can be drawn now.
    pub fn has_free_slot(&self) -> bool {
        self.ring.has_free_slot()
    }

    /// How many watch; with none, nothing is composed.
    pub fn viewers(&self) -> u32 {
        self.viewers
    }

    /// Takes what was read from the streamer.
    ///
    /// # Errors
    /// It does not speak the protocol and is to be ended.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.inbox.push(bytes);
        while let Some(FromStreamer { news }) = self.inbox.take()? {
            match news {
                Some(News::Release(release)) => self.ring.release(release.slot),
                Some(News::Viewers(viewers)) => self.viewers = viewers.count,
                None => {}
            }
        }
        Ok(())
    }

    /// Sends a frame that was composed; answers how many pixels it says have changed.
    pub fn send_frame(
        &mut self,
        composed: &Composed,
        number: u64,
        composed_at_us: u64,
        had_input: Vec<InputAck>,
    ) -> u64 {
        let size = self.ring.size();
        let all = [Rect::from_size(size)];
        let damage = if std::mem::take(&mut self.whole) {
            &all
        } else {
            composed.damage.as_slice()
        };
        let damage: Vec<WireRect> = damage
            .iter()
            .filter_map(|rect| on_wire(rect.intersection(all[0])?))
            .collect();
        let pixels = damage
            .iter()
            .map(|rect| u64::from(rect.width) * u64::from(rect.height))
            .sum();
        self.send(
            Order::Frame(Frame {
                slot: composed.slot,
                number,
                damage,
                composed_at_us,
                had_input,
            }),
            None,
        );
        pixels
    }

    fn announce(&mut self) -> std::io::Result<()> {
        let memory = self.ring.memory().try_clone_to_owned()?;
        self.send(Order::Ring(self.ring.described()), Some(memory));
        Ok(())
    }

    fn send(&mut self, order: Order, descriptor: Option<std::os::fd::OwnedFd>) {
        self.outbox
            .push(&ToStreamer { order: Some(order) }, descriptor);
    }
}

fn on_wire(rect: Rect) -> Option<WireRect> {
    let part = |number: i32| u32::try_from(number).ok();
    let rect = WireRect {
        x: part(rect.loc.x)?,
        y: part(rect.loc.y)?,
        width: part(rect.size.w)?,
        height: part(rect.size.h)?,
    };
    (rect.width > 0 && rect.height > 0).then_some(rect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::encode;
    use greenroom_session_api::frames::{Release, Viewers};

    fn sent(frames: &mut Frames) -> Vec<ToStreamer> {
        let mut buffer = FrameBuffer::new(1 << 16);
        while let Some(parcel) = frames.outbox.front() {
            buffer.push(parcel.rest());
            let length = parcel.rest().len();
            frames.outbox.sent(length);
        }
        std::iter::from_fn(|| buffer.take().unwrap()).collect()
    }

    fn frames() -> Frames {
        Frames::new(Start::default(), Ring::new((64, 64).into()).unwrap()).unwrap()
    }

    fn composed(damage: Vec<Rect>) -> Composed {
        Composed { slot: 1, damage }
    }

    fn damage_of(message: &ToStreamer) -> Vec<WireRect> {
        match &message.order {
            Some(Order::Frame(frame)) => frame.damage.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_streamer_hears_whom_it_works_for_then_where_the_frames_are() {
        let messages = sent(&mut frames());
        assert!(matches!(messages[0].order, Some(Order::Start(_))));
        assert!(
            matches!(&messages[1].order, Some(Order::Ring(ring)) if ring.slots == 3 && ring.stride == 256)
        );
    }

    #[test]
    fn the_first_frame_of_a_ring_covers_all_of_it_and_the_next_what_changed() {
        let mut frames = frames();
        sent(&mut frames);
        let small = Rect::new((60, 60).into(), (10, 2).into());
        assert_eq!(
            frames.send_frame(&composed(vec![small]), 1, 0, Vec::new()),
            64 * 64
        );
        assert_eq!(
            frames.send_frame(&composed(vec![small]), 2, 0, Vec::new()),
            8
        );
        let messages = sent(&mut frames);
        assert_eq!(damage_of(&messages[0])[0].width, 64);
        let clipped = WireRect {
            x: 60,
            y: 60,
            width: 4,
            height: 2,
        };
        assert_eq!(damage_of(&messages[1]), [clipped]);
        frames
            .replace_ring(Ring::new((128, 64).into()).unwrap())
            .unwrap();
        assert_eq!(
            frames.send_frame(&composed(vec![small]), 3, 0, Vec::new()),
            128 * 64
        );
    }

    #[test]
    fn releases_and_viewers_are_heard_and_garbage_is_refused() {
        let mut frames = frames();
        for slot in 0..3 {
            frames.ring().lend(slot);
        }
        let news = |news| encode(&FromStreamer { news: Some(news) });
        frames
            .receive(&news(News::Release(Release { slot: 2 })))
            .unwrap();
        frames
            .receive(&news(News::Viewers(Viewers { count: 4 })))
            .unwrap();
        assert_eq!(frames.ring().free_slot().unwrap().0, 2);
        assert_eq!(frames.viewers(), 4);
        assert!(frames.receive(&[0xff; 4]).is_err());
    }
}
