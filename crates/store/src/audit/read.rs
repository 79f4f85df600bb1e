//! Reading the audit trail: an account's own rows for people, whole chains for whoever verifies them.

use super::entry::{AuditEntry, AuditHead, AuditPrincipal, AuditRow, RowHash};
use crate::Store;
use crate::connection::{Connection, Row, all, first, narrow, values, word};
use crate::error::{Result, StoreError};
use greenroom_model::{AccountId, Timestamp};
use std::ops::ControlFlow;

/// Rows that one page looks at. A filter that hardly anything passes must not read a year of rows at once:
/// its pages are shorter, even empty, and say where to go on.
const LOOKED_AT: u32 = 5_000;

/// Writers that are told of; there is one for each data folder that ever served this database.
const WRITERS: usize = 1_000;

/// Which of an account's rows are asked for: those that fit everything that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// This was done.
    pub action: Option<String>,
    /// This ended it.
    pub outcome: Option<String>,
    /// Somebody of this id or name did it.
    pub principal: Option<String>,
}

/// Where a page ends and the next one goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    /// The time of the last row that was looked at.
    pub at: Timestamp,
    /// Its chain.
    pub writer: String,
    /// Its place there.
    pub sequence: u64,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The rows, the latest first.
    pub rows: Vec<AuditRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<AuditPlace>,
}

impl AuditFilter {
    fn passes(&self, it: &AuditEntry) -> bool {
        let is = |asked: &Option<String>, said: &str| asked.as_deref().is_none_or(|it| it == said);
        is(&self.action, &it.action)
            && is(&self.outcome, &it.outcome)
            && (is(&self.principal, &it.principal.id) || is(&self.principal, &it.principal.name))
    }

    /// Where the first page begins.
    fn latest(&self) -> AuditPlace {
        AuditPlace {
            at: self.until.unwrap_or(Timestamp(i64::MAX)),
            // Before every row of that moment, since no writer's name is empty.
            writer: String::new(),
            sequence: 0,
        }
    }
}

impl Store {
    /// A page of at most `size` of an account's rows, the latest first, that goes on `after` a place.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn audit_events(
        &self,
        account: &AccountId,
        filter: AuditFilter,
        after: Option<AuditPlace>,
        size: u32,
    ) -> Result<AuditPage> {
        let account = account.clone();
        self.read(move |c| {
            let from = filter.from.unwrap_or(Timestamp(i64::MIN));
            let after = after.unwrap_or_else(|| filter.latest());
            let sql = format!(
                "SELECT {COLUMNS} FROM audit_events
                 WHERE account_id = $1 AND at >= $2 AND (at, writer, sequence) < ($3, $4, $5)
                 ORDER BY at DESC, writer DESC, sequence DESC LIMIT $6"
            );
            let parameters = values![
                &account,
                from,
                after.at,
                after.writer,
                column(after.sequence),
                LOOKED_AT + 1
            ];
            let mut page = AuditPage {
                rows: Vec::new(),
                next: None,
            };
            let (mut looked_at, mut last) = (0, None);
            c.query(&sql, parameters, &mut |row| {
                if page.rows.len() >= size as usize || looked_at == LOOKED_AT {
                    page.next = last.take();
                    return Ok(ControlFlow::Break(()));
                }
                let row = self::row(row)?;
                looked_at += 1;
                last = Some(AuditPlace {
                    at: row.entry.at,
                    writer: row.writer.clone(),
                    sequence: row.sequence,
                });
                if filter.passes(&row.entry) {
                    page.rows.push(row);
                }
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(page)
        })
        .await
    }

    /// At most `size` rows of a chain, in their order, after a place; whichever account they are of.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn audit_chain(&self, writer: &str, after: u64, size: u32) -> Result<Vec<AuditRow>> {
        let writer = writer.to_owned();
        self.read(move |c| {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit_events
                 WHERE writer = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
            );
            all(c, &sql, values![writer, column(after), size], row)
        })
        .await
    }

    /// The head of every chain, in the order of their writers.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn audit_heads(&self) -> Result<Vec<AuditHead>> {
        self.read(heads).await
    }
}

/// The head of every chain.
pub(super) fn heads(c: &mut dyn Connection) -> Result<Vec<AuditHead>> {
    let mut found: Vec<AuditHead> = Vec::new();
    // From writer to writer, instead of over every row.
    let sql = "SELECT MIN(writer) FROM audit_events WHERE writer > $1";
    while found.len() < WRITERS {
        let last = found.last().map_or("", |head| &head.writer);
        let next = first(c, sql, values![last], |row| {
            Ok(row.maybe_text(0)?.map(str::to_owned))
        })?;
        let Some(writer) = next.flatten() else {
            break;
        };
        found.extend(head_of(c, &writer)?);
    }
    Ok(found)
}

/// The last row of a chain, if it has one.
pub(super) fn head_of(c: &mut dyn Connection, writer: &str) -> Result<Option<AuditHead>> {
    let sql = "SELECT sequence, hash FROM audit_events
         WHERE writer = $1 ORDER BY sequence DESC LIMIT 1";
    first(c, sql, values![writer], |row| {
        Ok(AuditHead {
            writer: writer.to_owned(),
            sequence: narrow(row.integer(0)?)?,
            hash: hash(row, 1)?,
        })
    })
}

/// What [`row`] reads.
pub(super) const COLUMNS: &str = "writer, sequence, at, account_id, principal_type, principal_id,
    principal_name, access_key_id, product, version, action, outcome, request_id, address, subject,
    count, previous_hash, hash";

/// A row as it is in the database; whether it is as it was written is not looked at here.
pub(super) fn row(row: &dyn Row) -> Result<AuditRow> {
    let text = |at| Ok::<_, StoreError>(row.text(at)?.to_owned());
    let account = Some(row.text(3)?).filter(|account| !account.is_empty());
    Ok(AuditRow {
        writer: text(0)?,
        sequence: narrow(row.integer(1)?)?,
        entry: AuditEntry {
            at: Timestamp(row.integer(2)?),
            account: account.map(|it| word(it, AccountId::parse)).transpose()?,
            principal: AuditPrincipal {
                kind: text(4)?,
                id: text(5)?,
                name: text(6)?,
            },
            access_key_id: text(7)?,
            product: text(8)?,
            version: text(9)?,
            action: text(10)?,
            outcome: text(11)?,
            request_id: text(12)?,
            address: text(13)?,
            subject: text(14)?,
            count: narrow(row.integer(15)?)?,
        },
        previous: hash(row, 16)?,
        hash: hash(row, 17)?,
    })
}

fn hash(row: &dyn Row, at: usize) -> Result<RowHash> {
    let bytes = row.maybe_bytes(at)?.unwrap_or_default();
    let bytes = bytes.try_into().map_err(|_| {
        StoreError::Corrupt("a hash of the audit trail has another length".to_owned())
    })?;
    Ok(RowHash(bytes))
}

/// A place in a chain as the database has it; one beyond what it can have is beyond every row.
pub(super) fn column(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
