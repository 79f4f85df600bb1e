//! Connections: taken, decrypted, bounded, and let end when the server does.

use crate::dispatch::Origin;
use crate::tls::Tls;
use axum::{Extension, Router};
use greenroom_gateway::Peer;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Connections that speak HTTP at once; more wait to be taken. A viewer's counts only until it has become
/// a WebSocket.
const MAX_CONNECTIONS: usize = 4096;

/// How long a request's head may take to arrive, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long client and server may take to agree on their encryption.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be taken, for instance because there are no more descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Connections that may still have a call under way.
pub struct Leaving(GracefulShutdown);

/// Answers on `listener` until `end` comes, encrypted when there is `tls`; nobody is taken any more when this
/// returns.
pub async fn until(
    listener: TcpListener,
    routes: Router,
    tls: Option<Arc<Tls>>,
    end: impl Future<Output = ()>,
) -> Leaving {
    let http = Arc::new(http());
    // Those who have not yet asked for anything are not waited for: they see this end.
    let (_open, ending) = watch::channel(());
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
            Ok((stream, peer)) => {
                let origin = Origin {
                    address: Some(peer.ip()),
                    secure: tls.is_some(),
                };
                let (http, watcher) = (http.clone(), leaving.watcher());
                let peer = Extension(Peer(peer.ip()));
                let routes = routes.clone().layer(Extension(origin)).layer(peer);
                let (tls, ending) = (tls.clone(), ending.clone());
                tokio::spawn(async move {
                    // A client that breaks off is its own business.
                    let _ = match tls {
                        None => plain(stream, &http, routes, watcher).await,
                        Some(tls) => encrypted(stream, &tls, ending, &http, routes, watcher).await,
                    };
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

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn plain(
    stream: TcpStream,
    http: &Builder<TokioExecutor>,
    routes: Router,
    watcher: Watcher,
) -> Ended {
    // A key press is a few bytes that must not wait for more.
    stream.set_nodelay(true)?;
    answer(stream, http, routes, watcher).await
}

async fn encrypted(
    stream: TcpStream,
    tls: &Tls,
    mut ending: watch::Receiver<()>,
    http: &Builder<TokioExecutor>,
    routes: Router,
    watcher: Watcher,
) -> Ended {
    stream.set_nodelay(true)?;
    let handshake = tokio::time::timeout(HANDSHAKE_TIME, tls.acceptor().accept(stream));
    let stream = tokio::select! {
        agreed = handshake => agreed??,
        _ = ending.changed() => return Ok(()),
    };
    answer(stream, http, routes, watcher).await
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http: &Builder<TokioExecutor>,
    routes: Router,
    watcher: Watcher,
) -> Ended {
    let service = TowerToHyperService::new(routes);
    let connection = http.serve_connection_with_upgrades(TokioIo::new(stream), service);
    watcher.watch(connection.into_owned()).await
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
    use tokio_rustls::rustls;
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    async fn serving(
        tls: Option<Arc<Tls>>,
    ) -> (
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
            until(listener, routes, tls, ended).await.done().await;
        });
        (address, end, task)
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_keep_the_server_from_ending() {
        let (address, end, task) = serving(None).await;
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
        let (address, _end, _task) = serving(None).await;
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

    /// TLS with a certificate in files, as an operator has them, and those files.
    fn certified(home: &std::path::Path) -> Arc<Tls> {
        let settings = crate::config::Tls {
            certificate: home.join("certificate.pem"),
            key: home.join("key.pem"),
            self_signed: false,
        };
        certify(&settings);
        let data = crate::data_dir::DataDir::open(&home.join("data")).unwrap();
        Arc::new(
            Tls::from_config(&settings, Vec::new(), &data)
                .unwrap()
                .unwrap(),
        )
    }

    fn certify(files: &crate::config::Tls) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    }

    /// Asks for the page as a client that trusts this certificate and no other.
    async fn ask(
        address: std::net::SocketAddr,
        certificate: &std::path::Path,
    ) -> io::Result<String> {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(certificate).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = "localhost".try_into().unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await?;
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_certificate_is_answered_and_one_that_does_not_breaks_off() {
        let home = tempfile::tempdir().unwrap();
        let tls = certified(home.path());
        let (address, _end, _task) = serving(Some(tls.clone())).await;
        let answer = ask(address, &tls.files().certificate).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        let other = tempfile::tempdir().unwrap();
        let other = certified(other.path());
        assert!(ask(address, &other.files().certificate).await.is_err());
    }

    #[tokio::test]
    async fn a_newer_certificate_is_shown_after_a_reload_and_a_broken_one_never() {
        let home = tempfile::tempdir().unwrap();
        let tls = certified(home.path());
        let (address, _end, _task) = serving(Some(tls.clone())).await;
        let files = crate::config::Tls {
            certificate: tls.files().certificate.clone(),
            key: tls.files().key.clone(),
            self_signed: false,
        };
        certify(&files);
        assert!(ask(address, &files.certificate).await.is_err(), "not yet");
        tls.reload().unwrap();
        assert!(ask(address, &files.certificate).await.is_ok());
        let good = std::fs::read(&files.certificate).unwrap();
        std::fs::write(&files.certificate, "half a file").unwrap();
        assert!(tls.reload().is_err());
        let kept = home.path().join("kept.pem");
        std::fs::write(&kept, good).unwrap();
        assert!(ask(address, &kept).await.is_ok());
    }

    #[tokio::test]
    async fn a_client_that_never_agrees_on_its_encryption_is_not_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let (address, end, task) = serving(Some(certified(home.path()))).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        // A client that speaks without encryption is told so and let go.
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        plain.read_to_end(&mut rest).await.unwrap();
        assert!(!rest.starts_with(b"HTTP"));
        end.send(()).unwrap();
        let ended = tokio::time::timeout(HANDSHAKE_TIME / 2, task).await;
        ended.unwrap().unwrap();
        let mut rest = Vec::new();
        // Reset or closed: gone either way.
        let _ = silent.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
}
