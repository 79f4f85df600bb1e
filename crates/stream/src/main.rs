//! `greenroom-stream`: frames of one session in, units for its viewers out.
//!
//! The holder starts it with the first viewer: descriptor 3 is its end of the frames link, descriptor 4
//! the listening socket for viewers' links. It has no arguments and keeps no state: killed, it costs a
//! viewer one resync. It leaves by itself when its last viewer has left or the holder has gone.
//!
//! It knows no user, no ticket and no Wayland, opens no file and no connection, and after start-up the
//! kernel refuses it both ([`sandbox`]). [`core`] decides what a viewer is sent and has never seen a
//! socket; [`run`] waits, [`door`] knows the viewers' links, [`link`] reads and writes one.

mod core;
mod door;
mod link;
mod picture;
mod ring;
mod run;
mod sandbox;
mod shared;
mod viewer;
mod way;

use std::error::Error;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let inherited = inherited(3).zip(inherited(4));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that cannot be written must not end the stream.
        .log_internal_errors(false)
        .init();

    match run::run(inherited) {
        Ok(why) => {
            tracing::info!(%why, "leaving");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let mut causes = String::new();
            let mut cause = error.source();
            while let Some(next) = cause {
                causes.push_str(&format!(": {next}"));
                cause = next.source();
            }
            tracing::error!("{error}{causes}");
            ExitCode::FAILURE
        }
    }
}

/// A descriptor that was open before this program began.
fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: this reads a flag of a descriptor by number, and fails when there is none.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open, and called for each number once and before anything in this process opens a
    // descriptor that lasts, so nobody else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
