//! Images that accounts have made of their sessions: what of them is on offer, and what can be opened in them.

use super::desktop_entry;
use super::program;
use super::tree::Tree;
use super::{Catalogue, Image, MAX_APPS};
use crate::config::App;
use crate::runtime::local::images;
use greenroom_model::{AccountId, ImageStatus};
use greenroom_session_api::image::MAX_LAYERS;
use greenroom_store::{OwnImage, Store, StoreError};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What is on offer to an account: what everybody has, and the account's own images that are there.
///
/// # Errors
/// The database could not be read.
pub async fn offered(
    everybody: &Arc<Catalogue>,
    store: &Store,
    account: &AccountId,
) -> Result<Arc<Catalogue>, StoreError> {
    let own = store.own_images(account).await?;
    if own.is_empty() {
        return Ok(Arc::clone(everybody));
    }
    let mut all = Catalogue::clone(everybody);
    let offered = own.iter().filter_map(|it| on_offer(everybody, &own, it));
    all.images.extend(offered);
    Ok(Arc::new(all))
}

/// The image as groups are made of it, one of the account's `own`; `None` when it is not there, or what it lies upon is
/// not to be had any more.
#[must_use]
pub fn on_offer(everybody: &Catalogue, own: &[OwnImage], image: &OwnImage) -> Option<Image> {
    if image.status != ImageStatus::Available {
        return None;
    }
    let folder = |image: &OwnImage| images::folder(&everybody.data_dir, &image.made.id);
    let mut layers = vec![folder(image)];
    let mut below = &image.made.parent;
    while let Some(parent) = own.iter().find(|it| it.made.id == *below) {
        layers.push(folder(parent));
        below = &parent.made.parent;
        if layers.len() > MAX_LAYERS {
            return None;
        }
    }
    let lowest = everybody.image(below.as_str())?;
    layers.extend(lowest.layers.iter().cloned());
    let apps = match serde_json::from_str(&image.apps) {
        Ok(apps) => apps,
        Err(error) => {
            tracing::error!(image.id = %image.made.id, %error, "an image's apps in the database cannot be read");
            return None;
        }
    };
    Some(Image {
        id: image.made.id.clone(),
        name: image.made.name.clone(),
        product: lowest.product,
        apps,
        layers,
    })
}

/// Whether images can be made of sessions of this one: it has files of its own, and room for another folder.
#[must_use]
pub fn can_be_parent(image: &Image) -> bool {
    (1..MAX_LAYERS).contains(&image.layers.len())
}

/// What can be opened in an image with this layer on top of `parent`: the parent's apps, and those that the layer's
/// desktop entries describe, as far as they could start.
///
/// # Errors
/// A folder of it cannot be read.
pub fn apps(layer: &Path, parent: &Image) -> io::Result<Vec<App>> {
    let top = Tree::open(&[layer.to_owned()])?;
    let mut folders = vec![layer.to_owned()];
    folders.extend(parent.layers.iter().cloned());
    let whole = Tree::open(&folders)?;
    let mut apps = parent.apps.clone();
    // An entry that describes none is somebody's who has it before their eyes in their session.
    for app in desktop_entry::menu(&top)?.filter_map(|(_, app)| app.ok()) {
        match apps.iter_mut().find(|known| known.id == app.id) {
            Some(known) => *known = app,
            None => apps.push(app),
        }
    }
    apps.retain(|app| {
        let program = app.argv.first().map_or("", String::as_str);
        program::lack(&whole, program).is_none_or(|lack| lack.may_start())
    });
    apps.truncate(MAX_APPS);
    Ok(apps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use greenroom_model::{ImageId, PersistentId, ProductType, ServerId, Timestamp};
    use greenroom_store::ImageOrder;
    use std::fs;
    use std::path::PathBuf;

    fn put(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn entry(name: &str) -> String {
        format!("[Desktop Entry]\nType=Application\nName={name}\nExec={name}\n")
    }

    fn image(id: &str) -> ImageId {
        ImageId::parse(id).unwrap()
    }

    fn own(id: &str, parent: &str) -> OwnImage {
        OwnImage {
            made: ImageOrder {
                id: image(id),
                account: AccountId::parse("1234567890123456").unwrap(),
                name: format!("My {id}"),
                description: String::new(),
                session: PersistentId::parse("p-a").unwrap(),
                parent: image(parent),
                created: Timestamp(0),
            },
            server: ServerId::parse("srv-a").unwrap(),
            status: ImageStatus::Available,
            reason: String::new(),
            apps: r#"[{"id":"ca-draw","name":"Draw","argv":["draw"]}]"#.to_owned(),
            bytes: 0,
            changed: Timestamp(0),
        }
    }

    /// What everybody has, with an image `img-base` that is a folder.
    fn everybody(folder: &Path) -> Catalogue {
        let base = folder.join("base");
        put(base.join("bin/sh"), "");
        put(base.join("usr/bin/draw"), "#!/bin/sh\n");
        put(base.join("usr/bin/old"), "#!/bin/sh\n");
        for name in ["draw", "old"] {
            let at = format!("usr/share/applications/{name}.desktop");
            put(base.join(at), &entry(name));
        }
        let data = folder.join("data");
        fs::create_dir_all(&data).unwrap();
        let text = format!(
            "data_dir = '{}'\n[[images]]\nid = 'img-base'\nname = 'Base'\ndir = '{}'",
            data.display(),
            base.display()
        );
        Catalogue::new(&Config::from_text(&text).unwrap(), false)
    }

    #[test]
    fn an_image_is_its_own_layer_over_those_of_its_parents() {
        let folder = tempfile::tempdir().unwrap();
        let everybody = everybody(folder.path());
        let (parent, child) = (
            own("img-parent", "img-base"),
            own("img-child", "img-parent"),
        );
        let found = on_offer(&everybody, &[parent.clone(), child.clone()], &child).unwrap();
        let images = folder.path().join("data/images");
        let expected = [
            images.join("img-child"),
            images.join("img-parent"),
            folder.path().join("base"),
        ];
        assert_eq!(found.layers, expected);
        assert_eq!((found.name.as_str(), found.apps.len()), ("My img-child", 1));
        assert_eq!(found.product, ProductType::CloudApp);
        let lost = own("img-lost", "img-gone");
        assert_eq!(
            on_offer(&everybody, std::slice::from_ref(&lost), &lost),
            None
        );
        let many: Vec<OwnImage> = (0..MAX_LAYERS + 5)
            .map(|at| own(&format!("img-{at}"), &format!("img-{}", at + 1)))
            .collect();
        assert_eq!(on_offer(&everybody, &many, &many[0]), None);
    }

    #[test]
    fn apps_are_the_parent_s_and_the_layer_s_that_could_start() {
        let folder = tempfile::tempdir().unwrap();
        let everybody = everybody(folder.path());
        let base = everybody.image("img-base").unwrap();
        assert_eq!(base.apps.len(), 2);
        let layer = folder.path().join("layer");
        put(layer.join("usr/bin/new"), "#!/bin/sh\n");
        put(
            layer.join("usr/share/applications/new.desktop"),
            &entry("new"),
        );
        put(
            layer.join("usr/share/applications/gone.desktop"),
            &entry("gone"),
        );
        // As an overlay keeps that it was removed.
        let gone = rustix::fs::FileType::CharacterDevice;
        let mode = rustix::fs::Mode::empty();
        rustix::fs::mknodat(rustix::fs::CWD, layer.join("usr/bin/old"), gone, mode, 0).unwrap();
        let found = apps(&layer, base).unwrap();
        let ids: Vec<&str> = found.iter().map(|app| app.id.as_str()).collect();
        assert_eq!(ids, ["ca-draw", "ca-new"]);
    }
}
