//! What a row of the audit trail says.

use greenroom_model::{AccountId, Timestamp, hex};
use std::fmt;

/// The most characters that a text of a row has; the rest of a longer one is left out.
const LONGEST: usize = 512;

/// Something that happened, before it has a place in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Whose business it was. What is no account's is the installation's: the root account's.
    pub account: Option<AccountId>,
    /// Who did it.
    pub principal: AuditPrincipal,
    /// The public half of the key that it was signed with; empty when there was none.
    pub access_key_id: String,
    /// The product of the operation.
    pub product: String,
    /// The product's version; empty for what is no operation.
    pub version: String,
    /// The operation, or what else was done.
    pub action: String,
    /// `OK`, or the code of the refusal.
    pub outcome: String,
    /// By what its caller and the log know it; empty for a row that stands for several calls.
    pub request_id: String,
    /// Where it came from; empty when nobody knows.
    pub address: String,
    /// What it was about, by ids only; empty when the request named none.
    pub subject: String,
    /// How many times, where one row stands for several.
    pub count: u32,
}

/// Who did something; all empty for somebody who was not recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPrincipal {
    /// `Account`, `SubUser`, `AssumedRoleUser`, `EndUser`, `Server` or `Operator`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A row of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Whose chain it is in.
    pub writer: String,
    /// Its place there, from 1, without gaps.
    pub sequence: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// The hash of the row before it; zeros in the first.
    pub previous: RowHash,
    /// The hash over all of the above.
    pub hash: RowHash,
}

/// The last row of a chain: whoever keeps it can prove later that nothing before it was changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Whose chain it is.
    pub writer: String,
    /// The last row's place.
    pub sequence: u64,
    /// The last row's hash.
    pub hash: RowHash,
}

/// SHA-256 over a row; written in hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowHash(pub [u8; 32]);

impl RowHash {
    /// What the first row of a chain follows.
    pub const NONE: Self = Self([0; 32]);

    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        hex::decode(digits).map(Self)
    }
}

impl fmt::Display for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl AuditEntry {
    /// The same entry with texts as a row may have them: bounded, and without control characters, which
    /// not every database holds.
    pub(super) fn bounded(mut self) -> Self {
        for text in [
            &mut self.principal.kind,
            &mut self.principal.id,
            &mut self.principal.name,
            &mut self.access_key_id,
            &mut self.product,
            &mut self.version,
            &mut self.action,
            &mut self.outcome,
            &mut self.request_id,
            &mut self.address,
            &mut self.subject,
        ] {
            if text.len() > LONGEST || text.contains(char::is_control) {
                let plain = text.chars().filter(|c| !c.is_control());
                *text = plain.take(LONGEST).collect();
            }
        }
        self
    }
}
