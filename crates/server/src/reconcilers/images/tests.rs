//! Images over a store in memory and a runtime without processes.

use super::*;
use crate::config::Config;
use crate::reconcilers::world::World;
use crate::runtime::fake::Fake;
use crate::runtime::{FolderImage, Plan, Share};
use greenroom_model::{AppInstanceGroupId, Desired, NodePoolId, PersistentId, SpecId, Timestamp};
use greenroom_store::NewSlots;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const BASE: &str = "img-base";

fn id(text: &str) -> ImageId {
    ImageId::parse(text).unwrap()
}

/// A world with an image that is a folder, and a session of it.
struct Place {
    world: World,
    images: Images<Fake>,
    session: PersistentId,
    _folder: TempDir,
}

fn base(root: &Path) {
    for (path, text) in [
        ("bin/sh", ""),
        ("usr/bin/draw", "#!/bin/sh\n"),
        (
            "usr/share/applications/draw.desktop",
            "[Desktop Entry]\nType=Application\nName=Draw\nExec=draw\n",
        ),
    ] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
}

async fn session_of(world: &World, image: &str) -> PersistentId {
    let (other, _) = world.group(1).await;
    let other = world.store.group(&world.account, &other).await;
    let mut spec = other.unwrap().unwrap().made;
    spec.id = AppInstanceGroupId::new(&*world.entropy);
    spec.spec_id = SpecId::new(&*world.entropy);
    spec.pool.id = NodePoolId::new(&*world.entropy);
    spec.image = id(image);
    let slots = NewSlots::new(1, 1, Desired::Running, Vec::new(), &*world.entropy);
    let session = slots.slots[0].session.clone();
    world
        .store
        .create_group(spec, slots, Vec::new(), None, |_| true)
        .await
        .unwrap();
    world.settle().await;
    session
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        base(&folder.path().join("base"));
        let data = folder.path().join("data");
        fs::create_dir_all(&data).unwrap();
        let text = format!(
            "data_dir = '{}'\n[[images]]\nid = '{BASE}'\nname = 'Base'\ndir = '{}'",
            data.display(),
            folder.path().join("base").display()
        );
        let world = World::new().await;
        let session = session_of(&world, BASE).await;
        let images = Images::new(
            world.store.clone(),
            Arc::clone(&world.fake),
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            Arc::new(Catalogue::new(&Config::from_text(&text).unwrap(), false)),
            world.membership.clone(),
        );
        Self {
            world,
            images,
            session,
            _folder: folder,
        }
    }

    async fn order(&self, image: &str) {
        let order = ImageOrder {
            id: id(image),
            account: self.world.account.clone(),
            name: "Mine".to_owned(),
            description: String::new(),
            session: self.session.clone(),
            parent: id(BASE),
            created: Timestamp(0),
        };
        self.world.store.order_image(order, None).await.unwrap();
    }

    async fn delete(&self, image: &str) {
        let (account, now) = (&self.world.account, self.world.clock.now());
        let image = id(image);
        let deleted = self.world.store.delete_image(account, &image, None, now);
        deleted.await.unwrap();
    }

    async fn own(&self) -> Vec<OwnImage> {
        let own = self.world.store.own_images(&self.world.account);
        own.await.unwrap().to_vec()
    }
}

#[tokio::test]
async fn what_is_ordered_is_made_and_what_is_to_go_is_removed() {
    let place = Place::new().await;
    place.world.fake.change(&place.session, &id(BASE));
    place.order("img-mine").await;
    place.images.pass().await.unwrap();
    let own = place.own().await;
    assert_eq!(
        (own[0].status, own[0].bytes),
        (ImageStatus::Available, 4096)
    );
    assert!(own[0].apps.contains("ca-draw"), "{}", own[0].apps);
    assert!(place.world.fake.has_image(&id("img-mine")));
    place.delete("img-mine").await;
    place.images.pass().await.unwrap();
    assert!(!place.world.fake.has_image(&id("img-mine")));
    let due = place
        .world
        .store
        .images_to_act_on(place.world.membership.id());
    assert_eq!(due.await.unwrap(), []);
}

#[tokio::test]
async fn what_cannot_be_made_says_why_and_leaves_nothing() {
    let place = Place::new().await;
    place.order("img-before").await;
    place.images.pass().await.unwrap();
    let own = place.own().await;
    assert_eq!(own[0].status, ImageStatus::CreateFailed);
    assert_eq!(
        own[0].reason,
        "the session has not begun to change its image"
    );
    assert!(!place.world.fake.has_image(&id("img-before")));
    // It hinders no other.
    place.world.fake.change(&place.session, &id(BASE));
    place.order("img-mine").await;
    place.images.pass().await.unwrap();
    assert_eq!(place.own().await[1].status, ImageStatus::Available);
}

#[tokio::test]
async fn an_image_stays_for_as_long_as_a_session_runs_with_it() {
    let place = Place::new().await;
    place.world.fake.change(&place.session, &id(BASE));
    place.order("img-mine").await;
    place.images.pass().await.unwrap();
    let late = PersistentId::parse("p-late").unwrap();
    let plan = Plan {
        persistent_id: late.clone(),
        apps: Vec::new(),
        width: 640,
        height: 480,
        share: Share::SMALL,
        files: Vec::new(),
        image: Some(FolderImage {
            id: id("img-mine"),
            layers: Vec::new(),
        }),
    };
    place.world.fake.start(&plan).await.unwrap();
    place.delete("img-mine").await;
    place.images.pass().await.unwrap();
    assert!(place.world.fake.has_image(&id("img-mine")));
    place.world.fake.die(&late);
    place.images.pass().await.unwrap();
    assert!(!place.world.fake.has_image(&id("img-mine")));
}

#[tokio::test]
async fn another_server_s_images_are_left_to_it() {
    let place = Place::new().await;
    place.world.fake.change(&place.session, &id(BASE));
    place.order("img-mine").await;
    let other = greenroom_store::NewServer {
        id: greenroom_model::ServerId::parse("srv-other").unwrap(),
        address: String::new(),
        processors: 1,
    };
    let joined = Membership::join(place.world.store.clone(), other, Duration::from_secs(60));
    let theirs = Images {
        membership: joined.await.unwrap(),
        ..place.images
    };
    theirs.pass().await.unwrap();
    let own = place.world.store.own_images(&place.world.account).await;
    assert_eq!(own.unwrap()[0].status, ImageStatus::Creating);
}
