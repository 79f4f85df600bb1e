//! A link to a holder or a streamer: framed messages over a unix socket.

use greenroom_session_api::frame::MAX_FRAME;
use greenroom_session_api::{FrameBuffer, FrameError, Hello, Message, PROTOCOL, Role, encode};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// A peer that takes no bytes for this long is taken for dead; all of them answer within milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// The link cannot be used (any more).
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the socket cannot be used")]
    Io(#[from] io::Error),
    #[error("the peer does not speak the session protocol")]
    Frame(#[from] FrameError),
    #[error("the peer closed the link")]
    Closed,
    #[error("the peer does not take what it is sent")]
    Stuck,
    #[error("the peer holds another session")]
    OtherSession,
    #[error("the peer begins with something else than a welcome")]
    NoWelcome,
    #[error("the socket is named like none")]
    SocketName,
}

/// A connection that has said [`Hello`].
pub(crate) struct Link {
    stream: UnixStream,
    buffer: FrameBuffer,
    chunk: Box<[u8]>,
}

impl Link {
    /// Connects and introduces itself.
    pub(crate) async fn connect(
        socket: &Path,
        key: &[u8; 32],
        role: Role,
    ) -> Result<Self, LinkError> {
        let stream = timeout(LIMIT, UnixStream::connect(socket))
            .await
            .map_err(|_| LinkError::Stuck)??;
        let mut link = Self {
            stream,
            buffer: FrameBuffer::new(MAX_FRAME),
            chunk: vec![0; 64 << 10].into_boxed_slice(),
        };
        link.send(&Hello {
            protocol: PROTOCOL,
            key: key.to_vec(),
            role: role.into(),
        })
        .await?;
        Ok(link)
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: &impl Message) -> Result<(), LinkError> {
        timeout(LIMIT, self.stream.write_all(&encode(message)))
            .await
            .map_err(|_| LinkError::Stuck)?
            .map_err(LinkError::Io)
    }

    /// The next message. Nothing is lost when this is dropped before it is ready.
    pub(crate) async fn next<M: Message + Default>(&mut self) -> Result<M, LinkError> {
        loop {
            if let Some(message) = self.buffer.take()? {
                return Ok(message);
            }
            let length = self.stream.read(&mut self.chunk).await?;
            if length == 0 {
                return Err(LinkError::Closed);
            }
            self.buffer.push(&self.chunk[..length]);
        }
    }
}
