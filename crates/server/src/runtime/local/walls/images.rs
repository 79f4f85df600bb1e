//! Whether images that are folders can be had, and what is wrong with each.

use super::super::removal::remove_tree;
use super::{Standing, Wall, whole};
use crate::catalogue::folder;
use crate::config::{Config, ImageFolder};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// What there is to say of the images of `config`; nothing when none is a folder. Tries an overlay in `folder`, which
/// is where the data folder is or will be.
pub(super) fn images(config: &Config, folder: &Path, own_ids: bool) -> Vec<Wall> {
    if config.images.is_empty() {
        return Vec::new();
    }
    let mut walls = vec![layers(folder, own_ids)];
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

fn layers(folder: &Path, own_ids: bool) -> Wall {
    let trial = folder.join(format!(".greenroom-trial-{}", std::process::id()));
    let tried = overlay(&trial, own_ids);
    // What is left of it is empty folders.
    let _ = remove_tree(&trial);
    match tried {
        Ok(None) => whole(
            "layers",
            format!("sessions of images have overlays in {}", folder.display()),
        ),
        Ok(Some(said)) => missing(format!(
            "no overlay can be mounted in {}: {said}",
            folder.display()
        )),
        Err(error) => missing(format!(
            "no overlay can be tried in {}: {error}",
            folder.display()
        )),
    }
}

fn missing(acts: String) -> Wall {
    Wall {
        name: "layers",
        standing: Standing::Partly,
        acts,
        advice: "sessions of [[images]] will not start: the data folder must not lie on an overlay or a network, and \
                 without root the kernel must be 5.11 or newer",
    }
}

/// What is said about an overlay that cannot be mounted there, by whom a session would have mount it.
fn overlay(trial: &Path, own_ids: bool) -> io::Result<Option<String>> {
    for name in ["lower", "upper", "work", "root"] {
        fs::create_dir_all(trial.join(name))?;
    }
    let mut options = "lowerdir=lower,upperdir=upper,workdir=work".to_owned();
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !own_ids {
        command.args(["--user", "--map-root-user"]);
        options.push_str(",userxattr");
    }
    command.args([
        "--", "mount", "-t", "overlay", "overlay", "-o", &options, "root",
    ]);
    let output = command.current_dir(trial).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("it says nothing").to_owned();
    Ok((!output.status.success()).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_not_whole_is_named_and_a_trial_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        assert_eq!(images(&config, folder.path(), true), []);
        let text = "[[images]]\nid = 'img-gone'\nname = 'Gone'\ndir = '/no/such/folder'";
        config.images = Config::from_text(text).unwrap().images;
        let own_ids = rustix::process::geteuid().is_root();
        let walls = images(&config, folder.path(), own_ids);
        assert_eq!(walls.len(), 2);
        let told = walls[1].to_string();
        assert!(
            told.contains("img-gone is not offered: its folder /no/such/folder"),
            "{told}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = layers(Path::new("/proc"), own_ids);
        assert_eq!(nowhere.standing, Standing::Partly);
    }
}
