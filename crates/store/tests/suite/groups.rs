//! Delivery groups: made whole or not at all, listed, asked to go.

use crate::world::{START, World, after, nonce, seen, user};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, AppInstanceStatus, Ask, AuthMode, Desired, GroupStatus,
    ImageId, PersistentStatus, PolicyId, ProductType, Timestamp,
};
use greenroom_store::{
    Chosen, GrantChange, GroupFilter, GroupSpec, NewImage, NodesInUse, PageRequest, StoreError,
};

pub async fn a_group_is_made_whole_and_reads_back(w: World) {
    let spec = w.spec("office");
    let users = vec![user("alice"), user("bob")];
    w.store
        .create_group(spec.clone(), w.slots(2), users.clone(), nonce(1), |used| {
            used.is_empty()
        })
        .await
        .unwrap();

    let group = w.store.group(&w.acme, &spec.id).await.unwrap().unwrap();
    assert_eq!(group.made, spec);
    assert_eq!((group.status, group.sessions), (GroupStatus::Deploying, 2));
    assert_eq!(w.store.group_users(&w.acme, &spec.id).await.unwrap(), users);

    let page = w.page(&spec.id, 1, 20).await;
    assert_eq!(page.total, 2);
    for row in &page.items {
        assert_eq!(row.status, PersistentStatus::Pending);
        assert_eq!(row.instance_status, AppInstanceStatus::Init);
        assert_eq!(row.created, START);
    }
    let used = w.store.nodes_in_use().await.unwrap();
    let expected = NodesInUse {
        instance_type: "appstreaming.general.4c8g".to_owned(),
        nodes: 1,
        slots: 2,
    };
    assert_eq!(used, [expected]);
}

pub async fn without_room_nothing_is_made(w: World) {
    let spec = w.spec("office");
    let create = |fits: bool| {
        w.store.create_group(
            spec.clone(),
            w.slots(2),
            vec![user("alice")],
            nonce(1),
            move |_| fits,
        )
    };
    assert!(matches!(create(false).await, Err(StoreError::NoRoom)));
    assert_eq!(w.store.group(&w.acme, &spec.id).await.unwrap(), None);
    assert_eq!(w.store.nodes_in_use().await.unwrap(), []);
    // Not even the nonce: the call as a whole was never carried out.
    create(true).await.unwrap();
}

pub async fn of_two_groups_that_want_the_last_node_one_is_made(w: World) {
    let create = |name: &str| {
        w.store
            .create_group(w.spec(name), w.slots(2), Vec::new(), None, |used| {
                used.iter().map(|it| it.nodes).sum::<u64>() < 1
            })
    };
    let (one, other) = tokio::join!(create("one"), create("other"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

pub async fn a_taken_id_makes_nothing(w: World) {
    let id = w.with_group("office", 2).await;
    let mut spec = w.spec("office");
    spec.account = w.globex.clone();
    let refused = w
        .store
        .create_group(spec, w.slots(5), Vec::new(), nonce(1), |_| true)
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert_eq!(w.page(&id, 1, 20).await.total, 2);
    assert_eq!(w.store.group(&w.globex, &id).await.unwrap(), None);
}

pub async fn a_replayed_nonce_changes_nothing(w: World) {
    let id = w.with_group("office", 2).await;
    let session = w.ids(&id).await.remove(0);
    let grant = |name: &str| {
        let change = GrantChange {
            add: vec![user(name)],
            remove: Vec::new(),
        };
        w.store
            .authorize_session_users(&w.acme, &id, &session, change, nonce(1), after(1))
    };
    grant("alice").await.unwrap();
    assert!(matches!(
        grant("mallory").await,
        Err(StoreError::NonceReplayed)
    ));
    assert!(matches!(
        w.store.delete_group(&w.acme, &id, nonce(1), after(2)).await,
        Err(StoreError::NonceReplayed)
    ));
    let page = w.page(&id, 1, 20).await;
    assert_eq!(page.items[0].users, [user("alice")]);
    assert!(
        w.store
            .delete_group(&w.acme, &id, nonce(2), after(3))
            .await
            .unwrap()
    );
}

pub async fn another_accounts_group_looks_absent(w: World) {
    let id = w.with_group("office", 1).await;
    let session = w.ids(&id).await.remove(0);
    let stranger = &w.globex;
    assert_eq!(w.store.group(stranger, &id).await.unwrap(), None);
    assert_eq!(w.store.session(stranger, &session).await.unwrap(), None);
    assert_eq!(w.store.group_users(stranger, &id).await.unwrap(), []);
    assert!(
        !w.store
            .delete_group(stranger, &id, None, after(1))
            .await
            .unwrap()
    );
    let change = GrantChange {
        add: vec![user("mallory")],
        remove: Vec::new(),
    };
    let grant = w
        .store
        .authorize_session_users(stranger, &id, &session, change.clone(), None, after(1))
        .await;
    assert!(matches!(grant, Err(StoreError::NotFound(_))));
    let grant = w
        .store
        .authorize_group_users(stranger, &id, change, None, after(1))
        .await;
    assert!(matches!(grant, Err(StoreError::NotFound(_))));
    let group = w.store.group(&w.acme, &id).await.unwrap().unwrap();
    assert_eq!(group.status, GroupStatus::Deploying);
}

pub async fn a_listing_filters_and_pages_oldest_first(w: World) {
    for (name, type_, at) in [
        ("zeta-office", "small", 1),
        ("alpha-office", "large", 2),
        ("lab", "small", 3),
    ] {
        let mut spec = w.spec(name);
        spec.created = after(at);
        spec.pool.instance_type = type_.to_owned();
        w.with_spec(spec, 1).await;
    }
    let mut foreign = w.spec("foreign-office");
    foreign.account = w.globex.clone();
    w.with_spec(foreign, 1).await;
    let lab = AppInstanceGroupId::parse("aig-lab").unwrap();
    w.store
        .set_group_status(&lab, GroupStatus::Published, "")
        .await
        .unwrap();

    let list = async |account: &AccountId, filter: GroupFilter, number, size| {
        let page = w
            .store
            .list_groups(account, filter, PageRequest { number, size })
            .await
            .unwrap();
        let names: Vec<_> = page
            .items
            .into_iter()
            .map(|group| group.made.name)
            .collect();
        (names.join(" "), page.total)
    };
    let all = GroupFilter::default;
    assert_eq!(
        list(&w.acme, all(), 1, 2).await,
        ("zeta-office alpha-office".to_owned(), 3)
    );
    assert_eq!(list(&w.acme, all(), 2, 2).await, ("lab".to_owned(), 3));
    assert_eq!(list(&w.acme, all(), 9, 2).await, (String::new(), 3));
    assert_eq!(
        list(&w.globex, all(), 1, 9).await,
        ("foreign-office".to_owned(), 1)
    );

    type Change = fn(&mut GroupFilter);
    let filtered = |change: Change| {
        let mut filter = GroupFilter::default();
        change(&mut filter);
        list(&w.acme, filter, 1, 9)
    };
    let rows: [(Change, &str); 9] = [
        (
            |f| f.name_contains = Some("office".to_owned()),
            "zeta-office alpha-office",
        ),
        (|f| f.name_contains = Some("Office".to_owned()), ""),
        (|f| f.name_contains = Some("%".to_owned()), ""),
        (
            |f| f.node_type = Some("small".to_owned()),
            "zeta-office lab",
        ),
        (|f| f.statuses = vec![GroupStatus::Published; 1_000], "lab"),
        (
            |f| f.statuses = vec![GroupStatus::Failed, GroupStatus::Deploying],
            "zeta-office alpha-office",
        ),
        (|f| f.id = AppInstanceGroupId::parse("aig-lab").ok(), "lab"),
        (|f| f.product_type = Some(ProductType::AndroidCloud), ""),
        (|f| f.region = Some("cn-hangzhou".to_owned()), ""),
    ];
    for (at, (change, names)) in rows.into_iter().enumerate() {
        assert_eq!(filtered(change).await.0, names, "row {at}");
    }
}

pub async fn a_group_asked_to_go_is_not_found_and_its_sessions_are_to_go(w: World) {
    let id = w.with_group("office", 3).await;
    let session = w.ids(&id).await.remove(0);
    assert!(
        w.store
            .delete_group(&w.acme, &id, None, after(9))
            .await
            .unwrap()
    );

    assert_eq!(w.store.group(&w.acme, &id).await.unwrap(), None);
    assert_eq!(w.store.session(&w.acme, &session).await.unwrap(), None);
    assert!(
        !w.store
            .delete_group(&w.acme, &id, None, after(9))
            .await
            .unwrap()
    );
    assert!(
        !w.store
            .set_group_status(&id, GroupStatus::Published, "")
            .await
            .unwrap()
    );
    let due = w
        .store
        .sessions_to_act_on(&w.lease.server, Timestamp(i64::MAX), 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 3);
    assert!(due.iter().all(|it| it.desired == Desired::Deleted));
    // The machine's capacity is taken until the processes are gone.
    assert_eq!(w.store.nodes_in_use().await.unwrap()[0].nodes, 1);
}

pub async fn users_are_granted_and_lose_a_group(w: World) {
    let mut spec = w.spec("office");
    spec.auth_mode = AuthMode::AppInstanceGroup;
    let id = w.with_spec(spec, 1).await;
    let due = w.store.sessions_to_act_on(&w.lease.server, after(1), 1);
    let due = due.await.unwrap();
    let session = due[0].id.clone();
    let change = |add: &[&str], remove: &[&str]| {
        let users = |names: &[&str]| names.iter().map(|name| user(name)).collect();
        let change = GrantChange {
            add: users(add),
            remove: users(remove),
        };
        w.store
            .authorize_group_users(&w.acme, &id, change, None, after(1))
    };
    change(&["bob", "alice", "bob"], &[]).await.unwrap();
    let users = w.store.group_users(&w.acme, &id).await.unwrap();
    assert_eq!(users, [user("alice"), user("bob")]);
    assert!(w.store.is_authorized(&session, &user("bob")).await.unwrap());

    change(&["carol"], &["bob", "carol", "dave"]).await.unwrap();
    let users = w.store.group_users(&w.acme, &id).await.unwrap();
    assert_eq!(users, [user("alice")]);
    assert!(!w.store.is_authorized(&session, &user("bob")).await.unwrap());
}

pub async fn groups_change_together_or_not_at_all(w: World) {
    let policy = PolicyId::parse("pg-shared").unwrap();
    for name in ["office", "studio"] {
        let mut spec = w.spec(name);
        spec.policy = Some(policy.clone());
        w.with_spec(spec, 1).await;
    }
    let alone = w.with_group("attic", 1).await;
    let names = async || {
        let page = PageRequest { number: 1, size: 9 };
        let listed = w.store.list_groups(&w.acme, GroupFilter::default(), page);
        let groups = listed.await.unwrap().items;
        let names: Vec<String> = groups.into_iter().map(|group| group.made.name).collect();
        names.join(" ")
    };
    let followers = || Chosen::Followers(policy.clone());
    let (cloud_app, browser) = (ProductType::CloudApp, ProductType::CloudBrowser);
    let before = names().await;

    let all_but_the_studio = |group: &mut GroupSpec| {
        group.name.push('!');
        if group.name == "studio!" {
            Err("no")
        } else {
            Ok(())
        }
    };
    let refused = w
        .store
        .change_groups(
            &w.acme,
            cloud_app,
            followers(),
            nonce(1),
            after(0),
            all_but_the_studio,
        )
        .await;
    assert_eq!(refused.unwrap(), Err("no"));
    let anything = |_: &mut GroupSpec| Ok::<(), ()>(());
    for (account, product, chosen) in [
        (&w.globex, cloud_app, followers()),
        (&w.acme, browser, followers()),
        (&w.acme, browser, Chosen::Group(alone.clone())),
    ] {
        let refused = w
            .store
            .change_groups(account, product, chosen, None, after(0), anything);
        assert!(matches!(refused.await, Err(StoreError::NotFound("group"))));
    }
    assert_eq!(names().await, before);

    let rename = |group: &mut GroupSpec| {
        group.name.push('!');
        group.session_timeout = -1;
        Ok::<(), ()>(())
    };
    // The nonce of the call that was refused was not spent.
    w.store
        .change_groups(&w.acme, cloud_app, followers(), nonce(1), after(0), rename)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(names().await, "attic office! studio!");
    let replayed = w
        .store
        .change_groups(&w.acme, cloud_app, followers(), nonce(1), after(0), rename)
        .await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    let chosen = Chosen::Group(alone.clone());
    w.store
        .change_groups(&w.acme, cloud_app, chosen, None, after(0), rename)
        .await
        .unwrap()
        .unwrap();
    let group = w.store.group(&w.acme, &alone).await.unwrap().unwrap().made;
    assert_eq!((group.name.as_str(), group.session_timeout), ("attic!", -1));
    let session = w.page(&alone, 1, 9).await.items.remove(0);
    assert_eq!(session.name, "attic-1");
}

pub async fn what_runs_is_looked_at_again_when_a_setting_of_its_group_changes(w: World) {
    let group = w.with_group("office", 2).await;
    let ids = w.ids(&group).await;
    w.observe(&ids[0], PersistentStatus::Running, after(1))
        .await;
    w.observe(&ids[1], PersistentStatus::Stopped, after(1))
        .await;
    let change = async |at: Timestamp, make: fn(&mut GroupSpec)| {
        let change = move |group: &mut GroupSpec| {
            make(group);
            Ok::<(), ()>(())
        };
        let chosen = Chosen::Group(group.clone());
        let changed =
            w.store
                .change_groups(&w.acme, ProductType::CloudApp, chosen, None, at, change);
        changed.await.unwrap().unwrap();
    };
    let due = async || {
        [
            w.session(&ids[0]).await.wake_at,
            w.session(&ids[1]).await.wake_at,
        ]
    };
    change(after(2), |group| group.name.push('!')).await;
    assert_eq!(due().await, [None, None]);
    let before = w.session(&ids[0]).await;
    change(after(3), |group| group.settings = "{\"a\":1}".to_owned()).await;
    assert_eq!(due().await, [Some(after(3)), None]);
    // It is due earlier already, and stays so.
    change(after(4), |group| group.settings = "{\"a\":2}".to_owned()).await;
    assert_eq!(due().await, [Some(after(3)), None]);
    // What was seen before the change must not hide it.
    let late = seen(&before, PersistentStatus::Running, after(3));
    assert!(matches!(
        w.record(&before, late).await,
        Err(StoreError::Conflict(_))
    ));
}

pub async fn another_image_has_what_runs_begin_anew_without_the_apps_it_lacks(w: World) {
    let group = w.with_group("office", 2).await;
    let other = w.with_group("other", 1).await;
    let (ids, elsewhere) = (w.ids(&group).await, w.ids(&other).await.remove(0));
    let stop = w
        .store
        .ask_sessions(&w.acme, &ids[1..], Ask::Stop, "test", None, after(1));
    stop.await.unwrap();
    let image = |apps: &[&str]| NewImage {
        id: ImageId::parse("img-office").unwrap(),
        apps: apps.iter().map(|id| AppId::parse(id).unwrap()).collect(),
        author: "test".to_owned(),
    };
    let change = async |account, image, number| {
        let (app, at) = (ProductType::CloudApp, after(2));
        let changed = w
            .store
            .change_image(account, app, &group, image, nonce(number), at);
        changed.await
    };
    let foreign = change(&w.globex, image(&["ca-foot"]), 1).await;
    assert!(matches!(foreign, Err(StoreError::NotFound(_))));
    change(&w.acme, image(&["ca-writer"]), 2).await.unwrap();
    let replayed = change(&w.acme, image(&["ca-writer"]), 2).await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    let (runs, stopped) = (w.session(&ids[0]).await, w.session(&ids[1]).await);
    assert_eq!(
        (runs.asked, runs.desired),
        (Some(Ask::Restart), Desired::Running)
    );
    assert_eq!(
        (stopped.asked, stopped.desired),
        (Some(Ask::Stop), Desired::Stopped)
    );
    for session in [&runs, &stopped] {
        assert_eq!(session.image.as_str(), "img-office");
        assert_eq!(
            (&session.pre_open_app, session.opened_apps.len()),
            (&None, 0)
        );
    }
    let beside = w.session(&elsewhere).await;
    assert_eq!((beside.asked, beside.opened_apps.len()), (None, 1));
}
