//! Tickets and resume tokens: what lets a viewer in. Only hashes are stored; the secrets are never here.

use crate::connection::{Connection, Row, first, narrow, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::{AuditEntry, Store, audit, grants};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, BindingId, Desired, EndUserId, ImageId, PersistentId,
    PersistentStatus, PolicyId, ServerId, Timestamp,
};

/// SHA-256 of a ticket's or a resume token's secret.
pub type Digest = [u8; 32];

/// A ticket to be given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// The hash of its secret.
    pub hash: Digest,
    /// Whose hold on which session it lets in.
    pub binding: BindingId,
    /// The app it was given out for.
    pub app: AppId,
    /// Until when.
    pub expires: Timestamp,
}

/// What becomes of a ticket that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// It was good, and is spent now.
    Admitted(Box<Admitted>),
    /// It is good, and was not spent: whoever asked does not let it in yet.
    Held(Box<Admitted>),
    /// It was spent before.
    Used,
    /// Its time is over.
    Expired,
    /// There is no such ticket, or its binding has ended.
    Unknown,
}

/// What becomes of a resume token that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumption {
    /// It is good, and stays so.
    Admitted(Box<Admitted>),
    /// There is no such token, or its binding has ended.
    Unknown,
}

/// Who is let in, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The user's hold on the session.
    pub binding: BindingId,
    /// The user.
    pub user: EndUserId,
    /// The user may (still) connect; a ticket is spent even when not.
    pub authorized: bool,
    /// The app the ticket was given out for.
    pub app: AppId,
    /// The session.
    pub session: PersistentId,
    /// Its name.
    pub session_name: String,
    /// Its status.
    pub status: PersistentStatus,
    /// Why, when the status is a bad one; else empty.
    pub status_reason: String,
    /// What it is meant to be.
    pub desired: Desired,
    /// The runtime's own words for what runs.
    pub handle: Option<Vec<u8>>,
    /// The server on which it lives; `None` while it lives nowhere.
    pub server: Option<ServerId>,
    /// How browsers reach that server; empty when nobody has said.
    pub server_address: String,
    /// Its group.
    pub group: AppInstanceGroupId,
    /// Whose it is.
    pub account: AccountId,
    /// The group's image.
    pub image: ImageId,
    /// The named policy the group follows, if any.
    pub policy: Option<PolicyId>,
    /// The group's settings, as its creator gave them.
    pub settings: String,
    /// Minutes the binding outlives its viewer; -1 for ever.
    pub session_timeout: i32,
}

impl Store {
    /// Gives out a ticket.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the binding has ended or the hash is taken,
    /// [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn mint_ticket(&self, new: NewTicket, nonce: Option<Nonce>) -> Result<()> {
        self.write(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT 1 FROM bindings WHERE binding_id = $1 AND ended_at IS NULL";
            first(c, sql, values![&new.binding], |row| row.integer(0))?
                .ok_or(StoreError::Conflict("the binding"))?;
            let made = c.execute(
                "INSERT INTO tickets (ticket_hash, binding_id, app_id, expires_at)
                 VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                values![new.hash.as_slice(), &new.binding, &new.app, new.expires],
            )?;
            if made == 0 {
                return Err(StoreError::Conflict("the ticket"));
            }
            Ok(())
        })
        .await
    }

    /// Spends a ticket, records the token its viewer may come back with, and writes into the audit trail what
    /// `admit` says of it, together: a ticket is never spent without the others. Where `admit` says nothing,
    /// because the viewer does not come in yet, none of it is done.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn redeem_ticket(
        &self,
        ticket: Digest,
        resume: Digest,
        now: Timestamp,
        admit: impl FnOnce(&Admitted) -> Option<AuditEntry> + Send + 'static,
    ) -> Result<Redemption> {
        let writer = self.writer();
        // One transaction writes at a time, so what is looked at first is still so when it is spent.
        self.write(move |c| {
            let sql = "SELECT used_at, expires_at FROM tickets WHERE ticket_hash = $1";
            let known = first(c, sql, values![ticket.as_slice()], |row| {
                Ok((row.maybe_integer(0)?, Timestamp(row.integer(1)?)))
            })?;
            match known {
                None => return Ok(Redemption::Unknown),
                Some((Some(_), _)) => return Ok(Redemption::Used),
                Some((None, expires)) if expires <= now => return Ok(Redemption::Expired),
                Some((None, _)) => {}
            }
            let Some(admitted) = holder_of(c, TICKET, &ticket)?.map(Box::new) else {
                return Ok(Redemption::Unknown);
            };
            let Some(entry) = admit(&admitted) else {
                return Ok(Redemption::Held(admitted));
            };
            let spend = "UPDATE tickets SET used_at = $2 WHERE ticket_hash = $1";
            c.execute(spend, values![ticket.as_slice(), now])?;
            c.execute(
                "INSERT INTO resume_tokens (token_hash, binding_id, app_id, created_at)
                 VALUES ($1, $2, $3, $4)",
                values![resume.as_slice(), &admitted.binding, &admitted.app, now],
            )?;
            audit::append(c, &writer, entry)?;
            Ok(Redemption::Admitted(admitted))
        })
        .await
    }

    /// Looks a resume token up; it stays good until its binding ends.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn resume(&self, token: Digest) -> Result<Resumption> {
        self.read(move |c| {
            Ok(match holder_of(c, RESUME_TOKEN, &token)? {
                Some(admitted) => Resumption::Admitted(Box::new(admitted)),
                None => Resumption::Unknown,
            })
        })
        .await
    }
}

/// What proves a binding: where it is kept, and the column of its hash.
type Proof = (&'static str, &'static str);
const TICKET: Proof = ("tickets", "ticket_hash");
const RESUME_TOKEN: Proof = ("resume_tokens", "token_hash");

/// Who shows `hash`, unless the binding has ended.
fn holder_of(
    c: &mut dyn Connection,
    (table, column): Proof,
    hash: &Digest,
) -> Result<Option<Admitted>> {
    let sql = format!(
        "SELECT b.binding_id, b.end_user_id, r.app_id, s.session_id, s.name, s.status,
             s.status_reason, s.desired, s.handle, s.group_id, g.account_id, g.image_id, g.policy_id,
             g.settings, g.session_timeout, s.server_id,
             (SELECT address FROM servers v WHERE v.server_id = s.server_id)
         FROM {table} r JOIN bindings b ON b.binding_id = r.binding_id
             JOIN sessions s ON s.session_id = b.session_id
             JOIN app_groups g ON g.group_id = s.group_id
         WHERE r.{column} = $1 AND b.ended_at IS NULL"
    );
    let mut found = first(c, &sql, values![hash.as_slice()], admitted)?;
    if let Some(admitted) = &mut found {
        admitted.authorized = grants::is_authorized(c, &admitted.session, &admitted.user)?;
    }
    Ok(found)
}

fn admitted(row: &dyn Row) -> Result<Admitted> {
    Ok(Admitted {
        binding: word(row.text(0)?, BindingId::parse)?,
        user: word(row.text(1)?, EndUserId::parse)?,
        authorized: false,
        app: word(row.text(2)?, AppId::parse)?,
        session: word(row.text(3)?, PersistentId::parse)?,
        session_name: row.text(4)?.to_owned(),
        status: word(row.text(5)?, PersistentStatus::parse)?,
        status_reason: row.text(6)?.to_owned(),
        desired: word(row.text(7)?, Desired::parse)?,
        handle: row.maybe_bytes(8)?.map(ToOwned::to_owned),
        group: word(row.text(9)?, AppInstanceGroupId::parse)?,
        account: word(row.text(10)?, AccountId::parse)?,
        image: word(row.text(11)?, ImageId::parse)?,
        policy: row
            .maybe_text(12)?
            .map(|id| word(id, PolicyId::parse))
            .transpose()?,
        settings: row.text(13)?.to_owned(),
        session_timeout: narrow(row.integer(14)?)?,
        server: row
            .maybe_text(15)?
            .map(|id| word(id, ServerId::parse))
            .transpose()?,
        server_address: row.maybe_text(16)?.unwrap_or_default().to_owned(),
    })
}
