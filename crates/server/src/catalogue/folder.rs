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
    /// Its desktop entries, when none was named.
    #[error("its desktop entries cannot be listed")]
    Menu(#[source] io::Error),
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
    /// What is not told of.
    #[error("and {0} more")]
    More(usize),
}

/// The most that is told of one image.
const MAX_TROUBLES: usize = 16;

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
    let more = troubles.len().saturating_sub(MAX_TROUBLES);
    troubles.truncate(MAX_TROUBLES);
    troubles.extend((more > 0).then_some(Trouble::More(more)));
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
    let mut take = |name: String, app| match app {
        Ok(app) => found.push(app),
        Err(source) => troubles.push(Trouble::Entry { name, source }),
    };
    for name in entries {
        take(name.clone(), desktop_entry::app(tree, name));
    }
    if entries.is_empty() {
        match desktop_entry::menu(tree) {
            Ok(menu) => menu.for_each(|(name, app)| take(name, app)),
            Err(source) => troubles.push(Trouble::Menu(source)),
        }
    }
    found.truncate(MAX_APPS);
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
    use rustix::fs::{FileType, Mode};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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

    fn link(folder: &Path, path: &str, to: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    }

    /// A file of the image that is none.
    fn node(folder: &Path, path: &str, kind: FileType) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mode = Mode::from_raw_mode(0o666);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
    }

    #[test]
    fn whatever_is_in_a_folder_it_is_explained_and_an_app_beside_it_is_offered() {
        const MENU: &str = "usr/share/applications";
        type Make = fn(&Path);
        let rows: &[(Make, &str)] = &[
            (|at| link(at, &format!("{MENU}/a.desktop"), "b.desktop"), ""),
            (
                |at| {
                    link(at, &format!("{MENU}/a.desktop"), "b.desktop");
                    link(at, &format!("{MENU}/b.desktop"), "a.desktop");
                },
                "its desktop entry a is no app: it cannot be read: Too many levels of symbolic links",
            ),
            (
                |at| {
                    link(
                        at,
                        &format!("{MENU}/a.desktop"),
                        "../../../../outside/out.desktop",
                    )
                },
                "",
            ),
            (
                |at| link(at, "usr/local/share", "../../../outside/local"),
                "",
            ),
            (
                |at| link(at, "usr/local/share/applications", "applications"),
                "",
            ),
            (
                |at| put(at, &format!("{MENU}/a.desktop"), &"a".repeat(300 << 10)),
                "its desktop entry a is no app: it is no text of at most 256 KiB",
            ),
            (
                |at| {
                    put(at, &format!("{MENU}/a.desktop"), "");
                    let file = fs::File::options()
                        .write(true)
                        .open(at.join(format!("{MENU}/a.desktop")));
                    file.unwrap().set_len(1 << 40).unwrap();
                },
                "it is no text of at most 256 KiB",
            ),
            (
                |at| {
                    fs::write(
                        at.join(format!("{MENU}/a.desktop")),
                        b"[Desktop Entry]\n\xff\xfe\0",
                    )
                    .unwrap();
                },
                "it is no text of at most 256 KiB",
            ),
            (
                |at| node(at, &format!("{MENU}/a.desktop"), FileType::Fifo),
                "its desktop entry a is no app: it cannot be read: it is no file",
            ),
            (
                |at| put(at, &format!("{MENU}/a.desktop/x"), ""),
                "it cannot be read: it is no file",
            ),
            (
                |at| {
                    (0..40).for_each(|it| {
                        put(
                            at,
                            &format!("{MENU}/a{it:02}.desktop"),
                            "[Desktop Entry]\nType=Application\nName=x",
                        )
                    })
                },
                "and 24 more",
            ),
            (
                |at| {
                    (0..=4096)
                        .for_each(|it| put(at, &format!("usr/local/share/applications/{it}"), ""))
                },
                "its desktop entries cannot be listed: file too large",
            ),
            (
                |at| {
                    put(at, "usr/bin/tool", "#!/lib/no-loader\n");
                    entry(at, "a", "Exec=tool");
                },
                "its app ca-a is not whole: its program is run by /lib/no-loader, which is not there",
            ),
            (
                |at| {
                    // What sessions see of it gives no rights.
                    put(at, "usr/bin/tool", "#!/bin/sh\n");
                    let all = fs::Permissions::from_mode(0o6755);
                    fs::set_permissions(at.join("usr/bin/tool"), all).unwrap();
                    entry(at, "a", "Exec=tool");
                },
                "",
            ),
        ];
        let data = tempfile::tempdir().unwrap();
        for (number, (make, why)) in rows.iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("image");
            put(
                folder.path(),
                "outside/out.desktop",
                "[Desktop Entry]\nType=Application\nName=Out\nExec=draw\n",
            );
            entry(&folder.path().join("outside/local"), "out", "Exec=draw");
            put(&root, "bin/sh", "");
            put(&root, "usr/bin/draw", "#!/bin/sh\n");
            entry(&root, "draw", "Exec=draw");
            make(&root);
            let found = look(&image(&root, &[]), data.path());
            let lines: Vec<String> = found.lines().collect();
            match *why {
                "" => assert_eq!(lines, [""; 0], "{number}"),
                why => assert!(
                    lines.iter().any(|line| line.contains(why)),
                    "{number}: {lines:?}"
                ),
            }
            let listed = !lines.iter().any(|line| line.contains("listed"));
            assert_eq!(ids(&found).contains(&"ca-draw"), listed, "{number}");
            assert!(!ids(&found).contains(&"ca-out"), "{number}");
        }
    }

    #[test]
    fn no_device_of_an_image_is_opened() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root makes devices");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        node(
            folder.path(),
            "usr/share/applications/a.desktop",
            FileType::BlockDevice,
        );
        node(folder.path(), "usr/bin/tool", FileType::BlockDevice);
        entry(folder.path(), "b", "Exec=tool");
        // The kernel has no such device, and would say so if it was asked for it.
        let lines: Vec<String> = look(&image(folder.path(), &[]), data.path())
            .lines()
            .collect();
        assert_eq!(
            lines,
            [
                "its desktop entry a is no app: it cannot be read: it is no file",
                "its app ca-b is not whole: its program tool is not there",
                "it has no app"
            ]
        );
    }
}
