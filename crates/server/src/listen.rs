//! Connections: taken, bounded, and let end when the server does.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections that speak HTTP at once; more wait to be taken. A viewer's counts only until it has become
/// a WebSocket.
const MAX_CONNECTIONS: usize = 4096;

/// How long a request's head may take to arrive, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long to wait when no connection can be taken, for instance because there are no more descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Connections that may still have a call under way.
pub struct Leaving(GracefulShutdown);

/// Answers on `listener` until `end` comes; nobody is taken any more when this returns.
pub async fn until(
    listener: TcpListener,
    routes: Router,
    end: impl Future<Output = ()>,
) -> Leaving {
    let http = http();
    let leaving = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(end);
    loop {
        let taken = async {
            let place = room.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            taken = taken => taken,
            () = &mut end => return Leaving(leaving),
        };
        match accepted {
            Ok((stream, _)) => {
                // A key press is a few bytes that must not wait for more.
                let prompt = stream.set_nodelay(true);
                let service = TowerToHyperService::new(routes.clone());
                let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
                let connection = leaving.watch(connection.into_owned());
                tokio::spawn(async move {
                    // A client that breaks off is its own business.
                    if prompt.is_ok() {
                        let _ = connection.await;
                    }
                    drop(place);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

impl Leaving {
    /// Waits until the calls under way are answered.
    pub async fn done(self) {
        self.0.shutdown().await;
    }
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    http
}

/// Whether a connection was gone before it was taken.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn serving() -> (
        std::net::SocketAddr,
        tokio::sync::oneshot::Sender<()>,
        tokio::task::JoinHandle<()>,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel();
        let routes = Router::new().route("/", get(|| async { "here" }));
        let task = tokio::spawn(async move {
            let ended = async { ended.await.unwrap_or(()) };
            until(listener, routes, ended).await.done().await;
        });
        (address, end, task)
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_keep_the_server_from_ending() {
        let (address, end, task) = serving().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 15];
        idle.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        end.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), task)
            .await
            .unwrap()
            .unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_head_that_never_comes_whole_is_not_waited_for() {
        let (address, _end, _task) = serving().await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        tokio::task::yield_now().await;
        // The clock of this test jumps as soon as everybody waits for it.
        tokio::time::pause();
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).await.unwrap();
        assert!(
            !rest.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&rest)
        );
    }
}
