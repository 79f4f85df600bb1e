//! The gateway's routes.

use crate::assets;
use crate::door::Door;
use crate::metrics::Metrics;
use crate::protocol::MAX_UP;
use crate::viewer;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Connections that have not yet shown a credential, in all.
const MAX_WAITING: usize = 256;

/// What every connection of one gateway shares.
pub(crate) struct Gate<D> {
    pub(crate) door: Arc<D>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) waiting: Semaphore,
    assets: PathBuf,
}

/// The other end of a connection: whoever listens says it with each request, as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The gateway's routes: the player's page at `/play` with its files below, read from the folder
/// `assets`; the viewers' WebSocket at `/gateway/v1/ws`; and `/gateway/v1/alive`, which costs nothing and
/// tells a waiting player when to come back.
///
/// The listener is the caller's, and is to set `TCP_NODELAY`: a key press is a few bytes that must not
/// wait for more. A proxy in front must pass the `Host` header on, because only a page of the same host
/// may open the WebSocket.
pub fn router<D: Door>(door: Arc<D>, assets: impl Into<PathBuf>, metrics: Arc<Metrics>) -> Router {
    let gate = Arc::new(Gate {
        door,
        metrics,
        waiting: Semaphore::new(MAX_WAITING),
        assets: assets.into(),
    });
    Router::new()
        .route("/play", get(page::<D>))
        .route("/play/assets/{name}", get(asset::<D>))
        .route("/gateway/v1/alive", get(alive))
        .route("/gateway/v1/ws", get(websocket::<D>))
        .with_state(gate)
}

async fn page<D: Door>(State(gate): State<Arc<Gate<D>>>) -> Response {
    assets::page(&gate.assets).await
}

async fn asset<D: Door>(State(gate): State<Arc<Gate<D>>>, Path(name): Path<String>) -> Response {
    assets::asset(&gate.assets, &name).await
}

async fn alive() -> Response {
    (
        StatusCode::NO_CONTENT,
        [(header::CACHE_CONTROL, "no-store")],
    )
        .into_response()
}

async fn websocket<D: Door>(
    State(gate): State<Arc<Gate<D>>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !same_host(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let from = peer.map(|Extension(Peer(address))| address);
    // Four times what a player may send: a message a little too long is answered with a reason, one far
    // too long is not even read.
    upgrade
        .max_message_size(4 * MAX_UP)
        .max_frame_size(4 * MAX_UP)
        .on_upgrade(move |socket| viewer::serve(gate, socket, from))
}

/// Whether the page that opens the connection, if it is a page, came from here. Browsers always say
/// where a page came from; what says nothing is no page, and has no user's tokens to misuse.
fn same_host(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Uri>().ok());
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_same_host_may_connect() {
        let allowed = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "green.example:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            same_host(&headers)
        };
        assert!(allowed(None));
        assert!(allowed(Some("http://green.example:8080")));
        assert!(allowed(Some("https://GREEN.example:8080")));
        for foreign in [
            "null",
            "",
            "http://green.example",
            "http://green.example:80",
            "http://green.example:8080.evil.example",
            "http://user@green.example:8080",
        ] {
            assert!(!allowed(Some(foreign)), "{foreign}");
        }
    }
}
