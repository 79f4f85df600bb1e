//! Rows of the audit trail as they are answered, and as whoever verifies a chain reads them.

use greenroom_model::{AccountId, Timestamp};
use greenroom_store::{AuditEntry, AuditHead, AuditPrincipal, AuditRow, RowHash};
use serde::{Deserialize, Serialize};

/// What a row says, without its place in a chain: how much others do is not for every account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventView {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    access_key_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    address: String,
    event_count: u32,
    event_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    event_request_id: String,
    /// In milliseconds, as it is hashed; the other form of it is for people.
    event_time: i64,
    gmt_event: String,
    outcome: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    principal_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    principal_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    principal_type: String,
    product_code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    product_version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
}

/// A row with its place in its chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChainRowView {
    #[serde(flatten)]
    event: EventView,
    hash: String,
    previous_hash: String,
    sequence: u64,
    writer: String,
}

/// The head of a chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HeadView {
    hash: String,
    sequence: u64,
    writer: String,
}

impl From<AuditEntry> for EventView {
    fn from(it: AuditEntry) -> Self {
        Self {
            principal_type: it.principal.kind,
            principal_id: it.principal.id,
            principal_name: it.principal.name,
            access_key_id: it.access_key_id,
            account_id: it.account,
            address: it.address,
            event_count: it.count,
            event_name: it.action,
            event_request_id: it.request_id,
            gmt_event: it.at.to_wire(),
            event_time: it.at.0,
            outcome: it.outcome,
            product_code: it.product,
            product_version: it.version,
            subject: it.subject,
        }
    }
}

impl From<EventView> for AuditEntry {
    fn from(it: EventView) -> Self {
        Self {
            at: Timestamp(it.event_time),
            account: it.account_id,
            principal: AuditPrincipal {
                kind: it.principal_type,
                id: it.principal_id,
                name: it.principal_name,
            },
            access_key_id: it.access_key_id,
            product: it.product_code,
            version: it.product_version,
            action: it.event_name,
            outcome: it.outcome,
            request_id: it.event_request_id,
            address: it.address,
            subject: it.subject,
            count: it.event_count,
        }
    }
}

impl From<AuditRow> for ChainRowView {
    fn from(it: AuditRow) -> Self {
        Self {
            event: it.entry.into(),
            hash: it.hash.to_string(),
            previous_hash: it.previous.to_string(),
            sequence: it.sequence,
            writer: it.writer,
        }
    }
}

impl ChainRowView {
    /// The row; `None` when what stands for its hashes is none.
    #[must_use]
    pub fn into_row(self) -> Option<AuditRow> {
        Some(AuditRow {
            writer: self.writer,
            sequence: self.sequence,
            entry: self.event.into(),
            previous: RowHash::parse(&self.previous_hash)?,
            hash: RowHash::parse(&self.hash)?,
        })
    }
}

impl From<AuditHead> for HeadView {
    fn from(it: AuditHead) -> Self {
        Self {
            hash: it.hash.to_string(),
            sequence: it.sequence,
            writer: it.writer,
        }
    }
}

impl HeadView {
    /// The head; `None` when what stands for its hash is none.
    #[must_use]
    pub fn into_head(self) -> Option<AuditHead> {
        Some(AuditHead {
            hash: RowHash::parse(&self.hash)?,
            sequence: self.sequence,
            writer: self.writer,
        })
    }
}
