//! Images that sessions were made into: `DATA/images/<id>` is what a session had changed of its image, whole or not there.
//!
//! Nobody but the server gets into the folder: what is in it belongs to root, and was some session's before.

mod copy;
mod file;

use super::folder::sessions_in;
use super::layers;
use super::spawn::{files, remove_tree};
use super::{Local, lock, off_the_loop};
use crate::runtime::{Layer, Observation, Runtime, RuntimeError};
use greenroom_model::{ImageId, PersistentId};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where images lie below the data folder.
pub fn place(data_dir: &Path) -> PathBuf {
    data_dir.join("images")
}

/// The folder of one image.
pub fn folder(data_dir: &Path, image: &ImageId) -> PathBuf {
    place(data_dir).join(image.as_str())
}

/// Where it is made, and where it is taken apart.
fn unfinished(folder: &Path) -> PathBuf {
    folder.with_extension("part")
}

/// Tells the copying that nobody waits for it any more. A thread cannot be ended from outside.
#[derive(Default)]
struct Leash(Arc<AtomicBool>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Local {
    /// See [`Runtime::snapshot`]. The session is neither started nor cleared up meanwhile.
    pub(super) async fn take_image(
        &self,
        session: &PersistentId,
        of: &ImageId,
        image: &ImageId,
    ) -> Result<Layer, RuntimeError> {
        let seat = self.seat(session);
        let _turn = seat.turn.lock().await;
        let (disk, data_dir) = (self.settings.disk, self.settings.data_dir.clone());
        let (changes, target) = (
            layers::changes(&self.places(session), of),
            folder(&data_dir, image),
        );
        let users = self.settings.uids.as_ref().map(|_| lock(&self.users));
        let root = users.and_then(|users| users.of_session(session));
        let leash = Leash::default();
        let unheard = Arc::clone(&leash.0);
        off_the_loop(move || {
            let go_on = || match unheard.load(Ordering::Relaxed) {
                true => Err(files("go on with", &target)(ErrorKind::Interrupted.into())),
                false => disk.admit(&data_dir),
            };
            take(&changes, &target, root, &go_on)
        })
        .await
    }

    /// See [`Runtime::discard_image`].
    pub(super) async fn remove_image(&self, image: &ImageId) -> Result<(), RuntimeError> {
        let sessions = self.settings.data_dir.join("sessions");
        for (session, _) in sessions_in(&sessions) {
            let has_it = self.places(&session).layers().join(image.as_str());
            if has_it.is_dir() && self.observe(&session) != Observation::Absent {
                return Err(RuntimeError::ImageInUse(image.clone()));
            }
        }
        let target = folder(&self.settings.data_dir, image);
        off_the_loop(move || discard(&target)).await
    }
}

/// Copies what was changed to where the image is to be, unless it is there.
fn take(
    changes: &Path,
    target: &Path,
    root: Option<u32>,
    go_on: &dyn Fn() -> Result<(), RuntimeError>,
) -> Result<Layer, RuntimeError> {
    if !target.is_dir() {
        let part = unfinished(target);
        remove_tree(&part)?;
        go_on()?;
        copy::copy_tree(changes, &part, root, go_on)?;
        sync(&part).map_err(files("write", &part))?;
        fs::rename(&part, target).map_err(files("finish", target))?;
        let place = target.parent().unwrap_or(target);
        sync(place).map_err(files("write", place))?;
    }
    let size = super::disk::taken_up(target).map_err(files("measure", target))?;
    Ok(Layer {
        folder: target.to_owned(),
        bytes: size,
    })
}

/// Removes an image. It is none from the first moment on: what is half there must not be taken for it.
fn discard(target: &Path) -> Result<(), RuntimeError> {
    let part = unfinished(target);
    remove_tree(&part)?;
    match fs::rename(target, &part) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(files("remove", target)(error)),
        _ => remove_tree(&part),
    }
}

/// Waits until all of a file system is on the disk: files by the thousand, one by one, take far longer.
fn sync(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(fs::File::open(folder)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn go_on() -> Result<(), RuntimeError> {
        Ok(())
    }

    #[test]
    fn an_image_is_whole_or_not_there_and_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("upper/etc")).unwrap();
        for name in 0..3_000 {
            fs::write(at(&format!("upper/etc/{name}")), "x").unwrap();
        }
        let target = at("img-a");
        let asked = Cell::new(0);
        let full = || {
            asked.set(asked.get() + 1);
            match asked.get() {
                2 => Err(RuntimeError::StillThere),
                _ => Ok(()),
            }
        };
        assert!(take(&at("upper"), &target, None, &full).is_err());
        assert!(!target.exists() && at("img-a.part").exists());
        let taken = take(&at("upper"), &target, None, &go_on).unwrap();
        assert_eq!(taken.folder, target);
        assert!(!at("img-a.part").exists());
        fs::write(at("upper/etc/later"), "").unwrap();
        take(&at("upper"), &target, None, &go_on).unwrap();
        assert!(target.join("etc/2999").exists() && !target.join("etc/later").exists());
        discard(&target).unwrap();
        discard(&target).unwrap();
        assert!(!target.exists() && !at("img-a.part").exists());
    }

    #[test]
    fn what_was_never_changed_is_no_image() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("img-a");
        let refused = take(&folder.path().join("none"), &target, None, &go_on);
        assert!(matches!(refused, Err(RuntimeError::NothingChanged)));
        assert!(!target.exists());
    }
}
