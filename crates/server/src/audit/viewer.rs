//! The row of a viewer at the door.

use super::{OK, Refusals, write};
use crate::error::chain;
use greenroom_gateway::Refusal;
use greenroom_model::Timestamp;
use greenroom_store::{Admitted, AuditEntry, AuditPrincipal, Store};
use std::net::IpAddr;

/// What a viewer comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A ticket, which is spent by it.
    Ticket,
    /// The token of an earlier visit.
    Token,
}

/// A viewer at the door, as far as a row tells of it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub address: Option<IpAddr>,
    /// By what the row is known.
    pub id: String,
}

impl Visit {
    /// The row of a viewer that has shown who it is.
    #[must_use]
    pub fn entry(&self, way: Way, it: &Admitted) -> AuditEntry {
        let outcome = if it.authorized {
            OK
        } else {
            Refusal::NotAuthorized.code()
        };
        let action = match way {
            Way::Ticket => "RedeemTicket",
            Way::Token => "Resume",
        };
        AuditEntry {
            at: self.at,
            account: Some(it.account.clone()),
            principal: AuditPrincipal {
                kind: "EndUser".to_owned(),
                id: it.user.to_string(),
                name: String::new(),
            },
            access_key_id: String::new(),
            product: "gateway".to_owned(),
            version: String::new(),
            action: action.to_owned(),
            outcome: outcome.to_owned(),
            request_id: self.id.clone(),
            address: self.address.map_or_else(String::new, |it| it.to_string()),
            subject: format!(
                "AppInstanceGroupId={} AppInstancePersistentId={}",
                it.group, it.session
            ),
            count: 1,
        }
    }

    /// Sees to it that a viewer which has shown who it is, and whose coming was not written down with its
    /// ticket, has its row.
    ///
    /// # Errors
    /// It would be let in and cannot be recorded, or it is refused already.
    pub async fn settle<T>(
        &self,
        store: &Store,
        entry: AuditEntry,
        outcome: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        // Whoever comes too early says nothing new by coming again.
        if !matches!(outcome, Ok(_) | Err(Refusal::NotAuthorized)) {
            return outcome;
        }
        let written = write(store, entry).await;
        if let Err(error) = written {
            let error = chain(&error);
            tracing::error!(request.id = %self.id, error, "a viewer is not in the audit trail");
            return outcome.and(Err(Refusal::Unavailable));
        }
        outcome
    }

    /// Counts a viewer that was turned away without having shown who it is.
    pub fn count(&self, refusals: &Refusals, refusal: &Refusal) {
        match refusal {
            // It has a row of its own, or the server's trouble is none of its doing.
            Refusal::NotAuthorized | Refusal::Unavailable => {}
            Refusal::UnknownTicket
            | Refusal::UsedTicket
            | Refusal::ExpiredTicket
            | Refusal::BindingEnded
            | Refusal::NotRunning { .. }
            | Refusal::Elsewhere { .. } => refusals.count(self.address, refusal.code()),
        }
    }
}
