//! Which events of which input stream the session has had: no key is lost or doubled, whatever dies.

use greenroom_session_api::input::InputAck;
use std::collections::VecDeque;

/// Streams remembered. A player draws one when it is opened, so this is players, not events.
const REMEMBERED: usize = 32;

/// The last event of each stream, the stream used last at the back.
#[derive(Debug, Default)]
pub struct Streams {
    last: VecDeque<(u64, u64)>,
}

impl Streams {
    /// Whether event `seq` of `stream` is new; from now on it is not.
    ///
    /// A gap is accepted: a holder that was started again knows nothing of a stream that goes on.
    pub fn accept(&mut self, stream: u64, seq: u64) -> bool {
        let known = self.last.iter().position(|(known, _)| *known == stream);
        let had = known
            .and_then(|at| self.last.remove(at))
            .map_or(0, |(_, had)| had);
        if known.is_none() && self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back((stream, had.max(seq)));
        seq > had
    }

    /// Up to where `stream` was had; `None` when nothing of it was.
    pub fn ack(&self, stream: u64) -> Option<InputAck> {
        let (_, seq) = self.last.iter().find(|(known, _)| *known == stream)?;
        Some(InputAck { stream, seq: *seq })
    }

    /// Up to where every remembered stream was had.
    pub fn acks(&self) -> Vec<InputAck> {
        self.last
            .iter()
            .map(|&(stream, seq)| InputAck { stream, seq })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_once_however_often_it_comes() {
        let mut streams = Streams::default();
        assert!(streams.accept(7, 1));
        assert!(!streams.accept(7, 1));
        assert!(streams.accept(7, 2));
        assert!(!streams.accept(7, 1));
        assert!(streams.accept(8, 1));
        assert_eq!(streams.ack(7), Some(InputAck { stream: 7, seq: 2 }));
    }

    #[test]
    fn the_stream_used_least_lately_is_forgotten_first() {
        let mut streams = Streams::default();
        streams.accept(1, 5);
        for stream in 2..=REMEMBERED as u64 {
            streams.accept(stream, 1);
        }
        streams.accept(1, 6);
        streams.accept(1000, 1);
        assert_eq!(streams.ack(1), Some(InputAck { stream: 1, seq: 6 }));
        assert_eq!(streams.ack(2), None);
        assert_eq!(streams.acks().len(), REMEMBERED);
    }
}
