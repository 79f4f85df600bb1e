//! One viewer's connection from its first message to its last.

use crate::bridge::{Bridge, Player};
use crate::door::{Admission, Door, Reason, Refusal};
use crate::http::Gate;
use crate::outgoing::Outgoing;
use crate::protocol::{self, Farewell, Hello, Up};
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a connection may stay without having said who it is.
const HELLO_LIMIT: Duration = Duration::from_secs(10);
/// How long the door may take to answer.
const DOOR_LIMIT: Duration = Duration::from_secs(10);
/// A player pings every 5 seconds; one that is not heard of for this long has gone without a word.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// The viewer's messages; `None` once it left.
struct Incoming(SplitStream<WebSocket>);

impl Incoming {
    /// The next message. Nothing is lost when this is dropped before it is ready.
    async fn next(&mut self) -> Result<Option<Up>, Farewell> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(Up::parse(&bytes)?)),
                Some(Ok(Message::Text(_))) => return Err(protocol::TEXT_MESSAGE.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
            }
        }
    }
}

/// Serves a viewer until it leaves or must go.
pub(crate) async fn serve<D: Door>(gate: Arc<Gate<D>>, socket: WebSocket, from: Option<IpAddr>) {
    let (sink, stream) = socket.split();
    let outgoing = Outgoing::spawn(sink);
    let mut incoming = Incoming(stream);
    let farewell = attend(&gate, &mut incoming, &outgoing, from).await.err();
    if let Some(farewell) = &farewell {
        gate.metrics.farewell(farewell);
        tracing::info!(code = farewell.code(), "closing a viewer's connection");
    }
    outgoing.close(farewell.as_ref()).await;
}

/// `Ok` when the viewer left by itself.
async fn attend<D: Door>(
    gate: &Gate<D>,
    incoming: &mut Incoming,
    outgoing: &Outgoing,
    from: Option<IpAddr>,
) -> Result<(), Farewell> {
    let waiting = gate.waiting.try_acquire().map_err(|_| Farewell::Crowded)?;
    let Some(hello) = hello(incoming).await? else {
        return Ok(());
    };
    let admission = timeout(DOOR_LIMIT, gate.door.redeem(hello.credential, from))
        .await
        .unwrap_or(Err(Refusal::Unavailable))?;
    drop(waiting);
    // Before the session is reached: the ticket is spent, so the player needs its token whatever follows.
    outgoing.control(protocol::welcome(&admission))?;
    let _counted = gate.metrics.admitted();
    tracing::info!(session.id = %admission.persistent_id, binding.id = %admission.binding, "a viewer came in");
    stay(
        gate,
        incoming,
        outgoing,
        &admission,
        Player {
            stream: hello.stream,
            size: hello.size,
            units: hello.units,
        },
    )
    .await
}

async fn hello(incoming: &mut Incoming) -> Result<Option<Hello>, Farewell> {
    match timeout(HELLO_LIMIT, incoming.next()).await {
        Err(_) => Err(Farewell::Silent),
        Ok(Err(farewell)) => Err(farewell),
        Ok(Ok(None)) => Ok(None),
        Ok(Ok(Some(Up::Hello(hello)))) if hello.version == protocol::VERSION => Ok(Some(hello)),
        Ok(Ok(Some(Up::Hello(_)))) => Err(Farewell::Version),
        Ok(Ok(Some(_))) => Err(protocol::NO_HELLO.into()),
    }
}

async fn stay<D: Door>(
    gate: &Gate<D>,
    incoming: &mut Incoming,
    outgoing: &Outgoing,
    admission: &Admission,
    player: Player,
) -> Result<(), Farewell> {
    let mut bridge = Bridge::connect(admission, player, outgoing, &gate.metrics).await?;
    gate.door.connected(&admission.binding).await;
    let outcome = relay(&mut bridge, incoming, admission.revoked.clone()).await;
    gate.door.disconnected(&admission.binding).await;
    outcome
}

async fn relay(
    bridge: &mut Bridge<'_>,
    incoming: &mut Incoming,
    mut revoked: watch::Receiver<Option<Reason>>,
) -> Result<(), Farewell> {
    let mut silent_at = Instant::now() + IDLE_LIMIT;
    loop {
        tokio::select! {
            farewell = revocation(&mut revoked) => return Err(farewell),
            message = timeout_at(silent_at, incoming.next()) => {
                let Some(message) = message.unwrap_or(Ok(None))? else {
                    return Ok(());
                };
                silent_at = Instant::now() + IDLE_LIMIT;
                bridge.on_viewer(message).await?;
            }
            happening = bridge.happening() => {
                if !bridge.on_happening(happening).await? {
                    return Ok(());
                }
            }
        }
    }
}

async fn revocation(revoked: &mut watch::Receiver<Option<Reason>>) -> Farewell {
    match revoked
        .wait_for(Option::is_some)
        .await
        .map(|reason| *reason)
    {
        Ok(Some(reason)) => reason.into(),
        Ok(None) | Err(_) => Farewell::DoorClosed,
    }
}
