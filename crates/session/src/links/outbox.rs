//! What is to be sent to a peer and was not taken by its socket yet.

use greenroom_session_api::{Message, encode};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// A peer that lets more than this pile up has stopped reading and is disconnected.
const MAX_BACKLOG: usize = 4 << 20;

/// One message on its way.
#[derive(Debug)]
pub struct Parcel {
    bytes: Vec<u8>,
    sent: usize,
    /// Travels with the first byte.
    pub descriptor: Option<OwnedFd>,
}

impl Parcel {
    /// What of it is still to be sent.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }
}

/// Messages in order.
#[derive(Debug, Default)]
pub struct Outbox {
    parcels: VecDeque<Parcel>,
    backlog: usize,
}

impl Outbox {
    /// Adds a message, with a descriptor if it has one.
    pub fn push(&mut self, message: &impl Message, descriptor: Option<OwnedFd>) {
        let bytes = encode(message);
        self.backlog += bytes.len();
        self.parcels.push_back(Parcel {
            bytes,
            sent: 0,
            descriptor,
        });
    }

    /// What is to be sent next.
    pub fn front(&self) -> Option<&Parcel> {
        self.parcels.front()
    }

    /// The socket took `bytes` of the front, and its descriptor.
    pub fn sent(&mut self, bytes: usize) {
        let Some(front) = self.parcels.front_mut() else {
            return;
        };
        let bytes = bytes.min(front.rest().len());
        self.backlog -= bytes;
        front.sent += bytes;
        if bytes > 0 {
            front.descriptor = None;
        }
        if front.rest().is_empty() {
            self.parcels.pop_front();
        }
    }

    /// Nothing is to be sent.
    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// The peer does not read.
    pub fn is_stuck(&self) -> bool {
        self.backlog > MAX_BACKLOG
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::Hello;

    #[test]
    fn a_descriptor_goes_with_the_first_byte_and_only_once() {
        let mut outbox = Outbox::default();
        let descriptor = std::fs::File::open("/dev/null").unwrap().into();
        outbox.push(&Hello::default(), Some(descriptor));
        outbox.push(&Hello::default(), None);
        assert!(outbox.front().unwrap().descriptor.is_some());
        outbox.sent(1);
        assert!(outbox.front().unwrap().descriptor.is_none());
        assert_eq!(outbox.front().unwrap().rest().len(), 3);
        outbox.sent(3);
        outbox.sent(4);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_peer_that_never_reads_is_told_apart() {
        let mut outbox = Outbox::default();
        let big = Hello {
            key: vec![0; 1 << 20],
            ..Hello::default()
        };
        for _ in 0..4 {
            outbox.push(&big, None);
        }
        assert!(outbox.is_stuck());
    }
}
