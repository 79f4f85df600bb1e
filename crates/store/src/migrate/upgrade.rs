//! A database that an earlier build made, with rows in it, opened by this one: for each schema there has been.

use super::{MIGRATIONS, apply};
use crate::blocks::{INSTANCES, Layout, Positions};
use crate::connection::{Transactions, first};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{NewServer, Store};
use crate::{PageRequest, SessionFilter};
use greenroom_model::{
    AccountId, AppInstanceGroupId, PersistentId, PersistentStatus, ProductType, ServerId, Timestamp,
};
use std::time::Duration;

/// What the first build left behind: a group of two sessions, one of which runs for its user. Migrations only
/// add, so every later schema takes these statements too.
const ROWS: &str = "
    INSERT INTO accounts (account_id, name, is_root, created_at)
        VALUES ('1234567890123456', 'root', 1, 1);
    INSERT INTO app_groups (group_id, account_id, name, product_type, auth_mode, region, image_id, spec_id,
            session_timeout, skip_user_check, settings, charge_type, charge_resource_mode, period,
            period_unit, auto_pay, auto_renew, order_id, status, status_reason, session_count,
            next_session, next_instance, created_at)
        VALUES ('aig-old', '1234567890123456', 'old', 'CloudApp', 'Session', 'cn-shanghai',
            'img-this-machine', 'spec-old', 15, 0, '{}', 'PostPaid', 'Node', 1, 'Month', 0, 0, '1',
            'PUBLISHED', '', 2, 3, 3, 1);
    INSERT INTO node_pools (pool_id, group_id, instance_type, node_amount, node_capacity, strategy_type,
            strategy)
        VALUES ('rg-old', 'aig-old', 'appstreaming.general.2c4g', 1, 2, 'NODE_FIXED', '{}');
    INSERT INTO app_instances (instance_id, group_id, ordinal, node_id, status, created_at)
        VALUES ('ai-one', 'aig-old', 1, 'i-old', 'RUNNING', 1),
            ('ai-two', 'aig-old', 2, 'i-old', 'IDLE', 1);
    INSERT INTO sessions (session_id, group_id, ordinal, serial, name, instance_id, instance_status, status,
            status_reason, status_since, desired, generation, failures, home_lost, opened_apps,
            observed_by, created_at)
        VALUES ('p-one', 'aig-old', 1, 1, 'old-1', 'ai-one', 'RUNNING', 'RUNNING', '', 2, 'RUNNING', 3, 0,
                0, '', 'server 7', 1),
            ('p-two', 'aig-old', 2, 2, 'old-2', 'ai-two', 'IDLE', 'STOPPED', '', 2, 'STOPPED', 3, 0, 0, '',
                'server 7', 1);
    INSERT INTO session_blocks (group_id, level, block, sessions)
        VALUES ('aig-old', 6, 0, 2), ('aig-old', 12, 0, 2), ('aig-old', 18, 0, 2);
    INSERT INTO end_users (account_id, end_user_id, created_at) VALUES ('1234567890123456', 'alice', 1);
    INSERT INTO session_users (session_id, end_user_id, created_at) VALUES ('p-one', 'alice', 1);
    INSERT INTO bindings (binding_id, session_id, end_user_id, created_at, end_reason)
        VALUES ('bind-old', 'p-one', 'alice', 1, '');
    UPDATE counters SET value = 2 WHERE counter = 'session_serial';
";

/// The key and the handle are bytes, which the two databases write differently.
fn fill(c: &mut dyn Transactions) {
    c.begin().unwrap();
    c.script(ROWS).unwrap();
    c.execute(
        "INSERT INTO access_keys (access_key_id, account_id, secret, active, created_at)
         VALUES ('key-old', '1234567890123456', $1, 1, 1)",
        crate::connection::values![b"\x00secret".as_slice()],
    )
    .unwrap();
    c.execute(
        "UPDATE sessions SET handle = $1 WHERE session_id = 'p-one'",
        crate::connection::values![b"a handle".as_slice()],
    )
    .unwrap();
    c.commit().unwrap();
}

/// What the old build would have shown is shown, and what needs a server has one.
async fn assert_all_is_there(store: Store, known: usize) {
    let account = AccountId::parse("1234567890123456").unwrap();
    let key = store.access_key("key-old").await.unwrap().unwrap();
    assert_eq!(
        (&key.account, key.secret.expose()),
        (&account, &b"secret"[..])
    );
    let page = PageRequest {
        number: 1,
        size: 20,
    };
    let group = AppInstanceGroupId::parse("aig-old").unwrap();
    let listed = store
        .page_sessions(
            &account,
            &group,
            ProductType::CloudApp,
            SessionFilter::All,
            page,
        )
        .await
        .unwrap()
        .unwrap();
    let names: Vec<_> = listed.items.iter().map(|row| row.name.as_str()).collect();
    assert_eq!((listed.total, names), (2, vec!["old-1", "old-2"]));
    let found = store.group(&account, &group).await.unwrap().unwrap();
    let policy = found.made.policy.map(String::from);
    // Since schema 8 it is the build that gives a group one.
    let own = (known < 8).then_some("pg-old");
    assert_eq!(policy.as_deref(), own, "of a group of schema {known}");
    let session = PersistentId::parse("p-one").unwrap();
    let bound = store.open_bindings(&session).await.unwrap();
    assert_eq!(bound.len(), 1);

    let server = NewServer {
        id: ServerId::parse("srv-first").unwrap(),
        address: String::new(),
        processors: 1,
    };
    let lease = store.join(server, Duration::from_secs(60)).await.unwrap();
    let hosted = store.running_handles(&lease.server).await.unwrap();
    assert_eq!(hosted.len(), 1, "what runs is the server's that had it");
    assert_eq!(hosted[0].status, PersistentStatus::Running);
    assert_eq!(hosted[0].handle.as_deref(), Some(&b"a handle"[..]));
    let other = PersistentId::parse("p-two").unwrap();
    let wish = greenroom_model::Ask::Start;
    store
        .ask_sessions(&account, &[other], wish, "root", None, Timestamp(5))
        .await
        .unwrap();
    let placed = store.place_sessions(&lease, Timestamp(5), Timestamp(5), 10);
    assert_eq!(
        placed.await.unwrap().taken,
        1,
        "what was stopped can be started"
    );
}

#[tokio::test]
async fn a_database_of_every_earlier_schema_opens_with_all_that_is_in_it() {
    for known in 1..=MIGRATIONS.len() {
        let name = format!("greenroom-upgrade-{}-{known}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::File::create(&path).unwrap();
        let mut old = Sqlite::open(&path).unwrap();
        apply(&mut old, &MIGRATIONS[..known]).unwrap();
        fill(&mut old);
        drop(old);
        assert_all_is_there(Store::open(&path).unwrap(), known).await;
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_of_every_earlier_schema_opens_with_all_that_is_in_it() {
    for known in 1..=MIGRATIONS.len() {
        let url = greenroom_testkit::postgres::database().parse().unwrap();
        // The driver waits in a way that an async caller's thread must not.
        std::thread::scope(|scope| {
            let make = || {
                let mut old = Postgres::patient(&url).unwrap();
                apply(&mut old, &MIGRATIONS[..known]).unwrap();
                fill(&mut old);
            };
            scope.spawn(make).join().unwrap();
        });
        assert_all_is_there(Store::open_url(&url).unwrap(), known).await;
    }
}

#[test]
fn a_database_from_before_there_were_servers_knows_none() {
    let mut c = Sqlite::in_memory().unwrap();
    apply(&mut c, &MIGRATIONS[..5]).unwrap();
    fill(&mut c);
    apply(&mut c, MIGRATIONS).unwrap();
    let sql = "SELECT COUNT(*) FROM sessions WHERE server_id IS NULL";
    let homeless = first(&mut c, sql, &[], |row| row.integer(0));
    assert_eq!(homeless.unwrap(), Some(2));
}

#[test]
fn instances_and_bindings_from_before_they_were_counted_are_listed() {
    let mut c = Sqlite::in_memory().unwrap();
    apply(&mut c, &MIGRATIONS[..9]).unwrap();
    fill(&mut c);
    apply(&mut c, MIGRATIONS).unwrap();
    let group = AppInstanceGroupId::parse("aig-old").unwrap();
    assert_eq!(INSTANCES.total(&mut c, &group).unwrap(), 2);
    let (rows, next) = (2, 3);
    let positions = Positions::of(INSTANCES);
    let second = positions.place(&mut c, &group, Layout { rows, next }, 1);
    assert!(second.unwrap().is_some());
    let sql = "SELECT account_id FROM bindings";
    let account = first(&mut c, sql, &[], |row| Ok(row.text(0)?.to_owned()));
    assert_eq!(account.unwrap().as_deref(), Some("1234567890123456"));
}
