//! Apps that speak X: the X server of a launch, which init starts with the first connection of an app, and the link
//! to the program that keeps it.

use super::Holder;
use super::clients::next_of;
use super::io::{Taken, give, take};
use crate::display::{Owner, Stage};
use crate::links::Outbox;
use crate::sandbox::{Bwrap, Sandbox};
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction, RegistrationToken};
use greenroom_session_api::FrameBuffer;
use greenroom_session_api::init::{Serve, to_init};
use greenroom_session_api::x11::{
    Begin, Close, FromX11, Offered, Receive, Repaint, Scale, Shown, Source, ToX11, Write,
    from_x11::News, to_x11::Order,
};
use rustix::pipe::PipeFlags;
use smithay::reexports::wayland_server::Client;
use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;

/// The longest news of an X server, titles included.
const MAX_NEWS: usize = 64 << 10;
/// Pastes that are heard of at once; the keeper has fewer under way.
const MAX_PASTES: usize = 16;
/// A launch has one, and whoever asks for more of them asks in vain.
const MAX_SERVERS: usize = 64;

/// Every X server of the session and where more are asked for.
#[derive(Default)]
pub(super) struct XServers {
    doors: HashMap<u64, RegistrationToken>,
    running: HashMap<u64, XServer>,
    ever: u64,
}

struct XServer {
    stream: Rc<UnixStream>,
    inbox: FrameBuffer,
    outbox: Outbox,
    token: Option<RegistrationToken>,
    client: Client,
    /// Up to which of the things that were copied it knows.
    offered: u64,
}

impl XServer {
    fn tell(&mut self, order: Order) {
        self.outbox.push(&ToX11 { order: Some(order) }, None);
    }

    /// Reads what there is. What is shown, and what was copied, is a state, of which only the last counts.
    fn hear(&mut self) -> Heard {
        let mut heard = Heard::default();
        while !heard.is_over {
            match take(&self.stream) {
                Taken::Bytes(bytes) => self.inbox.push(&bytes),
                Taken::Nothing => break,
                Taken::Closed => heard.is_over = true,
            }
            loop {
                match self.inbox.take::<FromX11>() {
                    Ok(Some(FromX11 { news: None })) => {}
                    Ok(Some(FromX11 {
                        news: Some(News::Shown(shown)),
                    })) => heard.shown = Some(shown),
                    Ok(Some(FromX11 {
                        news: Some(News::Copied(offered)),
                    })) => heard.copied = Some(offered),
                    Ok(Some(FromX11 {
                        news: Some(News::Receive(receive)),
                    })) => {
                        if heard.pastes.len() < MAX_PASTES {
                            heard.pastes.push(receive);
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "an X server cannot be understood");
                        heard.is_over = true;
                        break;
                    }
                }
            }
        }
        heard
    }
}

/// What was read of an X server.
#[derive(Default)]
struct Heard {
    shown: Option<Shown>,
    copied: Option<Offered>,
    pastes: Vec<Receive>,
    is_over: bool,
}

impl Holder {
    /// Offers the apps of a launch an X server; answers what `DISPLAY` is to say. None where none is installed.
    pub(super) fn offer_x_server(&mut self, launch: u64, display: &str) -> Option<String> {
        let mut argv = self.setup.x11.clone()?;
        let admit = move |holder: &mut Self, door: &_| holder.admit_x_servers(door, launch);
        match self.open_door(&x_door(launch), admit) {
            Ok(token) => self.x_servers.doors.insert(launch, token),
            Err(error) => {
                tracing::error!(launch, %error, "no X server for an app");
                return None;
            }
        };
        let link = format!("{}/{}", Bwrap.runtime_dir(), x_door(launch));
        argv.extend([launch.to_string(), link]);
        let order = Serve {
            name: "x11".to_owned(),
            path: format!("/tmp/.X11-unix/X{launch}"),
            argv,
            env: self.environment(display, None, &[]),
            launch,
            opening: Vec::new(),
        };
        self.tell_init(to_init::Order::Serve(order)).ok()?;
        Some(format!(":{launch}"))
    }

    /// No X server is begun for a launch any more; one that runs goes on for those who have connected.
    pub(super) fn close_x_door(&mut self, launch: u64) {
        if let Some(token) = self.x_servers.doors.remove(&launch) {
            self.handle.remove(token);
            self.setup.sockets.remove(&x_door(launch));
        }
    }

    fn admit_x_servers(&mut self, door: &UnixListener, launch: u64) {
        while let Some(stream) = next_of(door) {
            if self.x_servers.running.len() >= MAX_SERVERS {
                tracing::warn!(launch, "an X server is refused: too many");
            } else if let Err(error) = self.begin_x_server(stream, launch) {
                tracing::warn!(launch, %error, "an X server is lost");
            }
        }
    }

    fn begin_x_server(&mut self, stream: UnixStream, launch: u64) -> std::io::Result<()> {
        stream.set_nonblocking(true)?;
        let stream = Rc::new(stream);
        let (ours, theirs) = UnixStream::pair()?;
        let admit = |stage: &mut Stage, stream| stage.admit_x_server(stream, launch);
        let client = self.admit_client(launch, ours, admit)?;
        self.x_servers.ever += 1;
        let id = self.x_servers.ever;
        let source = Generic::new(Rc::clone(&stream), Interest::BOTH, Mode::Edge);
        let inserted = self.handle.insert_source(source, move |_, _, holder| {
            holder.hear_x_server(id);
            Ok(PostAction::Continue)
        });
        let mut server = XServer {
            offered: 0,
            stream,
            inbox: FrameBuffer::new(MAX_NEWS),
            outbox: Outbox::default(),
            token: inserted.ok(),
            client,
        };
        let begin = ToX11 {
            order: Some(Order::Begin(Begin {})),
        };
        server.outbox.push(&begin, Some(theirs.into()));
        server.tell(self.scale());
        self.x_servers.running.insert(id, server);
        Ok(())
    }

    /// Any app can speak as an X server's keeper does, so it may take as much of our time at once as a client.
    fn hear_x_server(&mut self, id: u64) {
        let Some(server) = self.x_servers.running.get_mut(&id) else {
            return;
        };
        let connection = server.stream.as_raw_fd();
        let (heard, cut_off) = self.patience.with(connection, || server.hear());
        if let Some(shown) = heard.shown {
            let client = server.client.clone();
            self.guarded(|holder| holder.stage.x_server_shows(&client, shown));
        }
        if let Some(offered) = heard.copied {
            self.x_app_copied(id, offered);
        }
        for receive in heard.pastes {
            self.x_app_pastes(id, &receive);
        }
        if cut_off {
            tracing::warn!("an X server's news do not cease; it is disconnected");
        }
        if heard.is_over {
            self.drop_x_server(id);
        }
    }

    /// Nobody keeps it any more, so it goes.
    fn drop_x_server(&mut self, id: u64) {
        let Some(server) = self.x_servers.running.remove(&id) else {
            return;
        };
        if let Some(token) = server.token {
            self.handle.remove(token);
        }
        if self.stage.copied_by() == Some(Owner::X(id)) {
            self.stage.offer_copied(Owner::X(id), Vec::new());
        }
        self.stage.expel_x_server(&server.client);
        self.dispatch_clients();
    }

    /// Tells every X server the output's scale.
    pub(super) fn scale_x_servers(&mut self) {
        let scale = self.scale();
        self.tell_x_servers(&scale);
    }

    /// Has every X server draw a frame, changed or not.
    pub(super) fn repaint_x_servers(&mut self) {
        self.tell_x_servers(&Order::Repaint(Repaint {}));
    }

    /// Has every X server ask its windows to close.
    pub(super) fn close_x_windows(&mut self) {
        self.tell_x_servers(&Order::Close(Close {}));
    }

    fn tell_x_servers(&mut self, order: &Order) {
        for server in self.x_servers.running.values_mut() {
            server.tell(order.clone());
        }
    }

    /// An app of an X server has copied something, which it may while the X server has the keyboard.
    fn x_app_copied(&mut self, id: u64, offered: Offered) {
        let Some(server) = self.x_servers.running.get(&id) else {
            return;
        };
        let owner = Owner::X(id);
        let types = Offered::bounded(offered.types).types;
        // Nothing any more is its to say only of its own.
        let may = match types.is_empty() {
            true => self.stage.copied_by() == Some(owner),
            false => self.stage.has_keyboard(&server.client),
        };
        if may {
            self.stage.offer_copied(owner, types);
        }
    }

    /// An app of an X server pastes, which it may while the X server has the keyboard; else it finds nothing.
    fn x_app_pastes(&mut self, id: u64, receive: &Receive) {
        let Some(server) = self.x_servers.running.get_mut(&id) else {
            return;
        };
        let Ok((from, into)) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC) else {
            return;
        };
        let number = receive.number;
        let order = Some(Order::Source(Source { number }));
        server.outbox.push(&ToX11 { order }, Some(from));
        if self.stage.has_keyboard(&server.client) {
            self.write_copied(&receive.name, into);
        }
    }

    /// Has an app of an X server write what it has copied.
    pub(super) fn write_by_x_server(&mut self, id: u64, name: String, into: OwnedFd) {
        if let Some(server) = self.x_servers.running.get_mut(&id) {
            let order = Some(Order::Write(Write { name }));
            server.outbox.push(&ToX11 { order }, Some(into));
        }
    }

    /// Tells the X server that has the keyboard what others have copied, if it does not know it.
    pub(super) fn offer_to_x_servers(&mut self) {
        let (stage, times) = (&self.stage, self.stage.times_copied());
        for (id, server) in &mut self.x_servers.running {
            if server.offered < times && stage.has_keyboard(&server.client) {
                server.offered = times;
                if stage.copied_by() != Some(Owner::X(*id)) {
                    let types = stage.copied_types().iter().cloned();
                    server.tell(Order::Offered(Offered::bounded(types)));
                }
            }
        }
    }

    /// Sends the X servers what waits for them.
    pub(super) fn tend_x_servers(&mut self) {
        let stuck = self
            .x_servers
            .running
            .iter_mut()
            .filter_map(|(id, server)| {
                give(&server.stream, &mut server.outbox)
                    .is_err()
                    .then_some(*id)
            });
        for id in stuck.collect::<Vec<_>>() {
            self.drop_x_server(id);
        }
    }

    fn scale(&self) -> Order {
        Order::Scale(Scale {
            scale_120: self.stage.geometry().scale_120,
        })
    }
}

/// Where `greenroom-x11` finds the holder, among the compositor's sockets.
fn x_door(launch: u64) -> String {
    format!("x11-{launch}")
}
