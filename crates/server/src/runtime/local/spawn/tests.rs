//! How a holder is run, what is left of it, and how it is found, with a script in its stead.

use super::super::disk::Rules;
use super::*;
use crate::runtime::Share;
use greenroom_session_api::spec::Network;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

/// A place with a program in the holder's stead that writes down how it was run, and goes on.
struct Stage {
    folder: tempfile::TempDir,
    settings: Settings,
    places: Places,
    session: PersistentId,
}

impl Stage {
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let install_dir = folder.path().join("bin");
        fs::create_dir(&install_dir).unwrap();
        let holder = install_dir.join("greenroom-session");
        fs::write(&holder, program).unwrap();
        fs::set_permissions(&holder, Permissions::from_mode(0o755)).unwrap();
        let session = PersistentId::parse("p-stage").unwrap();
        Self {
            settings: Settings {
                data_dir: folder.path().to_owned(),
                install_dir,
                uids: None,
                locale: "C.UTF-8".into(),
                timezone: "UTC".into(),
                network: Network::None,
                boot_id: "boot-1".into(),
                disk: Rules::default(),
            },
            places: Places::of(folder.path(), &session),
            session,
            folder,
        }
    }

    fn spawn(&self) -> Result<(Child, Handle), RuntimeError> {
        let plan = Plan {
            persistent_id: self.session.clone(),
            apps: Vec::new(),
            width: 640,
            height: 480,
            share: Share::SMALL,
            files: Vec::new(),
            image: None,
        };
        let limiter = Limiter::default();
        spawn(
            &self.settings,
            &limiter,
            &self.places,
            &plan,
            [171; 32],
            None,
        )
    }

    fn find(&self) -> Result<Option<(Process, Handle)>, RuntimeError> {
        find(&self.settings, &self.places)
    }

    /// What the program wrote, once it is all there.
    fn note(&self, name: &str) -> String {
        let limit = Instant::now() + LIMIT;
        loop {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            if text.ends_with("end\n") {
                return text;
            }
            assert!(Instant::now() < limit, "the program has not written {name}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const SCRIPT: &str = "#!/bin/sh\n\
    out=$(dirname \"$2\")/../..\n\
    { env; echo end; } > $out/env\n\
    { cut -d' ' -f5,6 /proc/self/stat; readlink /proc/self/fd/0; echo end; } > $out/process\n\
    while sleep 0.2; do :; done\n";

#[tokio::test]
async fn a_holder_has_a_session_of_its_own_and_nothing_of_the_servers() {
    let stage = Stage::new(SCRIPT);
    let (mut child, handle) = stage.spawn().unwrap();
    let process = stage.note("process");
    let env = stage.note("env");
    let own = handle.pid.to_string();
    let mut lines = process.lines();
    let ids = lines.next().unwrap();
    assert!(
        ids.split(' ').all(|id| id == own),
        "group and session {ids}, process {own}"
    );
    assert_eq!(lines.next(), Some("/dev/null"));
    let names = env.lines().filter_map(|line| line.split_once('='));
    for (name, _) in names {
        // The shell adds PWD and its like.
        assert!(
            ["PATH", "RUST_LOG", "PWD", "SHLVL", "OLDPWD", "_"].contains(&name),
            "{name}"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn secrets_and_homes_are_for_their_owner_alone() {
    let stage = Stage::new(SCRIPT);
    let (mut child, _) = stage.spawn().unwrap();
    assert_eq!(mode(&stage.places.spec()), 0o600);
    assert_eq!(mode(&stage.places.log()), 0o600);
    assert_eq!(mode(&stage.places.home()), 0o700);
    assert_eq!(mode(&stage.places.run_dir), 0o711);
    child.kill().unwrap();
    child.wait().unwrap();
    clear(&stage.places, false).unwrap();
    assert!(!stage.places.spec().exists() && !stage.places.run_dir.exists());
    assert!(stage.places.home().is_dir());
    clear(&stage.places, true).unwrap();
    assert!(!stage.places.session_dir.exists());
}

#[tokio::test]
async fn a_holder_is_found_again_by_its_note_and_only_while_it_lives() {
    let stage = Stage::new(SCRIPT);
    assert!(stage.find().unwrap().is_none());
    let (mut child, handle) = stage.spawn().unwrap();
    assert_eq!(stage.find().unwrap().unwrap().1, handle);
    remove_file(&stage.places.spec()).unwrap();
    let found = stage.find().unwrap().unwrap().1;
    assert_eq!(
        (found.pid, found.key),
        (handle.pid, [0; 32]),
        "found, but not to be spoken to"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stage.find().unwrap().is_none());
    for garbage in ["", "x y", "1", "99999999999999999999 1", "-1 1"] {
        fs::write(stage.places.run_dir.join(HOLDER_PID), garbage).unwrap();
        assert!(stage.find().unwrap().is_none(), "{garbage}");
    }
}

#[tokio::test]
async fn a_note_that_names_another_process_or_is_no_file_finds_nobody_and_is_not_waited_for() {
    let stage = Stage::new(SCRIPT);
    let (mut child, handle) = stage.spawn().unwrap();
    let note = stage.places.run_dir.join(HOLDER_PID);
    let whole = fs::read_to_string(&note).unwrap();
    // A process that is there, and began when the note says, and is no holder of this session: this one.
    let own = std::process::id();
    let forged = format!("{own} {}\n", started_at(own).unwrap());
    fs::write(&note, forged).unwrap();
    assert!(stage.find().unwrap().is_none());
    // The holder of another session.
    let mut other = Command::new("sh")
        .args([
            "-c",
            "while sleep 0.2; do :; done",
            "sh",
            "--spec",
            "/other/spec.json",
        ])
        .spawn()
        .unwrap();
    let forged = format!("{} {}\n", other.id(), started_at(other.id()).unwrap());
    fs::write(&note, forged).unwrap();
    assert!(stage.find().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();

    let elsewhere = stage.folder.path().join("elsewhere");
    fs::write(&elsewhere, whole).unwrap();
    fs::remove_file(&note).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &note).unwrap();
    assert!(stage.find().unwrap().is_none());
    fs::remove_file(&note).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &note, rustix::fs::Mode::RUSR).unwrap();
    assert!(stage.find().unwrap().is_none());
    fs::remove_file(&note).unwrap();
    fs::rename(&elsewhere, &note).unwrap();
    assert_eq!(stage.find().unwrap().unwrap().1, handle);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_holder_that_has_only_locked_its_folder_is_given_no_second_beside_it() {
    let stage = Stage::new(SCRIPT);
    make_dir(&stage.places.run_dir, 0o711).unwrap();
    let folder = File::open(&stage.places.run_dir).unwrap();
    flock(&folder, FlockOperation::LockExclusive).unwrap();
    assert!(matches!(stage.spawn(), Err(RuntimeError::StillThere)));
    drop(folder);
    let (mut child, _) = stage.spawn().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_named() {
    let stage = Stage::new(SCRIPT);
    fs::remove_file(stage.settings.install_dir.join("greenroom-session")).unwrap();
    let error = stage.spawn().unwrap_err();
    assert!(matches!(error, RuntimeError::Spawn { .. }), "{error:?}");
    assert!(error.to_string().contains("greenroom-session"), "{error}");
}

#[tokio::test]
async fn the_log_of_the_holder_before_is_kept() {
    let stage = Stage::new("#!/bin/sh\necho started\n");
    for _ in 0..2 {
        let (mut child, _) = stage.spawn().unwrap();
        child.wait().unwrap();
    }
    let log = |name| fs::read_to_string(stage.places.session_dir.join(name)).unwrap();
    assert_eq!(
        (log("holder.log"), log("holder.log.1")),
        ("started\n".into(), "started\n".into())
    );
}
