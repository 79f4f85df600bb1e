//! Whether images that are folders can be had, and what is wrong with each.

use super::super::removal::remove_tree;
use super::{Standing, Wall, whole};
use crate::catalogue::folder;
use crate::config::{Config, ImageFolder};
use greenroom_session_api::image::{LayersTried, TRY_LAYERS};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What there is to say of the images of `config`; nothing when none is a folder. Tries an overlay in `folder`, which
/// is where the data folder is or will be.
pub(super) fn images(config: &Config, holder: &Path, folder: &Path) -> Vec<Wall> {
    if config.images.is_empty() {
        return Vec::new();
    }
    let mut walls = vec![layers(holder, folder)];
    let data_dir = &config.general.data_dir;
    walls.extend(
        config
            .images
            .iter()
            .filter_map(|image| one(image, data_dir)),
    );
    walls
}

/// What is wrong with an image, if anything is. Sessions of the other images are none the worse for it.
fn one(image: &ImageFolder, data_dir: &Path) -> Option<Wall> {
    let found = folder::look(image, data_dir);
    let troubles: Vec<String> = found.lines().collect();
    let offered = match found.image {
        Some(_) => "offered",
        None => "not offered",
    };
    (!troubles.is_empty()).then(|| Wall {
        name: "image",
        standing: Standing::Partly,
        acts: format!(
            "{} is {offered}: {}",
            image.id.as_str(),
            troubles.join("; ")
        ),
        advice: "install what is missing into its folder, or name another one in [[images]]",
    })
}

fn layers(holder: &Path, folder: &Path) -> Wall {
    let trial = folder.join(format!(".greenroom-trial-{}", std::process::id()));
    let tried = fs::create_dir(&trial).and_then(|()| {
        let mut command = Command::new(holder);
        command.arg(TRY_LAYERS).arg(&trial).stdin(Stdio::null());
        command.output()
    });
    // What is left of it is a few folders with nothing in them.
    let _ = remove_tree(&trial);
    let of_layers = |standing, acts, advice| Wall {
        name: "layers",
        standing,
        acts,
        advice,
    };
    let folder = folder.display();
    let output = match tried {
        Ok(output) => output,
        Err(error) => {
            let acts = format!("no overlay can be tried in {folder}: {error}");
            return of_layers(Standing::Partly, acts, NO_LAYERS);
        }
    };
    let word = String::from_utf8_lossy(&output.stdout);
    match LayersTried::parse(word.trim()) {
        Some(LayersTried::Owned) => whole(
            "layers",
            format!(
                "sessions of images have overlays in {folder}, and may change all that is root's in them"
            ),
        ),
        Some(LayersTried::AsTheyAre) => of_layers(
            Standing::Whole,
            format!(
                "sessions of images have overlays in {folder}, and may change what everybody may"
            ),
            "for them to change what is root's, the kernel must be 5.19 or newer, and its file system one that can be \
             mounted with mapped ids",
        ),
        None => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().last().unwrap_or("it says nothing");
            let acts = format!("no overlay can be mounted in {folder}: {line}");
            of_layers(Standing::Partly, acts, NO_LAYERS)
        }
    }
}

const NO_LAYERS: &str = "sessions of [[images]] will not start: the data folder must not lie on an overlay or a network, \
                         and without root the kernel must be 5.11 or newer";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A program that says this in place of the holder's.
    fn holder(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("holder");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn an_image_that_is_not_whole_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let holder = holder(folder.path(), "echo owned");
        let mut config = Config::default();
        assert_eq!(images(&config, &holder, folder.path()), []);
        let text = "[[images]]\nid = 'img-gone'\nname = 'Gone'\ndir = '/no/such/folder'";
        config.images = Config::from_text(text).unwrap().images;
        let walls = images(&config, &holder, folder.path());
        assert_eq!(walls.len(), 2);
        let told = walls[1].to_string();
        assert!(
            told.contains("img-gone is not offered: its folder /no/such/folder"),
            "{told}"
        );
    }

    #[test]
    fn what_the_holder_finds_in_a_trial_is_told_and_nothing_is_left_of_it() {
        let programs = tempfile::tempdir().unwrap();
        for (script, standing, told) in [
            ("echo owned", Standing::Whole, "all that is root's"),
            ("echo as-they-are", Standing::Whole, "5.19"),
            (
                "echo much >&2; echo why >&2; exit 1",
                Standing::Partly,
                ": why (",
            ),
            ("mkdir -p $2/a/b", Standing::Partly, "it says nothing"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let wall = layers(&holder(programs.path(), script), folder.path());
            assert_eq!(wall.standing, standing, "{script}");
            assert!(wall.to_string().contains(told), "{wall}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        let absent = layers(Path::new("/no/such/program"), programs.path());
        assert_eq!(absent.standing, Standing::Partly);
    }
}
