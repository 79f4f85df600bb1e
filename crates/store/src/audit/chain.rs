//! How rows are chained: the canonical bytes of a row, their hash, and the writing of the next row.

use super::entry::{AuditEntry, AuditHead, AuditRow, RowHash};
use super::read::{column, head_of};
use crate::connection::{Connection, first, values, word};
use crate::error::Result;
use greenroom_model::AccountId;
use sha2::{Digest, Sha256};

/// The form of the bytes that are hashed. A later form begins with another text, and rows keep theirs.
const FORM: &[u8] = b"greenroom audit row 1\0";

impl AuditRow {
    /// The hash that the row must have: over every field in order, each behind its length, so that no two
    /// rows have the same bytes.
    #[must_use]
    pub fn computed_hash(&self) -> RowHash {
        let it = &self.entry;
        let account = it.account.as_ref().map_or("", AccountId::as_str);
        let mut hash = Sha256::new();
        hash.update(FORM);
        for field in [
            self.writer.as_bytes(),
            &self.sequence.to_be_bytes(),
            &it.at.0.to_be_bytes(),
            account.as_bytes(),
            it.principal.kind.as_bytes(),
            it.principal.id.as_bytes(),
            it.principal.name.as_bytes(),
            it.access_key_id.as_bytes(),
            it.product.as_bytes(),
            it.version.as_bytes(),
            it.action.as_bytes(),
            it.outcome.as_bytes(),
            it.request_id.as_bytes(),
            it.address.as_bytes(),
            it.subject.as_bytes(),
            &it.count.to_be_bytes(),
            &self.previous.0,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        RowHash(hash.finalize().into())
    }
}

/// Writes the next row of a chain within the caller's transaction. Only one transaction writes at a time, on
/// either database, so the row that this follows is still the last one when it commits.
pub(crate) fn append(c: &mut dyn Connection, writer: &str, entry: AuditEntry) -> Result<()> {
    let mut entry = entry.bounded();
    if entry.account.is_none() {
        entry.account = root_account(c)?;
    }
    let last = head_of(c, writer)?.unwrap_or_else(|| AuditHead {
        writer: writer.to_owned(),
        sequence: 0,
        hash: RowHash::NONE,
    });
    let mut row = AuditRow {
        writer: last.writer,
        sequence: last.sequence + 1,
        entry,
        previous: last.hash,
        hash: RowHash::NONE,
    };
    row.hash = row.computed_hash();
    insert(c, &row)
}

fn insert(c: &mut dyn Connection, row: &AuditRow) -> Result<()> {
    let it = &row.entry;
    let account = it.account.as_ref().map_or("", AccountId::as_str);
    c.execute(
        "INSERT INTO audit_events (writer, sequence, at, account_id, principal_type, principal_id,
             principal_name, access_key_id, product, version, action, outcome, request_id, address,
             subject, count, previous_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        values![
            &row.writer,
            column(row.sequence),
            it.at,
            account,
            &it.principal.kind,
            &it.principal.id,
            &it.principal.name,
            &it.access_key_id,
            &it.product,
            &it.version,
            &it.action,
            &it.outcome,
            &it.request_id,
            &it.address,
            &it.subject,
            it.count,
            row.previous.0.as_slice(),
            row.hash.0.as_slice(),
        ],
    )?;
    Ok(())
}

/// `None` before the first start.
fn root_account(c: &mut dyn Connection) -> Result<Option<AccountId>> {
    let sql = "SELECT account_id FROM accounts WHERE is_root = 1";
    first(c, sql, &[], |row| word(row.text(0)?, AccountId::parse))
}
