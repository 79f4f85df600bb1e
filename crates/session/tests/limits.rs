//! Where nobody counts a session's processes together each is bounded by itself: what apps come to that want more
//! than they may have, and that a stranger's session beside them goes on.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::spec::{App, Limits};
use support::{Session, idle, script, skipped, until};

fn bounded(apps: Vec<App>, limits: Limits) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = support::spec(folder.path(), apps);
    spec.limits = limits;
    Session::start_with(folder, spec)
}

/// What an app wrote into its home, once it is all there.
fn written(session: &Session, name: &str) -> String {
    let path = session.home().join(name);
    until(name, || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.ends_with("end\n").then_some(text)
    })
}

#[test]
fn a_fork_bomb_runs_into_its_own_bound_and_a_neighbour_starts_what_it_likes() {
    if skipped("bwrap") {
        return;
    }
    let neighbour = Session::start(vec![idle("ca-idle")]);
    let limits = Limits {
        processes: Some(64),
        ..Limits::default()
    };
    // The shell goes when it cannot start another one, and all it started stays.
    let bomb = "while :; do sleep 100000 & done";
    let session = bounded(vec![script("ca-bomb", bomb)], limits);
    let mut control = session.control();
    control.app("ca-bomb", "ended", |app| app.ended);
    control.launch(&script("ca-more", "sleep 0 & sleep 0 & wait"));
    let more = control.app("ca-more", "ended", |app| app.ended);
    assert_ne!(more.exit_code, Some(0), "there is room for itself at most");
    let mut other = neighbour.control();
    other.launch(&script("ca-more", "exit 3"));
    let more = other.app("ca-more", "ended", |app| app.ended);
    assert_eq!(more.exit_code, Some(3));
}

#[test]
fn no_process_has_more_memory_nor_a_longer_file_than_it_may_and_none_leaves_a_core() {
    if skipped("bwrap") {
        return;
    }
    let limits = Limits {
        data_bytes: Some(64 << 20),
        file_bytes: Some(1 << 20),
        scratch_bytes: Some(2 << 20),
        ..Limits::default()
    };
    let look = "cd ~
        tail /dev/zero 2> memory; echo end >> memory
        (trap '' XFSZ; dd if=/dev/zero of=long bs=64k count=64 2> file); stat -c %s long >> file; echo end >> file
        { for n in 1 2 3; do dd if=/dev/zero of=/tmp/$n bs=64k count=16 2>&1; done; df -k --output=size /dev/shm; } > scratch
        echo end >> scratch
        { ulimit -c; ulimit -Hc; echo end; } > core";
    let session = bounded(vec![script("ca-look", look)], limits);
    let memory = written(&session, "memory");
    assert!(memory.contains("memory exhausted"), "{memory}");
    let file = written(&session, "file");
    assert!(
        file.contains("File too large") && file.contains("\n1048576\n"),
        "{file}"
    );
    let scratch = written(&session, "scratch");
    assert!(
        scratch.contains("No space left") && scratch.contains(" 2048\n"),
        "{scratch}"
    );
    assert_eq!(written(&session, "core"), "0\n0\nend\n");
}
