//! What the holder itself may take: apps make it hold things for them, and no control group bounds it.

use crate::bounds::bound;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// Bytes of memory of its own. A session takes some megabytes; an app can make it millions of small things, and then the
/// holder ends, and not somebody else's on this machine. Its streamer has the same, for pictures of many viewers.
const MEMORY: u64 = 4 << 30;

/// Lets the holder have as many descriptors as it is allowed to, and bounds its memory.
///
/// # Errors
/// The kernel refuses.
pub fn of_the_holder() -> io::Result<()> {
    let descriptors = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: descriptors.maximum,
        ..descriptors
    };
    setrlimit(Resource::Nofile, all)?;
    bound(Resource::Data, MEMORY)
}
