//! Old rows go, and a signed checkpoint says up to where.

use super::chain::append;
use super::checkpoint::{CHECKPOINT, Checkpoint};
use super::entry::{AuditEntry, AuditHead, AuditPrincipal};
use super::read::{COLUMNS, column, heads, row};
use crate::Store;
use crate::connection::{Connection, values};
use crate::error::{Result, StoreError};
use crate::seal::SealingKey;
use greenroom_model::Timestamp;
use std::ops::ControlFlow;

/// Rows of a chain that one transaction removes at most, so that no other write waits long for it.
const AT_ONCE: u32 = 1_000;

impl Store {
    /// Removes the oldest rows of each chain, as far as they were written before `before`, and in the same
    /// transaction leaves a checkpoint at the end of the chain; answers whether there may be more to remove.
    ///
    /// Chains of servers that are gone are seen to as well: whoever holds the one write transaction may
    /// add to any chain.
    ///
    /// # Errors
    /// There is no key to sign with, or the database could not be written.
    pub async fn trim_audit(&self, before: Timestamp, now: Timestamp) -> Result<bool> {
        let key = self.sealing().ok_or(StoreError::WrongSealingKey)?;
        self.write(move |c| {
            let mut more = false;
            for head in heads(c)? {
                more |= trim(c, &head, &key, before, now)?;
            }
            Ok(more)
        })
        .await
    }
}

fn trim(
    c: &mut dyn Connection,
    head: &AuditHead,
    key: &SealingKey,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let mut last = None;
    let mut old = 0;
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_events WHERE writer = $1 ORDER BY sequence LIMIT {AT_ONCE}"
    );
    c.query(&sql, values![&head.writer], &mut |found| {
        let row = row(found)?;
        if row.entry.at >= before {
            return Ok(ControlFlow::Break(()));
        }
        old += 1;
        last = Some(Checkpoint {
            through: row.sequence,
            hash: row.hash,
        });
        Ok(ControlFlow::Continue(()))
    })?;
    let Some(last) = last else {
        return Ok(false);
    };
    let subject = key.checkpoints().subject(&head.writer, last);
    let entry = AuditEntry {
        at: now,
        account: None,
        principal: AuditPrincipal {
            kind: "Server".to_owned(),
            ..AuditPrincipal::default()
        },
        access_key_id: String::new(),
        product: "greenroom".to_owned(),
        version: String::new(),
        action: CHECKPOINT.to_owned(),
        outcome: "OK".to_owned(),
        request_id: String::new(),
        address: String::new(),
        subject: subject.ok_or(StoreError::WrongSealingKey)?,
        count: old,
    };
    append(c, &head.writer, entry)?;
    c.execute(
        "DELETE FROM audit_events WHERE writer = $1 AND sequence <= $2",
        values![&head.writer, column(last.through)],
    )?;
    Ok(old == AT_ONCE)
}
