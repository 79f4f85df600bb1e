//! The servers of a database: which there are, which sessions live on which, and who may write of a session.
//!
//! A server holds a lease, which it renews by the database's clock, and an epoch, which rises when it joins and
//! when another server takes it for lost. Whoever writes what it saw of a session shows its epoch, and that is
//! checked in the same transaction: one that was taken for lost can write nothing until it has joined again.
//!
//! A session is placed once, on the server that will have its home, and stays there. So no two servers can
//! start it, whatever either of them believes of the other.

mod forget;

use crate::Store;
use crate::connection::{Connection, Row, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use greenroom_model::{PersistentId, ServerId, Timestamp};
use std::time::Duration;

/// A server's hold on what it writes of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub server: ServerId,
    /// The fencing token.
    pub epoch: i64,
}

/// A server that joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewServer {
    /// Its id, the same at every start.
    pub id: ServerId,
    /// How browsers reach it; empty when nobody has said.
    pub address: String,
    /// Processors that it gives out.
    pub processors: u64,
}

/// What became of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It goes on.
    Held {
        /// How many other servers hold one.
        others: usize,
    },
    /// Another server has taken this one for lost; it has to join again.
    Lost,
    /// Somebody else has joined under this server's id, and acts for it now.
    Replaced,
    /// It was forgotten, and has no sessions any more.
    Forgotten,
}

/// How many sessions that lived nowhere found a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placed {
    /// On the server that looked.
    pub taken: u32,
    /// Left to emptier servers.
    pub left: u32,
}

/// A server as the others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRecord {
    /// Its id.
    pub id: ServerId,
    /// How browsers reach it; empty when nobody has said.
    pub address: String,
    /// When it last renewed its lease.
    pub seen: Timestamp,
    /// Whether it counts.
    pub standing: ServerStanding,
    /// Processors that it gives out.
    pub processors: u64,
    /// How many sessions live on it.
    pub sessions: u64,
}

/// What a server is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerStanding {
    /// One of them, as far as anybody knows.
    Member,
    /// It was taken for lost, and has not joined again.
    Lost,
    /// It may never join again.
    Forgotten,
}

/// Selects what [`server`] reads.
const SERVER: &str =
    "SELECT server_id, address, seen_at, lost_at, forgotten_at, processors, sessions
    FROM servers";

fn server(row: &dyn Row) -> Result<ServerRecord> {
    Ok(ServerRecord {
        id: word(row.text(0)?, ServerId::parse)?,
        address: row.text(1)?.to_owned(),
        seen: Timestamp(row.integer(2)?),
        standing: match (row.maybe_integer(3)?, row.maybe_integer(4)?) {
            (_, Some(_)) => ServerStanding::Forgotten,
            (Some(_), None) => ServerStanding::Lost,
            (None, None) => ServerStanding::Member,
        },
        processors: narrow(row.integer(5)?)?,
        sessions: narrow(row.integer(6)?)?,
    })
}

impl Store {
    /// Lets a server write, for as long as it renews its lease within `lasts`. Whoever joined under the same id
    /// before can write no more.
    ///
    /// # Errors
    /// [`StoreError::ServerForgotten`], or the database could not be written.
    pub async fn join(&self, new: NewServer, lasts: Duration) -> Result<Lease> {
        self.write(move |c| {
            let now = c.now()?;
            let joined = c.execute(
                "INSERT INTO servers (server_id, address, epoch, held_since, seen_at, lease_until,
                     processors, sessions)
                 VALUES ($1, $2, 1, $3, $3, $4, $5, 0)
                 ON CONFLICT (server_id) DO UPDATE SET address = $2, epoch = servers.epoch + 1,
                     held_since = $3, seen_at = $3, lease_until = $4, lost_at = NULL, processors = $5
                     WHERE servers.forgotten_at IS NULL",
                values![
                    &new.id,
                    &new.address,
                    now,
                    now.after(lasts),
                    i64::try_from(new.processors).unwrap_or(i64::MAX)
                ],
            )?;
            if joined == 0 {
                return Err(StoreError::ServerForgotten);
            }
            adopt_unplaced(c, &new.id)?;
            let sql = "SELECT epoch FROM servers WHERE server_id = $1";
            let epoch = first(c, sql, values![&new.id], |row| row.integer(0))?;
            Ok(Lease {
                server: new.id,
                epoch: epoch.ok_or(StoreError::NotFound("server"))?,
            })
        })
        .await
    }

    /// Renews a lease for as long as `lasts`.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn renew(&self, lease: &Lease, lasts: Duration) -> Result<Renewal> {
        let lease = lease.clone();
        self.write(move |c| {
            let now = c.now()?;
            let renewed = c.execute(
                "UPDATE servers SET seen_at = $3, lease_until = $4,
                     held_since = CASE WHEN lease_until < $3 THEN $3 ELSE held_since END
                 WHERE server_id = $1 AND epoch = $2",
                values![&lease.server, lease.epoch, now, now.after(lasts)],
            )?;
            if renewed == 0 {
                let known = self::known(c, &lease.server)?;
                return Ok(match known.map(|server| server.standing) {
                    Some(ServerStanding::Member) => Renewal::Replaced,
                    Some(ServerStanding::Forgotten) => Renewal::Forgotten,
                    Some(ServerStanding::Lost) | None => Renewal::Lost,
                });
            }
            let sql = "SELECT COUNT(*) FROM servers WHERE lease_until >= $1 AND server_id <> $2";
            let others = first(c, sql, values![now, &lease.server], |row| row.integer(0))?;
            Ok(Renewal::Held {
                others: narrow(others.unwrap_or(0))?,
            })
        })
        .await
    }

    /// Takes every server for lost whose lease is over, and answers which those are. Only a server that has
    /// itself held its lease for `lasts` may say so: when the database was away, everybody's is over.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn take_for_lost(&self, by: &Lease, lasts: Duration) -> Result<Vec<ServerRecord>> {
        let by = by.clone();
        let is_over = format!("{SERVER} WHERE lease_until < $1 AND lost_at IS NULL");
        // Nearly always there is none, and reading costs nobody else anything.
        let look = is_over.clone();
        let seems_over = self.read(move |c| {
            let now = c.now()?;
            Ok(first(c, &look, values![now], server)?.is_some())
        });
        if !seems_over.await? {
            return Ok(Vec::new());
        }
        self.write(move |c| {
            let now = c.now()?;
            let sql = "SELECT 1 FROM servers WHERE server_id = $1 AND epoch = $2
                 AND lease_until >= $3 AND held_since <= $4";
            let since = Timestamp(now.0 - i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
            let may_say = first(c, sql, values![&by.server, by.epoch, now, since], |row| {
                row.integer(0)
            })?;
            if may_say.is_none() {
                return Ok(Vec::new());
            }
            let over = all(c, &is_over, values![now], server)?;
            for server in &over {
                c.execute(
                    "UPDATE servers SET epoch = epoch + 1, lost_at = $2 WHERE server_id = $1",
                    values![&server.id, now],
                )?;
            }
            Ok(over)
        })
        .await
    }

    /// The servers that are not forgotten, by id.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn servers(&self) -> Result<Vec<ServerRecord>> {
        let sql = format!("{SERVER} WHERE forgotten_at IS NULL ORDER BY server_id");
        self.read(move |c| all(c, &sql, &[], server)).await
    }

    /// The server on which a session lives; `None` while it lives nowhere.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn server_of(&self, session: &PersistentId) -> Result<Option<ServerRecord>> {
        let session = session.clone();
        self.read(move |c| {
            let sql = format!(
                "{SERVER} WHERE server_id = (SELECT server_id FROM sessions WHERE session_id = $1)"
            );
            first(c, &sql, values![&session], server)
        })
        .await
    }

    /// Places sessions that are due and live nowhere yet on the server, as long as none is emptier; one that is
    /// due since before `overdue` is taken in anyway, because the emptier one does not.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], or the database could not be written.
    pub async fn place_sessions(
        &self,
        by: &Lease,
        now: Timestamp,
        overdue: Timestamp,
        limit: u32,
    ) -> Result<Placed> {
        const UNPLACED: &str = "SELECT session_id, wake_at FROM sessions
            WHERE server_id IS NULL AND wake_at <= $1 ORDER BY wake_at LIMIT $2";
        let by = by.clone();
        let some = self.read(move |c| first(c, UNPLACED, values![now, 1_u32], |_| Ok(())));
        if some.await?.is_none() {
            return Ok(Placed::default());
        }
        self.write(move |c| {
            let clock = c.now()?;
            let sql = "SELECT server_id, epoch, sessions, processors FROM servers
                 WHERE (lost_at IS NULL AND lease_until >= $1) OR server_id = $2";
            let (mine, others): (Vec<_>, Vec<_>) =
                all(c, sql, values![clock, &by.server], |row| {
                    Ok((row.text(0)?.to_owned(), row.integer(1)?, Load::read(row)?))
                })?
                .into_iter()
                .partition(|(id, ..)| id == by.server.as_str());
            let mut load = match mine.into_iter().next() {
                Some((_, epoch, load)) if epoch == by.epoch => load,
                _ => return Err(StoreError::Fenced),
            };
            let waiting = all(c, UNPLACED, values![now, limit], |row| {
                let id = word(row.text(0)?, PersistentId::parse)?;
                Ok((id, Timestamp(row.integer(1)?)))
            })?;
            let mut placed = Placed::default();
            for (session, due) in waiting {
                let emptier = others
                    .iter()
                    .any(|(.., other)| other.is_emptier_than(&load));
                if emptier && due > overdue {
                    placed.left += 1;
                    continue;
                }
                c.execute(
                    "UPDATE sessions SET server_id = $2 WHERE session_id = $1",
                    values![&session, &by.server],
                )?;
                load.sessions += 1;
                placed.taken += 1;
            }
            count(c, &by.server, i64::from(placed.taken))?;
            Ok(placed)
        })
        .await
    }
}

/// How full a server is.
struct Load {
    sessions: i64,
    processors: i64,
}

impl Load {
    fn read(row: &dyn Row) -> Result<Self> {
        Ok(Self {
            sessions: row.integer(2)?,
            processors: row.integer(3)?.max(1),
        })
    }

    fn is_emptier_than(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.sessions, other.sessions);
        mine.saturating_mul(other.processors) < theirs.saturating_mul(self.processors)
    }
}

/// Refuses, within the caller's transaction, who may not write of the session: a lease that is not in force, of
/// a server where the session does not live, unless the one where it lives is taken for lost.
pub(crate) fn check(c: &mut dyn Connection, by: &Lease, session: &PersistentId) -> Result<()> {
    let sql = "SELECT 1 FROM servers me, sessions s
         WHERE me.server_id = $1 AND me.epoch = $2 AND s.session_id = $3
             AND (s.server_id = me.server_id OR EXISTS (SELECT 1 FROM servers other
                 WHERE other.server_id = s.server_id AND other.lost_at IS NOT NULL))";
    let may = first(c, sql, values![&by.server, by.epoch, session], |row| {
        row.integer(0)
    })?;
    may.map(drop).ok_or(StoreError::Fenced)
}

/// Adds to the count of the sessions that live on a server, within the caller's transaction.
pub(crate) fn count(c: &mut dyn Connection, server: &ServerId, more: i64) -> Result<()> {
    let sql = "UPDATE servers SET sessions = sessions + $2 WHERE server_id = $1";
    c.execute(sql, values![server, more]).map(drop)
}

fn known(c: &mut dyn Connection, id: &ServerId) -> Result<Option<ServerRecord>> {
    let sql = format!("{SERVER} WHERE server_id = $1");
    first(c, &sql, values![id], server)
}

/// A session that has processes and lives nowhere was started by a build that knew of no second server, so by
/// the one of this data folder.
fn adopt_unplaced(c: &mut dyn Connection, server: &ServerId) -> Result<()> {
    let sql = "UPDATE sessions SET server_id = $1 WHERE server_id IS NULL AND handle IS NOT NULL";
    let adopted = c.execute(sql, values![server])?;
    count(c, server, i64::try_from(adopted).unwrap_or(i64::MAX))
}
