//! What is copied on one side and pasted on the other, as far as the viewer's rights go. Nothing of it is kept here:
//! whoever wants a part asks for it, and one part at a time is on its way in each direction.

use crate::door::Rights;
use crate::metrics::Metrics;
use crate::outgoing::{Outgoing, State};
use crate::protocol::{self, Farewell, Up};
use greenroom_session_api::clipboard::LeftOut;
use greenroom_session_api::units::Class;
use greenroom_session_api::viewer::{from_holder::News, to_holder::Order};

/// The clipboard of one viewer.
pub(crate) struct Copying<'a> {
    rights: Rights,
    outgoing: &'a Outgoing,
    metrics: &'a Metrics,
    /// The viewer waits for a part of the session's.
    reads: bool,
    /// The session waits for a part of the viewer's.
    is_read: bool,
}

impl<'a> Copying<'a> {
    pub(crate) fn new(rights: Rights, outgoing: &'a Outgoing, metrics: &'a Metrics) -> Self {
        Self {
            rights,
            outgoing,
            metrics,
            reads: false,
            is_read: false,
        }
    }

    /// What the holder is to be told of a message of the viewer, if anything.
    pub(crate) fn on_viewer(&mut self, message: Up) -> Option<Order> {
        let (copies_out, copies_in) = (self.rights.copies_out(), self.rights.copies_in());
        let order = match message {
            Up::WantCopied(copied) if copies_out => Some(Order::Want(self.rights.want(copied))),
            Up::ReadCopied(read) if copies_out && !self.reads => {
                self.reads = true;
                Some(Order::ReadCopied(read))
            }
            Up::Copied(offer) if copies_in => Some(Order::Copied(offer)),
            Up::CopiedPart(part) if copies_in && self.is_read => {
                self.is_read = false;
                Some(Order::CopiedPart(part))
            }
            _ => None,
        };
        if order.is_none() {
            self.metrics.copying_refused();
        }
        order
    }

    /// Tells the viewer what of the holder's news is for it.
    pub(crate) fn on_holder(&mut self, news: &News) -> Result<(), Farewell> {
        match news {
            News::Copied(offer) if self.rights.copies_out() => {
                let left_out = offer.left_out.iter().map(LeftOut::why);
                left_out.for_each(|why| self.metrics.left_out(why));
                self.outgoing.state(State::Copied, protocol::copied(offer));
                Ok(())
            }
            News::CopiedPart(part) if self.reads => {
                self.reads = false;
                let message = protocol::copied_part(part);
                if message.is_some_and(|message| self.outgoing.part(message)) {
                    self.metrics.forwarded(Class::Clipboard, part.bytes.len());
                } else {
                    self.metrics.withheld();
                }
                Ok(())
            }
            News::ReadCopied(read) if self.rights.copies_in() => {
                self.is_read = true;
                self.outgoing.control(protocol::read_copied(read))
            }
            _ => Ok(()),
        }
    }
}
