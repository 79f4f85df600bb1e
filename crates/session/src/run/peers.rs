//! The server and the gateways at the door.

use super::clients::next_of;
use super::io::{Taken, give, take};
use super::states::tell;
use super::{HELLO_WITHIN, Holder, Peer, geometry};
use crate::links::{Link, Order};
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction};
use greenroom_session_api::{control, input, viewer};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

/// Connections at once: more viewers than a session can have, few enough to cost nothing.
const MAX_PEERS: usize = 128;

impl Holder {
    pub(super) fn admit_peers(&mut self, door: &UnixListener) {
        while let Some(stream) = next_of(door) {
            // Apps have the socket's owner as their user: one that found the socket and even the key is no server.
            let uid = rustix::net::sockopt::socket_peercred(&stream).map(|peer| peer.uid.as_raw());
            if uid.is_err() || uid.is_ok_and(|uid| uid != 0 && uid != self.setup.starter) {
                tracing::warn!("a connection is refused: another user's");
                continue;
            }
            if self.peers.len() >= MAX_PEERS || stream.set_nonblocking(true).is_err() {
                tracing::warn!("a connection is refused: too many");
                continue;
            }
            let stream = Rc::new(stream);
            self.peers_ever += 1;
            let peer = self.peers_ever;
            // Edge-triggered, so that a socket that could be written but need not be wakes nobody.
            let source = Generic::new(Rc::clone(&stream), Interest::BOTH, Mode::Edge);
            let inserted = self.handle.insert_source(source, move |_, _, holder| {
                holder.hear_peer(peer);
                Ok(PostAction::Continue)
            });
            self.peers.insert(
                peer,
                Peer {
                    stream,
                    link: Link::default(),
                    token: inserted.ok(),
                    came: Instant::now(),
                    states: super::states::States::default(),
                },
            );
        }
    }

    fn hear_peer(&mut self, id: u64) {
        while let Some(peer) = self.peers.get_mut(&id) {
            let bytes = match take(&peer.stream) {
                Taken::Bytes(bytes) => bytes,
                Taken::Nothing => break,
                Taken::Closed => return self.drop_peer(id),
            };
            match peer.link.receive(&bytes, &self.door) {
                Ok(orders) => orders.into_iter().for_each(|order| self.obey(id, order)),
                Err(error) => {
                    tracing::warn!(%error, "a connection is closed");
                    return self.drop_peer(id);
                }
            }
        }
    }

    fn drop_peer(&mut self, id: u64) {
        let Some(peer) = self.peers.remove(&id) else {
            return;
        };
        if let Some(token) = peer.token {
            self.handle.remove(token);
        }
        self.due.report = true;
        self.forget_copied_by(id);
        // Whoever held keys down cannot let go of them any more, and the app would repeat them for ever.
        if self.typing == Some(id) {
            self.typing = None;
            let now = self.since_began(Instant::now());
            self.guarded(|holder| holder.stage.let_go(now));
        }
    }

    /// Sends what waits, and sees off those who are late or do not read.
    pub(super) fn tend_peers(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for (id, peer) in &mut self.peers {
            let late = peer.link.role().is_none() && now >= peer.came + HELLO_WITHIN;
            let sent = give(&peer.stream, &mut peer.link.outbox).and_then(|()| {
                if tell(peer, &mut self.stage, &self.clipboard) {
                    give(&peer.stream, &mut peer.link.outbox)?;
                }
                Ok(())
            });
            if late || sent.is_err() {
                gone.push(*id);
            }
        }
        gone.into_iter().for_each(|id| self.drop_peer(id));
    }

    fn obey(&mut self, id: u64, order: Order) {
        use control::to_holder::Order as Control;
        use viewer::to_holder::Order as Viewer;
        match order {
            Order::ControlOpened => self.due.report = true,
            Order::ViewerOpened => {
                self.due.report = true;
                let name = self.stage.cursor().to_owned();
                self.tell_viewer(
                    id,
                    viewer::from_holder::News::Cursor(viewer::Cursor { name }),
                );
            }
            Order::Control(Control::Launch(launch)) => self.launch(&launch),
            Order::Control(Control::Stop(stop)) => {
                self.begin_stop(stop.grace_ms, ExitCode::SUCCESS)
            }
            Order::Control(Control::Ask(ask)) => self.answer(id, &ask),
            Order::Control(Control::Show(show)) => self.show(show.files),
            Order::Viewer(Viewer::Want(want)) => self.want(id, want),
            Order::Viewer(Viewer::Input(input)) => self.take_input(id, &input),
            Order::Viewer(Viewer::Resize(size)) => {
                self.resize(geometry(size.width, size.height, size.scale_120));
            }
            Order::Viewer(Viewer::Copied(offer)) => self.viewer_copied(id, &offer),
            Order::Viewer(Viewer::CopiedPart(part)) => self.take_part(id, &part),
            Order::Viewer(Viewer::ReadCopied(read)) => {
                let part = self.clipboard.part(&read);
                self.tell_viewer(id, viewer::from_holder::News::CopiedPart(part));
            }
            Order::Viewer(Viewer::OpenStream(_)) => match self.open_streamer() {
                Ok(socket) => self.tell_viewer(
                    id,
                    viewer::from_holder::News::StreamAt(viewer::StreamAt { socket }),
                ),
                Err(error) => {
                    tracing::error!(%error, "the streamer cannot be started");
                    // The gateway has nothing to wait for.
                    self.drop_peer(id);
                }
            },
        }
    }

    fn tell_viewer(&mut self, id: u64, news: viewer::from_holder::News) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.link.tell_viewer(news);
        }
    }

    fn take_input(&mut self, id: u64, input: &input::Input) {
        let now = self.since_began(Instant::now());
        self.typing = Some(id);
        for event in &input.events {
            if self.streams.accept(input.stream, event.seq) {
                self.guarded(|holder| holder.stage.input(event, now));
            }
        }
        // What was had before is acknowledged again: the ack may have been what was lost.
        if let Some(ack) = self.streams.ack(input.stream) {
            self.tell_viewer(id, viewer::from_holder::News::InputAck(ack));
        }
    }

    /// Tells every viewer that the session ends.
    pub(super) fn announce_end(&mut self, reason: &str) {
        let ending = viewer::from_holder::News::Ending(viewer::Ending {
            reason: reason.to_owned(),
        });
        for peer in self.peers.values_mut() {
            peer.link.tell_viewer(ending.clone());
        }
    }
}
