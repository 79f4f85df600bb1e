//! The apps as clients of the compositor.

use super::Holder;
use crate::display::{Stage, launch_of};
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction, RegistrationToken};
use smithay::reexports::wayland_server::Client;
use smithay::reexports::wayland_server::backend::DisconnectReason;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Connections of all apps together.
const MAX_CLIENTS: usize = 256;

/// Times an app's clients may have to be expelled before it may not connect any more: an app that comes back
/// at once, each time, would fill the log and the processor.
const MAX_FAULTS: u32 = 16;

/// A client and the descriptor that its requests come by, which is the library's.
pub struct Connected {
    pub client: Client,
    connection: RawFd,
}

impl Holder {
    /// Opens the door of one launch: whoever comes through it belongs to that launch.
    pub(super) fn open_app_door(&mut self, launch: u64) -> std::io::Result<String> {
        let name = app_door(launch);
        let token = self.open_door(&name, move |holder, door| {
            holder.admit_clients(door, launch)
        })?;
        self.app_doors.insert(launch, token);
        Ok(name)
    }

    /// Listens among the compositor's sockets; whoever waits there is to be taken by [`next_of`].
    pub(super) fn open_door(
        &mut self,
        name: &str,
        admit: impl Fn(&mut Self, &UnixListener) + 'static,
    ) -> std::io::Result<RegistrationToken> {
        let door = self.setup.sockets.listen(name)?;
        let source = Generic::new(door, Interest::READ, Mode::Level);
        let inserted = self.handle.insert_source(source, move |_, door, holder| {
            admit(holder, door);
            Ok(PostAction::Continue)
        });
        inserted.map_err(|error| std::io::Error::other(error.error))
    }

    pub(super) fn close_app_door(&mut self, launch: u64) {
        if let Some(token) = self.app_doors.remove(&launch) {
            self.handle.remove(token);
            self.setup.sockets.remove(&app_door(launch));
        }
        self.close_x_door(launch);
    }

    fn admit_clients(&mut self, door: &UnixListener, launch: u64) {
        while let Some(stream) = next_of(door) {
            let admit = |stage: &mut Stage, stream| stage.admit(stream, launch);
            if let Err(error) = self.admit_client(launch, stream, admit) {
                tracing::warn!(launch, %error, "a client is lost");
                if error.kind() == ErrorKind::QuotaExceeded {
                    return;
                }
            }
        }
    }

    /// Counts a client of a launch, if there is room for one more.
    pub(super) fn admit_client(
        &mut self,
        launch: u64,
        stream: UnixStream,
        admit: impl FnOnce(&mut Stage, UnixStream) -> std::io::Result<Client>,
    ) -> std::io::Result<Client> {
        if self.clients.len() >= MAX_CLIENTS {
            self.blame(launch);
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let connection = stream.as_raw_fd();
        let client = admit(&mut self.stage, stream)?;
        self.clients.push(Connected {
            client: client.clone(),
            connection,
        });
        Ok(client)
    }

    /// Takes the requests of every client, one client after the other, so that one whose requests drive the
    /// compositor's library into a panic (a pool resized to nothing does) can be told and disconnected.
    pub(super) fn dispatch_clients(&mut self) {
        let handle = self.display.handle().backend_handle();
        let mut broke = Vec::new();
        let (display, stage, patience) = (&mut self.display, &mut self.stage, &self.patience);
        self.clients.retain(|Connected { client, connection }| {
            let backend = display.backend();
            let mut dispatch = || {
                catch_unwind(AssertUnwindSafe(|| {
                    backend.dispatch_single_client(stage, client.id())
                }))
            };
            let (dispatched, cut_off) = patience.with(*connection, &mut dispatch);
            if cut_off {
                let launch = launch_of(client);
                tracing::warn!(
                    launch,
                    "a client's requests do not cease; it is disconnected"
                );
                broke.push(launch);
            }
            match dispatched {
                Ok(Ok(_)) => true,
                Ok(Err(error)) => error.kind() == ErrorKind::WouldBlock,
                Err(_) => {
                    let launch = launch_of(client);
                    tracing::error!(
                        launch,
                        "a client's request broke the compositor; it is disconnected"
                    );
                    handle.kill_client(client.id(), DisconnectReason::ConnectionClosed);
                    broke.push(launch);
                    // It is closed by a dispatch, of whomever; this one has nothing else to do.
                    let _ = dispatch();
                    false
                }
            }
        });
        self.stage.sweep();
        broke.into_iter().for_each(|launch| self.blame(launch));
    }

    /// A client of the launch had to be expelled.
    pub(super) fn blame(&mut self, launch: u64) {
        let faults = self.faults.entry(launch).or_default();
        *faults += 1;
        if *faults == MAX_FAULTS {
            tracing::error!(launch, "the app may not connect any more");
            self.close_app_door(launch);
        }
    }
}

/// Who waits at a door, if anybody does and there is a descriptor for one more; else they stay in the kernel's queue.
pub(super) fn next_of(door: &UnixListener) -> Option<UnixStream> {
    loop {
        match door.accept() {
            Ok((stream, _)) => return Some(stream),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn app_door(launch: u64) -> String {
    format!("wayland-{launch}")
}
