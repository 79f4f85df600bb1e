//! Images that are folders with a system in them, as the operator names them.

use super::desktop_entry::{self, EntryError};
use super::program::{self, Lack};
use super::tree::Tree;
use super::{Image, MAX_APPS};
use crate::config::{App, ImageFolder};
use crate::error::chain;
use greenroom_model::ProductType;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// What was found of an image that is a folder.
#[derive(Debug)]
pub struct Found {
    /// The image; `None` when no session could have it.
    pub image: Option<Image>,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// What is wrong with an image, or with one app of it.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Its folder.
    #[error("its folder {} cannot be used", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Sessions would see what is kept of others.
    #[error("its folder {} has the data folder in it, or lies in it", .0.display())]
    Data(PathBuf),
    /// There is no system in it.
    #[error("its folder {} has no /usr", .0.display())]
    NoSystem(PathBuf),
    /// One of its desktop entries.
    #[error("its desktop entry {name} is no app")]
    Entry {
        /// Which.
        name: String,
        /// Why not.
        source: EntryError,
    },
    /// Something that an app needs.
    #[error("its app {0} is not whole")]
    App(String, #[source] Lack),
    /// There is nothing to open.
    #[error("it has no app")]
    NoApp,
}

/// Looks at the folder of an image. Below `data_dir` there is what it must not hold.
#[must_use]
pub fn look(folder: &ImageFolder, data_dir: &Path) -> Found {
    let mut troubles = Vec::new();
    let apps = match open(&folder.dir, data_dir) {
        Ok(tree) => apps(&tree, &folder.desktop_entries, &mut troubles),
        Err(trouble) => {
            return Found {
                image: None,
                troubles: vec![trouble],
            };
        }
    };
    if apps.is_empty() {
        troubles.push(Trouble::NoApp);
    }
    let image = Image {
        id: folder.id.clone(),
        name: folder.name.clone(),
        product: ProductType::CloudApp,
        apps,
        layers: vec![folder.dir.clone()],
    };
    Found {
        image: (!image.apps.is_empty()).then_some(image),
        troubles,
    }
}

fn open(folder: &Path, data_dir: &Path) -> Result<Tree, Trouble> {
    let failed = |source| Trouble::Folder {
        folder: folder.to_owned(),
        source,
    };
    let real = folder.canonicalize().map_err(failed)?;
    let data = data_dir.canonicalize().unwrap_or(data_dir.to_owned());
    if data.starts_with(&real) || real.starts_with(&data) {
        return Err(Trouble::Data(folder.to_owned()));
    }
    let tree = Tree::open(&[real]).map_err(failed)?;
    tree.has("/usr")
        .then_some(tree)
        .ok_or_else(|| Trouble::NoSystem(folder.to_owned()))
}

/// The apps of these entries, or of all that a menu would show, as far as they could start.
fn apps(tree: &Tree, entries: &[String], troubles: &mut Vec<Trouble>) -> Vec<App> {
    let mut found = Vec::new();
    if entries.is_empty() {
        found = desktop_entry::all(tree, MAX_APPS);
    }
    for name in entries {
        match desktop_entry::app(tree, name) {
            Ok(app) => found.push(app),
            Err(source) => troubles.push(Trouble::Entry {
                name: name.clone(),
                source,
            }),
        }
    }
    let mut known = HashSet::new();
    let could_start = |app: &App| {
        let program = app.argv.first().map_or("", String::as_str);
        let Some(lack) = program::lack(tree, program) else {
            return true;
        };
        let may_start = lack.may_start();
        troubles.push(Trouble::App(app.id.as_str().to_owned(), lack));
        may_start
    };
    // Two names may make one id; the first counts.
    found.retain(|app| known.insert(app.id.clone()));
    found.into_iter().filter(could_start).collect()
}

impl Found {
    /// What is wrong, with its causes, in one line.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.troubles.iter().map(|trouble| chain(trouble))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::ImageId;
    use std::fs;

    fn image(dir: &Path, entries: &[&str]) -> ImageFolder {
        ImageFolder {
            id: ImageId::parse("img-test").unwrap(),
            name: "Test".into(),
            dir: dir.to_owned(),
            desktop_entries: entries.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn put(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn entry(folder: &Path, name: &str, more: &str) {
        let text = format!("[Desktop Entry]\nType=Application\nName={name}\n{more}\n");
        put(
            folder,
            &format!("usr/share/applications/{name}.desktop"),
            &text,
        );
    }

    fn ids(found: &Found) -> Vec<&str> {
        let apps = found.image.iter().flat_map(|image| &image.apps);
        apps.map(|app| app.id.as_str()).collect()
    }

    #[test]
    fn the_apps_of_a_folder_are_those_its_menu_would_show_and_that_could_start() {
        let folder = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "bin/sh", "");
        put(root, "usr/bin/draw", "#!/bin/sh\n");
        entry(root, "draw", "Exec=draw %f");
        entry(root, "setup", "Exec=draw --setup\nNoDisplay=true");
        entry(root, "top", "Exec=draw\nTerminal=true");
        entry(root, "gone", "Exec=gone");
        let found = look(&image(root, &[]), data.path());
        assert_eq!(ids(&found), ["ca-draw"]);
        let lines: Vec<String> = found.lines().collect();
        assert_eq!(
            lines,
            ["its app ca-gone is not whole: its program gone is not there"]
        );
        let found = look(&image(root, &["setup", "nothing"]), data.path());
        assert_eq!(ids(&found), ["ca-setup"]);
        assert!(
            found
                .lines()
                .next()
                .unwrap()
                .contains("its desktop entry nothing is no app")
        );
    }

    #[test]
    fn a_folder_that_is_no_image_says_why_and_is_not_offered() {
        let folder = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        put(folder.path(), "file", "");
        fs::create_dir_all(at("empty")).unwrap();
        fs::create_dir_all(at("bare/usr")).unwrap();
        fs::create_dir_all(data.path().join("sessions/usr")).unwrap();
        for (dir, why) in [
            (at("nothing"), "No such file or directory"),
            (at("file"), "Not a directory"),
            (at("empty"), "has no /usr"),
            (at("bare"), "it has no app"),
            (data.path().join("sessions"), "lies in it"),
            (
                data.path().parent().unwrap().to_owned(),
                "has the data folder in it",
            ),
        ] {
            let found = look(&image(&dir, &[]), data.path());
            assert!(found.image.is_none(), "{}", dir.display());
            let lines: Vec<String> = found.lines().collect();
            assert!(lines.iter().any(|line| line.contains(why)), "{lines:?}");
        }
    }
}
