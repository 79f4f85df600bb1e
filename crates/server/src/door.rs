//! The gateway's door, opened by the store: who shows a ticket, may they come in, and where to; and who is
//! inside that must leave.

#[cfg(test)]
mod tests;

use crate::audit::{Refusals, Visit, Way};
use crate::catalogue::{Catalogue, own};
use crate::config::Clipboard;
use crate::reconcilers::Hosting;
use crate::ticket::Secret;
use greenroom_gateway::{Admission, Credential, Door, Endpoint, Reason, Refusal, Rights};
use greenroom_model::random::uuid_upper;
use greenroom_model::session::lifecycle::GIVE_UP_AFTER;
use greenroom_model::{
    BindingId, Clock, Desired, EndUserId, Entropy, PersistentId, PersistentStatus, ServerId,
};
use greenroom_store::{Admitted, Redemption, Resumption, Store, StoreError};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Intent of other replicas gives no hint; it is looked for this often.
const INSPECTION: Duration = Duration::from_secs(5);

/// The door of this server. Clones share it.
#[derive(Clone)]
pub struct StoreDoor(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    catalogue: Arc<Catalogue>,
    refusals: Arc<Refusals>,
    /// The server that this door is in.
    server: ServerId,
    guests: Mutex<HashMap<BindingId, Guest>>,
    /// Told when somebody has come in: what was read to let them in may be out of date already.
    entered: Notify,
}

/// A binding somebody was admitted for.
#[derive(Debug)]
struct Guest {
    session: PersistentId,
    user: EndUserId,
    /// Viewers with links to the session.
    viewers: usize,
    revoked: watch::Sender<Option<Reason>>,
}

impl StoreDoor {
    /// A door over `store` that counts those who do not come in, and a task that shows guests out until the last clone is dropped.
    #[must_use]
    pub fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        catalogue: Arc<Catalogue>,
        refusals: Arc<Refusals>,
        server: ServerId,
    ) -> Self {
        let inner = Arc::new(Inner {
            store,
            clock,
            entropy,
            catalogue,
            refusals,
            server,
            guests: Mutex::default(),
            entered: Notify::new(),
        });
        tokio::spawn(watch_over(Arc::downgrade(&inner)));
        Self(inner)
    }
}

impl Door for StoreDoor {
    async fn redeem(
        &self,
        credential: Credential,
        from: Option<IpAddr>,
    ) -> Result<Admission, Refusal> {
        let visit = Visit {
            at: self.0.clock.now(),
            address: from,
            id: uuid_upper(&*self.0.entropy),
        };
        let outcome = self.0.redeem(credential, &visit).await;
        if let Err(refusal) = &outcome {
            visit.count(&self.0.refusals, refusal);
        }
        outcome
    }

    async fn connected(&self, binding: &BindingId) {
        let first = {
            let mut guests = self.0.guests();
            let guest = guests.get_mut(binding);
            guest.is_some_and(|guest| {
                guest.viewers += 1;
                guest.viewers == 1
            })
        };
        if first {
            self.0.note(self.0.store.connected(binding).await);
        }
    }

    async fn disconnected(&self, binding: &BindingId) {
        let last = {
            let mut guests = self.0.guests();
            let guest = guests.get_mut(binding);
            guest.is_some_and(|guest| {
                guest.viewers = guest.viewers.saturating_sub(1);
                guest.viewers == 0
            })
        };
        if last {
            let now = self.0.clock.now();
            self.0.note(self.0.store.disconnected(binding, now).await);
        }
    }
}

impl Inner {
    async fn redeem(&self, credential: Credential, visit: &Visit) -> Result<Admission, Refusal> {
        let (admitted, resume, way) = match credential {
            Credential::Ticket(text) => {
                let shown = Secret::of_ticket(&text).ok_or(Refusal::UnknownTicket)?;
                let resume = Secret::new(&*self.entropy);
                let coming = visit.clone();
                let server = self.server.clone();
                let admit = move |admitted: &Admitted| {
                    // A viewer that is to come again, or to another door, has only its ticket to come with.
                    let here = admitted.server.as_ref() == Some(&server);
                    let ready = here && admitted.status == PersistentStatus::Running;
                    ready.then(|| coming.entry(Way::Ticket, admitted))
                };
                let redeemed = self
                    .store
                    .redeem_ticket(shown.digest(), resume.digest(), visit.at, admit)
                    .await;
                match redeemed.map_err(unavailable)? {
                    // Its row was written when the ticket was spent.
                    Redemption::Admitted(admitted) => return self.admit(&admitted, &resume).await,
                    Redemption::Held(admitted) => (admitted, resume, Way::Ticket),
                    Redemption::Used => return Err(Refusal::UsedTicket),
                    Redemption::Expired => return Err(Refusal::ExpiredTicket),
                    Redemption::Unknown => return Err(Refusal::UnknownTicket),
                }
            }
            Credential::Resume(token) => {
                let resume = Secret::of_resume_token(&token).ok_or(Refusal::BindingEnded)?;
                let resumed = self.store.resume(resume.digest()).await;
                match resumed.map_err(unavailable)? {
                    Resumption::Admitted(admitted) => (admitted, resume, Way::Token),
                    Resumption::Unknown => return Err(Refusal::BindingEnded),
                }
            }
        };
        let outcome = self.admit(&admitted, &resume).await;
        let entry = visit.entry(way, &admitted);
        visit.settle(&self.store, entry, outcome).await
    }

    async fn admit(&self, admitted: &Admitted, resume: &Secret) -> Result<Admission, Refusal> {
        if !admitted.authorized {
            return Err(Refusal::NotAuthorized);
        }
        let endpoint = self.endpoint(admitted).await?;
        let catalogue = own::offered(&self.catalogue, &self.store, &admitted.account);
        let catalogue = catalogue.await.map_err(unavailable)?;
        let image = catalogue.image(admitted.image.as_str());
        let app = image.and_then(|image| image.app(&admitted.app));
        let admission = Admission {
            binding: admitted.binding.clone(),
            persistent_id: admitted.session.clone(),
            endpoint,
            rights: rights(self.catalogue.clipboard(admitted.policy.as_ref())),
            resume_token: resume.expose().to_owned(),
            revoked: self.take_in(admitted),
            title: app.map_or_else(|| admitted.session_name.clone(), |app| app.name.clone()),
        };
        self.entered.notify_one();
        Ok(admission)
    }

    /// Where the session is, or why it is nowhere.
    async fn endpoint(&self, admitted: &Admitted) -> Result<Endpoint, Refusal> {
        use PersistentStatus as S;
        if let Some(server) = &admitted.server
            && *server != self.server
        {
            let address = admitted.server_address.clone();
            return Err(Refusal::Elsewhere { address });
        }
        let wanted = admitted.desired == Desired::Running;
        let (reason, coming) = match admitted.status {
            S::Running => {
                let hosting = admitted.handle.as_deref().and_then(Hosting::from_bytes);
                match hosting {
                    Some(hosting) => return Ok(hosting.handle.endpoint()),
                    None => ("it has no process", wanted),
                }
            }
            S::Pending | S::Starting => ("it is being started", wanted),
            S::Stopping => ("it is being stopped", wanted),
            S::Stopped => ("it is stopped", wanted),
            S::Rebuilding => ("it is being reset", wanted),
            // The reason that is kept is for administrators: it may name files and programs.
            S::Unavailable => ("it has failed", wanted && self.is_retried(admitted).await?),
            S::Deleting | S::Deleted => ("it was deleted", false),
        };
        Err(Refusal::NotRunning {
            reason: reason.to_owned(),
            coming,
        })
    }

    async fn is_retried(&self, admitted: &Admitted) -> Result<bool, Refusal> {
        let record = self.store.session_record(&admitted.session).await;
        let record = record.map_err(unavailable)?;
        Ok(record.is_some_and(|record| record.failures < u32::from(GIVE_UP_AFTER)))
    }

    fn take_in(&self, admitted: &Admitted) -> watch::Receiver<Option<Reason>> {
        let mut guests = self.guests();
        let guest = guests
            .entry(admitted.binding.clone())
            .or_insert_with(|| Guest {
                session: admitted.session.clone(),
                user: admitted.user.clone(),
                viewers: 0,
                revoked: watch::Sender::new(None),
            });
        guest.revoked.subscribe()
    }

    /// Shows out whoever may not stay, and forgets whoever has left.
    async fn inspect(&self) -> Result<(), StoreError> {
        let inside: Vec<(BindingId, PersistentId, EndUserId)> = {
            let mut guests = self.guests();
            guests.retain(|_, guest| guest.viewers > 0 || guest.revoked.receiver_count() > 0);
            let guest = |(binding, guest): (&BindingId, &Guest)| {
                (binding.clone(), guest.session.clone(), guest.user.clone())
            };
            guests.iter().map(guest).collect()
        };
        for (binding, session, user) in inside {
            if let Some(reason) = self.verdict(&binding, &session, &user).await? {
                let mut guests = self.guests();
                let Some(guest) = guests.get_mut(&binding) else {
                    continue;
                };
                if guest.revoked.receiver_count() > 0 {
                    tracing::info!(binding.id = %binding, session.id = %session, reason = reason.code(), "a viewer has to leave");
                    // Whoever is admitted later, to a session that was started again, is not told this.
                    let leaving = std::mem::replace(&mut guest.revoked, watch::Sender::new(None));
                    leaving.send_replace(Some(reason));
                }
            }
        }
        Ok(())
    }

    async fn verdict(
        &self,
        binding: &BindingId,
        session: &PersistentId,
        user: &EndUserId,
    ) -> Result<Option<Reason>, StoreError> {
        let desired = self
            .store
            .session_record(session)
            .await?
            .map(|record| record.desired);
        match desired {
            None | Some(Desired::Deleted) => return Ok(Some(Reason::Deleted)),
            Some(Desired::Stopped) => return Ok(Some(Reason::Stopped)),
            Some(Desired::Running) => {}
        }
        let open = self.store.open_bindings(session).await?;
        if open.iter().all(|held| held.id != *binding) {
            return Ok(Some(Reason::Unbound));
        }
        let authorized = self.store.is_authorized(session, user).await?;
        Ok((!authorized).then_some(Reason::NotAuthorized))
    }

    /// A viewer's coming or going that cannot be written is no reason to keep it out or in: at worst its
    /// binding ends too early or too late.
    fn note(&self, written: Result<bool, StoreError>) {
        match written {
            Ok(true) => {}
            // The binding has just ended; the next inspection shows the viewer out.
            Ok(false) => self.entered.notify_one(),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a viewer's coming or going is not written down");
            }
        }
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<BindingId, Guest>> {
        // Guests are whole at every moment, so a panic elsewhere does not spoil them.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Inspects after each change of intent, until the door is gone.
async fn watch_over(door: Weak<Inner>) {
    let Some(mut intents) = door.upgrade().map(|inner| inner.store.intents()) else {
        return;
    };
    while let Some(inner) = door.upgrade() {
        if let Err(error) = inner.inspect().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "viewers cannot be inspected");
        }
        tokio::select! {
            () = inner.entered.notified() => {}
            Ok(()) = intents.changed() => {}
            () = tokio::time::sleep(INSPECTION) => {}
        }
    }
}

fn unavailable(error: StoreError) -> Refusal {
    let error = &error as &dyn std::error::Error;
    tracing::error!(error, "a viewer cannot be let in");
    Refusal::Unavailable
}

/// Every viewer of a binding sees, hears and controls: they are the same user. Files are not carried yet.
fn rights(clipboard: Clipboard) -> Rights {
    let (clipboard_in, clipboard_out) = match clipboard {
        Clipboard::Off => (false, false),
        Clipboard::ToSession => (true, false),
        Clipboard::ToViewer => (false, true),
        Clipboard::Both => (true, true),
    };
    Rights {
        input: true,
        controller: true,
        audio: true,
        clipboard_out,
        clipboard_in,
        files_out: false,
    }
}
