//! `greenroom-x11 NUMBER LINK`: an X server for the apps of a launch, and the window manager their windows need.
//!
//! Init starts it with the first connection of an app, and hands over the socket of display NUMBER as descriptor 3.
//! LINK is where the holder listens. The X server ends when its last app has gone, and this program with it.

mod asked;
mod atoms;
#[path = "../bounds.rs"]
mod bounds;
mod clipboard;
mod events;
mod focus;
mod layout;
mod link;
mod manager;
mod placing;
mod publish;
#[path = "../received.rs"]
mod received;
mod server;
mod settings;
mod stack;
mod types;
mod window;

use link::Link;
use manager::Manager;
use rustix::process::Resource;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Bytes of memory of our own, for events that come faster than they can be read. Some megabytes are taken; who drives
/// this beyond it loses the X server.
const MEMORY: u64 = 256 << 20;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is a file of the session's user; when that is full nobody is left to tell.
            let _ = writeln!(std::io::stderr(), "greenroom-x11: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(number), Some(path), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: greenroom-x11 NUMBER LINK".into());
    };
    let (link, wayland) = Link::begin(Path::new(&path))?;
    let (mut server, connection) = server::start(number.parse()?, &wayland)?;
    drop(wayland);
    // The X server, which was started before, has what apps have.
    bounds::bound(Resource::Data, MEMORY)?;
    Manager::new(connection, link)?.run()?;
    // It has closed our connection or ours is closed by now; in both cases it ends.
    match server.wait()? {
        status if status.success() => Ok(()),
        status => Err(format!("the X server ended: {status}").into()),
    }
}
