//! Sessions of an image that is a folder: whose files their apps see, what they may change, and what is done about
//! folders that somebody made to get out.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::Spec;
use greenroom_session_api::image::{Image, LayersTried, TRY_LAYERS};
use greenroom_testkit::system;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Session, script, skipped, until};

/// A system with a shell and a few programs, and a folder in it that is everybody's to change.
fn image(folder: &Path) {
    let programs = ["sh", "cat", "ls", "id", "mkdir", "rm", "touch"];
    system::make(folder, &programs).unwrap();
    fs::create_dir_all(folder.join("opt/open")).unwrap();
    fs::write(folder.join("opt/open/old"), "old\n").unwrap();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.join("opt/open"), open).unwrap();
}

/// Starts a session of the image in the folder, as root or as somebody else.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        image(&folder.path().join("image"));
        Self(folder)
    }

    fn image(&self, path: &str) -> PathBuf {
        self.0.path().join("image").join(path)
    }

    /// A folder for a session's changes, which a user who runs the holder has to own.
    fn changes(&self, name: &str, user: Option<u32>) -> PathBuf {
        let name = user.map_or(name.to_owned(), |user| format!("{name}-of-{user}"));
        let path = self.0.path().join(name);
        fs::create_dir_all(&path).unwrap();
        user.into_iter().for_each(|user| support::give(&path, user));
        path
    }

    /// Every file of the image: whose it is, and what is in it.
    fn files(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.image("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let about = path.symlink_metadata().unwrap();
                if about.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = about.is_file().then(|| fs::read(&path).unwrap());
                files.insert(path, (about.uid(), bytes.unwrap_or_default()));
            }
        }
        files
    }

    /// What a script says that an app of the image runs, which is all that is in the session.
    fn says(&self, layers: &[&Path], user: Option<u32>, text: &str) -> String {
        self.says_in("changes", layers, user, text)
    }

    /// As [`Self::says`], in a session whose changes are kept by that name.
    fn says_in(&self, changes: &str, layers: &[&Path], user: Option<u32>, text: &str) -> String {
        let changes = self.changes(changes, user);
        self.says_to(changes, layers, text, |folder, spec| match user {
            None => Session::start_with(folder, spec),
            Some(user) => Session::start_as(user, folder, spec),
        })
    }

    fn says_to(
        &self,
        changes: PathBuf,
        layers: &[&Path],
        text: &str,
        start: impl FnOnce(tempfile::TempDir, Spec) -> Session,
    ) -> String {
        let folder = tempfile::tempdir_in(self.0.path()).unwrap();
        let text = format!("{{ {text}\n}} > ~/said 2>&1; echo end >> ~/said");
        let mut spec = support::spec(folder.path(), vec![script("ca-says", &text)]);
        spec.image = Some(Image {
            layers: layers.iter().map(|path| (*path).to_owned()).collect(),
            changes,
        });
        let mut session = start(folder, spec);
        let path = session.home().join("said");
        let said = until("what is said", || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let ended = session.process.try_wait().unwrap();
            assert_eq!(ended, None, "the holder has ended");
            text.strip_suffix("end\n").map(str::to_owned)
        });
        session.control().stop(1000);
        session.wait();
        said
    }
}

fn users() -> Vec<Option<u32>> {
    match rustix::process::geteuid().is_root() {
        true => vec![None, Some(65_534)],
        false => vec![None],
    }
}

#[test]
fn apps_see_the_image_s_files_and_none_of_the_machine_s() {
    if skipped("bwrap") {
        return;
    }
    let place = Place::new();
    let base = place.image("");
    for user in users() {
        let text =
            "cat /etc/image; ls /usr/bin /usr/share; ls -d /root /srv; cat /etc/passwd; id -un";
        let said = place.says(&[&base], user, text);
        assert!(said.starts_with("the image\n"), "{said}");
        for part in ["mkdir", "user:x:", "\nuser\n", "cannot access '/srv'"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("bash"), "{said}");
    }
}

#[test]
fn changes_stay_with_the_session_and_the_image_is_as_it_was() {
    if skipped("bwrap") {
        return;
    }
    let place = Place::new();
    let base = place.image("");
    let before = place.says(
        &[&base],
        None,
        "rm /opt/open/old; echo new > /opt/open/new; ls /opt/open",
    );
    assert_eq!(before, "new\n");
    let after = place.says(
        &[&base],
        None,
        "ls /opt/open; echo x > /var/tmp/x; ls /var/tmp",
    );
    assert_eq!(after, "new\nx\n");
    assert!(place.image("opt/open/old").exists() && !place.image("opt/open/new").exists());
    // What was changed, as the layer of another image.
    let layer = place.0.path().join("layer");
    fs::rename(place.0.path().join("changes/upper"), &layer).unwrap();
    fs::remove_dir_all(place.0.path().join("changes")).unwrap();
    assert_eq!(place.says(&[&layer, &base], None, "ls /opt/open"), "new\n");
    assert_eq!(place.says(&[&base], Some(65_534), "ls /opt/open"), "old\n");
}

#[test]
fn a_session_is_master_of_its_system_and_of_nobody_else_s() {
    if skipped("bwrap") {
        return;
    }
    for user in users() {
        let place = Place::new();
        if let Some(user) = user {
            // Root's image is a stranger's to them; their own is as root's is to root.
            support::give(&place.image(""), user);
            place
                .files()
                .keys()
                .for_each(|path| lchown(path, Some(user), Some(user)).unwrap());
        }
        let before = place.files();
        let base = place.image("");
        let run = |session: &str, text: &str| place.says_in(session, &[&base], user, text);
        let text = "echo own > /usr/bin/own; rm /usr/bin/touch; echo changed > /etc/image
            mkdir /usr/more; rm /etc/passwd; cat /etc/image";
        assert_eq!(run("one", text), "changed\n", "as {user:?}");
        let text = "cat /etc/image /usr/bin/own; ls -d /usr/more; id -un; touch /x";
        let stayed = run("one", text);
        let expected = "changed\nown\n/usr/more\nuser\n";
        assert!(stayed.starts_with(expected), "as {user:?}: {stayed}");
        assert!(stayed.contains("touch: not found"), "{stayed}");
        let other = run(
            "other",
            "cat /etc/image; touch /var/tmp/x; ls /usr /usr/bin",
        );
        assert!(other.starts_with("the image\n"), "{other}");
        assert!(!other.contains("own") && !other.contains("more"), "{other}");
        assert_eq!(place.files(), before, "the image is as it was");
    }
}

#[test]
fn where_a_file_system_knows_no_mapping_what_is_root_s_stays_root_s() {
    if skipped("bwrap") || !rustix::process::geteuid().is_root() {
        return;
    }
    let place = Place::new();
    let at = |name: &str| {
        let path = place.0.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (image, nothing, mounted) = (at("image"), at("nothing"), at("mounted"));
    // An overlay has none. This one is there for the holder alone.
    let mount = format!(
        "mount -t overlay overlay -o lowerdir={}:{} {} && exec \"$@\"",
        image.display(),
        nothing.display(),
        mounted.display()
    );
    let text = "echo x > /etc/image; cat /etc/image; echo new > /opt/open/new; ls /opt/open";
    let said = place.says_to(at("changes"), &[&mounted], text, |folder, spec| {
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "--", "sh", "-c", &mount, "sh"]);
        holder.arg(env!("CARGO_BIN_EXE_greenroom-session"));
        Session::start_by(holder, folder, spec)
    });
    assert!(said.contains("/etc/image: Permission denied"), "{said}");
    assert!(said.ends_with("the image\nnew\nold\n"), "{said}");
}

#[test]
fn a_trial_says_that_a_session_would_be_master_of_its_system() {
    for user in users() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("greenroom-session");
        fs::copy(env!("CARGO_BIN_EXE_greenroom-session"), &program).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let trial = folder.path().join("trial");
        fs::create_dir(&trial).unwrap();
        let mut command = Command::new(program);
        if let Some(user) = user {
            support::give(&trial, user);
            command.uid(user).gid(user);
        }
        let said = command.arg(TRY_LAYERS).arg(&trial).output().unwrap();
        let word = String::from_utf8(said.stdout).unwrap();
        let tried = LayersTried::parse(word.trim());
        assert_eq!(tried, Some(LayersTried::Owned), "as {user:?}: {word}");
    }
}

#[test]
fn what_the_server_says_of_a_system_holds_at_each_start() {
    if skipped("bwrap") {
        return;
    }
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("passwd"), "outside").unwrap();
    let base = place.image("");
    let said = place.says(&[&base], None, "cat /etc/passwd /etc/machine-id");
    let upper = place.0.path().join("changes/upper");
    fs::create_dir_all(upper.join("etc")).unwrap();
    fs::write(upper.join("etc/passwd"), "root::0:0::/:\n").unwrap();
    fs::write(upper.join("etc/machine-id"), "mine\n").unwrap();
    let again = place.says(&[&base], None, "cat /etc/passwd /etc/machine-id");
    // Each session of this test is another user.
    for text in [said, again] {
        assert!(
            text.starts_with("user:x:") && text.lines().count() == 2,
            "{text}"
        );
        assert!(!text.contains("root:") && !text.contains("mine"), "{text}");
    }
    // A link in place of the folder takes nothing away from where it leads.
    fs::remove_dir_all(upper.join("etc")).unwrap();
    symlink(outside.path(), upper.join("etc")).unwrap();
    place.says(&[&base], None, "id -u");
    let kept = fs::read_to_string(outside.path().join("passwd")).unwrap();
    assert_eq!(kept, "outside");
}

#[test]
fn an_image_gives_no_rights_and_no_devices() {
    if skipped("bwrap") || !rustix::process::geteuid().is_root() {
        return;
    }
    let place = Place::new();
    let id = place.image("usr/bin/id");
    fs::set_permissions(&id, fs::Permissions::from_mode(0o4755)).unwrap();
    let node = place.image("opt/open/zero");
    let device = rustix::fs::makedev(1, 5);
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &node,
        rustix::fs::FileType::CharacterDevice,
        mode,
        device,
    )
    .unwrap();
    fs::set_permissions(&node, fs::Permissions::from_mode(0o666)).unwrap();
    let text = "id -u; cat /opt/open/zero";
    let said = place.says(&[&place.image("")], None, text);
    let own = said.lines().next().unwrap();
    assert_ne!(own, "0");
    assert!(said.contains("/opt/open/zero: Permission denied"), "{said}");
}

#[test]
fn links_that_lead_out_of_an_image_lead_nowhere() {
    if skipped("bwrap") {
        return;
    }
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret\n").unwrap();
    // Where our own files go, and what is made for every session.
    fs::rename(place.image("etc"), place.image("usr/etc")).unwrap();
    symlink(outside.path(), place.image("etc")).unwrap();
    for name in ["var", "home", "tmp", "run", "dev", "proc", "way"] {
        let _ = fs::remove_dir_all(place.image(name));
        symlink(outside.path(), place.image(name)).unwrap();
    }
    symlink(
        format!("../../../..{}", outside.path().display()),
        place.image("up"),
    )
    .unwrap();
    for user in users() {
        let text =
            "cat /way/secret /up/secret; echo x > /etc/x; touch /var/tmp/x; cat /etc/machine-id";
        let said = place.says(&[&place.image("")], user, text);
        assert!(!said.contains("secret\nsecret"), "{said}");
        assert!(said.contains("/way/secret: No such file"), "{said}");
        assert!(said.contains("/up/secret: No such file"), "{said}");
    }
    let kept: Vec<_> = fs::read_dir(outside.path()).unwrap().collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn a_session_whose_image_is_not_there_says_so_and_ends() {
    if skipped("bwrap") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut spec = support::spec(folder.path(), Vec::new());
    spec.image = Some(Image {
        layers: vec![folder.path().join("no-such-image")],
        changes: folder.path().join("changes"),
    });
    let mut session = Session::start_with(folder, spec);
    assert!(!session.wait().success());
    assert_eq!(session.traces(), Vec::<String>::new());
}
