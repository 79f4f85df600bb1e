//! Joins one admitted viewer to its session: input and size to the holder, units from the streamer.
//!
//! The holder's link lives as long as the viewer. The streamer is disposable: when its link breaks, the
//! holder is asked for another one and the player for what it has, and the viewer stays connected.

use crate::copying::Copying;
use crate::door::{Admission, Endpoint, Rights};
use crate::link::{Link, LinkError};
use crate::metrics::Metrics;
use crate::outgoing::{Outgoing, State};
use crate::protocol::{self, Farewell, Size, Up};
use greenroom_session_api::input::{Event, Input};
use greenroom_session_api::spec::HOLDER_SOCKET;
use greenroom_session_api::units::{self, Class, Have};
use greenroom_session_api::{Role, Welcome, viewer};
use std::time::Duration;
use tokio::sync::mpsc::Permit;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long the holder may take to have a streamer listening.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// How long a streamer may take to answer at first; one that has just begun takes some 50 milliseconds.
const GREETING_LIMIT: Duration = Duration::from_millis(250);
/// Attempts in a row before the viewer is sent away, to come back by itself: 4 to 30 seconds, by what fails.
const MAX_ATTEMPTS: u32 = 8;

/// What a player says of itself before anything else.
pub(crate) struct Player {
    /// Its input stream.
    pub stream: u64,
    /// The size of its window, when it has one.
    pub size: Option<Size>,
    /// The highest version of units it draws.
    pub units: u32,
}

/// A viewer's links to its session.
pub(crate) struct Bridge<'a> {
    persistent_id: &'a str,
    endpoint: &'a Endpoint,
    rights: Rights,
    stream: u64,
    units: u32,
    outgoing: &'a Outgoing,
    metrics: &'a Metrics,
    holder: Link,
    picture: Picture,
    /// What the player holds; forgotten when units begin to change it.
    have: Option<Have>,
    attempts: u32,
    copying: Copying<'a>,
}

/// The way to the picture.
enum Picture {
    /// The holder was asked for a streamer, and will be asked again then.
    Asked(Instant),
    /// The streamer listens; what the player holds is not known yet.
    Listening(String),
    /// The streamer was told what the player holds and has until then to answer. It may have died before
    /// the holder noticed: then the holder's socket takes the connection, and nobody is behind it.
    Greeting(Link, Instant),
    /// Units arrive.
    Flowing(Link),
    /// The last attempt failed; the next is then.
    Resting(Instant),
}

/// What happened on the session's side.
pub(crate) enum Happening<'a> {
    Holder(Result<viewer::FromHolder, LinkError>),
    Greeted(Result<units::FromStreamer, LinkError>),
    Streamer(Permit<'a, Vec<u8>>, Result<units::FromStreamer, LinkError>),
    /// What was waited for did not come, or the pause is over.
    Due,
    /// Nothing can be written to the viewer any more.
    ViewerGone,
}

impl<'a> Bridge<'a> {
    /// Connects to the holder, gives it the viewer's size and asks for the picture.
    pub(crate) async fn connect(
        admission: &'a Admission,
        player: Player,
        outgoing: &'a Outgoing,
        metrics: &'a Metrics,
    ) -> Result<Self, Farewell> {
        let socket = admission.endpoint.run_dir.join(HOLDER_SOCKET);
        let holder = Link::connect(&socket, &admission.endpoint.key, Role::Viewer)
            .await
            .map_err(|error| lost(&error))?;
        let mut bridge = Self {
            persistent_id: admission.persistent_id.as_str(),
            endpoint: &admission.endpoint,
            rights: admission.rights,
            stream: player.stream,
            units: player.units,
            outgoing,
            metrics,
            holder,
            picture: Picture::Resting(Instant::now()),
            have: None,
            attempts: 0,
            copying: Copying::new(admission.rights, outgoing, metrics),
        };
        let want = bridge.rights.want(false);
        bridge
            .tell_holder(viewer::to_holder::Order::Want(want))
            .await?;
        // Before the picture is asked for, so that the first one has the right size already.
        if let Some(size) = player.size {
            bridge.resize(size).await?;
        }
        bridge.ask_for_streamer().await?;
        Ok(bridge)
    }

    /// Waits for the session. Nothing is lost when this is dropped before it is ready.
    pub(crate) async fn happening(&mut self) -> Happening<'a> {
        let outgoing = self.outgoing;
        let picture = async {
            match &mut self.picture {
                Picture::Flowing(link) => match outgoing.ready().await {
                    // Only now is the unit read: what waits for a slow viewer waits in the streamer,
                    // as state, not here as a queue.
                    Some(permit) => Happening::Streamer(permit, link.next().await),
                    None => Happening::ViewerGone,
                },
                Picture::Greeting(link, until) => match timeout_at(*until, link.next()).await {
                    Ok(news) => Happening::Greeted(news),
                    Err(_) => Happening::Due,
                },
                Picture::Asked(at) | Picture::Resting(at) => {
                    sleep_until(*at).await;
                    Happening::Due
                }
                Picture::Listening(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            news = self.holder.next() => Happening::Holder(news),
            happening = picture => happening,
            () = outgoing.closed() => Happening::ViewerGone,
        }
    }

    /// Acts on what happened on the session's side. `false` when the viewer has gone.
    pub(crate) async fn on_happening(&mut self, it: Happening<'a>) -> Result<bool, Farewell> {
        match it {
            Happening::Holder(news) => {
                let news = news.map_err(|error| lost(&error))?;
                self.on_holder(news).await?;
            }
            Happening::Greeted(news) => self.on_greeting(news).await?,
            Happening::Streamer(permit, Ok(news)) => self.on_streamer(permit, news),
            Happening::Streamer(_, Err(error)) => self.lose_streamer(&error).await?,
            Happening::Due => match self.picture {
                Picture::Resting(_) => self.ask_for_streamer().await?,
                _ => self.rest().await?,
            },
            Happening::ViewerGone => return Ok(false),
        }
        Ok(true)
    }

    /// Acts on a message of the player.
    pub(crate) async fn on_viewer(&mut self, message: Up) -> Result<(), Farewell> {
        match message {
            Up::Input(events) => self.input(events).await,
            Up::Resize(size) => self.resize(size).await,
            Up::Ping { at } => self.outgoing.control(protocol::pong(at)),
            Up::Ack(update) => self.ack(update).await,
            Up::Have(have) => self.have(have).await,
            Up::Hello(_) => Err(protocol::SECOND_HELLO.into()),
            Up::WantCopied(_) | Up::Copied(_) | Up::ReadCopied(_) | Up::CopiedPart(_) => {
                match self.copying.on_viewer(message) {
                    Some(order) => self.tell_holder(order).await,
                    None => Ok(()),
                }
            }
            Up::Unknown => Ok(()),
        }
    }

    async fn input(&mut self, events: Vec<Event>) -> Result<(), Farewell> {
        if !self.rights.input {
            return Ok(());
        }
        self.metrics.events(events.len());
        let stream = self.stream;
        self.tell_holder(viewer::to_holder::Order::Input(Input { stream, events }))
            .await
    }

    async fn resize(&mut self, size: Size) -> Result<(), Farewell> {
        if !self.rights.controller {
            return Ok(());
        }
        self.tell_holder(viewer::to_holder::Order::Resize(viewer::Resize {
            width: size.width,
            height: size.height,
            scale_120: size.scale120,
        }))
        .await
    }

    async fn ask_for_streamer(&mut self) -> Result<(), Farewell> {
        self.tell_holder(viewer::to_holder::Order::OpenStream(viewer::OpenStream {}))
            .await?;
        self.picture = Picture::Asked(Instant::now() + OPEN_LIMIT);
        Ok(())
    }

    async fn tell_holder(&mut self, order: viewer::to_holder::Order) -> Result<(), Farewell> {
        self.holder
            .send(&viewer::ToHolder { order: Some(order) })
            .await
            .map_err(|error| lost(&error))
    }

    async fn have(&mut self, have: Have) -> Result<(), Farewell> {
        let have = Have {
            units: self.units,
            ..have
        };
        if matches!(self.picture, Picture::Flowing(_)) {
            // The player lost its state while the streamer did not.
            return self
                .tell_streamer(units::to_streamer::Order::Have(have))
                .await;
        }
        self.have = Some(have);
        self.open_units().await
    }

    async fn ack(&mut self, update: u64) -> Result<(), Farewell> {
        self.tell_streamer(units::to_streamer::Order::Ack(units::Ack { update }))
            .await
    }

    async fn tell_streamer(&mut self, order: units::to_streamer::Order) -> Result<(), Farewell> {
        // Without a streamer this is an ack for units of one that is no more.
        let Picture::Flowing(link) = &mut self.picture else {
            return Ok(());
        };
        match link.send(&units::ToStreamer { order: Some(order) }).await {
            Ok(()) => Ok(()),
            Err(error) => self.lose_streamer(&error).await,
        }
    }

    async fn on_holder(&mut self, news: viewer::FromHolder) -> Result<(), Farewell> {
        use viewer::from_holder::News;
        match news.news {
            Some(News::Welcome(welcome)) => self.check(&welcome).map_err(|error| lost(&error)),
            Some(News::InputAck(ack)) => {
                if ack.stream == self.stream {
                    self.outgoing.input_ack(ack.seq);
                }
                Ok(())
            }
            Some(News::StreamAt(at)) => {
                if matches!(self.picture, Picture::Asked(_)) {
                    self.picture = Picture::Listening(at.socket);
                    self.open_units().await?;
                }
                Ok(())
            }
            Some(News::Ending(ending)) => Err(Farewell::SessionEnding(ending.reason)),
            Some(copying @ (News::Copied(_) | News::ReadCopied(_) | News::CopiedPart(_))) => {
                self.copying.on_holder(&copying)
            }
            Some(News::Cursor(cursor)) => self.state(State::Pointer, protocol::pointer(&cursor)),
            Some(News::CursorImage(image)) => {
                self.state(State::PointerImage, protocol::pointer_image(&image))
            }
            Some(News::TextField(field)) => {
                self.state(State::TextField, protocol::text_field(&field))
            }
            None => Ok(()),
        }
    }

    fn state(&self, state: State, message: Vec<u8>) -> Result<(), Farewell> {
        self.outgoing.state(state, message);
        Ok(())
    }

    /// Connects to the streamer once both it and the player's state are known.
    async fn open_units(&mut self) -> Result<(), Farewell> {
        let Picture::Listening(socket) = &self.picture else {
            return Ok(());
        };
        let Some(have) = self.have.clone() else {
            return Ok(());
        };
        match self.connect_streamer(socket, have).await {
            Ok(link) => {
                let patience = GREETING_LIMIT * (1 << self.attempts.min(4));
                self.picture = Picture::Greeting(link, Instant::now() + patience);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(session.id = self.persistent_id, %error, "the streamer cannot be reached");
                self.rest().await
            }
        }
    }

    async fn connect_streamer(&self, socket: &str, have: Have) -> Result<Link, LinkError> {
        // A name beside the holder's socket; anything else would let a holder choose the gateway's peers.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if socket.is_empty() || socket.starts_with('.') || !socket.bytes().all(plain) {
            return Err(LinkError::SocketName);
        }
        let path = self.endpoint.run_dir.join(socket);
        let mut link = Link::connect(&path, &self.endpoint.key, Role::Units).await?;
        let order = Some(units::to_streamer::Order::Have(have));
        link.send(&units::ToStreamer { order }).await?;
        Ok(link)
    }

    /// The first message of a streamer is to be its welcome.
    async fn on_greeting(
        &mut self,
        news: Result<units::FromStreamer, LinkError>,
    ) -> Result<(), Farewell> {
        use units::from_streamer::News;
        let welcomed = match news {
            Ok(units::FromStreamer {
                news: Some(News::Welcome(welcome)),
            }) => self.check(&welcome),
            Ok(_) => Err(LinkError::NoWelcome),
            Err(error) => Err(error),
        };
        let picture = std::mem::replace(&mut self.picture, Picture::Resting(Instant::now()));
        match (welcomed, picture) {
            (Ok(()), Picture::Greeting(link, _)) => {
                // From here on the player's state changes with every unit.
                self.have = None;
                self.picture = Picture::Flowing(link);
                Ok(())
            }
            (Err(error), _) => {
                tracing::info!(session.id = self.persistent_id, %error, "the streamer does not welcome");
                self.rest().await
            }
            // Only a greeting is greeted.
            (Ok(()), _) => Ok(()),
        }
    }

    fn on_streamer(&mut self, permit: Permit<'a, Vec<u8>>, news: units::FromStreamer) {
        use units::from_streamer::News;
        // A streamer that says something newer is not understood; the picture goes on without it.
        if let Some(News::Unit(unit)) = news.news {
            self.attempts = 0;
            // A class of a newer streamer is one nobody was given a right to.
            let class = Class::try_from(unit.class).unwrap_or(Class::Unspecified);
            if self.rights.receives(class)
                && let Some(message) = protocol::unit(unit.class, &unit.bytes)
            {
                self.metrics.forwarded(class, unit.bytes.len());
                permit.send(message);
            } else {
                self.metrics.withheld();
            }
        }
    }

    /// Takes the streamer for lost: the player is asked for its state, the holder for another streamer.
    async fn lose_streamer(&mut self, error: &LinkError) -> Result<(), Farewell> {
        tracing::info!(session.id = self.persistent_id, %error, "the streamer is gone; asking for another");
        self.metrics.resync();
        self.have = None;
        self.outgoing.control(protocol::resync())?;
        self.rest().await
    }

    /// Counts a failed attempt. The first is repeated at once, since most often the streamer was replaced.
    async fn rest(&mut self) -> Result<(), Farewell> {
        self.attempts += 1;
        if self.attempts == 1 {
            return self.ask_for_streamer().await;
        }
        if self.attempts > MAX_ATTEMPTS {
            return Err(Farewell::SessionLost);
        }
        let pause = Duration::from_millis(10 << self.attempts.min(7));
        self.picture = Picture::Resting(Instant::now() + pause);
        Ok(())
    }

    fn check(&self, welcome: &Welcome) -> Result<(), LinkError> {
        if welcome.persistent_id == self.persistent_id {
            Ok(())
        } else {
            Err(LinkError::OtherSession)
        }
    }
}

fn lost(error: &LinkError) -> Farewell {
    tracing::info!(%error, "the holder cannot be reached");
    Farewell::SessionLost
}
