//! One non-blocking connection: bytes in to messages, messages out to bytes.

use greenroom_session_api::{FrameBuffer, FrameError, Message};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Bytes taken from a socket in one turn, so that no peer keeps the others waiting.
const READ: usize = 64 << 10;

/// The connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer closed it.
    #[error("the peer closed the link")]
    Closed,
    /// The kernel says no.
    #[error("the link failed")]
    Socket(#[from] Errno),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the protocol")]
    Frame(#[from] FrameError),
}

/// What the kernel said about a socket.
#[derive(Clone, Copy)]
pub struct Ready {
    /// There is something to read, be it only the end.
    pub read: bool,
}

impl From<PollFlags> for Ready {
    fn from(seen: PollFlags) -> Self {
        // An error or a hang-up shows when reading.
        Self {
            read: seen.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
        }
    }
}

/// The connection.
pub struct Link {
    socket: OwnedFd,
    incoming: FrameBuffer,
    outgoing: VecDeque<Rc<[u8]>>,
    /// Bytes of the first outgoing message that are written.
    written: usize,
}

impl Link {
    /// A link over a non-blocking socket that refuses messages of more than `limit` bytes.
    pub fn new(socket: OwnedFd, limit: usize) -> Self {
        Self {
            socket,
            incoming: FrameBuffer::new(limit),
            outgoing: VecDeque::new(),
            written: 0,
        }
    }

    /// Whether there is something to write.
    pub fn waits_to_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// What to wait for.
    pub fn wants(&self) -> PollFlags {
        if self.waits_to_write() {
            PollFlags::IN | PollFlags::OUT
        } else {
            PollFlags::IN
        }
    }

    /// Reads what has come, once. `receive` takes the bytes off the socket into the buffer.
    ///
    /// # Errors
    /// The peer has gone.
    pub fn read(
        &mut self,
        receive: impl FnOnce(BorrowedFd<'_>, &mut [u8]) -> rustix::io::Result<usize>,
    ) -> Result<(), LinkError> {
        let mut bytes = [0; READ];
        match receive(self.socket.as_fd(), &mut bytes) {
            Ok(0) => Err(LinkError::Closed),
            Ok(length) => {
                self.incoming.push(&bytes[..length]);
                Ok(())
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next whole message that was read.
    ///
    /// # Errors
    /// It is none: the link cannot be followed any further.
    pub fn take<M: Message + Default>(&mut self) -> Result<Option<M>, LinkError> {
        Ok(self.incoming.take()?)
    }

    /// Puts a framed message behind those that wait.
    pub fn queue(&mut self, message: Rc<[u8]>) {
        self.outgoing.push_back(message);
    }

    /// Messages that wait to be written.
    pub fn queued(&self) -> usize {
        self.outgoing.len()
    }

    /// Writes as much as the socket takes.
    ///
    /// # Errors
    /// The peer has gone.
    pub fn write(&mut self) -> Result<(), LinkError> {
        while let Some(message) = self.outgoing.front() {
            match rustix::net::send(&self.socket, &message[self.written..], SendFlags::NOSIGNAL) {
                Ok(length) => self.written += length,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if self.written == message.len() {
                self.outgoing.pop_front();
                self.written = 0;
            }
        }
        Ok(())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Takes bytes off a socket that carries nothing else.
///
/// # Errors
/// As the kernel says.
pub fn plain(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> rustix::io::Result<usize> {
    rustix::net::recv(socket, bytes, RecvFlags::empty()).map(|(length, _)| length)
}

/// Takes bytes off a socket, and the descriptors that travel with them.
///
/// # Errors
/// As the kernel says.
pub fn with_descriptors(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    descriptors: &mut VecDeque<OwnedFd>,
) -> rustix::io::Result<usize> {
    // The holder sends one at a time; those beyond are closed by the kernel.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [std::io::IoSliceMut::new(bytes)];
    let received = rustix::net::recvmsg(
        socket,
        &mut buffers,
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(received.bytes)
}
