//! Twenty sessions of one server, and every part of them killed in turn: whoever was not killed notices nothing, and
//! whoever was is back. As whoever runs the tests and, where that is root, as somebody who is not.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use greenroom_session_api::spec::{HOLDER_SOCKET, Spec};
use greenroom_session_api::viewer::{OpenStream, ToHolder, to_holder};
use greenroom_session_api::{Hello, PROTOCOL, Role, encode};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use support::processes::{
    Processes, Sweep, all_below, all_processes, can_run_sessions, child_called, descendant, kill,
    lives,
};
use support::{Server, Session, UNTHROTTLED, wait_until};

const SESSIONS: u32 = 20;

/// The machine is not asked whether it is large enough, nor the test how often it asks.
const SETTINGS: &[(&str, &str)] = &[
    ("GREENROOM_CAPACITY_OVERCOMMIT", "100"),
    UNTHROTTLED[0],
    UNTHROTTLED[1],
];

/// Somebody who is not root, and has no other process.
const SOMEBODY: u32 = 47_114;

/// What of a session is killed.
#[derive(Debug, Clone, Copy)]
enum Part {
    App,
    Init,
    Sandbox,
    Holder,
}

const PARTS: [Part; 4] = [Part::App, Part::Init, Part::Sandbox, Part::Holder];

#[test]
fn whoever_is_killed_is_back_and_nobody_else_notices() {
    if can_run_sessions() {
        let folder = tempfile::tempdir().unwrap();
        all_are_killed(folder.path(), || {
            Server::start_with(folder.path(), SETTINGS)
        });
    }
}

#[test]
fn a_normal_users_sessions_are_back_as_well() {
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SKIPPED: only root can become somebody else, and for others the other test says it all"
        );
        return;
    }
    if can_run_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        all_are_killed(&data, || {
            Server::start_as(SOMEBODY, folder.path(), SETTINGS)
        });
    }
}

fn all_are_killed(data: &Path, start: impl Fn() -> Server) {
    let _sweep = Sweep(data.to_owned());
    let server = start();
    let group = server.create_group_of(SESSIONS);
    let running = |session: &Session| session.status == "RUNNING";
    let sessions = server.wait_for(&group, running);
    assert_eq!(sessions.len(), SESSIONS as usize);
    let first = Processes::of(data, &sessions);

    // The server alone: the next one's first answer is what the last one's was.
    server.kill();
    let server = start();
    assert_eq!(server.sessions(&group), sessions);
    assert_eq!(Processes::of(data, &sessions), first);

    // A streamer, which costs its session nothing.
    let watched = &sessions[0];
    let holder = first.holders[&watched.id];
    let mut viewer = Viewer::of(data, watched);
    for _ in 0..2 {
        let streamer = viewer.streamer(holder);
        kill(streamer);
        wait_until("the streamer is gone", || {
            streamer_of(holder) != Some(streamer)
        });
    }
    assert_eq!(Processes::of(data, &sessions), first);

    // A part of some sessions while the server runs, and of others while none does.
    let victims: Vec<_> = sessions[1..].chunks(2).zip(PARTS).collect();
    for (victims, part) in &victims {
        end(*part, &first, &victims[0]);
    }
    let back = |server: &Server, at: usize| {
        wait_until("whoever was killed is back", || {
            server.wait_for(&group, running);
            let victims = victims.iter().map(|(victims, part)| (&victims[at], *part));
            victims
                .clone()
                .all(|(victim, part)| is_another(data, part, &first, victim))
        });
    };
    back(&server, 0);
    server.kill();
    for (victims, part) in &victims {
        end(*part, &first, &victims[1]);
    }
    let server = start();
    back(&server, 1);

    let killed: BTreeSet<_> = victims
        .iter()
        .flat_map(|(victims, _)| *victims)
        .map(|it| &it.id)
        .collect();
    let last = Processes::of(data, &sessions);
    for session in sessions.iter().filter(|it| !killed.contains(&it.id)) {
        assert_eq!(last.holders[&session.id], first.holders[&session.id]);
        assert_eq!(last.apps[&session.id], first.apps[&session.id]);
    }
    // An app's end is not its holder's.
    for victim in victims[0].0 {
        assert_eq!(last.holders[&victim.id], first.holders[&victim.id]);
    }
    nothing_is_left_after_a_delete(data, &server, &group, &last);
    server.end();
}

fn nothing_is_left_after_a_delete(data: &Path, server: &Server, group: &str, of: &Processes) {
    let all: Vec<u32> = of.holders.values().flat_map(|it| all_below(*it)).collect();
    let namespaces: BTreeSet<_> = of.apps.values().flat_map(|it| namespaces_of(*it)).collect();
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    server.call("DeleteAppInstanceGroup", &ask);
    let is_empty = |folder: &str| {
        std::fs::read_dir(data.join(folder))
            .unwrap()
            .next()
            .is_none()
    };
    wait_until("every file is gone", || {
        is_empty("sessions") && is_empty("run")
    });
    wait_until("every process is gone", || {
        !all.iter().any(|pid| lives(*pid))
    });
    wait_until("every namespace is gone", || {
        namespaces.is_disjoint(&all_namespaces())
    });
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(data.to_str().unwrap()), "{mounts}");
    let about = std::fs::metadata(data).unwrap();
    let groups = format!("greenroom-{:x}-{:x}", about.dev(), about.ino());
    let left = folders_called(Path::new("/sys/fs/cgroup"), &groups);
    assert!(left.is_empty(), "{left:?}");
}

/// The namespaces of a process, but those it shares with this one.
fn namespaces_of(pid: u32) -> BTreeSet<PathBuf> {
    let of = |pid: &str| -> BTreeSet<PathBuf> {
        let links = std::fs::read_dir(format!("/proc/{pid}/ns"));
        let links = links.into_iter().flatten().flatten();
        links
            .filter_map(|link| std::fs::read_link(link.path()).ok())
            .collect()
    };
    &of(&pid.to_string()) - &of("self")
}

fn all_namespaces() -> BTreeSet<PathBuf> {
    all_processes()
        .into_iter()
        .flat_map(namespaces_of)
        .collect()
}

/// Folders of that name, anywhere below; links are not followed.
fn folders_called(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .flat_map(|entry| match entry.file_name() == name {
            true => vec![entry.path()],
            false => folders_called(&entry.path(), name),
        })
        .collect()
}

fn end(part: Part, of: &Processes, session: &Session) {
    let holder = of.holders[&session.id];
    let pid = match part {
        Part::App => Some(of.apps[&session.id]),
        Part::Init => descendant(holder, "greenroom-init"),
        Part::Sandbox => descendant(holder, "bwrap"),
        Part::Holder => Some(holder),
    };
    kill(pid.unwrap());
}

/// Whether a session has another app than before, in another holder if that went with it.
fn is_another(data: &Path, part: Part, before: &Processes, session: &Session) -> bool {
    let Some(now) = Processes::of_one(data, session) else {
        return false;
    };
    let same_holder = now.0 == before.holders[&session.id];
    let stays = matches!(part, Part::App);
    now.1 != before.apps[&session.id] && same_holder == stays
}

/// A gateway's link to a holder, by the key of its spec.
struct Viewer(UnixStream);

impl Viewer {
    fn of(data: &Path, session: &Session) -> Self {
        let spec = data.join("sessions").join(&session.id).join("spec.json");
        let spec = Spec::from_json(&std::fs::read(spec).unwrap()).unwrap();
        let mut link = UnixStream::connect(spec.run_dir.join(HOLDER_SOCKET)).unwrap();
        let hello = Hello {
            protocol: PROTOCOL,
            key: spec.key().unwrap().to_vec(),
            role: Role::Viewer.into(),
        };
        link.write_all(&encode(&hello)).unwrap();
        Self(link)
    }

    /// The streamer, once the holder has started it. It is asked again, as a gateway does whom nobody answers: the
    /// holder may not have noticed yet that the one before has gone.
    fn streamer(&mut self, holder: u32) -> u32 {
        wait_until("there is a streamer", || {
            let order = Some(to_holder::Order::OpenStream(OpenStream {}));
            self.0.write_all(&encode(&ToHolder { order })).unwrap();
            streamer_of(holder).is_some()
        });
        streamer_of(holder).unwrap()
    }
}

fn streamer_of(holder: u32) -> Option<u32> {
    child_called(holder, "greenroom-stream")
}
