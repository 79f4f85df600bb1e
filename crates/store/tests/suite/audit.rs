//! The audit trail: rows with the changes that they tell of, chains, and what is left of old ones.

use crate::world::{Seeded, World, after, entry, nonce};
use greenroom_model::AccountId;
use greenroom_store::{
    AuditEntry, AuditFilter, AuditFlaw, AuditHead, AuditRow, AuditVerification, Flaw, Recording,
    SealingKey, Store, StoreError,
};
use std::sync::Arc;

/// The rows of a chain, by pages.
async fn chain(store: &Store, writer: &str) -> Vec<AuditRow> {
    let mut rows: Vec<AuditRow> = Vec::new();
    loop {
        let last = rows.last().map_or(0, |row| row.sequence);
        let more = store.audit_chain(writer, last, 7).await.unwrap();
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// Verifies a chain as it is in the database.
pub async fn verify(store: &Store, head: &AuditHead) -> Result<AuditHead, AuditFlaw> {
    let key = store.checkpoint_verifier().unwrap();
    let mut verification = AuditVerification::new(&head.writer, key, Some(head.clone()));
    for row in chain(store, &head.writer).await {
        verification.take(&row)?;
    }
    verification.finish()
}

pub async fn unlock(store: &Store) {
    let key = SealingKey::new(&[7; 32], Arc::new(Seeded::new(9)));
    store.unlock(key, after(0)).await.unwrap();
}

async fn only_head(store: &Store) -> AuditHead {
    let mut heads = store.audit_heads().await.unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    heads.remove(0)
}

fn of(account: &AccountId, action: &str, at: i64) -> AuditEntry {
    AuditEntry {
        account: Some(account.clone()),
        action: action.to_owned(),
        at: after(at),
        ..entry()
    }
}

pub async fn a_call_is_recorded_with_its_first_change_and_once(w: World) {
    let call = Recording::new(of(&w.acme, "CreateAppInstanceGroup", 1));
    let store = w.store.recording(&call);
    let create = async |name: &str, nonce| {
        let (spec, slots) = (w.spec(name), w.slots(1));
        let made = store.create_group(spec, slots, Vec::new(), nonce, |_| true);
        made.await
    };
    // Looking is not recorded.
    assert!(
        store
            .group(&w.acme, &w.spec("office").id)
            .await
            .unwrap()
            .is_none()
    );
    let full = store.create_group(w.spec("full"), w.slots(1), Vec::new(), None, |_| false);
    assert!(matches!(full.await, Err(StoreError::NoRoom)));
    assert!(!call.is_written());
    assert!(w.store.audit_heads().await.unwrap().is_empty());

    create("office", nonce(1)).await.unwrap();
    assert!(call.is_written());
    create("more", nonce(2)).await.unwrap();
    let replayed = create("again", nonce(1)).await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    let rows = chain(&w.store, &only_head(&w.store).await.writer).await;
    let told: Vec<_> = rows.iter().map(|row| &row.entry).collect();
    assert_eq!(told, [call.entry()]);
}

pub async fn changes_at_once_are_one_chain(w: World) {
    unlock(&w.store).await;
    w.store.write_audit_as("server-1");
    let calls = (0..40).map(|number| {
        let store = w.store.clone();
        let account = w.acme.clone();
        tokio::spawn(async move {
            let call = Recording::new(of(&account, "Ping", number));
            store.recording(&call).ping().await.unwrap();
            call.is_written()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap());
    }
    let head = only_head(&w.store).await;
    assert_eq!((head.writer.as_str(), head.sequence), ("server-1", 40));
    assert_eq!(verify(&w.store, &head).await, Ok(head.clone()));
    let cut = AuditHead {
        sequence: 41,
        ..head
    };
    let flaw = verify(&w.store, &cut).await.unwrap_err();
    assert_eq!((flaw.sequence, flaw.what), (41, Flaw::Cut));
}

pub async fn an_account_reads_its_own_rows_the_latest_first(w: World) {
    let entries = (0..30).map(|number| {
        let account = if number % 3 == 0 { &w.globex } else { &w.acme };
        let action = if number % 2 == 0 { "Even" } else { "Odd" };
        of(account, action, number)
    });
    w.store.append_audit(entries.collect()).await.unwrap();
    let read = async |account: &AccountId, filter: AuditFilter| {
        let (mut seconds, mut place) = (Vec::new(), None);
        loop {
            let page = w.store.audit_events(account, filter.clone(), place, 4);
            let page = page.await.unwrap();
            assert!(page.rows.len() <= 4);
            let second = |row: &AuditRow| (row.entry.at.0 - after(0).0) / 1000;
            seconds.extend(page.rows.iter().map(second));
            place = page.next;
            if place.is_none() {
                return seconds;
            }
        }
    };
    let all = AuditFilter::default();
    let expected = |keep: fn(i64) -> bool| -> Vec<i64> {
        (0..30).rev().filter(|number| keep(*number)).collect()
    };
    assert_eq!(read(&w.globex, all.clone()).await, expected(|n| n % 3 == 0));
    assert_eq!(read(&w.acme, all.clone()).await, expected(|n| n % 3 != 0));
    let between = AuditFilter {
        from: Some(after(4)),
        until: Some(after(20)),
        ..all.clone()
    };
    let found = read(&w.acme, between).await;
    assert_eq!(found, expected(|n| n % 3 != 0 && (4..20).contains(&n)));
    let even = AuditFilter {
        action: Some("Even".to_owned()),
        principal: Some("zoe".to_owned()),
        outcome: Some("OK".to_owned()),
        ..all.clone()
    };
    let found = read(&w.acme, even).await;
    assert_eq!(found, expected(|n| n % 3 != 0 && n % 2 == 0));
    let nobody = AuditFilter {
        principal: Some("max".to_owned()),
        ..all
    };
    assert_eq!(read(&w.acme, nobody).await, Vec::<i64>::new());
}

pub async fn what_is_no_accounts_is_the_root_accounts(w: World) {
    let root = AccountId::parse("1000000000000001").unwrap();
    w.store.append_audit(vec![entry()]).await.unwrap();
    let made = w.store.first_start(
        root.clone(),
        "k".into(),
        greenroom_store::Secret::new("s"),
        after(0),
    );
    made.await.unwrap();
    w.store.append_audit(vec![entry()]).await.unwrap();
    let rows = chain(&w.store, &only_head(&w.store).await.writer).await;
    let accounts: Vec<_> = rows.iter().map(|row| row.entry.account.clone()).collect();
    assert_eq!(accounts, [None, Some(root.clone())]);
    assert!(w.store.is_root_account(&root).await.unwrap());
    assert!(!w.store.is_root_account(&w.acme).await.unwrap());
}

pub async fn texts_of_rows_are_bounded_and_plain(w: World) {
    let long = AuditEntry {
        subject: "é\0\n".repeat(1_000),
        ..entry()
    };
    unlock(&w.store).await;
    w.store.append_audit(vec![long]).await.unwrap();
    let head = only_head(&w.store).await;
    let rows = chain(&w.store, &head.writer).await;
    assert_eq!(rows[0].entry.subject, "é".repeat(512));
    assert_eq!(verify(&w.store, &head).await, Ok(head));
}

pub async fn old_rows_go_and_the_rest_still_fits(w: World) {
    unlock(&w.store).await;
    w.store.write_audit_as("server-1");
    let entries = (0..2_500).map(|number| of(&w.acme, "Ping", number));
    w.store.append_audit(entries.collect()).await.unwrap();
    let before = only_head(&w.store).await;
    let trim = async |before, now| {
        let mut passes = 1;
        while w.store.trim_audit(after(before), after(now)).await.unwrap() {
            passes += 1;
        }
        passes
    };
    assert_eq!(trim(0, 3_000).await, 1);
    assert_eq!(only_head(&w.store).await, before, "nothing was old enough");

    assert_eq!(trim(2_000, 3_000).await, 3);
    let rows = chain(&w.store, "server-1").await;
    // Rows 2001 to 2500 and a checkpoint of each pass that removed any.
    assert_eq!((rows[0].sequence, rows.len()), (2_001, 502));
    assert_eq!(rows[501].entry.action, "RemoveAuditEvents");
    assert_eq!(rows[501].entry.count, 1_000);
    assert!(verify(&w.store, &before).await.is_ok());

    // Everything, the checkpoints too: the last one stays and stands for all.
    trim(4_000, 5_000).await;
    let rows = chain(&w.store, "server-1").await;
    assert_eq!(rows.len(), 1);
    let head = only_head(&w.store).await;
    assert_eq!(verify(&w.store, &head).await, Ok(head));
    let outlived = verify(&w.store, &before).await.unwrap_err();
    assert_eq!(outlived.what, Flaw::Outlived);
}

pub async fn without_a_key_to_sign_with_nothing_is_removed(w: World) {
    w.store.append_audit(vec![entry()]).await.unwrap();
    let refused = w.store.trim_audit(after(1), after(2)).await;
    assert!(matches!(refused, Err(StoreError::WrongSealingKey)));
    assert_eq!(only_head(&w.store).await.sequence, 1);
}
