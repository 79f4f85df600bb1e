//! What every runtime promises of images that are made of sessions.

use super::{FakePlace, Place, ThisMachine};
use crate::runtime::fake::Fake;
use crate::runtime::{Changes, Release, Runtime, RuntimeError};
use greenroom_model::{ImageId, PersistentId};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A place where a session can have changed its image behind the runtime's back.
trait Changing: Place {
    /// The session has a home, and has changed its image.
    fn change(&self, session: &PersistentId, image: &ImageId);

    /// Whether something of the image is there, whole or not.
    fn has_image(&self, image: &ImageId) -> bool;
}

fn image(id: &str) -> ImageId {
    ImageId::parse(id).unwrap()
}

async fn contract(place: &impl Changing) {
    let session = PersistentId::parse("p-changed").unwrap();
    let (base, new) = (image("img-base"), image("img-new"));
    let (runtime, _) = place.runtime();

    // Of what was not changed, or not of that image, there is none.
    let nothing = runtime.snapshot(&session, &base, &new).await;
    assert!(matches!(nothing, Err(RuntimeError::NothingChanged)));
    place.change(&session, &base);
    let (runtime, _) = place.runtime();
    let of_another = runtime.snapshot(&session, &image("img-other"), &new).await;
    assert!(matches!(of_another, Err(RuntimeError::NothingChanged)));
    assert!(!place.has_image(&new));

    // What was changed is kept, and saying so again changes nothing, even when the session is gone.
    let made = runtime.snapshot(&session, &base, &new).await.unwrap();
    assert!(place.has_image(&new));
    runtime.release(&session, Release::Home).await.unwrap();
    let (again, _) = place.runtime();
    assert_eq!(again.snapshot(&session, &base, &new).await.unwrap(), made);
    let gone = again.snapshot(&session, &base, &image("img-late")).await;
    assert!(matches!(gone, Err(RuntimeError::NothingChanged)));

    // It goes once, and others stay.
    again.discard_image(&image("img-other")).await.unwrap();
    assert!(place.has_image(&new));
    again.discard_image(&new).await.unwrap();
    again.discard_image(&new).await.unwrap();
    assert!(!place.has_image(&new));
}

impl Changing for FakePlace {
    fn change(&self, session: &PersistentId, image: &ImageId) {
        self.0.change(session, image);
    }

    fn has_image(&self, image: &ImageId) -> bool {
        self.0.has_image(image)
    }
}

impl Changing for ThisMachine {
    fn change(&self, session: &PersistentId, image: &ImageId) {
        let session = self.data_dir.join("sessions").join(session.as_str());
        let home = session.join("home");
        fs::create_dir_all(&home).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&home, Some(240_003), Some(240_003)).unwrap();
        }
        let changed = session.join("layer").join(image.as_str()).join("upper/etc");
        fs::create_dir_all(&changed).unwrap();
        fs::write(changed.join("file"), "changed").unwrap();
    }

    fn has_image(&self, image: &ImageId) -> bool {
        let entries = fs::read_dir(self.data_dir.join("images")).unwrap();
        let of_it = |path: &Path| {
            path.file_stem()
                .is_some_and(|stem| *stem == *image.as_str())
        };
        entries.flatten().any(|entry| of_it(&entry.path()))
    }
}

#[tokio::test]
async fn the_fake_keeps_images() {
    let changes = Changes::default();
    let fake = Arc::new(Fake::new(changes.clone()));
    contract(&FakePlace(fake, changes)).await;
}

#[tokio::test]
async fn this_machine_keeps_images() {
    let folder = tempfile::tempdir().unwrap();
    contract(&ThisMachine::without_programs(folder.path())).await;
}
