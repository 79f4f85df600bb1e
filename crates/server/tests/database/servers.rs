//! Two servers on one PostgreSQL: no session is started twice, whichever server is killed, and what cannot be
//! seen is said to be out of sight.

use crate::URL;
use crate::support::processes::{Processes, Sweep, can_run_sessions, holders_of, lives};
use crate::support::{GREENROOM, RAM, Server, Session, greenroom, wait_until};
use greenroom_testkit::postgres;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folders of two servers, and their database.
pub struct Place {
    _home: tempfile::TempDir,
    pub folders: [PathBuf; 2],
    /// Where each listens; the same after a restart, since the other one tells browsers of it.
    addresses: [String; 2],
    pub url: String,
}

impl Place {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folders = ["a", "b"].map(|name| home.path().join(name));
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // Both at once, so that they differ.
        let addresses = [free(), free()].map(|it| it.local_addr().unwrap().to_string());
        Self {
            _home: home,
            folders,
            addresses,
            url: postgres::database(),
        }
    }

    fn start(&self, which: usize) -> Server {
        let settings = [
            (URL, self.url.as_str()),
            ("GREENROOM_LISTEN", &self.addresses[which]),
            ("GREENROOM_PUBLIC_URL", &self.public_url(which)),
            ("GREENROOM_CAPACITY_CPUS", "8"),
            ("GREENROOM_CAPACITY_MEMORY_MIB", "65536"),
        ];
        Server::start_with(&self.folders[which], &settings)
    }

    fn public_url(&self, which: usize) -> String {
        format!("http://{}", self.addresses[which])
    }

    /// Both, of which the first makes the keys that the second is given.
    pub fn start_both(&self) -> [Server; 2] {
        let first = self.start(0);
        std::fs::create_dir(&self.folders[1]).unwrap();
        let key = "secrets.key";
        std::fs::copy(self.folders[0].join(key), self.folders[1].join(key)).unwrap();
        let mut second = self.start(1);
        second.key = first.key.clone();
        [first, second]
    }

    /// Which of the two has the session's home.
    fn home_of(&self, session: &str) -> usize {
        let has = |folder: &&PathBuf| folder.join("sessions").join(session).is_dir();
        let homes: Vec<_> = self.folders.iter().filter(has).collect();
        assert_eq!(homes.len(), 1, "{session} has one home: {homes:?}");
        usize::from(homes[0] == &self.folders[1])
    }

    fn assert_one_holder_each(&self, sessions: &[Session]) {
        for session in sessions {
            let here = |folder: &PathBuf| holders_of(folder, &session.id);
            let holders: usize = self.folders.iter().map(here).sum();
            assert_eq!(holders, 1, "{}", session.id);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for folder in &self.folders {
            drop(Sweep(folder.clone()));
        }
    }
}

/// The processes of those sessions that live in the folder.
fn processes(folder: &Path, sessions: &[Session], which: &BTreeSet<String>) -> Processes {
    let there = sessions.iter().filter(|one| which.contains(&one.id));
    Processes::of(folder, &there.cloned().collect::<Vec<_>>())
}

#[test]
fn a_server_that_is_killed_leaves_its_sessions_out_of_sight_until_it_is_back() {
    if !can_run_sessions() {
        return;
    }
    let place = Place::new();
    let [first, second] = place.start_both();
    let group = first.create_group_of(6);
    let sessions = second.wait_for(&group, |session| session.status == "RUNNING");
    assert_eq!(sessions.len(), 6);
    place.assert_one_holder_each(&sessions);
    let (mut here, mut there) = (BTreeSet::new(), BTreeSet::new());
    for session in &sessions {
        let homes = [&mut here, &mut there];
        homes[place.home_of(&session.id)].insert(session.id.clone());
    }
    assert!(here.len().min(there.len()) >= 2, "{here:?} {there:?}");
    let before = processes(&place.folders[1], &sessions, &there);

    // The ticket names the server where the session is, whichever server gives it out.
    let ticket = ticket(&first, &group, there.first().unwrap());
    let named = format!("\r\nGreenroomGateway={}\r\n", place.public_url(1));
    assert!(ticket.contains(&named), "{ticket}");

    second.kill();
    let gone = |session: &Session| there.contains(&session.id);
    let unseen = first.wait_for(&group, |session| {
        gone(session) == (session.status == "UNAVAILABLE")
    });
    for session in unseen.iter().filter(|session| gone(session)) {
        let ask = json!({"AppInstancePersistentId": session.id});
        let (_, shown) = first.ask(GREENROOM, "GetSession", &ask).unwrap();
        let reason = shown["Session"]["StatusReason"]
            .as_str()
            .unwrap_or_default();
        let expected = format!("({}) has not been seen since", place.public_url(1));
        assert!(reason.contains(&expected), "{shown}");
    }
    // They run on all the same, and nobody started them a second time.
    place.assert_one_holder_each(&sessions);
    assert!(before.holders.values().all(|pid| lives(*pid)));

    // A wish for one of them waits for its server.
    let doomed = there.first().unwrap().clone();
    let stop = json!({"AppInstancePersistentIds.1": doomed});
    let (status, answer) = first.ask(GREENROOM, "StopSessions", &stop).unwrap();
    assert_eq!(status, 200, "{answer}");

    let mut second = place.start(1);
    second.key = first.key.clone();
    let back = first.wait_for(&group, |session| {
        let wanted = match session.id == doomed {
            true => "STOPPED",
            false => "RUNNING",
        };
        session.status == wanted
    });
    assert_eq!(back.len(), 6);
    let after: BTreeSet<_> = there.iter().filter(|id| **id != doomed).cloned().collect();
    let after = processes(&place.folders[1], &sessions, &after);
    for (session, pid) in &after.holders {
        assert_eq!(Some(pid), before.holders.get(session), "the same holder");
    }

    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    second.call("DeleteAppInstanceGroup", &ask);
    wait_until("no holder is left", || {
        sessions.iter().all(|session| {
            place
                .folders
                .iter()
                .all(|folder| holders_of(folder, &session.id) == 0)
        })
    });
    first.end();
    second.end();
}

#[test]
fn the_sessions_of_a_server_that_is_forgotten_begin_anew_on_the_other() {
    if !can_run_sessions() {
        return;
    }
    let place = Place::new();
    let [first, second] = place.start_both();
    let group = first.create_group_of(2);
    let sessions = second.wait_for(&group, |session| session.status == "RUNNING");
    let there = |session: &&Session| place.home_of(&session.id) == 1;
    let there: BTreeSet<String> = sessions
        .iter()
        .filter(there)
        .map(|it| it.id.clone())
        .collect();
    assert!(!there.is_empty());
    let id = std::fs::read_to_string(place.folders[1].join("server-id")).unwrap();
    let forget = json!({"ServerId": id.trim()});
    let code = || {
        let (_, answer) = first.ask(GREENROOM, "ForgetServer", &forget).unwrap();
        answer["Code"].as_str().map(ToOwned::to_owned)
    };
    assert_eq!(code().as_deref(), Some("OperationDenied.ServerActive"));

    second.kill();
    wait_until("it is lost", || code().is_none());
    let home = |session: &String| place.folders[0].join("sessions").join(session);
    wait_until("all of them live at the first", || {
        there.iter().all(|session| home(session).is_dir())
    });
    first.wait_for(&group, |session| session.status == "RUNNING");

    // Whoever starts the lost one after all is told why that cannot be.
    let mut command = greenroom();
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(&place.folders[1]);
    let ended = command.env(URL, &place.url).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        !ended.status.success() && said.contains("was forgotten"),
        "{said}"
    );
    first.end();
}

#[test]
fn two_servers_killed_at_any_moment_of_a_start_leave_one_holder_for_each_session() {
    if !can_run_sessions() {
        return;
    }
    let place = Place::new();
    let mut servers = place.start_both();
    for (round, victim) in [0, 1, 1, 0].into_iter().enumerate() {
        let group = servers[round % 2].create_group_of(4);
        // A moment that is as good as any other, not something to wait for.
        std::thread::sleep(std::time::Duration::from_millis(60 * round as u64));
        let key = servers[0].key.clone();
        let [first, second] = servers;
        let survivor = match victim {
            0 => {
                first.kill();
                second
            }
            _ => {
                second.kill();
                first
            }
        };
        let mut back = place.start(victim);
        back.key = key;
        let sessions = back.wait_for(&group, |session| session.status == "RUNNING");
        place.assert_one_holder_each(&sessions);
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        survivor.call("DeleteAppInstanceGroup", &ask);
        servers = match victim {
            0 => [back, survivor],
            _ => [survivor, back],
        };
    }
}

#[test]
fn a_call_that_changed_something_at_one_server_is_not_carried_out_again_at_the_other() {
    let place = Place::new();
    let [first, second] = place.start_both();
    let ask = json!({"UserName": "ann"});
    let call = |server: &Server| {
        let answer = server.ask_with_nonce(RAM, "CreateUser", &ask, "one-nonce");
        let (status, answer) = answer.unwrap();
        (status, answer["Code"].as_str().map(ToOwned::to_owned))
    };
    assert_eq!(call(&first), (200, None));
    let used = Some("SignatureNonceUsed".to_owned());
    assert_eq!(call(&second), (400, used));
    first.end();
    second.end();
}

/// The text of a ticket for a session, once its app has drawn.
fn ticket(server: &Server, group: &str, session: &str) -> String {
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
        "AppInstancePersistentId": session, "AuthorizeUserIds.1": "alice"});
    server.call("AuthorizeInstanceGroup", &ask);
    let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudApp", "AppId": "ca-foot",
        "AppInstancePersistentId": session, "EndUserId": "alice"});
    let task = server.call("GetConnectionTicket", &ask)["TaskId"].clone();
    let poll = json!({"ProductType": "CloudApp", "EndUserId": "alice", "TaskId": task});
    let mut ticket = String::new();
    wait_until("there is a ticket", || {
        let answer = server.call("GetConnectionTicket", &poll);
        assert_ne!(answer["TaskStatus"], "Failed", "{answer}");
        answer["Ticket"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut ticket);
        !ticket.is_empty()
    });
    decoded(&ticket)
}

/// The text that base64 stands for.
fn decoded(base64: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
    String::from_utf8(bytes.unwrap()).unwrap()
}
