//! Reading and writing sockets without waiting.

use crate::links::Outbox;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// What a read came to.
pub enum Taken {
    /// Bytes; there may be more.
    Bytes(Vec<u8>),
    /// There is nothing to read now.
    Nothing,
    /// The peer has gone.
    Closed,
}

/// Reads what there is, up to a limit that keeps one peer from starving the others.
pub fn take(mut stream: &UnixStream) -> Taken {
    const AT_ONCE: usize = 64 << 10;
    let mut bytes = vec![0; AT_ONCE];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Taken::Closed,
            Ok(read) => {
                bytes.truncate(read);
                return Taken::Bytes(bytes);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Taken::Nothing,
            Err(_) => return Taken::Closed,
        }
    }
}

/// Writes what the socket takes.
///
/// # Errors
/// The peer has gone, or has not read for so long that it is taken to have.
pub fn give(stream: &UnixStream, outbox: &mut Outbox) -> std::io::Result<()> {
    while let Some(parcel) = outbox.front() {
        let descriptors = parcel.descriptor.as_ref().map(AsFd::as_fd);
        let descriptors = descriptors.as_slice();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        let bytes = [IoSlice::new(parcel.rest())];
        match rustix::net::sendmsg(
            stream,
            &bytes,
            &mut ancillary,
            SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        ) {
            Ok(sent) => outbox.sent(sent),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if !outbox.is_stuck() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
