//! Accounts and access keys.

use crate::world::{START, World, after};
use greenroom_model::AccountId;
use greenroom_store::{Secret, StoreError};

pub async fn the_root_account_is_made_once(w: World) {
    assert_eq!(w.store.root().await.unwrap(), None);
    let account = AccountId::new(&w.random);
    let start = |key: &str| {
        let account = AccountId::new(&w.random);
        w.store
            .first_start(account, key.to_owned(), Secret::new("later"), after(1))
    };
    w.store
        .first_start(
            account.clone(),
            "root-key".to_owned(),
            Secret::new("s3cret"),
            START,
        )
        .await
        .unwrap();
    assert!(matches!(
        start("other-key").await,
        Err(StoreError::Conflict(_))
    ));

    let root = w.store.root().await.unwrap().unwrap();
    assert_eq!((root.account, root.id.as_str()), (account, "root-key"));
    assert!(root.root && root.active);
    assert_eq!(root.secret.expose(), b"s3cret");
    assert_eq!(w.store.access_key("other-key").await.unwrap(), None);
}

pub async fn of_two_first_starts_one_wins(w: World) {
    let start = |key: &str| {
        let account = AccountId::new(&w.random);
        w.store
            .first_start(account, key.to_owned(), Secret::new("s"), START)
    };
    let (one, other) = tokio::join!(start("one"), start("other"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let winner = if one.is_ok() { "one" } else { "other" };
    assert_eq!(w.store.root().await.unwrap().unwrap().id, winner);
}

pub async fn a_rotated_root_key_replaces_the_old_one(w: World) {
    let rotate = |key: &str| {
        w.store
            .rotate_root_key(key.to_owned(), Secret::new("new"), after(1))
    };
    assert!(matches!(
        rotate("early").await,
        Err(StoreError::NotFound(_))
    ));
    let account = AccountId::new(&w.random);
    w.store
        .first_start(account.clone(), "old".to_owned(), Secret::new("s"), START)
        .await
        .unwrap();
    rotate("new").await.unwrap();
    assert_eq!(w.store.access_key("old").await.unwrap(), None);
    let root = w.store.root().await.unwrap().unwrap();
    assert_eq!((root.id.as_str(), root.account), ("new", account));
}

pub async fn an_access_key_names_its_account_and_keeps_its_secret(w: World) {
    let key = w.store.access_key("key-globex").await.unwrap().unwrap();
    assert_eq!(key.account, w.globex);
    assert!(key.active && !key.root);
    assert_eq!(key.secret.expose(), b"globex");
    assert!(
        !format!("{key:?}").contains("103, 108, 111"),
        "the secret's bytes show in {key:?}"
    );
}

pub async fn a_key_id_is_never_taken_over(w: World) {
    let account = AccountId::new(&w.random);
    let refused = w
        .store
        .add_account(
            account,
            "initech".to_owned(),
            "key-acme".to_owned(),
            Secret::new("x"),
            START,
        )
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    let key = w.store.access_key("key-acme").await.unwrap().unwrap();
    assert_eq!((key.account, key.secret.expose()), (w.acme, &b"acme"[..]));
}
