//! Pages of persistent sessions.

use crate::world::{START, World, after, user};
use greenroom_model::{
    AccountId, AppInstanceGroupId, AppInstanceId, PersistentId, PersistentStatus, ProductType,
};
use greenroom_store::{GrantChange, InstanceFilter, Page, PageRequest, SessionFilter, SessionRow};

pub async fn pages_agree_with_a_naive_model_while_sessions_go(w: World) {
    let id = w.with_group("office", 700).await;
    let other = w.with_group("other", 90).await;
    let mut model: Vec<PersistentId> = Vec::new();
    for number in 1..=7 {
        let page = w.page(&id, number, 100).await;
        model.extend(page.items.into_iter().map(|row| row.id));
    }
    let mut time = 1;
    while !model.is_empty() {
        let size = 1 + w.random.below(100) as usize;
        let pages = model.len().div_ceil(size) + 1;
        for number in [
            1,
            1 + w.random.below(pages as u64) as usize,
            pages - 1,
            pages,
        ] {
            let page = w.page(&id, number as u32, size as u32).await;
            let expected: Vec<_> = model.iter().skip((number - 1) * size).take(size).collect();
            let listed: Vec<_> = page.items.iter().map(|row| &row.id).collect();
            assert_eq!(
                listed,
                expected,
                "page {number} of size {size} among {}",
                model.len()
            );
            assert_eq!(page.total, model.len() as u64);
        }
        // Runs of neighbours go as well as single ones, so that whole blocks become empty.
        for _ in 0..4 {
            let from = w.random.below(model.len().max(1) as u64) as usize;
            let count = (1 + w.random.below(45) as usize).min(model.len() - from);
            for gone in model.drain(from..from + count) {
                w.observe(&gone, PersistentStatus::Deleted, after(time))
                    .await;
            }
        }
        time += 1;
        while w
            .store
            .purge_deleted(after(time), after(time))
            .await
            .unwrap()
        {}
    }
    let empty = w.page(&id, 1, 20).await;
    assert_eq!((empty.items.len(), empty.total), (0, 0));
    assert_eq!(w.page(&other, 1, 20).await.total, 90);
}

pub async fn pages_of_instances_agree_with_a_naive_model_while_they_go(w: World) {
    let id = w.with_group("office", 300).await;
    let look = async |number: usize, size: usize| {
        let (number, size) = (number as u32, size as u32);
        let (filter, page) = (InstanceFilter::default(), PageRequest { number, size });
        let page = w.store.page_instances(&w.acme, &id, filter, page).await;
        let page = page.unwrap().expect("the group is there");
        let ids: Vec<_> = page.items.into_iter().map(|row| row.id).collect();
        (ids, page.total)
    };
    // Slots are made in the order of their sessions.
    let mut model: Vec<(PersistentId, AppInstanceId)> = Vec::new();
    for number in 1..=3 {
        let page = w.page(&id, number, 100).await;
        model.extend(page.items.into_iter().map(|row| (row.id, row.instance)));
    }
    for time in 1.. {
        let size = 1 + w.random.below(100) as usize;
        let pages = model.len().div_ceil(size);
        let random = 1 + w.random.below(pages.max(1) as u64) as usize;
        for number in [1, random, pages.max(1), pages + 1] {
            let (listed, total) = look(number, size).await;
            let ids = model.iter().map(|(_, instance)| instance.clone());
            let expected: Vec<_> = ids.skip((number - 1) * size).take(size).collect();
            assert_eq!(listed, expected, "page {number} of size {size}");
            assert_eq!(total, model.len() as u64);
        }
        if model.is_empty() {
            break;
        }
        let from = w.random.below(model.len() as u64) as usize;
        let count = (1 + w.random.below(90) as usize).min(model.len() - from);
        for (gone, _) in model.drain(from..from + count) {
            w.observe(&gone, PersistentStatus::Deleted, after(time))
                .await;
        }
        // Those that are gone are left out at once, and every other time their rows are as well.
        let before = if time % 2 == 0 {
            after(time + 1)
        } else {
            START
        };
        while w.store.purge_deleted(before, before).await.unwrap() {}
    }
}

pub async fn a_page_past_the_end_is_empty_with_the_same_total(w: World) {
    let id = w.with_group("office", 3).await;
    assert_eq!(w.page(&id, 2, 2).await.items.len(), 1);
    for number in [3, u32::MAX] {
        let page = w.page(&id, number, 100).await;
        assert_eq!((page.items.len(), page.total), (0, 3));
    }
}

pub async fn a_filter_by_ids_ignores_duplicates_and_strangers(w: World) {
    let (id, other) = (
        w.with_group("office", 5).await,
        w.with_group("other", 1).await,
    );
    let all = w.ids(&id).await;
    let wanted = vec![
        all[4].clone(),
        all[1].clone(),
        all[4].clone(),
        w.ids(&other).await.remove(0),
        PersistentId::parse("p-unknown").unwrap(),
    ];
    let ask = |ids: Vec<PersistentId>, number, size| page(&w, &w.acme, &id, ids, number, size);
    let found = ask(wanted.clone(), 1, 20).await;
    let ids: Vec<_> = found.items.into_iter().map(|row| row.id).collect();
    assert_eq!(
        (ids, found.total),
        (vec![all[1].clone(), all[4].clone()], 2)
    );

    let second = ask(wanted.clone(), 2, 1).await;
    assert_eq!(
        (&second.items[0].id, second.items.len(), second.total),
        (&all[4], 1, 2)
    );
    let past = ask(wanted, 3, 1).await;
    assert_eq!((past.items.len(), past.total), (0, 2));
    let none = ask(Vec::new(), 1, 20).await;
    assert_eq!((none.items.len(), none.total), (0, 0));
}

async fn page(
    w: &World,
    account: &AccountId,
    group: &AppInstanceGroupId,
    ids: Vec<PersistentId>,
    number: u32,
    size: u32,
) -> Page<SessionRow> {
    let (filter, page) = (SessionFilter::Ids(ids), PageRequest { number, size });
    let found = w
        .store
        .page_sessions(account, group, ProductType::CloudApp, filter, page)
        .await
        .unwrap();
    Page::clone(&found.unwrap())
}

pub async fn sessions_of_another_account_type_or_ended_group_look_absent(w: World) {
    let id = w.with_group("office", 2).await;
    let all = w.ids(&id).await;
    let look = async |account: &AccountId, group: &AppInstanceGroupId, type_| {
        let page = PageRequest {
            number: 1,
            size: 20,
        };
        for filter in [SessionFilter::All, SessionFilter::Ids(all.clone())] {
            let found = w
                .store
                .page_sessions(account, group, type_, filter, page)
                .await
                .unwrap();
            if found.is_some() {
                return true;
            }
        }
        false
    };
    assert!(look(&w.acme, &id, ProductType::CloudApp).await);
    assert!(!look(&w.globex, &id, ProductType::CloudApp).await);
    assert!(!look(&w.acme, &id, ProductType::CloudBrowser).await);
    let unknown = AppInstanceGroupId::parse("aig-unknown").unwrap();
    assert!(!look(&w.acme, &unknown, ProductType::CloudApp).await);
    w.store
        .delete_group(&w.acme, &id, None, after(1))
        .await
        .unwrap();
    assert!(!look(&w.acme, &id, ProductType::CloudApp).await);
}

pub async fn authorized_users_are_sorted_bytewise(w: World) {
    let id = w.with_group("office", 3).await;
    let all = w.ids(&id).await;
    let change = async |session: &PersistentId, add: &[&str], remove: &[&str]| {
        let users = |names: &[&str]| names.iter().map(|name| user(name)).collect();
        let change = GrantChange {
            add: users(add),
            remove: users(remove),
        };
        w.store
            .authorize_session_users(&w.acme, &id, session, change, None, after(1))
            .await
            .unwrap();
    };
    change(&all[0], &["bob", "Zoe", "_x", "alice", "0", "bob"], &[]).await;
    change(&all[2], &["carol"], &[]).await;
    change(&all[0], &["dave"], &["alice", "nobody"]).await;

    let names: Vec<String> = w
        .page(&id, 1, 20)
        .await
        .items
        .iter()
        .map(|row| {
            row.users
                .iter()
                .map(|user| user.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(names, ["0 Zoe _x bob dave", "", "carol"]);
    let one = w.store.session(&w.acme, &all[2]).await.unwrap().unwrap();
    assert_eq!(one.row.users, [user("carol")]);
    assert!(
        w.store
            .is_authorized(&all[2], &user("carol"))
            .await
            .unwrap()
    );
    assert!(
        !w.store
            .is_authorized(&all[1], &user("carol"))
            .await
            .unwrap()
    );
}

pub async fn sessions_are_named_by_number_in_the_order_of_their_listing(w: World) {
    let id = w.with_group("office", 12).await;
    let page = w.page(&id, 1, 100).await;
    let names: Vec<_> = page.items.iter().map(|row| row.name.clone()).collect();
    let expected: Vec<_> = (1..=12).map(|n| format!("office-{n}")).collect();
    assert_eq!(names, expected);
    assert!(
        page.items
            .is_sorted_by_key(|row| (row.created, row.id.clone()))
    );
    assert!(page.items.iter().all(|row| row.created == START));
}
