//! Stands in for `greenroom-stream` in the tests: whoever connects to its socket is handed the frames link
//! itself, and speaks as the streamer from then on. It ends when that connection does.

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::error::Error;
use std::io::{IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: the holder passes these two descriptors, and nothing here has opened any before.
    let (frames, door) = unsafe { (OwnedFd::from_raw_fd(3), UnixListener::from_raw_fd(4)) };
    // The holder's listener does not block, and both share that.
    door.set_nonblocking(false)?;
    let (mut test, _) = door.accept()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let frames = [frames.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&frames));
    rustix::net::sendmsg(
        &test,
        &[IoSlice::new(&[0])],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    test.read_to_end(&mut Vec::new())?;
    Ok(())
}
