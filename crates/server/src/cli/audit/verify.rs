//! `greenroom audit verify`: every chain is asked for from its beginning and hashed again here.

use super::Trail;
use super::kept::{Heads, Kept};
use crate::audit::ChainRowView;
use crate::cli::say;
use crate::client::ClientError;
use greenroom_store::{
    AuditFlaw, AuditHead, AuditRow, AuditVerification, CheckpointVerifier, RowHash,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why the audit trail is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The server could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What it answers is no audit trail.
    #[error("what the server answers is no audit trail")]
    Answer(#[source] serde_json::Error),
    /// A hash or a key is none.
    #[error("what the server answers is no audit trail: a hash or a key in it is none")]
    NoHash,
    /// A chain does not fit.
    #[error("the audit trail was tampered with")]
    Flaw(#[from] AuditFlaw),
    /// No row has the hash that was kept.
    #[error(
        "the audit trail was tampered with, or rows of it are too old: no row has the hash that was kept"
    )]
    HashGone,
    /// The server has another key for checkpoints.
    #[error("the server signs checkpoints with another key than the one that was kept")]
    OtherKey,
}

/// The answer of `ListAuditChain`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rows {
    events: Vec<ChainRowView>,
}

/// Verifies every chain that there is, or that was when a head of it was kept.
pub(super) async fn all(trail: &Trail, kept: Option<Kept>) -> Result<(), VerifyError> {
    let heads: Heads = read(trail.call("GetAuditHead", &[]).await?)?;
    let (mut heads, key) = heads.read().ok_or(VerifyError::NoHash)?;
    let mut sought = None;
    match kept {
        Some(Kept::Heads(_, other)) if other != key => return Err(VerifyError::OtherKey),
        Some(Kept::Heads(kept, _)) => {
            // The row that the server calls the last proves nothing beside one that was kept.
            heads.retain(|head| kept.iter().all(|kept| kept.writer != head.writer));
            heads.extend(kept);
        }
        Some(Kept::Hash(hash)) => sought = Some(hash),
        None => {}
    }
    if heads.is_empty() {
        say("There is no row in the audit trail yet.");
    }
    let mut found = sought.is_none();
    for head in heads {
        found |= chain(trail, head, key, sought).await?;
    }
    if found {
        Ok(())
    } else {
        Err(VerifyError::HashGone)
    }
}

/// Verifies the chain that has this row in it; answers whether a row has the hash that is sought.
async fn chain(
    trail: &Trail,
    head: AuditHead,
    key: CheckpointVerifier,
    sought: Option<RowHash>,
) -> Result<bool, VerifyError> {
    let writer = head.writer.clone();
    let mut verification = AuditVerification::new(&writer, key, Some(head));
    let (mut first, mut found) = (None, false);
    loop {
        let rows = page(trail, &writer, verification.reached()).await?;
        for row in &rows {
            verification.take(row)?;
            found |= sought.is_some_and(|hash| hash == row.hash || hash == row.previous);
        }
        match rows.first() {
            Some(row) => first.get_or_insert(row.sequence),
            None => break,
        };
    }
    let head = verification.finish()?;
    let first = first.unwrap_or(head.sequence);
    say(&format!(
        "{writer}: rows {first} to {} fit, up to {}",
        head.sequence, head.hash
    ));
    Ok(found)
}

async fn page(trail: &Trail, writer: &str, after: u64) -> Result<Vec<AuditRow>, VerifyError> {
    let after = after.to_string();
    let parameters = [
        ("Writer", writer),
        ("AfterSequence", &after),
        ("MaxResults", "1000"),
    ];
    let rows: Rows = read(trail.call("ListAuditChain", &parameters).await?)?;
    let rows = rows.events.into_iter().map(ChainRowView::into_row);
    rows.collect::<Option<_>>().ok_or(VerifyError::NoHash)
}

fn read<T: DeserializeOwned>(answer: serde_json::Value) -> Result<T, VerifyError> {
    serde_json::from_value(answer).map_err(VerifyError::Answer)
}
