//! A sandbox without walls or processes, for tests: a thread that answers as init would.
//!
//! It knows three programs: `runs` runs until it is signalled, `exits N` ends at once with code N, and any
//! other cannot be started.

use super::{Plan, Running, Sandbox, SandboxError};
use greenroom_session_api::init::{
    Ended, FromInit, Ready, Started, ToInit, from_init::News, to_init::Order,
};
use greenroom_session_api::spec::HOME;
use greenroom_session_api::{FrameBuffer, encode};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// The fake.
#[derive(Debug, Default)]
pub struct Fake;

impl Sandbox for Fake {
    fn start(&self, _plan: &Plan) -> Result<Running, SandboxError> {
        let failed = SandboxError::at("make the link to init");
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        std::thread::spawn(move || {
            // It ends with the link, as init does.
            let _ = serve(theirs);
        });
        Ok(Running {
            link: ours,
            process: None,
            uplink: None,
        })
    }

    fn home(&self) -> &str {
        HOME
    }

    fn runtime_dir(&self) -> &str {
        "/run/user/session"
    }
}

fn serve(mut link: UnixStream) -> std::io::Result<()> {
    let mut inbox = FrameBuffer::new(1 << 20);
    let mut running = BTreeSet::new();
    let mut bytes = [0; 4096];
    let mut tell = {
        let mut link = link.try_clone()?;
        move |news| link.write_all(&encode(&FromInit { news: Some(news) }))
    };
    tell(News::Ready(Ready {}))?;
    loop {
        let read = link.read(&mut bytes)?;
        if read == 0 {
            return Ok(());
        }
        inbox.push(&bytes[..read]);
        while let Some(ToInit { order }) = inbox.take().map_err(std::io::Error::other)? {
            match order {
                Some(Order::Launch(order)) => {
                    let launch = order.launch;
                    let argv: Vec<&str> = order.argv.iter().map(String::as_str).collect();
                    let started = News::Started(Started { launch, pid: 2 });
                    match argv.as_slice() {
                        ["runs"] => {
                            running.insert(launch);
                            tell(started)?;
                        }
                        ["exits", code] => {
                            tell(started)?;
                            tell(ended(launch, code.parse().ok(), None, ""))?;
                        }
                        _ => tell(ended(launch, None, None, "no such program"))?,
                    }
                }
                Some(Order::Signal(order)) => {
                    let (hit, rest) = running
                        .into_iter()
                        .partition(|known| [0, *known].contains(&order.launch));
                    running = rest;
                    let hit: BTreeSet<u64> = hit;
                    for launch in hit {
                        tell(ended(launch, None, Some(order.signal), ""))?;
                    }
                }
                // Nothing here can take more than its due, and it has no sockets.
                Some(Order::Bound(_) | Order::Serve(_) | Order::Keep(_)) | None => {}
            }
        }
    }
}

fn ended(launch: u64, exit_code: Option<i32>, signal: Option<i32>, failure: &str) -> News {
    News::Ended(Ended {
        launch,
        exit_code,
        signal,
        failure: failure.to_owned(),
    })
}
