//! The control link to one holder: reports and heartbeats in, orders out.

use super::asking::{Asking, Errand};
use super::process::Process;
use super::{Handle, Seat};
use greenroom_session_api::control::{FromHolder, from_holder::News};
use greenroom_session_api::spec::HOLDER_SOCKET;
use greenroom_session_api::{FrameBuffer, Hello, PROTOCOL, Role, encode};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// Three heartbeats of a second each.
pub const UNSEEN_AFTER: Duration = Duration::from_secs(3);

/// Between attempts to reach a holder: it needs some milliseconds to begin, and longer if the machine is
/// busy; an answer must not wait long for either.
const RETRY: Duration = Duration::from_millis(20);

/// Reports are small: an app is some dozen bytes, and there are at most a few.
const LONGEST_MESSAGE: usize = 1 << 20;

/// Descriptors whose message has not come yet; a holder sends one with each picture that is asked for.
const WAITING_DESCRIPTORS: usize = 4;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("the holder cannot be reached")]
    Socket(#[from] io::Error),
    #[error("the holder sends what is no message")]
    Frame(#[from] greenroom_session_api::FrameError),
    #[error("the socket belongs to process {0:?}, not to the holder")]
    Imposter(Option<i32>),
    #[error("the holder is the one of {0}")]
    OtherSession(String),
}

/// Follows the holder until its process has ended.
pub async fn follow(
    seat: &Seat,
    process: &Process,
    handle: &Handle,
    mut orders: mpsc::Receiver<Errand>,
) {
    let talking = async {
        loop {
            match talk(seat, handle, &mut orders).await {
                Ok(()) => tracing::debug!(session.id = %seat.session, "the holder closed its link"),
                Err(error) => {
                    tracing::debug!(session.id = %seat.session, %error, "no link to the holder")
                }
            }
            sleep(RETRY).await;
        }
    };
    let listening = async {
        loop {
            let heard = seat.heard();
            tokio::time::sleep_until(heard + UNSEEN_AFTER).await;
            if seat.heard() == heard {
                tracing::warn!(session.id = %seat.session, pid = handle.pid, "the holder has missed its heartbeats");
                seat.unseen(handle);
                seat.heard_again(heard).await;
            }
        }
    };
    tokio::select! {
        () = process.ended() => {}
        () = talking => {}
        () = listening => {}
    }
}

/// One link, from its greeting to its end.
async fn talk(
    seat: &Seat,
    handle: &Handle,
    orders: &mut mpsc::Receiver<Errand>,
) -> Result<(), LinkError> {
    let mut link = UnixStream::connect(handle.run_dir.join(HOLDER_SOCKET)).await?;
    let peer = link.peer_cred()?.pid();
    if peer.and_then(|pid| u32::try_from(pid).ok()) != Some(handle.pid) {
        return Err(LinkError::Imposter(peer));
    }
    let hello = Hello {
        protocol: PROTOCOL,
        key: handle.key.to_vec(),
        role: Role::Control.into(),
    };
    send(&mut link, &encode(&hello)).await?;
    let mut received = FrameBuffer::new(LONGEST_MESSAGE);
    let mut descriptors = VecDeque::new();
    let mut chunk = [0; 4096];
    // Until the holder has said how old it is, nothing is asked of it.
    let mut asking: Option<Asking> = None;
    loop {
        tokio::select! {
            count = receive(&link, &mut chunk, &mut descriptors) => match count? {
                0 => return Ok(()),
                count => received.push(&chunk[..count]),
            },
            errand = orders.recv(), if asking.is_some() => match (errand, &mut asking) {
                (Some(errand), Some(asking)) => {
                    if let Some(message) = asking.message(errand) {
                        send(&mut link, &encode(&message)).await?;
                    }
                }
                _ => return Ok(()),
            },
        }
        while let Some(message) = received.take::<FromHolder>()? {
            match message.news {
                Some(News::Welcome(welcome)) if welcome.persistent_id != seat.session.as_str() => {
                    return Err(LinkError::OtherSession(welcome.persistent_id));
                }
                Some(News::Welcome(welcome)) => asking = Some(Asking::of(welcome.protocol)),
                Some(News::Report(report)) => seat.present(handle, &report, Instant::now()),
                Some(News::Answer(answer)) => {
                    if let Some(asking) = &mut asking {
                        asking.take(answer, &mut descriptors);
                    }
                }
                // News of a later holder that this server does not know.
                None => {}
            }
        }
    }
}

/// Reads what has come, and takes the descriptors that came with it.
async fn receive(
    link: &UnixStream,
    chunk: &mut [u8],
    descriptors: &mut VecDeque<OwnedFd>,
) -> io::Result<usize> {
    link.async_io(Interest::READABLE, || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let read = rustix::net::recvmsg(
            link,
            &mut [IoSliceMut::new(chunk)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        )?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(sent) = message {
                let room = WAITING_DESCRIPTORS.saturating_sub(descriptors.len());
                descriptors.extend(sent.take(room));
            }
        }
        Ok(read.bytes)
    })
    .await
}

/// A holder that does not read is not waited for: its missing heartbeats tell what is to be told.
async fn send(link: &mut UnixStream, bytes: &[u8]) -> Result<(), LinkError> {
    timeout(UNSEEN_AFTER, link.write_all(bytes))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::asking::Errand;
    use super::super::process::started_at;
    use super::super::{Changes, Observation, Seen, lock};
    use super::*;
    use greenroom_model::PersistentId;
    use greenroom_session_api::control::{
        FromHolder, Report, Stop, ToHolder, from_holder, to_holder,
    };
    use greenroom_session_api::{Message, Welcome};
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;

    /// This very process in the holder's stead, listening where a holder would.
    struct Stage {
        _folder: tempfile::TempDir,
        listener: UnixListener,
        seat: Arc<Seat>,
        handle: Handle,
        orders: mpsc::Sender<Errand>,
    }

    impl Stage {
        /// `pid` is who the holder is said to be.
        fn new(pid: u32) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let listener = UnixListener::bind(folder.path().join(HOLDER_SOCKET)).unwrap();
            let session = PersistentId::parse("p-stage").unwrap();
            let seat = Arc::new(Seat::empty(session, Changes::default(), Arc::default()));
            let handle = Handle {
                run_dir: folder.path().to_owned(),
                key: [171; 32],
                pid,
                started: started_at(std::process::id()).unwrap(),
                uid: None,
                boot_id: String::new(),
            };
            let own = Process::find(std::process::id(), handle.started)
                .unwrap()
                .unwrap();
            let (orders, waiting) = mpsc::channel(4);
            lock(&seat.view).observation = Observation::Present(handle.clone(), Seen::default());
            let (watched, of) = (Arc::clone(&seat), handle.clone());
            tokio::spawn(async move { follow(&watched, &own, &of, waiting).await });
            Self {
                _folder: folder,
                listener,
                seat,
                handle,
                orders,
            }
        }

        async fn accept(&self) -> UnixStream {
            let accepted = timeout(Duration::from_secs(20), self.listener.accept());
            accepted.await.expect("in time").unwrap().0
        }

        async fn until(&self, wanted: fn(&Observation) -> bool) {
            let seen = async {
                while !wanted(&self.seat.observation()) {
                    self.seat.changes.next().await;
                }
            };
            timeout(Duration::from_secs(20), seen)
                .await
                .expect("in time");
        }
    }

    async fn receive<M: Message + Default>(link: &mut UnixStream) -> M {
        let mut received = FrameBuffer::new(LONGEST_MESSAGE);
        let mut chunk = [0; 256];
        loop {
            if let Some(message) = received.take().unwrap() {
                return message;
            }
            let count = link.read(&mut chunk).await.unwrap();
            assert!(count > 0, "the link was closed");
            received.push(&chunk[..count]);
        }
    }

    fn news(news: from_holder::News) -> Vec<u8> {
        encode(&FromHolder { news: Some(news) })
    }

    fn welcome(session: &str) -> Vec<u8> {
        news(News::Welcome(Welcome {
            persistent_id: session.into(),
            ..Welcome::default()
        }))
    }

    fn report(stopping: bool) -> Vec<u8> {
        news(News::Report(Report {
            stopping,
            ..Report::default()
        }))
    }

    fn is_stopping(seen: &Observation) -> bool {
        matches!(seen, Observation::Present(_, seen) if seen.stopping)
    }

    #[tokio::test]
    async fn a_holder_is_greeted_with_its_key_heard_and_told() {
        let stage = Stage::new(std::process::id());
        let mut link = stage.accept().await;
        let hello: Hello = receive(&mut link).await;
        assert_eq!(
            (hello.key.as_slice(), hello.role()),
            (stage.handle.key.as_slice(), Role::Control)
        );
        link.write_all(&[welcome("p-stage"), report(true)].concat())
            .await
            .unwrap();
        stage.until(is_stopping).await;
        let stop = to_holder::Order::Stop(Stop { grace_ms: 5 });
        stage
            .orders
            .send(Errand::Order(stop.clone()))
            .await
            .unwrap();
        let told: ToHolder = receive(&mut link).await;
        assert_eq!(told.order, Some(stop));
    }

    #[tokio::test]
    async fn a_stranger_at_the_socket_is_not_shown_the_key() {
        let stage = Stage::new(std::process::id() + 1);
        let mut link = stage.accept().await;
        let mut received = Vec::new();
        link.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"");
    }

    #[tokio::test]
    async fn a_link_with_garbage_or_of_another_session_is_given_up_and_made_again() {
        let stage = Stage::new(std::process::id());
        for wrong in [vec![0xff; 64], welcome("p-other")] {
            let mut link = stage.accept().await;
            receive::<Hello>(&mut link).await;
            link.write_all(&wrong).await.unwrap();
            let mut rest = Vec::new();
            let _ = link.read_to_end(&mut rest).await;
        }
        let mut link = stage.accept().await;
        receive::<Hello>(&mut link).await;
        link.write_all(&report(true)).await.unwrap();
        stage.until(is_stopping).await;
    }

    #[tokio::test]
    async fn three_missed_heartbeats_make_a_holder_unseen_until_it_speaks_again() {
        let stage = Stage::new(std::process::id());
        let mut link = stage.accept().await;
        receive::<Hello>(&mut link).await;
        let before = Instant::now();
        link.write_all(&report(false)).await.unwrap();
        stage
            .until(|seen| matches!(seen, Observation::Unseen(_)))
            .await;
        assert!(before.elapsed() >= UNSEEN_AFTER);
        link.write_all(&report(true)).await.unwrap();
        stage.until(is_stopping).await;
    }
}
