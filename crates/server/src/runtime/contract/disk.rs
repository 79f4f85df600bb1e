//! What sessions that fill the disk do to others: nothing. On a file system of the test's own, which takes root.

use super::{LIMIT, Place, ThisMachine, app, is_drawn, plan, wait};
use crate::runtime::local::Local;
use crate::runtime::local::disk::{self, Rules};
use crate::runtime::{Changes, Failure, Observation, Order, Plan, Release, Runtime, RuntimeError};
use greenroom_model::PersistentId;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// A file system in memory, gone with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, said loudly, where it cannot be made.
    fn of(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        let mounted = mount.arg(folder.path()).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("SKIPPED: no file system can be mounted");
        }
        mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also when a session of a failed test is still there.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn shell(name: &str, text: &str) -> Plan {
    plan(
        &format!("p-{name}"),
        app(&format!("ca-{name}"), &["sh", "-c", text]),
    )
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(LIMIT, waiting).await;
    assert!(waited.is_ok(), "timed out waiting for: {what}");
}

fn measured(runtime: &Local, session: &PersistentId) -> Option<u64> {
    let all = runtime.figures();
    let it = all.into_iter().find(|it| it.session == *session)?;
    it.tally.disk_bytes
}

async fn gone(runtime: &Local, changes: &Changes, session: &PersistentId) {
    wait(runtime, changes, session, |seen| {
        *seen == Observation::Absent
    })
    .await;
}

async fn end(runtime: &Local, changes: &Changes, plan: &Plan) {
    let session = &plan.persistent_id;
    runtime.order(session, Order::Kill).await.unwrap();
    gone(runtime, changes, session).await;
    runtime.release(session, Release::Home).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fills_the_disk_is_ended_with_a_reason_and_its_neighbours_go_on() {
    let Some(own) = Disk::of("size=256m,nr_inodes=40000,mode=755") else {
        return;
    };
    let Some(mut place) = ThisMachine::in_folder(own.path()) else {
        return;
    };
    place.disk = Rules {
        limit: None,
        reserve: 128 * MIB,
    };
    let (runtime, changes) = place.runtime();
    tokio::spawn(disk::guard(Arc::clone(&runtime)));

    // One that has much and keeps still, and one that only seems to have much.
    let large = "head -c 60000000 /dev/zero > ~/large; touch ~/done; exec sleep 1000";
    let holes = "truncate -s 100G ~/holes; touch ~/done; exec sleep 1000";
    let neighbour = plan("p-neighbour", place.lasting());
    let still = [shell("large", large), shell("holes", holes), neighbour];
    for plan in &still {
        runtime.start(plan).await.unwrap();
    }
    wait(&*runtime, &changes, &still[2].persistent_id, is_drawn).await;
    let home = |plan: &Plan| {
        let session = plan.persistent_id.as_str();
        own.path().join("sessions").join(session).join("home")
    };
    for plan in &still[..2] {
        until("the files", || home(plan).join("done").exists()).await;
    }

    let grow = "while :; do head -c 1000000 /dev/zero >> ~/file; sleep 0.01; done";
    let count = "i=0; while :; do i=$((i+1)); : > ~/$i; done";
    let nameless =
        "exec 3> ~/file; rm ~/file; while :; do head -c 1000000 /dev/zero >&3; sleep 0.01; done";
    for (name, text, stays) in [
        ("file", grow, true),
        ("count", count, true),
        ("nameless", nameless, false),
    ] {
        let greedy = shell(name, text);
        let session = &greedy.persistent_id;
        runtime.start(&greedy).await.unwrap();
        gone(&runtime, &changes, session).await;
        let why = runtime.why_ended(session).unwrap();
        assert!(why.contains("the disk is nearly full"), "{why}");
        if stays {
            let refused = runtime.start(&greedy).await;
            assert!(
                matches!(refused, Err(RuntimeError::DiskFull { .. })),
                "{refused:?}"
            );
        }
        let figures = runtime.figures();
        let its = figures.iter().find(|it| it.session == *session).unwrap();
        assert_eq!(its.tally.failures.get(&Failure::Disk), Some(&1));
        assert_eq!(its.tally.failures.get(&Failure::Holder), None);
        runtime.release(session, Release::Home).await.unwrap();
    }
    // There is room again, and nobody else was touched.
    for plan in &still {
        let seen = runtime.observe(&plan.persistent_id);
        assert!(matches!(seen, Observation::Present(..)), "{seen:?}");
        assert_eq!(runtime.why_ended(&plan.persistent_id), None);
    }
    fs::write(home(&still[2]).join("note"), "room").unwrap();
    let next = plan("p-next", place.lasting());
    runtime.start(&next).await.unwrap();
    wait(&*runtime, &changes, &next.persistent_id, is_drawn).await;
    for plan in still.iter().chain([&next]) {
        end(&runtime, &changes, plan).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_far_more_than_it_may_is_ended_and_no_single_file_has_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut place) = ThisMachine::in_folder(folder.path()) else {
        return;
    };
    place.disk = Rules {
        limit: Some(20 * MIB),
        reserve: 0,
    };
    let (runtime, changes) = place.runtime();
    let many = "ulimit -f > ~/bound
        for i in 1 2 3; do head -c 31457280 /dev/zero > ~/$i; done
        touch ~/done; exec sleep 1000";
    let greedy = shell("many", many);
    let neighbour = plan("p-neighbour", place.lasting());
    for plan in [&greedy, &neighbour] {
        runtime.start(plan).await.unwrap();
    }
    let home = folder.path().join("sessions/p-many/home");
    until("the files", || home.join("done").exists()).await;
    let bound = fs::read_to_string(home.join("bound")).unwrap();
    let blocks: u64 = bound.trim().parse().unwrap();
    assert_eq!(Some(blocks * 512), place.disk.largest_file());
    wait(&*runtime, &changes, &neighbour.persistent_id, is_drawn).await;

    tokio::spawn(disk::guard(Arc::clone(&runtime)));
    gone(&runtime, &changes, &greedy.persistent_id).await;
    let why = runtime.why_ended(&greedy.persistent_id).unwrap();
    assert_eq!(why, "it keeps 90 MiB on the disk and may keep 20");
    until("the neighbour's size", || {
        measured(&runtime, &neighbour.persistent_id).is_some()
    })
    .await;
    let seen = runtime.observe(&neighbour.persistent_id);
    assert!(matches!(seen, Observation::Present(..)), "{seen:?}");
    for plan in [&greedy, &neighbour] {
        end(&runtime, &changes, plan).await;
    }
}
