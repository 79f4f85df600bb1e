//! The door over a store in memory: who comes in, how often, and who has to leave.

use super::StoreDoor;
use crate::audit::Refusals;
use crate::reconcilers::world::{FIRST_APP, World, alice};
use crate::ticket::{Secret, TICKET_LIFETIME};
use greenroom_gateway::{Admission, Credential, Door, Reason, Refusal};
use greenroom_model::{Ask, BindingId, Clock, PersistentId};
use greenroom_store::{GrantChange, NewTicket, Unbinding};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// Where viewers are.
const VIEWER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

/// A session that is up, with alice authorized and holding it.
struct House {
    world: World,
    door: StoreDoor,
    refusals: Arc<Refusals>,
    session: PersistentId,
    binding: BindingId,
}

impl House {
    async fn new() -> Self {
        let world = World::new().await;
        let session = world.running().await;
        world.authorize(&session).await;
        let binding = world.open_task(&session, FIRST_APP).await.binding;
        world.settle().await;
        let refusals = Arc::<Refusals>::default();
        let door = StoreDoor::open(
            world.store.clone(),
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            Arc::clone(&world.entropy) as Arc<dyn greenroom_model::Entropy>,
            Arc::clone(&world.catalogue),
            Arc::clone(&refusals),
            world.membership.id().clone(),
        );
        Self {
            world,
            door,
            refusals,
            session,
            binding,
        }
    }

    async fn ticket(&self) -> Credential {
        let secret = Secret::new(&*self.world.entropy);
        let ticket = NewTicket {
            hash: secret.digest(),
            binding: self.binding.clone(),
            app: crate::reconcilers::world::app(FIRST_APP),
            expires: self.world.clock.now().after(TICKET_LIFETIME),
        };
        self.world.store.mint_ticket(ticket, None).await.unwrap();
        Credential::Ticket(secret.to_ticket(""))
    }

    async fn admit(&self) -> Admission {
        let ticket = self.ticket().await;
        self.door.redeem(ticket, VIEWER).await.unwrap()
    }

    async fn unbind(&self) {
        let what = Unbinding {
            group: self.world.record(&self.session).await.group,
            user: Some(alice()),
            session: Some(self.session.clone()),
            instance: None,
            reset: false,
        };
        let (account, now) = (&self.world.account, self.world.clock.now());
        let ended = self
            .world
            .store
            .unbind(account, what, "unbound", None, now)
            .await
            .unwrap();
        let ended: Vec<&BindingId> = ended.iter().map(|it| &it.id).collect();
        assert_eq!(ended, [&self.binding]);
    }

    async fn refused(&self, credential: Credential) -> Refusal {
        match self.door.redeem(credential, VIEWER).await {
            Ok(_) => panic!("nobody should be let in"),
            Err(refusal) => refusal,
        }
    }

    async fn change_grants(&self, change: GrantChange) {
        let group = self.world.record(&self.session).await.group;
        let (account, now) = (&self.world.account, self.world.clock.now());
        self.world
            .store
            .authorize_session_users(account, &group, &self.session, change, None, now)
            .await
            .unwrap();
    }
}

async fn shown_out(admission: &mut Admission) -> Reason {
    let told = admission.revoked.wait_for(Option::is_some);
    let told = tokio::time::timeout(LIMIT, told).await.expect("in time");
    told.expect("a reason").expect("some reason")
}

#[tokio::test]
async fn a_ticket_lets_in_once_and_leads_to_the_holder() {
    let house = House::new().await;
    let ticket = house.ticket().await;
    let admission = house.door.redeem(ticket.clone(), VIEWER).await.unwrap();
    assert_eq!(admission.persistent_id, house.session);
    assert_eq!(admission.title, "First");
    assert!(admission.rights.input && admission.rights.clipboard_in && !admission.rights.files_out);
    let run_dir = admission.endpoint.run_dir.to_string_lossy().into_owned();
    assert!(run_dir.ends_with(house.session.as_str()), "{run_dir}");
    assert_eq!(house.refused(ticket).await, Refusal::UsedTicket);
}

/// Every row of the audit trail: what was done and what came of it.
async fn recorded(house: &House) -> Vec<(String, String)> {
    let store = &house.world.store;
    let Some(head) = store.audit_heads().await.unwrap().pop() else {
        return Vec::new();
    };
    let rows = store.audit_chain(&head.writer, 0, 100).await.unwrap();
    rows.into_iter()
        .map(|row| {
            let it = row.entry;
            assert_eq!(
                (it.principal.kind.as_str(), it.principal.id),
                ("EndUser", "alice".to_owned())
            );
            assert_eq!(
                (it.account.as_ref(), it.address.as_str()),
                (Some(&house.world.account), "192.0.2.7")
            );
            assert!(
                it.subject.ends_with(house.session.as_str()),
                "{}",
                it.subject
            );
            (it.action, it.outcome)
        })
        .collect()
}

#[tokio::test]
async fn a_viewer_that_shows_who_it_is_leaves_a_row_and_any_other_is_counted() {
    let house = House::new().await;
    let admission = house.admit().await;
    let resume = Credential::Resume(admission.resume_token.clone());
    house.door.redeem(resume.clone(), VIEWER).await.unwrap();
    let [ticket, late] = [house.ticket().await, house.ticket().await];
    let remove = GrantChange {
        add: Vec::new(),
        remove: vec![alice()],
    };
    house.change_grants(remove).await;
    assert_eq!(house.refused(ticket.clone()).await, Refusal::NotAuthorized);
    assert_eq!(house.refused(resume).await, Refusal::NotAuthorized);
    let row = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    let rows = [
        row("RedeemTicket", "OK"),
        row("Resume", "OK"),
        row("RedeemTicket", "not.authorized"),
        row("Resume", "not.authorized"),
    ];
    assert_eq!(recorded(&house).await, rows);

    assert_eq!(house.refused(ticket).await, Refusal::UsedTicket);
    house.world.clock.advance(TICKET_LIFETIME);
    assert_eq!(house.refused(late).await, Refusal::ExpiredTicket);
    let garbage = Credential::Ticket("!".to_owned());
    assert_eq!(house.refused(garbage).await, Refusal::UnknownTicket);
    assert_eq!(recorded(&house).await, rows);
    let counted = house.refusals.take();
    let codes: Vec<&str> = counted["192.0.2.7"].keys().map(String::as_str).collect();
    assert_eq!(codes, ["ticket.expired", "ticket.unknown", "ticket.used"]);
}

#[tokio::test]
async fn what_is_no_ticket_or_no_longer_one_is_told_apart() {
    let house = House::new().await;
    for garbage in ["", "!", "AAAA"] {
        let refusal = house.refused(Credential::Ticket(garbage.into())).await;
        assert_eq!(refusal, Refusal::UnknownTicket);
    }
    let invented = Secret::new(&*house.world.entropy).to_ticket("");
    assert_eq!(
        house.refused(Credential::Ticket(invented)).await,
        Refusal::UnknownTicket
    );
    let ticket = house.ticket().await;
    house.world.clock.advance(TICKET_LIFETIME);
    assert_eq!(house.refused(ticket).await, Refusal::ExpiredTicket);
    let token = Credential::Resume("x".repeat(50));
    assert_eq!(house.refused(token).await, Refusal::BindingEnded);
}

#[tokio::test]
async fn a_resume_token_is_good_again_and_again_until_the_binding_ends() {
    let house = House::new().await;
    let first = house.admit().await;
    for _ in 0..3 {
        let again = Credential::Resume(first.resume_token.clone());
        let again = house.door.redeem(again, VIEWER).await.unwrap();
        assert_eq!(
            (again.binding, again.resume_token),
            (first.binding.clone(), first.resume_token.clone())
        );
    }
    house.unbind().await;
    let late = Credential::Resume(first.resume_token);
    assert_eq!(house.refused(late).await, Refusal::BindingEnded);
}

#[tokio::test]
async fn authorization_is_asked_for_again_at_the_door() {
    let house = House::new().await;
    let ticket = house.ticket().await;
    let remove = GrantChange {
        add: Vec::new(),
        remove: vec![alice()],
    };
    house.change_grants(remove).await;
    assert_eq!(house.refused(ticket).await, Refusal::NotAuthorized);
}

#[tokio::test]
async fn whoever_is_inside_leaves_when_the_right_to_be_is_gone() {
    let house = House::new().await;
    let mut admission = house.admit().await;
    house.door.connected(&house.binding).await;
    let remove = GrantChange {
        add: Vec::new(),
        remove: vec![alice()],
    };
    house.change_grants(remove).await;
    assert_eq!(shown_out(&mut admission).await, Reason::NotAuthorized);
}

#[tokio::test]
async fn whoever_is_inside_leaves_when_the_binding_is_ended() {
    let house = House::new().await;
    let mut admission = house.admit().await;
    house.unbind().await;
    assert_eq!(shown_out(&mut admission).await, Reason::Unbound);
}

#[tokio::test]
async fn a_stopped_session_shows_its_viewers_out_and_lets_them_in_again_once_started() {
    let house = House::new().await;
    let mut admission = house.admit().await;
    house.door.connected(&house.binding).await;
    house.world.ask(&house.session, Ask::Stop).await;
    assert_eq!(shown_out(&mut admission).await, Reason::Stopped);
    let resume = Credential::Resume(admission.resume_token.clone());
    let refusal = house.refused(resume.clone()).await;
    assert!(
        matches!(refusal, Refusal::NotRunning { coming: false, .. }),
        "{refusal:?}"
    );
    house.world.ask(&house.session, Ask::Start).await;
    let again = house.door.redeem(resume, VIEWER).await.unwrap();
    assert_eq!(*again.revoked.borrow(), None);
}

#[tokio::test]
async fn a_deleted_session_shows_its_viewers_out() {
    let house = House::new().await;
    let mut admission = house.admit().await;
    let record = house.world.record(&house.session).await;
    let now = house.world.clock.now();
    house
        .world
        .store
        .delete_group(&house.world.account, &record.group, None, now)
        .await
        .unwrap();
    assert_eq!(shown_out(&mut admission).await, Reason::Deleted);
}

#[tokio::test]
async fn a_crashed_session_asks_its_viewers_to_come_back() {
    let house = House::new().await;
    let admission = house.admit().await;
    house.world.fake.die(&house.session);
    house.world.settle().await;
    let resume = Credential::Resume(admission.resume_token);
    let refusal = house.refused(resume.clone()).await;
    assert!(
        matches!(refusal, Refusal::NotRunning { coming: true, .. }),
        "{refusal:?}"
    );
    house.world.wait(Duration::from_secs(1)).await;
    assert!(house.door.redeem(resume, VIEWER).await.is_ok());
}

#[tokio::test]
async fn a_ticket_for_a_session_that_is_coming_back_is_good_once_it_is_there() {
    let house = House::new().await;
    let ticket = house.ticket().await;
    house.world.fake.die(&house.session);
    house.world.settle().await;
    let refusal = house.refused(ticket.clone()).await;
    assert!(
        matches!(refusal, Refusal::NotRunning { coming: true, .. }),
        "{refusal:?}"
    );
    house.world.wait(Duration::from_secs(1)).await;
    assert!(house.door.redeem(ticket.clone(), VIEWER).await.is_ok());
    assert_eq!(house.refused(ticket).await, Refusal::UsedTicket);
}

#[tokio::test]
async fn a_session_that_gave_up_asks_nobody_to_come_back() {
    let house = House::new().await;
    let admission = house.admit().await;
    house.world.fake.refuse_spawns(true);
    house.world.fake.die(&house.session);
    for pause in [0, 1, 2] {
        house.world.wait(Duration::from_secs(pause)).await;
    }
    let refusal = house
        .refused(Credential::Resume(admission.resume_token))
        .await;
    assert!(
        matches!(refusal, Refusal::NotRunning { coming: false, .. }),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_binding_is_connected_while_any_viewer_of_it_is() {
    let house = House::new().await;
    let _one = house.admit().await;
    let _other = house.admit().await;
    let open = async || {
        house
            .world
            .store
            .open_bindings(&house.session)
            .await
            .unwrap()
            .remove(0)
    };
    house.door.connected(&house.binding).await;
    house.door.connected(&house.binding).await;
    assert_eq!(open().await.expires_at, None);
    house.door.disconnected(&house.binding).await;
    assert_eq!(open().await.disconnected_at, None);
    house.door.disconnected(&house.binding).await;
    let now = house.world.clock.now();
    assert_eq!(
        open().await.expires_at,
        Some(now.after(Duration::from_secs(15 * 60)))
    );
}
