//! A real server is backed up while it writes, and restored from what the backup has.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the functions themselves as one"
)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use support::processes::{Processes, Sweep, can_run_sessions, holders_of, kill, lives};
use support::{APPSTREAM, RAM, Server, UNTHROTTLED, greenroom, wait_until};

/// Writers do not wait for one another's turn, nor for the backup.
const CLIENTS: usize = 4;

/// What a command that works on `data` says, and whether it succeeds.
fn run(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = greenroom();
    command.args(arguments).arg("--data-dir").arg(data);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8(said).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn create_user(server: &Server, name: &str) {
    let (status, answer) = server
        .ask(RAM, "CreateUser", &json!({"UserName": name}))
        .unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn has_user(server: &Server, name: &str) -> bool {
    let (status, answer) = server
        .ask(RAM, "GetUser", &json!({"UserName": name}))
        .unwrap();
    assert!(
        status == 200 || answer["Code"] == "EntityNotExist.User",
        "{answer}"
    );
    status == 200
}

/// Makes users until it is told to stop; those that were answered are in `answered`.
fn write_until(stop: &AtomicBool, client: usize, server: &Server, answered: &Mutex<Vec<String>>) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("user-{client}-{number}");
        create_user(server, &name);
        answered.lock().unwrap().push(name);
    }
}

#[test]
fn a_backup_under_load_restores_all_that_was_answered_before_it_began() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("backup.db"));
    let server = Server::start_with(&data, &UNTHROTTLED);
    let (stop, answered) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let before = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, server, answered) = (&stop, &server, &answered);
            scope.spawn(move || write_until(stop, client, server, answered));
        }
        let count = || answered.lock().unwrap().len();
        wait_until("some are written", || count() >= 50);
        let before = answered.lock().unwrap().clone();
        let (done, said) = run(&data, &["backup", text(&file)]);
        let after = count();
        stop.store(true, Ordering::Relaxed);
        assert!(done && said.contains("secrets.key"), "{said}");
        assert!(after > before.len(), "nothing was written meanwhile");
        before
    });
    create_user(&server, "of-afterwards");
    let overwriting = run(&data, &["backup", text(&file)]);
    assert!(!overwriting.0 && overwriting.1.contains("overwrites nothing"));
    let left = std::fs::read_dir(data.join("backups")).unwrap().count();
    assert_eq!(left, 0, "the copy was taken away");

    let (done, said) = run(&data, &["restore", text(&file), "--replace"]);
    assert!(!done && said.contains("in use by a server"), "{said}");
    // Killed, so that its last commits are beside its file and not in it.
    server.kill();
    let (done, said) = run(&data, &["restore", text(&file)]);
    assert!(!done && said.contains("--replace"), "{said}");
    let (done, said) = run(&data, &["restore", text(&file), "--replace"]);
    assert!(done, "{said}");
    let kept = said
        .lines()
        .find_map(|line| line.strip_prefix("The database that was there is "));
    let kept = kept.unwrap().trim_end_matches('.').to_owned();

    let server = Server::start(&data);
    for name in &before {
        assert!(
            has_user(&server, name),
            "{name} was answered and is not there"
        );
    }
    assert!(!has_user(&server, "of-afterwards"));
    create_user(&server, "of-a-new-time");
    let (done, said) = run(&data, &["audit", "verify"]);
    assert!(done, "{said}");
    server.end();

    // What was put aside is whole: it takes the place back.
    let (done, said) = run(&data, &["backup", "unused"]);
    assert!(!done, "no server runs: {said}");
    for part in ["", "-wal", "-shm"] {
        let (from, to) = (
            format!("{kept}{part}"),
            data.join(format!("greenroom.db{part}")),
        );
        std::fs::remove_file(&to).ok();
        if Path::new(&from).exists() {
            std::fs::rename(from, to).unwrap();
        }
    }
    let server = Server::start(&data);
    assert!(has_user(&server, "of-afterwards"));
    server.end();
}

#[test]
fn a_backup_is_restored_on_another_machine_with_its_key_and_with_no_other() {
    let home = tempfile::tempdir().unwrap();
    let [one, other, file] = ["one", "other", "backup.db"].map(|name| home.path().join(name));
    let server = Server::start(&one);
    create_user(&server, "ann");
    let key = server.key.clone();
    assert!(run(&one, &["backup", text(&file)]).0);
    server.end();

    let (done, said) = run(&other, &["restore", text(&file)]);
    assert!(
        !done && said.contains("other/secrets.key is missing"),
        "{said}"
    );
    assert!(!other.exists(), "a folder that was misspelt is not made");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("secrets.key"), "00".repeat(32)).unwrap();
    let (done, said) = run(&other, &["restore", text(&file)]);
    assert!(
        !done && said.contains("sealed with another key than"),
        "{said}"
    );
    let nothing_else: Vec<_> = std::fs::read_dir(&other).unwrap().collect();
    assert_eq!(
        nothing_else.len(),
        2,
        "the key and the lock: {nothing_else:?}"
    );

    std::fs::copy(one.join("secrets.key"), other.join("secrets.key")).unwrap();
    let damaged = home.path().join("damaged.db");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let (done, said) = run(&other, &["restore", text(&damaged)]);
    assert!(!done && said.contains("cannot be restored"), "{said}");
    let (done, said) = run(&other, &["restore", text(&file)]);
    assert!(done, "{said}");
    let mut server = Server::start(&other);
    server.key = key;
    assert!(has_user(&server, "ann"));
    server.end();
}

#[test]
fn the_copy_of_a_server_elsewhere_and_a_folder_of_nobody_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let [data, strange, file] = ["data", "strange", "backup.db"].map(|name| home.path().join(name));
    let server = Server::start(&data);
    std::fs::create_dir(&strange).unwrap();
    let credentials = data.join("root-credentials.json");
    let (done, said) = run(
        &strange,
        &[
            "backup",
            text(&file),
            "--endpoint",
            &server.address,
            "--credentials",
            text(&credentials),
        ],
    );
    assert!(!done && said.contains("on the server's machine"), "{said}");
    let (done, said) = run(&strange, &["backup", text(&file)]);
    assert!(!done && said.contains("no server has used"), "{said}");
    assert!(!file.exists());
    server.end();
}

#[test]
fn with_postgres_the_command_is_told_that_makes_a_backup_and_the_one_that_restores_it() {
    let home = tempfile::tempdir().unwrap();
    let url = "postgres://ann:hunter2@db.example:6432/greenroom";
    let told = |arguments: &[&str]| {
        let mut command = greenroom();
        command.args(arguments).arg("--data-dir").arg(home.path());
        let output = command.env("GREENROOM_DATABASE_URL", url).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    for (arguments, expected) in [
        (
            ["backup", "b.dump"],
            "pg_dump --format=custom --file=b.dump --dbname=",
        ),
        (
            ["restore", "b.dump"],
            "pg_restore --clean --if-exists --single-transaction --dbname=",
        ),
    ] {
        let said = told(&arguments);
        let whole = format!(
            "{expected}'host=db.example port=6432 user=ann dbname=greenroom sslmode=prefer'"
        );
        assert!(said.contains(&whole) && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_row_of_the_backup_is_in_the_backup() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("backup.db"));
    let server = Server::start(&data);
    assert!(run(&data, &["backup", text(&file)]).0);
    server.end();
    assert!(run(&data, &["restore", text(&file), "--replace"]).0);
    let server = Server::start(&data);
    let (done, listed) = run(
        &data,
        &["audit", "list", "--event", "CreateBackup", "--json"],
    );
    let row: Value = serde_json::from_str(listed.trim()).unwrap();
    assert!(done && row["Outcome"] == "OK", "{listed}");
    server.end();
}

#[test]
fn sessions_that_run_are_taken_over_after_a_restore_and_others_start_without_their_homes() {
    if !can_run_sessions() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("backup.db"));
    let _sweep = Sweep(data.clone());
    let server = Server::start(&data);
    let group = server.create_group();
    let before = server.wait_for(&group, |session| session.status == "RUNNING");
    assert!(run(&data, &["backup", text(&file)]).0);
    let unknown = server.create_group_of(1);
    let unknown_session = server.wait_for(&unknown, |session| session.status == "RUNNING");
    let processes = Processes::of(&data, &before);
    server.kill();
    // One session loses its processes and its home, as on a new machine.
    let (lost, stays) = (&before[0].id, &before[1].id);
    kill(processes.holders[lost]);
    wait_until("its holder is gone", || !lives(processes.holders[lost]));
    std::fs::remove_dir_all(data.join("sessions").join(lost)).unwrap();
    assert!(run(&data, &["restore", text(&file), "--replace"]).0);

    let server = Server::start(&data);
    server.wait_for(&group, |session| session.status == "RUNNING");
    let after = Processes::of(&data, &before);
    assert_eq!(after.holders[stays], processes.holders[stays]);
    assert_eq!(after.apps[stays], processes.apps[stays]);
    assert_ne!(after.holders[lost], processes.holders[lost]);
    // What the backup does not know is nobody's, and is not ended for that.
    let ask = json!({"AppInstanceGroupId": unknown, "ProductType": "CloudApp"});
    let (status, answer) = server.ask(APPSTREAM, "GetAppInstanceGroup", &ask).unwrap();
    assert_eq!(
        (status, &answer["Code"]),
        (400, &json!("InvalidAppInstanceGroup.NotFound"))
    );
    assert_eq!(holders_of(&data, &unknown_session[0].id), 1);
    let (_, metrics) = server.get("/metrics").unwrap();
    assert!(metrics.contains("greenroom_orphan_holders 1"), "{metrics}");
    server.end();
}
