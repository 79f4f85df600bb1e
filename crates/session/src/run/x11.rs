//! Apps that speak X: the X server of a launch, which init starts with the first connection of an app, and the link
//! to the program that keeps it.

use super::Holder;
use super::clients::next_of;
use super::io::{Taken, give, take};
use crate::display::Stage;
use crate::links::Outbox;
use crate::sandbox::{Bwrap, Sandbox};
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction, RegistrationToken};
use greenroom_session_api::FrameBuffer;
use greenroom_session_api::init::{Serve, to_init};
use greenroom_session_api::x11::{
    Begin, Close, FromX11, Repaint, Scale, Shown, ToX11, from_x11::News, to_x11::Order,
};
use smithay::reexports::wayland_server::Client;
use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;

/// The longest news of an X server, titles included.
const MAX_NEWS: usize = 64 << 10;
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
}

impl XServer {
    fn tell(&mut self, order: Order) {
        self.outbox.push(&ToX11 { order: Some(order) }, None);
    }

    /// Reads what there is. What is shown is a state, of which only the last counts.
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
