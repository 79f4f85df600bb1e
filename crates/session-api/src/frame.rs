//! Frames of a byte stream, without I/O: whoever owns the socket pushes bytes and takes messages.

use prost::Message;

/// The largest message any link carries. A first full screen of noise at 4K fits.
pub const MAX_FRAME: usize = 64 << 20;

const HEADER: usize = 4;

/// The peer does not speak this protocol; the connection is to be closed.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A length over the limit of the link.
    #[error("a frame of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// What the peer announced.
        length: usize,
        /// What this link allows.
        limit: usize,
    },
    /// Bytes that are no message of the link.
    #[error("the frame is not a message of this link")]
    Malformed(#[from] prost::DecodeError),
}

/// `message` as one frame.
///
/// # Panics
/// Never in practice: a message over 4 GiB cannot be built from bounded parts.
pub fn encode(message: &impl Message) -> Vec<u8> {
    let length = message.encoded_len();
    let mut bytes = Vec::with_capacity(HEADER + length);
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    // A Vec grows as needed, so encoding into it cannot run out of room.
    let _ = message.encode(&mut bytes);
    bytes
}

/// Bytes received and not yet taken as messages.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    taken: usize,
    limit: usize,
}

impl FrameBuffer {
    /// A buffer that refuses frames of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            taken: 0,
            limit: limit.min(MAX_FRAME),
        }
    }

    /// Adds what was read from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, or `None` until more is pushed.
    ///
    /// # Errors
    /// The frame is too long or no message `M`: the stream cannot be followed any further.
    pub fn take<M: Message + Default>(&mut self) -> Result<Option<M>, FrameError> {
        let rest = &self.bytes[self.taken..];
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length > self.limit {
            return Err(FrameError::TooLong {
                length,
                limit: self.limit,
            });
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let message = M::decode(body)?;
        self.taken += HEADER + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hello;

    fn hello() -> Hello {
        Hello {
            protocol: 1,
            key: vec![7; 32],
            role: 2,
        }
    }

    #[test]
    fn messages_come_out_whole_however_the_bytes_are_cut() {
        let stream = [encode(&hello()), encode(&hello())].concat();
        let mut buffer = FrameBuffer::new(1024);
        let mut seen = 0;
        for byte in stream {
            buffer.push(&[byte]);
            while let Some(message) = buffer.take::<Hello>().unwrap() {
                assert_eq!(message, hello());
                seen += 1;
            }
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_stored() {
        let mut buffer = FrameBuffer::new(1024);
        buffer.push(&2048_u32.to_le_bytes());
        assert!(matches!(
            buffer.take::<Hello>(),
            Err(FrameError::TooLong {
                length: 2048,
                limit: 1024
            })
        ));
    }

    #[test]
    fn garbage_is_refused() {
        let mut buffer = FrameBuffer::new(1024);
        buffer.push(&[3, 0, 0, 0, 0xff, 0xff, 0xff]);
        assert!(matches!(
            buffer.take::<Hello>(),
            Err(FrameError::Malformed(_))
        ));
    }
}
