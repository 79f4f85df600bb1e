//! The row of a command on a stopped server's database.

use super::OK;
use greenroom_model::random::uuid_upper;
use greenroom_model::{Entropy, Timestamp};
use greenroom_store::{AuditEntry, AuditPrincipal, Recording, Store};

/// The store for the length of one such command: what it changes has its row in the same transaction. `subject` is
/// what the command names; who runs it is known to the machine only, by the number of its user.
#[must_use]
pub fn recording(
    store: &Store,
    action: &str,
    subject: String,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Store {
    let entry = AuditEntry {
        at: now,
        account: None,
        principal: AuditPrincipal {
            kind: "Operator".to_owned(),
            id: format!("uid-{}", rustix::process::getuid().as_raw()),
            name: String::new(),
        },
        access_key_id: String::new(),
        product: "greenroom".to_owned(),
        version: String::new(),
        action: action.to_owned(),
        outcome: OK.to_owned(),
        request_id: uuid_upper(entropy),
        address: String::new(),
        subject,
        count: 1,
    };
    store.recording(&Recording::new(entry))
}
