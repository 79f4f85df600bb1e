//! Images that are folders: an overlay of their files with what the session changes of them on top.
//!
//! The process that becomes bubblewrap mounts it, in a mount namespace of its own, so nobody else sees it and it goes
//! with the sandbox. Neither we nor bubblewrap ever make or mount anything beneath a folder of the overlay: an app may
//! have put a link there that leads out. What comes from our hand is the topmost folder of the image instead.

use super::SandboxError;
use super::loader::Loader;
use super::owners::Owners;
use greenroom_session_api::image::Image;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, mount, mount_change, move_mount,
};
use rustix::process::{getgid, getuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every sandbox has of its own at its root, whatever an image has there.
const OWN: [&str; 6] = ["dev", "home", "proc", "run", "sys", "tmp"];

/// Entries at the root of one folder; a system has two dozen.
const MAX_ENTRIES: usize = 256;

/// The folders of a session's image.
#[derive(Debug)]
pub struct Layers {
    image: Image,
    system: PathBuf,
    loader: Option<Loader>,
}

/// Something at the root of an image.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder, to be shown from [`Layers::root`].
    Folder,
    /// A link to there, as `/bin` is one to `usr/bin`.
    Link(PathBuf),
}

/// A user and a group, by the numbers that the machine knows them by.
type Ids = (u32, u32);

impl Layers {
    /// The folders of `image`, with `system` as the one for what comes from our hand, which [`Self::prepare`] makes, and
    /// `loader` for our programs in it.
    #[must_use]
    pub fn new(image: Image, system: PathBuf, loader: Option<Loader>) -> Self {
        Self {
            image,
            system,
            loader,
        }
    }

    /// What starts our programs in the image; `None` when they need nothing of the kind.
    #[must_use]
    pub fn loader(&self) -> Option<&Loader> {
        self.loader.as_ref()
    }

    /// The folder that the overlay is mounted at.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.image.changes.join("root")
    }

    /// Whether the image itself has this file. Its links are followed and may lead anywhere, so only what it has by
    /// name should be asked for.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let relative = path.trim_start_matches('/');
        let mut folders = self.image.layers.iter();
        folders.any(|folder| folder.join(relative).symlink_metadata().is_ok())
    }

    /// Makes the session's own folders, and writes these files and links where the image would have them. What the session
    /// made of them before is dropped: they say what holds now.
    ///
    /// # Errors
    /// They cannot be written, or a folder of the image is none.
    pub fn prepare(
        &self,
        files: &[(&str, Vec<u8>)],
        links: &[(&str, &str)],
    ) -> Result<(), SandboxError> {
        for folder in &self.image.layers {
            fs::read_dir(folder).map_err(SandboxError::at("read a folder of the image"))?;
        }
        let written = || {
            let upper = self.image.changes.join("upper");
            for name in ["upper", "work", "root"] {
                folder(&self.image.changes.join(name), 0o755)?;
            }
            for number in 0..self.lower().count() {
                folder(&self.place(number), 0o700)?;
            }
            let paths = files.iter().map(|(path, _)| path);
            for path in paths.chain(links.iter().map(|(_, path)| path)) {
                forget(&upper, path)?;
            }
            // World-writable, as everywhere; it is a part of the layer here and keeps what is in it.
            folder(&self.system.join("var/tmp"), 0o1777)?;
            folder(&self.system.join("etc"), 0o755)?;
            for (path, bytes) in files {
                let path = self.system.join(path.trim_start_matches('/'));
                fs::write(&path, bytes)?;
                fs::set_permissions(&path, Permissions::from_mode(0o444))?;
            }
            for (target, path) in links {
                let path = self.system.join(path.trim_start_matches('/'));
                std::os::unix::fs::symlink(target, path)?;
            }
            Ok(())
        };
        written().map_err(SandboxError::at(
            "make the session's own layer of the image",
        ))
    }

    /// What the image has at its root, but for what a sandbox has of its own.
    ///
    /// # Errors
    /// A folder cannot be read, or has more at its root than a system has.
    pub fn entries(&self) -> Result<BTreeMap<OsString, Entry>, SandboxError> {
        let mut entries = BTreeMap::new();
        for folder in self.lower() {
            self::entries(folder, &mut entries)
                .map_err(SandboxError::at("read a folder of the image"))?;
        }
        Ok(entries
            .into_iter()
            .filter_map(|(name, entry)| Some((name, entry?)))
            .collect())
    }

    /// Has the process that `command` starts see the overlay at [`Self::root`], before it is anything at all.
    ///
    /// With an `owner`, the session's user and group, what is root's in the image is theirs, where the kernel can do
    /// that. Without one there are no rights to mount anything, and a user namespace is entered that knows whoever calls.
    ///
    /// # Errors
    /// The folders have names that the kernel does not take.
    pub fn mount(&self, command: &mut Command, owner: Option<Ids>) -> Result<(), SandboxError> {
        let lower: Vec<&Path> = self.lower().collect();
        let overlay = self.overlay(&lower, owner.is_none())?;
        let owned = match owner {
            Some(ids) => self.owned(&lower, ids)?,
            None => None,
        };
        let map = |id: u32| format!("{id} {id} 1\n").into_bytes();
        let own = (getuid().as_raw(), getgid().as_raw());
        let maps = owner.is_none().then(|| (map(own.0), map(own.1)));
        let mounted = move || {
            let mut kinds = UnshareFlags::NEWNS;
            kinds.set(UnshareFlags::NEWUSER, maps.is_some());
            // SAFETY: this process has one thread, and shares no table of descriptors that it could lose.
            unsafe { unshare_unsafe(kinds) }?;
            if let Some((uids, gids)) = &maps {
                tell(c"/proc/self/uid_map", uids)?;
                // Until then the kernel lets nobody without rights map a group.
                tell(c"/proc/self/setgroups", b"deny")?;
                tell(c"/proc/self/gid_map", gids)?;
            }
            // What is mounted on the machine later on is seen here as well, and never the other way round.
            let down = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
            mount_change(c"/", down)?;
            // Where there are such mounts, the overlay may still be too old to take them.
            let mounted = owned.as_ref().is_some_and(|owned| owned.mount().is_ok());
            if !mounted {
                overlay.mount()?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes calls with texts that were made before it: it allocates
        // nothing and takes no lock.
        unsafe {
            command.pre_exec(mounted);
        }
        Ok(())
    }

    /// What is below, the topmost first.
    fn lower(&self) -> impl Iterator<Item = &Path> {
        let layers = self.image.layers.iter().map(PathBuf::as_path);
        std::iter::once(self.system.as_path()).chain(layers)
    }

    /// Where a folder of below is mounted for the overlay alone.
    fn place(&self, number: usize) -> PathBuf {
        self.image.changes.join("lower").join(number.to_string())
    }

    fn overlay(&self, lower: &[&Path], in_user_namespace: bool) -> Result<Overlay, SandboxError> {
        let lower: Vec<_> = lower.iter().map(|it| it.as_os_str().as_bytes()).collect();
        let mut options = b"lowerdir=".to_vec();
        options.extend(lower.join(&b':'));
        for (name, folder) in [("upperdir", "upper"), ("workdir", "work")] {
            options.extend(format!(",{name}=").as_bytes());
            options.extend(self.image.changes.join(folder).as_os_str().as_bytes());
        }
        if in_user_namespace {
            options.extend(b",userxattr");
        }
        Ok(Overlay {
            root: text(self.root().as_os_str().as_bytes())?,
            options: text(&options)?,
        })
    }

    /// The overlay in which root's files are these ids'; `None` where that cannot be.
    fn owned(&self, lower: &[&Path], (uid, gid): Ids) -> Result<Option<Owned>, SandboxError> {
        let trees = || {
            let owners = Owners::new(uid, gid)?;
            lower.iter().map(|folder| owners.mount_of(folder)).collect()
        };
        let trees: Vec<OwnedFd> = match trees() {
            Ok(trees) => trees,
            Err(error) => {
                let error: io::Error = error;
                tracing::warn!(%error, "the image's files stay root's: apps write only where it lets everybody write");
                return Ok(None);
            }
        };
        let places: Vec<PathBuf> = (0..trees.len()).map(|number| self.place(number)).collect();
        let lower: Vec<&Path> = places.iter().map(PathBuf::as_path).collect();
        let at = |place: &&Path| text(place.as_os_str().as_bytes());
        let at: Vec<CString> = lower.iter().map(at).collect::<Result<_, _>>()?;
        Ok(Some(Owned {
            trees: trees.into_iter().zip(at).collect(),
            overlay: self.overlay(&lower, false)?,
        }))
    }
}

/// An overlay that is yet to be mounted.
struct Overlay {
    root: CString,
    options: CString,
}

impl Overlay {
    fn mount(&self) -> rustix::io::Result<()> {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount(c"overlay", &*self.root, c"overlay", flags, &*self.options)
    }
}

/// An overlay of mounts that are its own, and where each goes first.
struct Owned {
    trees: Vec<(OwnedFd, CString)>,
    overlay: Overlay,
}

impl Owned {
    fn mount(&self) -> rustix::io::Result<()> {
        for (tree, place) in &self.trees {
            let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            move_mount(tree, c"", CWD, &**place, flags)?;
        }
        self.overlay.mount()
    }
}

fn text(bytes: &[u8]) -> Result<CString, SandboxError> {
    CString::new(bytes)
        .map_err(|error| SandboxError::at("name the folders of the image")(error.into()))
}

fn tell(file: &std::ffi::CStr, what: &[u8]) -> Result<(), Errno> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, what).map(drop)
}

fn folder(path: &Path, mode: u32) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o755).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Removes a file of a layer that strangers filled, if it has one there; no link is followed on the way.
fn forget(layer: &Path, path: &str) -> io::Result<()> {
    let path = Path::new(path.trim_start_matches('/'));
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let layer = rustix::fs::open(layer, flags, Mode::empty())?;
    let removed = rustix::fs::openat2(layer, parent, flags, Mode::empty(), within)
        .and_then(|folder| rustix::fs::unlinkat(folder, name, AtFlags::empty()));
    match removed {
        // What stands in the way is the session's own doing, and nobody else's trouble.
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ISDIR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Adds what a folder has at its root and those above it do not hide; `None` is something that hides.
fn entries(folder: &Path, known: &mut BTreeMap<OsString, Option<Entry>>) -> io::Result<()> {
    for (count, entry) in fs::read_dir(folder)?.enumerate() {
        let entry = entry?;
        let name = entry.file_name();
        if count == MAX_ENTRIES {
            return Err(io::Error::other("it has too much at its root"));
        }
        if OWN.iter().any(|own| name == *own) || known.contains_key(&name) {
            continue;
        }
        let kind = entry.file_type()?;
        let shown = if kind.is_dir() {
            Some(Entry::Folder)
        } else if kind.is_symlink() {
            Some(Entry::Link(fs::read_link(entry.path())?))
        } else if kind.is_char_device() && entry.metadata()?.rdev() == 0 {
            // How an overlay keeps that something of below was removed.
            None
        } else {
            continue;
        };
        known.insert(name, shown);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(folder: &Path) -> Layers {
        let image = Image {
            layers: vec![folder.join("upper-image"), folder.join("base")],
            changes: folder.join("changes"),
        };
        Layers::new(image, folder.join("system"), None)
    }

    #[test]
    fn the_topmost_folder_says_what_is_at_the_root_and_the_sandbox_s_own_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["upper-image/bin", "base/usr", "base/dev", "base/opt"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        std::os::unix::fs::symlink("usr/bin", at("base/bin")).unwrap();
        std::os::unix::fs::symlink("usr/lib", at("base/lib")).unwrap();
        std::os::unix::fs::symlink("/etc", at("base/proc")).unwrap();
        fs::write(at("base/vmlinuz"), "").unwrap();
        let layers = layers(folder.path());
        let files = [("/etc/passwd", b"user".to_vec())];
        layers
            .prepare(&files, &[("/usr/share/zoneinfo/UTC", "/etc/localtime")])
            .unwrap();
        let expected = [
            ("bin", Entry::Folder),
            ("etc", Entry::Folder),
            ("lib", Entry::Link("usr/lib".into())),
            ("opt", Entry::Folder),
            ("usr", Entry::Folder),
            ("var", Entry::Folder),
        ];
        let expected: BTreeMap<_, _> = expected.map(|(name, it)| (name.into(), it)).into();
        assert_eq!(layers.entries().unwrap(), expected);
        assert_eq!(fs::read(at("system/etc/passwd")).unwrap(), b"user");
    }

    #[test]
    fn a_folder_that_is_none_or_holds_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let layers = layers(folder.path());
        assert!(layers.prepare(&[], &[]).is_err());
        for name in ["upper-image", "base", "system"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        assert!(layers.entries().unwrap().is_empty());
        for at in 0..=MAX_ENTRIES {
            fs::write(folder.path().join(format!("base/{at}")), "").unwrap();
        }
        assert!(layers.entries().is_err());
    }

    #[test]
    fn what_stands_in_a_layer_where_ours_goes_is_removed_and_nothing_beyond_a_link_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("outside")).unwrap();
        fs::create_dir_all(at("layer/etc/hosts")).unwrap();
        fs::write(at("outside/passwd"), "").unwrap();
        fs::write(at("layer/etc/passwd"), "").unwrap();
        std::os::unix::fs::symlink("../../outside/passwd", at("layer/etc/group")).unwrap();
        for path in ["/etc/passwd", "/etc/group", "/etc/hosts", "/no/such"] {
            forget(&at("layer"), path).unwrap();
        }
        let left: Vec<_> = fs::read_dir(at("layer/etc")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        fs::remove_dir_all(at("layer/etc")).unwrap();
        std::os::unix::fs::symlink("../outside", at("layer/etc")).unwrap();
        forget(&at("layer"), "/etc/passwd").unwrap();
        assert!(at("outside/passwd").exists());
    }
}
