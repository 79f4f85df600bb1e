//! What a session changes of its image: one layer, which belongs to that image and to no other.

use super::spawn::{Places, files, remove_tree};
use super::{FolderImage, RuntimeError};
use greenroom_model::ImageId;
use greenroom_session_api::image::Image;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The part of a layer that the kernel writes what is changed to; what it keeps beside it is its own.
pub const UPPER: &str = "upper";

/// What a holder is told of the session's image. A layer of another image goes: over these files it would make
/// a system that nobody ever had.
pub fn of_session(
    places: &Places,
    image: Option<&FolderImage>,
) -> Result<Option<Image>, RuntimeError> {
    if let Some((image, folder)) = image.and_then(lacking) {
        return Err(RuntimeError::ImageElsewhere { image, folder });
    }
    let own = image.map(|image| layer(places, image));
    for other in kept(places)? {
        if Some(&other) != own.as_ref() {
            remove_tree(&other)?;
        }
    }
    Ok(image.zip(own).map(|(image, changes)| Image {
        layers: image.layers.clone(),
        changes,
    }))
}

/// A folder of the image that is not here.
fn lacking(image: &FolderImage) -> Option<(ImageId, PathBuf)> {
    let folder = image.layers.iter().find(|folder| !folder.is_dir())?;
    Some((image.id.clone(), folder.clone()))
}

fn layer(places: &Places, image: &FolderImage) -> PathBuf {
    places.layers().join(image.id.as_str())
}

/// Where the kernel puts what a session changes of its image, once it has begun to.
pub fn changes(places: &Places, image: &ImageId) -> PathBuf {
    places.layers().join(image.as_str()).join(UPPER)
}

/// Who owns in an image what this user owns in a session's layer, where `root` is the session's user: the files there
/// are those that root has to everybody else.
pub fn owner_in_image(id: u32, root: u32) -> u32 {
    if id == root { 0 } else { id }
}

fn kept(places: &Places) -> Result<Vec<PathBuf>, RuntimeError> {
    let folder = places.layers();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(files("list", &folder))?,
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths
        .collect::<Result<_, _>>()
        .map_err(files("list", &folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::PersistentId;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_layer_stays_with_its_image_and_goes_with_another() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(folder.path(), &PersistentId::parse("p-a").unwrap());
        let image = |id: &str| FolderImage {
            id: ImageId::parse(id).unwrap(),
            layers: vec![folder.path().join("image")],
        };
        let nowhere = of_session(&places, Some(&image("img-a")));
        assert!(matches!(nowhere, Err(RuntimeError::ImageElsewhere { .. })));
        fs::create_dir(folder.path().join("image")).unwrap();
        let told = of_session(&places, Some(&image("img-a"))).unwrap().unwrap();
        assert_eq!(told.layers, [folder.path().join("image")]);
        let kept = told.changes.join("upper/kept");
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(&kept, "").unwrap();
        fs::create_dir_all(told.changes.join("work/work")).unwrap();
        let closed = Permissions::from_mode(0o000);
        fs::set_permissions(told.changes.join("work/work"), closed).unwrap();
        assert_eq!(
            of_session(&places, Some(&image("img-a"))).unwrap().unwrap(),
            told
        );
        assert!(kept.exists());
        let other = of_session(&places, Some(&image("img-b"))).unwrap().unwrap();
        assert!(!told.changes.exists());
        fs::create_dir_all(&other.changes).unwrap();
        assert_eq!(of_session(&places, None).unwrap(), None);
        assert!(!other.changes.exists());
    }
}
