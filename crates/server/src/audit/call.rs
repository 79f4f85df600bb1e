//! The row of a call that was admitted.

use super::{OK, subject, write};
use crate::access::{Access, Principal};
use crate::dispatch::Origin;
use crate::error::{Refused, chain};
use crate::ops::{Entry, Ran};
use greenroom_model::Timestamp;
use greenroom_rpc::{Params, Reply};
use greenroom_store::{AuditEntry, AuditPrincipal, Recording, Store};

/// The status of a fault that denies.
const FORBIDDEN: u16 = 403;

/// What a row tells of a call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// When it came.
    pub at: Timestamp,
    /// Who calls.
    pub principal: &'a Principal,
    /// With which key.
    pub access_key_id: &'a str,
    /// From where.
    pub origin: Origin,
    /// What is called.
    pub operation: &'a Entry,
    /// With what.
    pub params: &'a Params,
    /// The id of its answer.
    pub request_id: &'a str,
}

impl Call<'_> {
    /// The row of the call, if it is carried out.
    #[must_use]
    pub fn entry(self) -> AuditEntry {
        let product = self.operation.product;
        AuditEntry {
            at: self.at,
            account: Some(self.principal.account().clone()),
            principal: principal(self.principal),
            access_key_id: self.access_key_id.to_owned(),
            product: product.name.to_owned(),
            version: product.version.to_owned(),
            action: self.operation.action.to_owned(),
            outcome: OK.to_owned(),
            request_id: self.request_id.to_owned(),
            address: self
                .origin
                .address
                .map_or_else(String::new, |it| it.to_string()),
            subject: subject::of(self.params),
            count: 1,
        }
    }
}

fn principal(it: &Principal) -> AuditPrincipal {
    let (id, name) = match it {
        Principal::Account(account) => (account.to_string(), String::new()),
        Principal::User(user) => (user.id.clone(), user.name.clone()),
        Principal::Role(role) => {
            let name = format!("{}:{}", role.role, role.session);
            (role.role_id.clone(), name)
        }
    };
    AuditPrincipal {
        kind: it.kind().to_owned(),
        id,
        name,
    }
}

/// Sees to it that a call which ran has its row, and answers what its caller is to be told.
///
/// # Errors
/// The call's own. Also that of the database for one that gives something out or changes something and cannot
/// be recorded: nothing was given out then. A refusal stays what it is, recorded or not.
pub async fn settle(store: &Store, recording: &Recording, ran: Ran) -> Result<Reply, Refused> {
    match ran.answer {
        Ok(answer) => {
            let writes = ran.access == Some(Access::Write) && ran.gives_unwritten;
            if writes && !recording.is_written() {
                write(store, recording.carried_out()).await?;
            }
            Ok(answer)
        }
        Err(error) => {
            let refused = Refused::from(error);
            let fault = &refused.fault;
            // What could not be read may have been meant to change something.
            let may_change = matches!(ran.access, Some(Access::Write) | None);
            if may_change || fault.status == FORBIDDEN {
                let entry = AuditEntry {
                    outcome: fault.code.clone(),
                    ..recording.entry().clone()
                };
                let id = entry.request_id.clone();
                if let Err(error) = write(store, entry).await {
                    let error = chain(&error);
                    tracing::error!(request.id = %id, error, "a refusal is not in the audit trail");
                }
            }
            Err(refused)
        }
    }
}
