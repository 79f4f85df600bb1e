//! What only PostgreSQL can show: several servers on one database, and a database that goes and comes back.

use crate::audit;
use crate::world::{World, after, entry, nonce};
use greenroom_store::{DatabaseUrl, NodesInUse, Store, StoreError};
use greenroom_testkit::postgres::{self, Cluster};
use std::sync::Barrier;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

fn url(text: &str) -> DatabaseUrl {
    text.parse().unwrap()
}

/// Two servers' stores over one database.
async fn pair() -> (World, World) {
    let url = url(&postgres::database());
    let one = World::new(Store::open_url(&url).unwrap()).await;
    let mut other = World::over(Store::open_url(&url).unwrap(), 8).await;
    other.acme = one.acme.clone();
    (one, other)
}

#[test]
fn servers_that_start_at_once_migrate_once() {
    let url = url(&postgres::database());
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    Store::open_url(&url).map(drop)
                })
            })
            .collect();
        for started in starting {
            started.join().unwrap().unwrap();
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_spent_at_one_server_is_refused_at_the_other() {
    let (one, other) = pair().await;
    one.store
        .create_group(
            one.spec("office"),
            one.slots(2),
            Vec::new(),
            nonce(1),
            |_| true,
        )
        .await
        .unwrap();
    let replayed = other
        .store
        .create_group(
            other.spec("again"),
            other.slots(2),
            Vec::new(),
            nonce(1),
            |_| true,
        )
        .await;
    assert!(
        matches!(replayed, Err(StoreError::NonceReplayed)),
        "{replayed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_server_has_a_chain_of_its_own_and_either_removes_what_is_old() {
    let (one, other) = pair().await;
    audit::unlock(&one.store).await;
    audit::unlock(&other.store).await;
    one.store.write_audit_as("one");
    other.store.write_audit_as("other");
    for _ in 0..5 {
        let (at_one, at_other) = tokio::join!(
            one.store.append_audit(vec![entry(), entry()]),
            other.store.append_audit(vec![entry()]),
        );
        at_one.unwrap();
        at_other.unwrap();
    }
    let heads = one.store.audit_heads().await.unwrap();
    let told: Vec<_> = heads
        .iter()
        .map(|head| (head.writer.as_str(), head.sequence))
        .collect();
    assert_eq!(told, [("one", 10), ("other", 5)]);
    for head in &heads {
        assert_eq!(audit::verify(&other.store, head).await.as_ref(), Ok(head));
    }
    // As if "one" would never come back.
    assert!(!other.store.trim_audit(after(1), after(2)).await.unwrap());
    for head in &heads {
        let rest = audit::verify(&one.store, head).await.unwrap();
        assert_eq!(
            rest.sequence,
            head.sequence + 1,
            "only its checkpoint is left"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_that_give_out_the_last_node_one_does() {
    let (one, other) = pair().await;
    for round in 0..20 {
        // Room for one group more than there are.
        let fits = move |used: &[NodesInUse]| used.iter().map(|u| u.nodes).sum::<u64>() <= round;
        let create = async |w: &World, name: String| {
            w.store
                .create_group(w.spec(&name), w.slots(1), Vec::new(), None, fits)
                .await
        };
        let (first, second) = tokio::join!(
            create(&one, format!("one-{round}")),
            create(&other, format!("other-{round}"))
        );
        let refused = [&first, &second]
            .iter()
            .filter(|made| matches!(made, Err(StoreError::NoRoom)))
            .count();
        assert_eq!(refused, 1, "round {round}: {first:?} {second:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_servers_write_at_once_is_all_there() {
    let (one, other) = pair().await;
    let write = async |w: &World, name: &str| {
        for number in 0..20 {
            w.with_group(&format!("{name}-{number}"), 3).await;
        }
    };
    tokio::join!(write(&one, "one"), write(&other, "other"));
    let serials = async |w: &World, name: &str| {
        let mut serials = Vec::new();
        for number in 0..20 {
            let group = w.spec(&format!("{name}-{number}")).id;
            for id in w.ids(&group).await {
                serials.push(w.session(&id).await.serial);
            }
        }
        serials
    };
    // Each server reads what the other wrote.
    let mut all = serials(&other, "one").await;
    all.extend(serials(&one, "other").await);
    all.sort_unstable();
    assert_eq!(all, (1..=120).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_went_away_is_used_again_once_it_is_back() {
    let mut cluster = Cluster::start();
    let w = World::new(Store::open_url(&url(&cluster.database())).unwrap()).await;
    let group = w.with_group("office", 2).await;

    cluster.stop();
    let (read, written) = tokio::join!(w.store.access_key("key-acme"), w.store.ping());
    assert!(read.is_err_and(|error| error.is_retryable()));
    assert!(written.is_err_and(|error| error.is_retryable()));

    cluster.start_again();
    let limit = Instant::now() + LIMIT;
    while let Err(error) = w.store.ping().await {
        assert!(error.is_retryable(), "{error:?}");
        assert!(Instant::now() < limit, "{error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(w.ids(&group).await.len(), 2);
    w.with_group("after", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_lost_while_idle_cost_no_call() {
    let mut cluster = Cluster::start();
    let w = World::new(Store::open_url(&url(&cluster.database())).unwrap()).await;
    cluster.stop();
    cluster.start_again();
    w.store.ping().await.unwrap();
    assert!(w.store.access_key("key-acme").await.unwrap().is_some());
}

#[test]
fn a_database_that_is_not_there_is_said_to_be_unavailable() {
    let mut cluster = Cluster::start();
    let (there, missing) = (
        url(&cluster.database()),
        url(&cluster.database().replace("case_", "no_case_")),
    );
    let refused = |url: &DatabaseUrl| Store::open_url(url).err().unwrap();
    assert!(refused(&missing).is_retryable());
    cluster.stop();
    assert!(refused(&there).is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_postgres_cannot_hold_is_found_nowhere() {
    let url = url(&postgres::database());
    let w = World::new(Store::open_url(&url).unwrap()).await;
    assert_eq!(w.store.access_key("key\0acme").await.unwrap(), None);
}
