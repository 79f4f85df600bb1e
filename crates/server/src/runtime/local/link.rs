//! The control link to one holder: reports and heartbeats in, orders out.

use super::process::Process;
use super::{Handle, Seat, Seen};
use greenroom_session_api::control::{FromHolder, ToHolder, from_holder::News};
use greenroom_session_api::spec::HOLDER_SOCKET;
use greenroom_session_api::{FrameBuffer, Hello, PROTOCOL, Role, encode};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    mut orders: mpsc::Receiver<ToHolder>,
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
    orders: &mut mpsc::Receiver<ToHolder>,
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
    let mut chunk = [0; 4096];
    loop {
        tokio::select! {
            count = link.read(&mut chunk) => match count? {
                0 => return Ok(()),
                count => received.push(&chunk[..count]),
            },
            order = orders.recv() => match order {
                Some(order) => send(&mut link, &encode(&order)).await?,
                None => return Ok(()),
            },
        }
        while let Some(message) = received.take::<FromHolder>()? {
            match message.news {
                Some(News::Welcome(welcome)) if welcome.persistent_id != seat.session.as_str() => {
                    return Err(LinkError::OtherSession(welcome.persistent_id));
                }
                Some(News::Report(report)) => {
                    seat.present(handle, Seen::from_report(&report), Instant::now())
                }
                // Welcomes of this session, and news of a later holder that this server does not know.
                Some(News::Welcome(_)) | None => {}
            }
        }
    }
}

/// A holder that does not read is not waited for: its missing heartbeats tell what is to be told.
async fn send(link: &mut UnixStream, bytes: &[u8]) -> Result<(), LinkError> {
    timeout(UNSEEN_AFTER, link.write_all(bytes))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(())
}
