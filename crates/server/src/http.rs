//! HTTP: the API at `/`, the gateway's routes, and what operators' tools ask for.

use crate::dispatch::Api;
use crate::metrics::{Census, render_reconcilers, render_sessions, render_store};
use crate::reconcilers::Health;
use crate::runtime::{Figures, Wall};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use greenroom_gateway::Metrics;
use greenroom_model::Clock;
use greenroom_rpc::encoding::MAX_BODY_BYTES;
use greenroom_rpc::{RawRequest, Reply};
use greenroom_store::Store;
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How much of a body that is too large is taken in before it is refused: a client that still writes would
/// not hear the answer.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// How long the database's answer counts. It writes to answer, and anybody may ask.
const PING_AGE: Duration = Duration::from_secs(1);

/// How long the database may take to show that it works.
const PING_TIME: Duration = Duration::from_secs(2);

/// What the routes share.
pub struct Site {
    /// The API.
    pub api: Api,
    /// The database, asked whether it works.
    pub store: Store,
    /// How the reconcilers are.
    pub health: Health,
    /// What lives here, for `/metrics`.
    pub census: Census,
    /// What the sessions here take; asks the kernel.
    pub sessions: Box<dyn Fn() -> Vec<Figures> + Send + Sync>,
    /// What keeps the sessions here apart.
    pub walls: Vec<Wall>,
    /// What the gateway counts.
    pub gateway: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Set when the server is about to end: no new work should be sent.
    pub draining: AtomicBool,
    /// What the database showed when it was last asked.
    pub pinged: Mutex<Option<Pinged>>,
}

/// What the database showed, and when.
#[derive(Debug, Clone)]
pub struct Pinged {
    at: Instant,
    trouble: Option<String>,
}

/// The routes of the API and of operators' tools; the gateway's are merged by the caller.
pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", any(rpc))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(site)
}

async fn rpc(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = headers(&parts.headers);
    // Who listens puts it there; a request that came another way is from nowhere that is known.
    let origin = parts.extensions.get().copied().unwrap_or_default();
    let raw = |body| RawRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body,
    };
    match read(body).await {
        Read::Whole(bytes) => response(site.api.call(&raw(&bytes), origin).await),
        Read::TooLarge => response(site.api.too_large(&raw(&[]), origin)),
        // Nobody is left to be answered.
        Read::Broken => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

enum Read {
    Whole(Vec<u8>),
    TooLarge,
    Broken,
}

async fn read(body: Body) -> Read {
    tokio::time::timeout(BODY_TIME, read_bounded(body))
        .await
        .unwrap_or(Read::Broken)
}

async fn read_bounded(mut body: Body) -> Read {
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Read::Broken;
        };
        let data: Bytes = frame.into_data().unwrap_or_default();
        received += data.len();
        if received <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if received > MAX_DISCARDED {
            break;
        }
    }
    if received <= MAX_BODY_BYTES {
        Read::Whole(bytes)
    } else {
        Read::TooLarge
    }
}

/// The headers as sent. A value that is not UTF-8 cannot be one that a client signed.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (
        status,
        [(header::CONTENT_TYPE, reply.content_type)],
        reply.body,
    )
        .into_response();
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Calls will be answered and sessions looked after.
async fn readyz(State(site): State<Arc<Site>>) -> Response {
    match site.trouble().await {
        None => {
            let walls = site.walls.iter().map(|wall| format!("{wall}\n"));
            let orphans = site.health.report().orphans;
            let orphans = orphans.iter().map(|orphan| format!("{orphan}\n"));
            let lines: String = walls.chain(orphans).collect();
            format!("ready\n{lines}").into_response()
        }
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")).into_response(),
    }
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let mut text = String::new();
    site.api.calls().render(&mut text);
    site.gateway.render(&mut text);
    render_reconcilers(&site.health.report(), &mut text);
    render_store(&site.store.figures(), &mut text);
    site.census.render(&mut text).await;
    let asked = tokio::task::spawn_blocking(move || (site.sessions)());
    if let Ok(sessions) = asked.await {
        render_sessions(&sessions, &mut text);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

impl Site {
    async fn trouble(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("the server is ending".to_owned());
        }
        let database = self.database_trouble().await;
        database.or_else(|| self.health.trouble(self.clock.now()))
    }

    async fn database_trouble(&self) -> Option<String> {
        // What was seen is whole at every moment, so a panic elsewhere does not spoil it.
        let seen = |site: &Self| {
            site.pinged
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        if let Some(pinged) = seen(self).filter(|pinged| pinged.at.elapsed() < PING_AGE) {
            return pinged.trouble;
        }
        let trouble = match tokio::time::timeout(PING_TIME, self.store.ping()).await {
            Err(_) => Some("the database does not answer".to_owned()),
            Ok(answer) => answer.err().map(|error| error.to_string()),
        };
        let pinged = Pinged {
            at: Instant::now(),
            trouble: trouble.clone(),
        };
        *self.pinged.lock().unwrap_or_else(PoisonError::into_inner) = Some(pinged);
        trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::TestServer;

    async fn ready(site: &Arc<Site>) -> (u16, String) {
        let response = readyz(State(site.clone())).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_server_that_cannot_look_after_sessions_is_not_ready_and_says_why() {
        let site = TestServer::start().await.into_site();
        assert_eq!(
            ready(&site).await,
            (503, "the first sweep has not ended\n".to_owned())
        );
        site.draining.store(true, Ordering::Relaxed);
        assert_eq!(
            ready(&site).await,
            (503, "the server is ending\n".to_owned())
        );
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole_and_one_byte_more_is_not() {
        let whole = read(Body::from(vec![b'a'; MAX_BODY_BYTES])).await;
        assert!(matches!(whole, Read::Whole(bytes) if bytes.len() == MAX_BODY_BYTES));
        let more = read(Body::from(vec![b'a'; MAX_BODY_BYTES + 1])).await;
        assert!(matches!(more, Read::TooLarge));
    }
}
