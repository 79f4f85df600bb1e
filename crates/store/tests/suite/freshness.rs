//! What was read before is not shown again once anybody has written: over two stores of one database, as two
//! servers have it, or a server and a command beside it.

use crate::world::{Folder, Seeded, World, after, user};
use greenroom_model::{AccountId, PersistentStatus, Timestamp};
use greenroom_store::{DatabaseUrl, GrantChange, Secret, Store};
use greenroom_testkit::postgres;

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_write_shows_in_every_later_read_on_sqlite() {
    let folder = Folder::new();
    let open = || Store::open(&folder.database()).unwrap();
    shows_at_once(open(), open()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_write_shows_in_every_later_read_on_postgres() {
    let url: DatabaseUrl = postgres::database().parse().unwrap();
    let open = || Store::open_url(&url).unwrap();
    shows_at_once(open(), open()).await;
}

async fn shows_at_once(one: Store, other: Store) {
    let one = World::new(one).await;
    let mut other = World::over(other, 8).await;
    other.acme = one.acme.clone();
    // Sessions are written of by the server they live on, through whichever store.
    other.lease = one.lease.clone();
    let group = one.with_group("office", 30).await;
    let ids = one.ids(&group).await;
    let (mut expected, mut names) = (PersistentStatus::Pending, Vec::new());
    for round in 0..40_usize {
        // Whoever writes, both see it, and both have read the page before.
        let (writer, at) = ([&one, &other][round % 2], after(round as i64));
        for reader in [&one, &other] {
            let row = reader.page(&group, 1, 20).await.items.remove(3);
            assert_eq!(
                (row.status, &row.users),
                (expected, &names),
                "round {round}"
            );
        }
        match round % 4 {
            0 | 1 => {
                expected = [PersistentStatus::Running, PersistentStatus::Stopped][round % 2];
                writer.observe(&ids[3], expected, at).await;
            }
            _ => {
                names.push(user(&format!("user-{round:02}")));
                let change = GrantChange {
                    add: names.clone(),
                    remove: Vec::new(),
                };
                let (account, id) = (&writer.acme, &ids[3]);
                writer
                    .store
                    .authorize_session_users(account, &group, id, change, None, at)
                    .await
                    .unwrap();
            }
        }
    }
    a_key_ends_at_once(&one.store, &other.store).await;
}

async fn a_key_ends_at_once(one: &Store, other: &Store) {
    let at = Timestamp(0);
    let secret = |number: usize| Secret::new(format!("secret-{number}"));
    let (root, first) = (AccountId::new(&Seeded::new(9)), "key-0".to_owned());
    one.first_start(root, first, secret(0), at).await.unwrap();
    for round in 0..20 {
        let (id, before) = (format!("key-{}", round + 1), format!("key-{round}"));
        let (writer, reader) = if round % 2 == 0 {
            (one, other)
        } else {
            (other, one)
        };
        writer
            .rotate_root_key(id.clone(), secret(round), at)
            .await
            .unwrap();
        for store in [writer, reader] {
            assert_eq!(store.access_key(&before).await.unwrap(), None);
            let found = store.access_key(&id).await.unwrap().unwrap();
            assert_eq!(found.secret, secret(round));
        }
    }
}
