//! Unbinding, what it leaves behind, and the listings that show who holds and who may hold what.

use crate::world::{World, after, nonce, user};
use greenroom_model::{
    AppId, AppInstanceGroupId, AppInstanceId, AppInstanceStatus, Ask, AuthMode, ImageId,
    PersistentId, PersistentStatus, ProductType, Timestamp,
};
use greenroom_store::{
    AppGrantFilter, AuthorizedFilter, BoundFilter, GrantChange, GrantedFilter, GroupFilter,
    InstanceFilter, PageRequest, StoreError, Tag, TagCondition, TagRefusal, Tagged, Unbinding,
};

fn all_of(group: &AppInstanceGroupId, name: &str) -> Unbinding {
    Unbinding {
        group: group.clone(),
        user: Some(user(name)),
        session: None,
        instance: None,
        reset: false,
    }
}

async fn holders(w: &World, session: &PersistentId) -> Vec<String> {
    let open = w.store.open_bindings(session).await.unwrap();
    open.iter()
        .map(|held| held.user.as_str().to_owned())
        .collect()
}

const PAGE: PageRequest = PageRequest {
    number: 1,
    size: 100,
};

pub async fn a_user_is_unbound_from_what_is_named_and_from_nothing_else(w: World) {
    let group = w.with_group("office", 2).await;
    let sessions = w.ids(&group).await;
    for session in &sessions {
        w.open_task(&group, session, "alice", after(0)).await;
    }
    w.open_task(&group, &sessions[0], "bob", after(1)).await;
    let one = Unbinding {
        session: Some(sessions[0].clone()),
        ..all_of(&group, "alice")
    };
    let ended = w
        .store
        .unbind(&w.acme, one, "why", nonce(1), after(2))
        .await;
    assert_eq!(ended.unwrap().len(), 1);
    assert_eq!(holders(&w, &sessions[0]).await, ["bob"]);
    assert_eq!(holders(&w, &sessions[1]).await, ["alice"]);
    assert_eq!(w.session(&sessions[0]).await.asked, None);

    let carrier = w.session(&sessions[1]).await.instance;
    let by_instance = Unbinding {
        instance: Some(carrier),
        ..all_of(&group, "alice")
    };
    let ended = w
        .store
        .unbind(&w.acme, by_instance, "why", nonce(2), after(3))
        .await;
    assert_eq!(ended.unwrap()[0].session, sessions[1]);
    let none = all_of(&group, "alice");
    let ended = w
        .store
        .unbind(&w.acme, none, "why", nonce(3), after(4))
        .await;
    assert_eq!(ended.unwrap(), []);
}

pub async fn what_is_unbound_must_belong_together_and_to_the_caller(w: World) {
    let group = w.with_group("office", 2).await;
    let other = w.with_group("studio", 1).await;
    let sessions = w.ids(&group).await;
    w.open_task(&group, &sessions[0], "alice", after(0)).await;
    let elsewhere = w.ids(&other).await.remove(0);
    let second = w.session(&sessions[1]).await.instance;
    let no_instance = AppInstanceId::parse("ai-none").unwrap();
    for (session, instance, missing) in [
        (Some(&elsewhere), None, "session"),
        (Some(&sessions[0]), Some(&second), "instance"),
        (None, Some(&no_instance), "instance"),
    ] {
        let what = Unbinding {
            session: session.cloned(),
            instance: instance.cloned(),
            ..all_of(&group, "alice")
        };
        let refused = w.store.unbind(&w.acme, what, "why", None, after(1)).await;
        assert!(matches!(refused, Err(StoreError::NotFound(what)) if what == missing));
    }
    let theirs = all_of(&group, "alice");
    let refused = w
        .store
        .unbind(&w.globex, theirs, "why", None, after(1))
        .await;
    assert!(matches!(refused, Err(StoreError::NotFound("group"))));
    assert_eq!(holders(&w, &sessions[0]).await, ["alice"]);
}

pub async fn everybody_is_unbound_from_a_group_at_once(w: World) {
    let group = w.with_group("office", 2).await;
    let other = w.with_group("studio", 1).await;
    let sessions = w.ids(&group).await;
    let elsewhere = w.ids(&other).await.remove(0);
    w.open_task(&group, &sessions[0], "alice", after(0)).await;
    w.open_task(&group, &sessions[0], "bob", after(0)).await;
    w.open_task(&group, &sessions[1], "alice", after(0)).await;
    w.open_task(&other, &elsewhere, "alice", after(0)).await;
    let everybody = Unbinding {
        user: None,
        reset: true,
        ..all_of(&group, "nobody")
    };
    let ended = w
        .store
        .unbind(&w.acme, everybody, "why", nonce(1), after(1))
        .await;
    assert_eq!(ended.unwrap().len(), 3);
    for session in &sessions {
        assert_eq!(holders(&w, session).await, Vec::<String>::new());
        assert_eq!(w.session(session).await.asked, Some(Ask::Reset));
    }
    assert_eq!(holders(&w, &elsewhere).await, ["alice"]);
}

pub async fn a_session_is_reset_once_nobody_holds_it(w: World) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    for name in ["alice", "bob"] {
        w.open_task(&group, &session, name, after(0)).await;
    }
    for (name, asked) in [("alice", None), ("bob", Some(Ask::Reset))] {
        let what = Unbinding {
            reset: true,
            ..all_of(&group, name)
        };
        w.store
            .unbind(&w.acme, what, "why", None, after(1))
            .await
            .unwrap();
        assert_eq!(w.session(&session).await.asked, asked, "{name}");
    }
}

pub async fn a_binding_expires_unless_its_user_came_back(w: World) {
    let group = w.with_group("office", 1).await;
    let session = w.ids(&group).await.remove(0);
    let binding = w
        .open_task(&group, &session, "alice", after(0))
        .await
        .binding;
    let expire = |at: Timestamp| w.store.expire_binding(&binding, "late", true, at);
    assert!(!expire(after(899)).await.unwrap());
    w.store.connected(&binding).await.unwrap();
    assert!(!expire(after(900)).await.unwrap());
    w.store.disconnected(&binding, after(1_000)).await.unwrap();
    assert!(expire(after(1_900)).await.unwrap());
    assert_eq!(w.session(&session).await.asked, Some(Ask::Reset));
    assert!(!expire(after(1_901)).await.unwrap());
}

pub async fn open_bindings_of_an_account_are_listed_oldest_first(w: World) {
    let group = w.with_group("office", 2).await;
    let sessions = w.ids(&group).await;
    w.open_task(&group, &sessions[1], "zoe", after(0)).await;
    w.open_task(&group, &sessions[0], "alice", after(1)).await;
    let mut task = w.task(&group, &sessions[1], "zoe", after(2));
    task.app = AppId::parse("ca-mousepad").unwrap();
    w.store.open_task(task, None).await.unwrap();

    let listed = |account, filter| w.store.page_bindings(account, filter, PAGE);
    let all = listed(&w.acme, BoundFilter::default()).await.unwrap();
    let shown: Vec<_> = all
        .items
        .iter()
        .map(|row| (row.user.as_str(), row.app.as_ref().unwrap().as_str()))
        .collect();
    assert_eq!(shown, [("zoe", "ca-mousepad"), ("alice", "ca-foot")]);
    assert_eq!(all.total, 2);
    for (filter, total) in [
        (
            BoundFilter {
                apps: Some(vec![AppId::parse("ca-foot").unwrap()]),
                ..BoundFilter::default()
            },
            1,
        ),
        (
            BoundFilter {
                users: Some(vec![user("zoe"), user("nobody")]),
                groups: Some(vec![group.clone()]),
                ..BoundFilter::default()
            },
            1,
        ),
        (
            BoundFilter {
                instances: Some(Vec::new()),
                ..BoundFilter::default()
            },
            0,
        ),
    ] {
        assert_eq!(listed(&w.acme, filter).await.unwrap().total, total);
    }
    let second = PageRequest { number: 2, size: 1 };
    let late = w
        .store
        .page_bindings(&w.acme, BoundFilter::default(), second);
    let late = late.await.unwrap();
    assert_eq!((late.items, late.total), (all.items[1..].to_vec(), 2));
    let strangers = listed(&w.globex, BoundFilter::default()).await.unwrap();
    assert_eq!((strangers.items, strangers.total), (Vec::new(), 0));

    let going = w.store.delete_group(&w.acme, &group, None, after(3)).await;
    assert!(going.unwrap());
    let left = listed(&w.acme, BoundFilter::default()).await.unwrap();
    assert_eq!((left.items, left.total), (Vec::new(), 0), "its group goes");
}

pub async fn instances_are_listed_with_whoever_is_there(w: World) {
    let group = w.with_group("office", 3).await;
    let sessions = w.ids(&group).await;
    w.open_task(&group, &sessions[0], "alice", after(0)).await;
    let bobs = w.open_task(&group, &sessions[0], "bob", after(1)).await;
    w.store.connected(&bobs.binding).await.unwrap();
    w.observe(&sessions[0], PersistentStatus::Running, after(5))
        .await;
    w.observe(&sessions[2], PersistentStatus::Deleted, after(5))
        .await;
    let mut carriers = Vec::new();
    for session in &sessions {
        carriers.push(w.session(session).await.instance);
    }
    let listed = async |filter| {
        let page = w.store.page_instances(&w.acme, &group, filter, PAGE).await;
        page.unwrap().expect("the group is there")
    };
    let all = listed(InstanceFilter::default()).await;
    assert_eq!(all.total, 2, "the deleted one is left out");
    let first = all.items.iter().find(|row| row.id == carriers[0]).unwrap();
    assert_eq!(
        (first.status, first.changed),
        (AppInstanceStatus::Running, after(5))
    );
    let held = first.held.as_ref().unwrap();
    assert_eq!(
        (held.user.as_str(), held.since, held.connected),
        ("bob", after(1), true)
    );
    for (filter, total) in [
        (
            InstanceFilter {
                deleted: true,
                ..InstanceFilter::default()
            },
            3,
        ),
        (
            InstanceFilter {
                statuses: Some(vec![AppInstanceStatus::Init]),
                ..InstanceFilter::default()
            },
            1,
        ),
        (
            InstanceFilter {
                users: Some(vec![user("alice")]),
                ids: Some(carriers.clone()),
                ..InstanceFilter::default()
            },
            1,
        ),
        (
            InstanceFilter {
                ids: Some(Vec::new()),
                ..InstanceFilter::default()
            },
            0,
        ),
    ] {
        assert_eq!(listed(filter).await.total, total);
    }
    let theirs = w
        .store
        .page_instances(&w.globex, &group, InstanceFilter::default(), PAGE)
        .await;
    assert_eq!(theirs.unwrap(), None);
}

pub async fn users_are_listed_by_their_newest_grant(w: World) {
    let group = w.with_group("office", 2).await;
    let sessions = w.ids(&group).await;
    for (second, session, name) in [(1, 0, "alice"), (2, 1, "bob"), (3, 1, "alice")] {
        let change = GrantChange {
            add: vec![user(name)],
            remove: Vec::new(),
        };
        w.store
            .authorize_session_users(
                &w.acme,
                &group,
                &sessions[session],
                change,
                None,
                after(second),
            )
            .await
            .unwrap();
    }
    let listed = async |account, filter, size| {
        let page = PageRequest { number: 1, size };
        let listed =
            w.store
                .page_authorized_users(account, &group, AuthMode::Session, filter, page);
        let page = listed.await.unwrap();
        let names: Vec<String> = page
            .items
            .iter()
            .map(|row| format!("{} {}", row.user, row.sessions.len()))
            .collect();
        (names.join(", "), page.total)
    };
    let everybody = AuthorizedFilter::default;
    assert_eq!(
        listed(&w.acme, everybody(), 10).await,
        ("alice 2, bob 1".to_owned(), 2)
    );
    assert_eq!(
        listed(&w.acme, everybody(), 1).await,
        ("alice 2".to_owned(), 2)
    );
    let of_the_first = AuthorizedFilter {
        session: Some(sessions[0].clone()),
        ..everybody()
    };
    assert_eq!(
        listed(&w.acme, of_the_first, 10).await,
        ("alice 2".to_owned(), 1)
    );
    let with_o = AuthorizedFilter {
        id_contains: Some("o".to_owned()),
        ..everybody()
    };
    assert_eq!(listed(&w.acme, with_o, 10).await, ("bob 1".to_owned(), 1));
    assert_eq!(listed(&w.globex, everybody(), 10).await, (String::new(), 0));
}

async fn by_app(w: &World, name: &str) -> AppInstanceGroupId {
    let mut spec = w.spec(name);
    spec.auth_mode = AuthMode::App;
    w.with_spec(spec, 1).await
}

fn add(names: &[&str]) -> GrantChange {
    GrantChange {
        add: names.iter().map(|name| user(name)).collect(),
        remove: Vec::new(),
    }
}

pub async fn single_apps_are_granted_and_listed_and_lost(w: World) {
    let group = by_app(&w, "office").await;
    let (foot, mousepad) = (
        AppId::parse("ca-foot").unwrap(),
        AppId::parse("ca-mousepad").unwrap(),
    );
    let grant = async |account, app: &AppId, change, at| {
        w.store
            .authorize_app_users(account, &group, app, change, None, after(at))
            .await
    };
    grant(&w.acme, &foot, add(&["alice", "bob"]), 1)
        .await
        .unwrap();
    grant(&w.acme, &mousepad, add(&["alice"]), 2).await.unwrap();
    let refused = grant(&w.globex, &foot, add(&["mallory"]), 3).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))));
    w.store
        .authorize_group_users(&w.acme, &group, add(&["carol"]), None, after(4))
        .await
        .unwrap();

    let users = async |app: Option<&AppId>| {
        let filter = AuthorizedFilter {
            app: app.cloned(),
            ..AuthorizedFilter::default()
        };
        let listed = w
            .store
            .page_authorized_users(&w.acme, &group, AuthMode::App, filter, PAGE);
        let page = listed.await.unwrap();
        let names: Vec<String> = page.items.iter().map(|row| row.user.to_string()).collect();
        (names.join(" "), page.total)
    };
    assert_eq!(users(None).await, ("carol alice bob".to_owned(), 4));
    assert_eq!(users(Some(&mousepad)).await, ("carol alice".to_owned(), 2));

    let apps = async |account, filter| {
        let (product, alice) = (ProductType::CloudApp, user("alice"));
        let listed = w
            .store
            .page_app_grants(account, product, &alice, filter, PAGE);
        let page = listed.await.unwrap();
        let shown: Vec<String> = page
            .items
            .iter()
            .map(|grant| format!("{} {}", grant.app, grant.users))
            .collect();
        (shown.join(", "), page.total)
    };
    let all = AppGrantFilter::default;
    let both = ("ca-mousepad 1, ca-foot 2".to_owned(), 2);
    assert_eq!(apps(&w.acme, all()).await, both);
    assert_eq!(apps(&w.globex, all()).await, (String::new(), 0));
    let uses = async |account, group, name| {
        let user = user(name);
        let uses = w.store.app_uses(account, group, Some(&user)).await.unwrap();
        let mut shown: Vec<String> = uses
            .iter()
            .map(|((_, app), of_it)| format!("{app} {} {}", of_it.users, of_it.granted))
            .collect();
        shown.sort_unstable();
        shown.join(", ")
    };
    let (to_bob, to_carol) = (
        "ca-foot 2 true, ca-mousepad 1 false",
        "ca-foot 2 false, ca-mousepad 1 false",
    );
    assert_eq!(uses(&w.acme, None, "bob").await, to_bob);
    assert_eq!(uses(&w.acme, Some(&group), "carol").await, to_carol);
    let none = AppInstanceGroupId::parse("aig-none").unwrap();
    assert_eq!(uses(&w.acme, Some(&none), "bob").await, "");
    assert_eq!(uses(&w.globex, Some(&group), "bob").await, "");
    let of_another_name = AppGrantFilter {
        group_name_contains: Some("studio".to_owned()),
        ..all()
    };
    assert_eq!(apps(&w.acme, of_another_name).await.1, 0);
    let lost = GrantChange {
        add: Vec::new(),
        remove: vec![user("alice")],
    };
    grant(&w.acme, &foot, lost, 5).await.unwrap();
    assert_eq!(apps(&w.acme, all()).await, ("ca-mousepad 1".to_owned(), 1));
    let ids = w.store.page_user_ids(&w.acme, &group, PAGE).await.unwrap();
    assert_eq!(ids, [user("alice"), user("bob"), user("carol")]);
    assert!(w.store.has_user(&w.acme, &user("bob")).await.unwrap());
    assert!(!w.store.has_user(&w.globex, &user("bob")).await.unwrap());
}

pub async fn groups_granted_as_a_whole_are_listed_by_user(w: World) {
    for (at, name) in [(1, "office"), (2, "studio")] {
        let group = by_app(&w, name).await;
        w.store
            .authorize_group_users(&w.acme, &group, add(&["alice"]), None, after(at))
            .await
            .unwrap();
    }
    let listed = async |account, filter| {
        let (product, alice) = (ProductType::CloudApp, user("alice"));
        let page = w
            .store
            .page_groups_granted_to(account, product, &alice, filter, PAGE);
        let names: Vec<String> = page
            .await
            .unwrap()
            .items
            .into_iter()
            .map(|group| group.made.name)
            .collect();
        names.join(" ")
    };
    let here = || GrantedFilter {
        images: vec![ImageId::parse("img-this-machine").unwrap()],
        ..GrantedFilter::default()
    };
    assert_eq!(listed(&w.acme, here()).await, "studio office");
    assert_eq!(listed(&w.globex, here()).await, "");
    assert_eq!(listed(&w.acme, GrantedFilter::default()).await, "");
    let named = GrantedFilter {
        name_contains: Some("ffi".to_owned()),
        id_contains: Some("aig".to_owned()),
        ..here()
    };
    assert_eq!(listed(&w.acme, named).await, "office");
}

pub async fn settings_are_an_accounts_own(w: World) {
    let remind = async |account| w.store.expire_remind(account).await.unwrap();
    assert_eq!(remind(&w.acme).await, None);
    for (number, set, then) in [
        (1, Some(true), Some(true)),
        (2, None, Some(true)),
        (3, Some(false), Some(false)),
    ] {
        w.store
            .set_expire_remind(&w.acme, set, nonce(number))
            .await
            .unwrap();
        assert_eq!(remind(&w.acme).await, then);
    }
    assert_eq!(remind(&w.globex).await, None);
}

fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
    let tag = |&(key, value): &(&str, &str)| Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    pairs.iter().map(tag).collect()
}

pub async fn tags_are_replaced_by_key_and_end_with_their_group(w: World) {
    let group = w.with_group("office", 1).await;
    let id = group.as_str().to_owned();
    let put = async |account, ids: &[&str], pairs: &[(&str, &str)], whole| {
        let ids = ids.iter().map(|&id| id.to_owned()).collect();
        w.store
            .tag(account, Tagged::Group, ids, tags(pairs), whole, None)
            .await
    };
    let listed = async |account| {
        let listed = w.store.tags(account, Tagged::Group, None, Vec::new());
        listed.await.unwrap().remove(&id).unwrap_or_default()
    };
    put(&w.acme, &[&id], &[("b", "1"), ("a", "2")], true)
        .await
        .unwrap();
    let refused = put(&w.acme, &["aig-none", &id], &[("b", "3")], false).await;
    assert_eq!(
        refused.unwrap(),
        [("aig-none".to_owned(), TagRefusal::NotFound)]
    );
    assert_eq!(listed(&w.acme).await, tags(&[("a", "2"), ("b", "3")]));

    let refused = put(&w.acme, &[&id, "aig-none"], &[("b", "4")], true).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))));
    let many: Vec<String> = (0..19).map(|n| format!("key-{n}")).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "")).collect();
    let refused = put(&w.acme, &[&id], &many, true).await;
    assert!(matches!(refused, Err(StoreError::NoRoom)));
    let refused = put(&w.globex, &[&id], &[("b", "4")], true).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))));
    assert_eq!(listed(&w.acme).await, tags(&[("a", "2"), ("b", "3")]));
    assert_eq!(listed(&w.globex).await, []);

    let untag = async |keys: Option<&str>| {
        let keys = keys.map(|key| vec![key.to_owned()]);
        let ids = vec![id.clone()];
        w.store
            .untag(&w.acme, Tagged::Group, ids, keys, true, None)
            .await
            .unwrap()
    };
    untag(Some("a")).await;
    assert_eq!(listed(&w.acme).await, tags(&[("b", "3")]));
    let session = w.ids(&group).await.remove(0);
    w.store
        .delete_group(&w.acme, &group, None, after(1))
        .await
        .unwrap();
    assert_eq!(listed(&w.acme).await, []);
    // Nor do they come back with the id.
    w.observe(&session, PersistentStatus::Deleted, after(2))
        .await;
    assert!(w.store.group_deleted(&group, after(2)).await.unwrap());
    while w.store.purge_deleted(after(3), after(3)).await.unwrap() {}
    w.with_group("office", 1).await;
    assert_eq!(listed(&w.acme).await, []);
}

pub async fn groups_are_found_by_all_of_their_tags(w: World) {
    for (name, pairs) in [
        ("office", &[("team", "design"), ("floor", "2")][..]),
        ("studio", &[("team", "music")][..]),
    ] {
        let ids = vec![w.with_group(name, 1).await.as_str().to_owned()];
        w.store
            .tag(&w.acme, Tagged::Group, ids, tags(pairs), true, None)
            .await
            .unwrap();
    }
    let condition = |key: Option<&str>, value: Option<&str>| TagCondition {
        key: key.map(ToOwned::to_owned),
        value: value.map(ToOwned::to_owned),
    };
    for (conditions, expected) in [
        (vec![condition(Some("team"), None)], 2),
        (vec![condition(Some("team"), Some("music"))], 1),
        (vec![condition(None, Some("2"))], 1),
        (
            vec![
                condition(Some("team"), Some("music")),
                condition(Some("floor"), None),
            ],
            0,
        ),
    ] {
        let filter = GroupFilter {
            tags: conditions.clone(),
            ..GroupFilter::default()
        };
        let found = w.store.list_groups(&w.acme, filter, PAGE).await.unwrap();
        assert_eq!(found.total, expected, "{conditions:?}");
        let tagged = w.store.tags(&w.acme, Tagged::Group, None, conditions);
        assert_eq!(tagged.await.unwrap().len() as u64, expected);
    }
}
