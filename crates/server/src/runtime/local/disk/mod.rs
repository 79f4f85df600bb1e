//! What sessions may have on the disk, and what is done about those who have more.
//!
//! Nothing of the kernel's holds a whole session to it everywhere, so the server looks: at how much room the file
//! system has left, every few seconds, and at what each session has, every minute. A single file is bounded by the
//! kernel (`RLIMIT_FSIZE`). See decision 0070.

mod judge;
mod space;
mod unlinked;
mod walk;

use super::folder::sessions_in;
use super::limits::Processes;
use super::{Local, Places, files, lock, off_the_loop};
use crate::runtime::{Failure, Observation, Order, Runtime, RuntimeError};
use greenroom_model::PersistentId;
use judge::{Judge, Limit};
use space::{Short, Space};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use walk::Size;

/// Between two rounds over the sessions when there is room.
const ROUNDS: Duration = Duration::from_secs(60);

/// The same when there is none.
const ROUNDS_IN_A_HURRY: Duration = Duration::from_secs(1);

/// What a session that ends for the disk may take to do so.
const GRACE: Duration = Duration::from_secs(10);

/// What an app shows is in files as well, which take up no disk and fall under the same rule: a terminal's (foot) is of
/// 512 MiB from the start.
const LEAST_LARGEST_FILE: u64 = 1 << 30;

/// Bytes that what is in a folder takes up.
///
/// # Errors
/// There is no such folder.
pub fn taken_up(folder: &Path) -> std::io::Result<u64> {
    Ok(walk::measure(folder, || true)?.bytes)
}

/// What sessions may have on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Bytes of one session; `None` when they are not bounded.
    pub limit: Option<u64>,
    /// Bytes of the file system that sessions leave free, and as large a part of its files.
    pub reserve: u64,
}

impl Rules {
    /// Bytes of the largest single file that the kernel lets apps write.
    pub fn largest_file(&self) -> Option<u64> {
        self.limit.map(|limit| limit.max(LEAST_LARGEST_FILE))
    }

    /// Whether another session may start, with its files below `folder`.
    ///
    /// # Errors
    /// There is less room than what sessions leave free, or that cannot be told.
    pub fn admit(&self, folder: &Path) -> Result<(), RuntimeError> {
        let space = Space::of(folder).map_err(files("look at the file system of", folder))?;
        match space.short_of(self.reserve) {
            None => Ok(()),
            Some(_) => Err(RuntimeError::DiskFull {
                free_mib: space.bytes_free >> 20,
                free_files: space.files_free,
                reserve_mib: self.reserve >> 20,
            }),
        }
    }
}

/// Looks after the disk for as long as the server runs.
pub async fn guard(local: Arc<Local>) {
    let (tell, short) = watch::channel(None);
    tokio::join!(watch_room(&local, tell), rounds(&local, short));
}

/// Tells whether there is room.
async fn watch_room(local: &Local, tell: watch::Sender<Option<Short>>) {
    let (folder, reserve) = (sessions_of(local), local.settings.disk.reserve);
    loop {
        let looked_at = folder.clone();
        let again = match off_the_loop(move || Space::of(&looked_at)).await {
            Ok(space) => {
                let short = space.short_of(reserve);
                let changed = tell.send_if_modified(|told| std::mem::replace(told, short) != short);
                if changed && short.is_some() {
                    tracing::error!(?space, "the disk is nearly full");
                }
                space.look_again_in(reserve)
            }
            Err(error) => {
                tracing::error!(%error, "the disk cannot be looked at");
                ROUNDS
            }
        };
        tokio::time::sleep(again).await;
    }
}

/// Measures the sessions, again and again, and ends those that have to go.
async fn rounds(local: &Local, mut short: watch::Receiver<Option<Short>>) {
    let space = Space::of(&sessions_of(local)).ok();
    let limit = local.settings.disk.limit.map(|bytes| Limit {
        bytes,
        files: space.and_then(|space| space.files_for(bytes)),
    });
    let mut judge = Judge::new(limit);
    loop {
        let began = *short.borrow_and_update();
        let folder = sessions_of(local);
        let there = sessions_in(&folder);
        let there: HashSet<PersistentId> = there.map(|(session, _)| session).collect();
        let running = local.running();
        let (running_first, resting) = there
            .iter()
            .partition::<Vec<_>, _>(|session| running.contains(*session));
        // What nobody can write to stays as it was.
        let unknown = resting.into_iter().filter(|it| !judge.knows(it));
        for session in running_first.into_iter().chain(unknown.collect::<Vec<_>>()) {
            let runs = running.contains(session);
            let Some(size) = measured(local, session, short.clone()).await else {
                continue;
            };
            local.note_size(session, size.bytes);
            if !runs {
                judge.note(session, size);
            } else if let Some(why) = judge.hear(session, size, Instant::now()) {
                local.put_out(session, &why, Order::Stop(GRACE)).await;
            }
        }
        judge.end_round(&there, &running, began.is_none());
        match began {
            Some(short) => {
                if let Some(session) = judge.greediest(short, &running) {
                    let why = "the disk is nearly full, and nobody's files have grown as much";
                    // It would go on writing for as long as it may take to end.
                    local.put_out(&session, why, Order::Kill).await;
                }
                tokio::time::sleep(ROUNDS_IN_A_HURRY).await;
            }
            None => {
                // As soon as the room is used up; the other end of the channel goes together with this one.
                let _ = tokio::time::timeout(ROUNDS, short.changed()).await;
            }
        }
    }
}

/// `None` when it has just been removed.
async fn measured(
    local: &Local,
    session: &PersistentId,
    short: watch::Receiver<Option<Short>>,
) -> Option<Size> {
    let places = Places::of(&local.settings.data_dir, session);
    let holder = match local.observe(session) {
        Observation::Absent => None,
        Observation::Unseen(holder) | Observation::Present(holder, _) => Some(holder.pid),
    };
    let measure = move || {
        let mut size = Size::default();
        for folder in places.written() {
            match walk::measure(&folder, || short.borrow().is_some()) {
                Ok(more) => size.add(more),
                // Nothing was written there yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(holder) = holder {
            let device = rustix::fs::stat(&places.session_dir)?.st_dev;
            let processes = Processes::now().below(holder);
            size.bytes += unlinked::bytes(&processes, device);
        }
        Ok(size)
    };
    off_the_loop(measure).await.ok()
}

fn sessions_of(local: &Local) -> PathBuf {
    local.settings.data_dir.join("sessions")
}

impl Local {
    /// Every session that has a holder.
    fn running(&self) -> HashSet<PersistentId> {
        let seats = lock(&self.seats);
        let running = seats
            .iter()
            .filter(|(_, seat)| seat.observation() != Observation::Absent);
        running.map(|(session, _)| session.clone()).collect()
    }

    /// For those who watch; a session that was never here since the server began has no figures.
    fn note_size(&self, session: &PersistentId, bytes: u64) {
        if let Some(tally) = lock(&self.tallies).get(session) {
            lock(tally).disk_bytes = Some(bytes);
        }
    }

    /// Ends a session for a reason of this server's own.
    async fn put_out(&self, session: &PersistentId, why: &str, how: Order) {
        tracing::warn!(session.id = %session, why, "a session is ended");
        let seat = lock(&self.seats).get(session).cloned();
        let Some(seat) = seat else { return };
        seat.put_out(why, Failure::Disk);
        if let Err(error) = self.order(session, how).await {
            tracing::warn!(session.id = %session, %error, "it cannot be told to end");
        }
    }
}
