//! Images that accounts make of their sessions: ordered, made, used, removed.

use crate::servers;
use crate::world::{World, after, nonce};
use greenroom_model::{
    AppId, AppInstanceGroupId, ImageId, ImageStatus, PersistentId, ProductType, Timestamp,
};
use greenroom_store::{
    GroupSpec, ImageOrder, ImageRefusal, NewImage, OwnImage, Result, StoreError,
};

const BASE: &str = "img-base";

fn image(id: &str) -> ImageId {
    ImageId::parse(id).unwrap()
}

fn refused(result: Result<()>) -> Option<ImageRefusal> {
    match result {
        Err(StoreError::Image(refusal)) => Some(refusal),
        Err(other) => panic!("{other}"),
        Ok(()) => None,
    }
}

/// A group of the image with one session, and that session.
async fn with_session(w: &World, name: &str, of: &str) -> (AppInstanceGroupId, PersistentId) {
    let spec = GroupSpec {
        image: image(of),
        ..w.spec(name)
    };
    let group = w.with_spec(spec, 1).await;
    let session = w.ids(&group).await.remove(0);
    (group, session)
}

fn order(w: &World, id: &str, session: &PersistentId, parent: &str) -> ImageOrder {
    ImageOrder {
        id: image(id),
        account: w.acme.clone(),
        name: id.to_owned(),
        description: "of a test".to_owned(),
        session: session.clone(),
        parent: image(parent),
        created: after(10),
    }
}

async fn made(w: &World, id: &str, session: &PersistentId, parent: &str) {
    let ordered = w.store.order_image(order(w, id, session, parent), None);
    ordered.await.unwrap();
    let apps = r#"["an app"]"#.to_owned();
    let id = image(id);
    let made = w.store.image_made(&id, apps, 4096, after(20));
    made.await.unwrap();
}

async fn own(w: &World) -> Vec<OwnImage> {
    w.store.own_images(&w.acme).await.unwrap().to_vec()
}

async fn delete(w: &World, id: &str) -> Result<()> {
    w.store
        .delete_image(&w.acme, &image(id), None, after(30))
        .await
}

async fn give(w: &World, group: &AppInstanceGroupId, id: &str) -> Result<()> {
    let new = NewImage {
        id: image(id),
        apps: vec![AppId::parse("ca-foot").unwrap()],
        author: "root".to_owned(),
    };
    let product = ProductType::CloudApp;
    w.store
        .change_image(&w.acme, product, group, new, None, after(40))
        .await
}

pub async fn an_image_is_made_once_used_and_removed(w: World) {
    let (group, session) = with_session(&w, "office", BASE).await;
    let first = order(&w, "img-first", &session, BASE);
    w.store.order_image(first.clone(), nonce(1)).await.unwrap();
    let replayed = w.store.order_image(first.clone(), nonce(1)).await;
    assert!(matches!(replayed, Err(StoreError::NonceReplayed)));
    let second = order(&w, "img-second", &session, BASE);
    let again = w.store.order_image(second, None).await;
    assert_eq!(refused(again), Some(ImageRefusal::TaskExists));

    let due = w.store.images_to_act_on(&w.lease.server).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (&due[0].made, due[0].status),
        (&first, ImageStatus::Creating)
    );
    assert_eq!(
        refused(delete(&w, "img-first").await),
        Some(ImageRefusal::Creating)
    );
    let made = w
        .store
        .image_made(&first.id, "[]".to_owned(), 4096, after(20));
    made.await.unwrap();
    // Whoever was slower changes nothing.
    let late = w
        .store
        .image_failed(&first.id, "late".to_owned(), after(21));
    late.await.unwrap();
    let own = own(&w).await;
    assert_eq!(
        (own[0].status, own[0].bytes),
        (ImageStatus::Available, 4096)
    );
    assert_eq!((own[0].changed, own[0].reason.as_str()), (after(20), ""));

    give(&w, &group, "img-first").await.unwrap();
    assert_eq!(
        refused(delete(&w, "img-first").await),
        Some(ImageRefusal::InUse)
    );
    give(&w, &group, BASE).await.unwrap();
    delete(&w, "img-first").await.unwrap();
    assert_eq!(self::own(&w).await, []);
    let due = w.store.images_to_act_on(&w.lease.server).await.unwrap();
    assert_eq!(due[0].status, ImageStatus::Deleting);
    w.store.image_removed(&first.id, after(50)).await.unwrap();
    assert_eq!(w.store.images_to_act_on(&w.lease.server).await.unwrap(), []);
    assert_eq!(
        refused(delete(&w, "img-first").await),
        Some(ImageRefusal::NotFound)
    );
    let whole = Timestamp(i64::MAX);
    assert!(!w.store.purge_deleted(whole, whole).await.unwrap());
}

pub async fn what_is_in_use_stays(w: World) {
    let (group, session) = with_session(&w, "office", BASE).await;
    made(&w, "img-parent", &session, BASE).await;
    give(&w, &group, "img-parent").await.unwrap();
    made(&w, "img-child", &session, "img-parent").await;
    give(&w, &group, BASE).await.unwrap();
    assert_eq!(
        refused(delete(&w, "img-parent").await),
        Some(ImageRefusal::InUse)
    );
    delete(&w, "img-child").await.unwrap();
    // A session may still run with the child, until its files have been removed.
    assert_eq!(
        refused(delete(&w, "img-parent").await),
        Some(ImageRefusal::InUse)
    );
    w.store
        .image_removed(&image("img-child"), after(50))
        .await
        .unwrap();
    delete(&w, "img-parent").await.unwrap();
}

pub async fn nothing_is_made_of_an_image_that_goes(w: World) {
    let (group, session) = with_session(&w, "office", BASE).await;
    let ordered = order(&w, "img-a", &session, BASE);
    w.store.order_image(ordered, None).await.unwrap();
    let unavailable = Some(ImageRefusal::NotAvailable);
    assert_eq!(refused(give(&w, &group, "img-a").await), unavailable);
    let wanted = image("img-a");
    let failed = w
        .store
        .image_failed(&wanted, "no room".to_owned(), after(20));
    failed.await.unwrap();
    assert_eq!(own(&w).await[0].reason, "no room");
    assert_eq!(refused(give(&w, &group, "img-a").await), unavailable);
    delete(&w, "img-a").await.unwrap();
    w.store
        .image_removed(&image("img-a"), after(31))
        .await
        .unwrap();
    let spec = GroupSpec {
        image: image("img-a"),
        ..w.spec("late")
    };
    let late = w
        .store
        .create_group(spec, w.slots(1), Vec::new(), None, |_| true);
    assert_eq!(refused(late.await), unavailable);
}

pub async fn another_accounts_image_looks_absent(w: World) {
    let (_, session) = with_session(&w, "office", BASE).await;
    made(&w, "img-a", &session, BASE).await;
    assert!(w.store.own_images(&w.globex).await.unwrap().is_empty());
    let wanted = image("img-a");
    let deleted = w.store.delete_image(&w.globex, &wanted, None, after(30));
    assert_eq!(refused(deleted.await), Some(ImageRefusal::NotFound));
    let theirs = ImageOrder {
        account: w.globex.clone(),
        ..order(&w, "img-b", &session, BASE)
    };
    let ordered = w.store.order_image(theirs, None).await;
    assert_eq!(refused(ordered), Some(ImageRefusal::NoSession));
    let spec = GroupSpec {
        account: w.globex.clone(),
        image: image("img-a"),
        ..w.spec("theirs")
    };
    let group = w
        .store
        .create_group(spec, w.slots(1), Vec::new(), None, |_| true);
    assert_eq!(refused(group.await), Some(ImageRefusal::NotAvailable));
    let of_another = order(&w, "img-c", &session, "img-other");
    let ordered = w.store.order_image(of_another, None).await;
    assert_eq!(refused(ordered), Some(ImageRefusal::NotBegun));
}

pub async fn an_account_has_so_many_images_and_no_more(w: World) {
    let (_, session) = with_session(&w, "office", BASE).await;
    for number in 0..64 {
        made(&w, &format!("img-{number}"), &session, BASE).await;
    }
    let more = w
        .store
        .order_image(order(&w, "img-more", &session, BASE), None);
    assert_eq!(refused(more.await), Some(ImageRefusal::TooMany));
    delete(&w, "img-7").await.unwrap();
    w.store
        .image_removed(&image("img-7"), after(40))
        .await
        .unwrap();
    made(&w, "img-more", &session, BASE).await;
    assert_eq!(own(&w).await.len(), 64);
}

pub async fn the_images_of_a_forgotten_server_are_lost(w: World) {
    let (_, session) = with_session(&w, "office", BASE).await;
    made(&w, "img-a", &session, BASE).await;
    let judge = servers::another(&w, "srv-judge").await;
    servers::fall_silent(&w).await;
    servers::until_lost(&w, &judge).await;
    w.store
        .forget_server(&w.lease.server, None, after(60))
        .await
        .unwrap();
    let own = own(&w).await;
    assert_eq!(own[0].status, ImageStatus::CreateFailed);
    assert!(own[0].reason.contains("forgotten"), "{}", own[0].reason);
}
