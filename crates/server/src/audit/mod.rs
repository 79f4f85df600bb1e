//! What of calls and of viewers goes into the audit trail.
//!
//! - A call that was admitted and may have changed something leaves a row, whatever came of it; so does one
//!   that was denied. The row of a change is written with the change, see [`greenroom_store::Recording`].
//! - A viewer that shows who it is leaves a row, let in or not.
//! - A command that changes a stopped server's database leaves one, with what it changes.
//! - Whoever does not get as far as showing who they are is counted: a row a minute for each address, so that
//!   nobody from outside decides how much is written.

mod call;
mod keeper;
mod operator;
mod refusals;
mod subject;
mod view;
mod viewer;

pub use call::{Call, settle};
pub use keeper::Keeper;
pub use operator::recording;
pub use refusals::Refusals;
pub use view::{ChainRowView, EventView, HeadView};
pub use viewer::{Visit, Way};

use greenroom_store::{AuditEntry, Store, StoreError};

/// The outcome of what was done.
const OK: &str = "OK";

/// Writes a row on a task of its own, so that a caller that breaks off the connection cannot keep it from
/// being written.
async fn write(store: &Store, entry: AuditEntry) -> Result<(), StoreError> {
    let store = store.clone();
    let written = tokio::spawn(async move { store.append_audit(vec![entry]).await });
    written.await.unwrap_or_else(|error| {
        Err(StoreError::Refused {
            step: "writing an audit row",
            source: error.into(),
        })
    })
}
