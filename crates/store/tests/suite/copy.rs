//! Copies of the database: what is in them, and which files can take its place.

use crate::world::{Folder, START, Seeded, World};
use greenroom_model::AccountId;
use greenroom_store::{COPIES, DatabaseUrl, SealingKey, Secret, Store, StoreError, check_copy};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn key(byte: u8) -> SealingKey {
    SealingKey::new(&[byte; 32], Arc::new(Seeded::new(9)))
}

/// How many accounts a writer has made, each with a key of its number.
async fn write_until(stop: Arc<AtomicBool>, made: Arc<AtomicUsize>, store: Store) {
    let random = Seeded::new(1_000);
    while !stop.load(Ordering::Relaxed) {
        let number = made.load(Ordering::Relaxed);
        let (id, name) = (AccountId::new(&random), format!("written-{number}"));
        let key = format!("key-{number}");
        let written = store.add_account(id, name, key, Secret::new("x"), START);
        written.await.unwrap();
        made.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_all_that_was_answered_and_is_one_file_of_its_owners() {
    let folder = Folder::new();
    let w = World::new(Store::open(&folder.database()).unwrap()).await;
    w.store.unlock(key(7), START).await.unwrap();
    let (stop, made) = (Arc::default(), Arc::<AtomicUsize>::default());
    let writer = write_until(Arc::clone(&stop), Arc::clone(&made), w.store.clone());
    let writer = tokio::spawn(writer);
    for copies in 0..5 {
        while made.load(Ordering::Relaxed) < copies * 10 + 1 {
            tokio::task::yield_now().await;
        }
        let answered = made.load(Ordering::Relaxed);
        let name = format!("copy-{copies}");
        let size = w.store.begin_copy().unwrap().write(name.clone());
        let size = size.await.unwrap();

        let folder = folder.database().with_file_name(COPIES);
        let path = folder.join(name);
        let data = std::fs::metadata(&path).unwrap();
        assert_eq!(
            (data.len(), data.permissions().mode() & 0o777),
            (size, 0o600)
        );
        check_copy(&path, &key(7)).unwrap();
        // Nothing lies beside it that it would need, nor an earlier one.
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let copy = Store::open(&path).unwrap();
        copy.unlock(key(7), START).await.unwrap();
        for number in 0..answered {
            let found = copy.access_key(&format!("key-{number}")).await.unwrap();
            assert!(found.is_some(), "{number} of {answered} is missing");
        }
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn what_cannot_take_the_databases_place_is_refused_with_the_reason() {
    let folder = Folder::new();
    let w = World::new(Store::open(&folder.database()).unwrap()).await;
    w.store.unlock(key(7), START).await.unwrap();
    let copy = w.store.begin_copy().unwrap().write("copy".to_owned());
    copy.await.unwrap();
    let copies = folder.database().with_file_name(COPIES);
    let whole = std::fs::read(copies.join("copy")).unwrap();
    let refused = |bytes: &[u8], key: SealingKey| {
        let path = copies.join("other");
        std::fs::write(&path, bytes).unwrap();
        check_copy(&path, &key).unwrap_err()
    };
    assert!(matches!(
        refused(&whole, key(8)),
        StoreError::WrongSealingKey
    ));
    let mut damaged = whole.clone();
    let half = damaged.len() / 2;
    damaged[half..half + 4096].fill(0xa5);
    for broken in [&damaged[..], &whole[..half], b"PRAGMA", b""] {
        let why = refused(broken, key(7));
        assert!(matches!(why, StoreError::Corrupt(_)), "{why:?}");
    }
    let missing = check_copy(Path::new("/nowhere/copy"), &key(7)).unwrap_err();
    assert!(missing.is_retryable(), "{missing:?}");
    // And nothing of what was looked at has changed.
    assert_eq!(std::fs::read(copies.join("copy")).unwrap(), whole);
}

#[tokio::test]
async fn a_copy_that_cannot_be_written_leaves_nothing() {
    let folder = Folder::new();
    let store = Store::open(&folder.database()).unwrap();
    let copies = folder.database().with_file_name(COPIES);
    std::fs::write(&copies, "a file in the folder's place").unwrap();
    let copying = store.begin_copy().unwrap().write("copy".to_owned());
    assert!(copying.await.unwrap_err().is_retryable());
    assert!(copies.is_file());
}

#[tokio::test]
async fn only_a_file_can_be_copied() {
    let url: DatabaseUrl = greenroom_testkit::postgres::database().parse().unwrap();
    for store in [Store::in_memory().unwrap(), Store::open_url(&url).unwrap()] {
        let refused = store.begin_copy().err().unwrap();
        assert!(matches!(refused, StoreError::NotAFile), "{refused:?}");
    }
}
