//! A door, a session and a viewer that speak the real protocols over real sockets.

// Each test binary uses its own part of this, and all of it is a test.
#![allow(dead_code, clippy::unwrap_used)]

use axum::body::Bytes;
use futures_util::{SinkExt, StreamExt};
use greenroom_gateway::{
    Admission, Credential, Door, Endpoint, Metrics, Reason, Refusal, Rights, router,
};
use greenroom_model::{BindingId, PersistentId};
use greenroom_session_api::{
    FrameBuffer, Hello, Message, PROTOCOL, Role, Welcome, encode, input, units, viewer,
};
use std::collections::HashSet;
use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const KEY: [u8; 32] = [7; 32];
pub const SESSION: &str = "p-testsession";

/// Nothing in these tests takes longer than this unless it is broken.
pub async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), it)
        .await
        .unwrap_or_else(|_| panic!("timed out: {what}"))
}

pub fn all_rights() -> Rights {
    Rights {
        input: true,
        controller: true,
        audio: true,
        clipboard_out: true,
        clipboard_in: true,
        files_out: true,
    }
}

/// Knows the ticket `good` and the resume token `again`.
pub struct FakeDoor {
    run_dir: PathBuf,
    rights: Rights,
    spent: Mutex<HashSet<String>>,
    pub revoke: watch::Sender<Option<Reason>>,
    pub connected: AtomicI64,
    pub connections: AtomicU64,
}

impl Door for FakeDoor {
    async fn redeem(
        &self,
        credential: Credential,
        _: Option<IpAddr>,
    ) -> Result<Admission, Refusal> {
        match credential {
            Credential::Ticket(ticket) if ticket == "good" => {
                if !self.spent.lock().unwrap().insert(ticket) {
                    return Err(Refusal::UsedTicket);
                }
            }
            Credential::Resume(token) if token == "again" => {}
            Credential::Ticket(ticket) if ticket == "old" => return Err(Refusal::ExpiredTicket),
            Credential::Ticket(_) => return Err(Refusal::UnknownTicket),
            Credential::Resume(_) => return Err(Refusal::BindingEnded),
        }
        Ok(Admission {
            binding: BindingId::parse("bind-1").unwrap(),
            persistent_id: PersistentId::parse(SESSION).unwrap(),
            endpoint: Endpoint {
                run_dir: self.run_dir.clone(),
                key: KEY,
            },
            rights: self.rights,
            resume_token: "again".into(),
            revoked: self.revoke.subscribe(),
            title: "Terminal".into(),
        })
    }

    async fn connected(&self, _: &BindingId) {
        self.connected.fetch_add(1, SeqCst);
        self.connections.fetch_add(1, SeqCst);
    }

    async fn disconnected(&self, _: &BindingId) {
        self.connected.fetch_sub(1, SeqCst);
    }
}

/// One end of a framed link.
pub struct Peer {
    stream: UnixStream,
    buffer: FrameBuffer,
    /// What the viewer whose link it is asked to be told.
    pub want: viewer::Want,
}

impl Peer {
    async fn accept(listener: &UnixListener, role: Role) -> Self {
        let (stream, _) = soon("a link", listener.accept()).await.unwrap();
        let mut peer = Self {
            stream,
            buffer: FrameBuffer::new(1 << 20),
            want: viewer::Want::default(),
        };
        let hello: Hello = peer.next().await.expect("a hello");
        assert_eq!(
            (hello.protocol, hello.key.as_slice(), hello.role),
            (PROTOCOL, &KEY[..], i32::from(role))
        );
        peer
    }

    pub async fn send(&mut self, message: &impl Message) {
        self.stream.write_all(&encode(message)).await.unwrap();
    }

    /// The next message, or `None` when the gateway closed the link.
    pub async fn next<M: Message + Default>(&mut self) -> Option<M> {
        soon("a message on a link", async {
            loop {
                if let Some(message) = self.buffer.take().unwrap() {
                    return Some(message);
                }
                let mut chunk = [0; 4096];
                match self.stream.read(&mut chunk).await {
                    Ok(0) | Err(_) => return None,
                    Ok(length) => self.buffer.push(&chunk[..length]),
                }
            }
        })
        .await
    }
}

fn welcome() -> Welcome {
    Welcome {
        protocol: PROTOCOL,
        persistent_id: SESSION.into(),
        ..Welcome::default()
    }
}

/// The sockets of a session.
pub struct FakeSession {
    holder: UnixListener,
    streamer: UnixListener,
}

impl FakeSession {
    fn bind(run_dir: &Path) -> Self {
        Self {
            holder: UnixListener::bind(run_dir.join("holder.sock")).unwrap(),
            streamer: UnixListener::bind(run_dir.join("stream.sock")).unwrap(),
        }
    }

    /// Takes the next viewer's link, welcomed, with what it asks to be told.
    pub async fn viewer(&self) -> Peer {
        let mut peer = Peer::accept(&self.holder, Role::Viewer).await;
        peer.news(viewer::from_holder::News::Welcome(welcome()))
            .await;
        match peer.next::<viewer::ToHolder>().await.unwrap().order {
            Some(viewer::to_holder::Order::Want(want)) => peer.want = want,
            other => panic!("no want: {other:?}"),
        }
        peer
    }

    /// Answers the request for a streamer that comes next on `viewer`.
    pub async fn open_stream(&self, viewer: &mut Peer) {
        let order = viewer.next::<viewer::ToHolder>().await.unwrap().order;
        assert!(
            matches!(order, Some(viewer::to_holder::Order::OpenStream(_))),
            "{order:?}"
        );
        self.stream_at(viewer).await;
    }

    /// Says where the streamer listens.
    pub async fn stream_at(&self, viewer: &mut Peer) {
        let socket = "stream.sock".into();
        let at = viewer::StreamAt { socket };
        viewer.news(viewer::from_holder::News::StreamAt(at)).await;
    }

    /// Takes the next units link and leaves it without an answer.
    pub async fn unanswered_units(&self) -> Peer {
        Peer::accept(&self.streamer, Role::Units).await
    }

    /// Takes the next units link, welcomed, with what the player has.
    pub async fn units(&self) -> (Peer, units::Have) {
        let mut peer = self.unanswered_units().await;
        let news = Some(units::from_streamer::News::Welcome(welcome()));
        peer.send(&units::FromStreamer { news }).await;
        match peer.next::<units::ToStreamer>().await.unwrap().order {
            Some(units::to_streamer::Order::Have(have)) => (peer, have),
            other => panic!("not a have: {other:?}"),
        }
    }
}

impl Peer {
    /// Sends a unit.
    pub async fn unit(&mut self, class: units::Class, bytes: &[u8]) {
        let news = Some(units::from_streamer::News::Unit(units::Unit {
            class: class.into(),
            bytes: bytes.to_vec(),
        }));
        self.send(&units::FromStreamer { news }).await;
    }

    /// The update acknowledged next.
    pub async fn acked(&mut self) -> u64 {
        match self.next::<units::ToStreamer>().await.unwrap().order {
            Some(units::to_streamer::Order::Ack(ack)) => ack.update,
            other => panic!("not an ack: {other:?}"),
        }
    }

    /// The input that comes next.
    pub async fn input(&mut self) -> input::Input {
        match self.next::<viewer::ToHolder>().await.unwrap().order {
            Some(viewer::to_holder::Order::Input(input)) => input,
            other => panic!("no input: {other:?}"),
        }
    }

    /// Tells a viewer something, as its holder.
    pub async fn news(&mut self, news: viewer::from_holder::News) {
        let news = Some(news);
        self.send(&viewer::FromHolder { news }).await;
    }

    /// Acknowledges input.
    pub async fn had_input(&mut self, stream: u64, seq: u64) {
        let ack = input::InputAck { stream, seq };
        self.news(viewer::from_holder::News::InputAck(ack)).await;
    }
}

/// A gateway on a port of its own, before a fake door and a fake session.
pub struct World {
    pub door: Arc<FakeDoor>,
    pub session: FakeSession,
    pub metrics: Arc<Metrics>,
    pub address: String,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::with_rights(all_rights()).await
    }

    pub async fn with_rights(rights: Rights) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let door = Arc::new(FakeDoor {
            run_dir: folder.path().to_owned(),
            rights,
            spent: Mutex::default(),
            revoke: watch::Sender::new(None),
            connected: AtomicI64::new(0),
            connections: AtomicU64::new(0),
        });
        let metrics = Arc::new(Metrics::default());
        let session = FakeSession::bind(folder.path());
        let routes = router(
            Arc::clone(&door),
            folder.path().join("player"),
            Arc::clone(&metrics),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            door,
            session,
            metrics,
            address,
            folder,
        }
    }

    /// The folder the player's files are served from.
    pub fn assets(&self) -> PathBuf {
        self.folder.path().join("player")
    }

    pub async fn viewer(&self) -> Viewer {
        let url = format!("ws://{}/gateway/v1/ws", self.address);
        let (socket, _) = soon("the upgrade", tokio_tungstenite::connect_async(url))
            .await
            .unwrap();
        Viewer(socket)
    }

    /// A viewer that came in with the good ticket and has its links.
    pub async fn connected(&self) -> (Viewer, Peer, Peer) {
        let mut viewer = self.viewer().await;
        viewer.hello("ticket", "good").await;
        viewer.have(0, 0, &[]).await;
        assert_eq!(viewer.control().await["type"], "welcome");
        let mut holder = self.session.viewer().await;
        self.session.open_stream(&mut holder).await;
        let (streamer, _) = self.session.units().await;
        (viewer, holder, streamer)
    }

    /// `method path` over plain HTTP: head and body.
    pub async fn get(&self, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        soon("an answer", stream.read_to_end(&mut answer))
            .await
            .unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head, answer[end + 4..].to_vec())
    }
}

/// The player's end.
pub struct Viewer(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Viewer {
    pub async fn send(&mut self, class: u8, payload: &[u8]) {
        let message = [&[class], payload].concat();
        // A gateway that said goodbye may have closed already.
        let _ = self.0.send(WsMessage::Binary(Bytes::from(message))).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.0.send(WsMessage::Text(text.into())).await.unwrap();
    }

    pub async fn hello(&mut self, kind: &str, credential: &str) {
        let hello = format!(
            r#"{{"type":"hello","version":1,"{kind}":"{credential}","stream":"00000000000000aa"}}"#
        );
        self.send(1, hello.as_bytes()).await;
    }

    pub async fn have(&mut self, width: u32, height: u32, tiles: &[u64]) {
        let mut payload = [width.to_le_bytes(), height.to_le_bytes()].concat();
        payload.extend(tiles.iter().flat_map(|tile| tile.to_le_bytes()));
        self.send(4, &payload).await;
    }

    pub async fn ack(&mut self, update: u64) {
        self.send(3, &update.to_le_bytes()).await;
    }

    /// The next message; `None` when the gateway closed the connection.
    pub async fn message(&mut self) -> Option<Bytes> {
        loop {
            match soon("a message to the viewer", self.0.next()).await {
                Some(Ok(WsMessage::Binary(bytes))) => return Some(bytes),
                Some(Ok(WsMessage::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message, which is to be a control message.
    pub async fn control(&mut self) -> serde_json::Value {
        let message = self.message().await.expect("a control message");
        assert_eq!(message[0], 1, "{message:?}");
        serde_json::from_slice(&message[1..]).unwrap()
    }

    /// The next message, which is to be a goodbye, after which the connection closes.
    pub async fn bye(&mut self) -> serde_json::Value {
        let bye = self.control().await;
        assert_eq!(bye["type"], "bye", "{bye}");
        assert_eq!(self.message().await, None);
        bye
    }
}

/// Waits until `holds` is true.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
