//! Chains that somebody has tampered with, and what shows of it.

use super::super::checkpoint::CheckpointKey;
use super::super::entry::{AuditEntry, AuditPrincipal};
use super::*;
use greenroom_model::Timestamp;

const WRITER: &str = "one";

fn key() -> CheckpointKey {
    CheckpointKey::of(&[7; 32])
}

fn entry(action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp(1_000),
        account: None,
        principal: AuditPrincipal::default(),
        access_key_id: String::new(),
        product: "ram".to_owned(),
        version: String::new(),
        action: action.to_owned(),
        outcome: "OK".to_owned(),
        request_id: String::new(),
        address: String::new(),
        subject: subject.to_owned(),
        count: 1,
    }
}

/// Adds a row as the writer would.
fn add(chain: &mut Vec<AuditRow>, entry: AuditEntry) {
    let (sequence, previous) = chain
        .last()
        .map_or((0, RowHash::NONE), |last| (last.sequence, last.hash));
    let mut row = AuditRow {
        writer: WRITER.to_owned(),
        sequence: sequence + 1,
        entry,
        previous,
        hash: RowHash::NONE,
    };
    row.hash = row.computed_hash();
    chain.push(row);
}

fn chain(length: usize) -> Vec<AuditRow> {
    let mut chain = Vec::new();
    for number in 0..length {
        add(
            &mut chain,
            entry("CreateUser", &format!("UserName=u{number}")),
        );
    }
    chain
}

/// As retention leaves a chain of which it removed the rows through a place.
fn trimmed(mut chain: Vec<AuditRow>, through: u64, key: &CheckpointKey) -> Vec<AuditRow> {
    let last = chain.iter().find(|row| row.sequence == through).unwrap();
    let checkpoint = Checkpoint {
        through,
        hash: last.hash,
    };
    let subject = key.subject(WRITER, checkpoint).unwrap();
    add(&mut chain, entry(CHECKPOINT, &subject));
    chain.retain(|row| row.sequence > through);
    chain
}

/// Gives the rows from `at` on the hashes that they would have had.
fn rehash(chain: &mut [AuditRow], at: usize) {
    for at in at..chain.len() {
        if at > 0 {
            chain[at].previous = chain[at - 1].hash;
        }
        chain[at].hash = chain[at].computed_hash();
    }
}

fn head(row: &AuditRow) -> AuditHead {
    AuditHead {
        writer: row.writer.clone(),
        sequence: row.sequence,
        hash: row.hash,
    }
}

fn verify(chain: &[AuditRow], kept: Option<AuditHead>) -> Result<AuditHead, (u64, Flaw)> {
    let key = key().verifier().unwrap();
    let mut verification = AuditVerification::new(WRITER, key, kept);
    chain
        .iter()
        .try_for_each(|row| verification.take(row))
        .and_then(|()| verification.finish())
        .map_err(|flaw| (flaw.sequence, flaw.what))
}

#[test]
fn a_chain_as_it_was_written_fits_and_ends_at_its_head() {
    let whole = chain(5);
    assert_eq!(verify(&whole, None), Ok(head(&whole[4])));
    for kept in &whole {
        assert_eq!(verify(&whole, Some(head(kept))), Ok(head(&whole[4])));
    }
    let none = verify(&[], None).unwrap();
    assert_eq!((none.sequence, none.hash), (0, RowHash::NONE));
}

#[test]
fn a_change_of_any_field_shows_at_its_row() {
    let changes: [fn(&mut AuditRow); 19] = [
        |row| row.writer = "two".to_owned(),
        |row| row.sequence = 9,
        |row| row.entry.at = Timestamp(1_001),
        |row| row.entry.account = greenroom_model::AccountId::parse("1234567890123456").ok(),
        |row| row.entry.principal.kind.push('x'),
        |row| row.entry.principal.id.push('x'),
        |row| row.entry.principal.name.push('x'),
        |row| row.entry.access_key_id.push('x'),
        |row| row.entry.product.push('x'),
        |row| row.entry.version.push('x'),
        |row| row.entry.action.push('x'),
        |row| row.entry.outcome.push('x'),
        |row| row.entry.request_id.push('x'),
        |row| row.entry.address.push('x'),
        |row| row.entry.subject.push('x'),
        |row| row.entry.count = 2,
        |row| row.previous = RowHash([1; 32]),
        |row| row.hash = RowHash([1; 32]),
        // What one text loses to the next is a change as well.
        |row| {
            row.entry.product = "ra".to_owned();
            row.entry.version = "m".to_owned();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut chain = chain(5);
        change(&mut chain[2]);
        let sequence = chain[2].sequence;
        let found = verify(&chain, None);
        assert_eq!(found, Err((sequence, Flaw::Changed)), "change {number}");
    }
}

#[test]
fn a_row_that_was_removed_replaced_or_moved_shows() {
    let mut gone = chain(5);
    gone.remove(2);
    assert_eq!(verify(&gone, None), Err((3, Flaw::Missing)));

    let mut swapped = chain(5);
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped, None), Err((2, Flaw::Missing)));

    // Their contents only: each is at the other's place, with its hash made right again.
    let mut swapped = chain(5);
    let (second, third) = (swapped[1].entry.clone(), swapped[2].entry.clone());
    (swapped[1].entry, swapped[2].entry) = (third, second);
    for row in &mut swapped[1..3] {
        row.hash = row.computed_hash();
    }
    assert_eq!(verify(&swapped, None), Err((3, Flaw::Unchained)));
}

#[test]
fn a_chain_that_was_rewritten_or_cut_off_shows_by_the_head_that_was_kept() {
    let whole = chain(5);
    let kept = head(&whole[3]);
    let mut rewritten = whole.clone();
    rewritten[2].entry.outcome = "NoPermission".to_owned();
    rehash(&mut rewritten, 2);
    assert!(verify(&rewritten, None).is_ok(), "by itself it fits");
    let found = verify(&rewritten, Some(kept.clone()));
    assert_eq!(found, Err((4, Flaw::Rewritten)));

    let cut = &whole[..3];
    assert!(verify(cut, None).is_ok(), "by itself it fits");
    assert_eq!(verify(cut, Some(kept.clone())), Err((4, Flaw::Cut)));
    assert_eq!(verify(&[], Some(kept)), Err((4, Flaw::Cut)));
}

#[test]
fn a_chain_begins_at_its_first_row_or_at_a_checkpoint_and_nowhere_else() {
    let whole = chain(5);
    let rest = trimmed(whole.clone(), 3, &key());
    assert_eq!(verify(&rest, None), Ok(head(rest.last().unwrap())));
    // What was removed rightly proves as much as what is there, as long as it is the last of it.
    assert!(verify(&rest, Some(head(&whole[2]))).is_ok());
    let older = verify(&rest, Some(head(&whole[1])));
    assert_eq!(older, Err((2, Flaw::Outlived)));

    assert_eq!(verify(&whole[3..], None), Err((4, Flaw::Beheaded)));
    // More is gone than the checkpoint says.
    assert_eq!(verify(&rest[1..], None), Err((5, Flaw::Beheaded)));
    // A second trimming takes the first one's checkpoint with it.
    let mut longer = rest;
    add(&mut longer, entry("CreateUser", ""));
    let again = trimmed(longer, 6, &key());
    assert_eq!(again[0].sequence, 7);
    assert!(verify(&again, None).is_ok());
}

#[test]
fn a_checkpoint_that_the_key_did_not_sign_is_a_forgery() {
    let forged = trimmed(chain(5), 3, &CheckpointKey::of(&[8; 32]));
    assert_eq!(verify(&forged, None), Err((6, Flaw::Forged)));

    let honest = trimmed(chain(5), 3, &key());
    let subject = honest[2].entry.subject.clone();
    let forgeries = [
        String::new(),
        "through 3".to_owned(),
        subject.replace("through 3", "through 4"),
        subject.replace("through", "through "),
        format!("{subject} more"),
        subject[..subject.len() - 2].to_owned(),
    ];
    for forgery in forgeries {
        let mut chain = honest.clone();
        chain[2].entry.subject.clone_from(&forgery);
        rehash(&mut chain, 2);
        assert_eq!(verify(&chain, None), Err((6, Flaw::Forged)), "{forgery}");
    }
    // What was signed for another chain.
    let hash = honest[0].previous;
    let subject = key().subject("two", Checkpoint { through: 3, hash });
    let mut chain = honest;
    chain[2].entry.subject = subject.unwrap();
    rehash(&mut chain, 2);
    assert_eq!(verify(&chain, None), Err((6, Flaw::Forged)));
}
