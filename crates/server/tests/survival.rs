//! A server that is killed and started again, with real holders and a real app: nothing of a session may
//! notice, and a holder that is killed must be noticed.
//!
//! Everything is looked at from outside: the API over HTTP, and the processes of this machine.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

use greenroom_rpc::sign::{Algorithm, Call, sign_v3};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Generous: a loaded machine takes seconds for what takes 100 ms.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn sessions_outlive_the_server_and_are_adopted_by_the_next() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let mut server = Server::start(folder.path());
    let group = server.create_group();
    let before = server.wait_for(&group, |session| session.status == "RUNNING");
    assert_eq!(before.len(), 2);
    let processes = Processes::of(folder.path(), &before);

    // The whole process group, as a terminal or a supervisor would.
    server.kill();
    let mut server = Server::start(folder.path());
    // No waiting: a server that answers has taken over what runs.
    assert_eq!(server.sessions(&group), before);
    assert_eq!(Processes::of(folder.path(), &before), processes);

    // A holder that is killed takes its app along; the session is started again, its neighbour is not.
    let (victim, neighbour) = (&before[0].id, &before[1].id);
    let died = Instant::now();
    kill(processes.holders[victim]);
    server.wait_for(&group, |session| {
        session.id != *victim || session.status != "RUNNING"
    });
    let noticed = died.elapsed();
    assert!(
        noticed < Duration::from_secs(1),
        "noticed after {noticed:?}"
    );
    server.wait_for(&group, |session| session.status == "RUNNING");
    let after = Processes::of(folder.path(), &before);
    assert_ne!(after.holders[victim], processes.holders[victim]);
    assert_eq!(after.holders[neighbour], processes.holders[neighbour]);
    assert_eq!(after.apps[neighbour], processes.apps[neighbour]);

    // Its user is let in again: the ticket is there once the app has drawn.
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": victim,
        "AuthorizeUserIds.1": "alice"});
    server.call("AuthorizeInstanceGroup", &ask);
    let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudApp", "AppId": "ca-foot",
        "AppInstancePersistentId": victim, "EndUserId": "alice"});
    let task = server.call("GetConnectionTicket", &ask)["TaskId"].clone();
    let poll = json!({"ProductType": "CloudApp", "EndUserId": "alice", "TaskId": task});
    wait_until("there is a ticket", || {
        let answer = server.call("GetConnectionTicket", &poll);
        assert_ne!(answer["TaskStatus"], "Failed", "{answer}");
        answer["TaskStatus"] == "Finished" && answer["Ticket"].is_string()
    });

    // A delete leaves neither processes nor files.
    server.call(
        "DeleteAppInstanceGroup",
        &json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"}),
    );
    wait_until("every holder is gone", || {
        after.holders.values().all(|pid| !lives(*pid))
    });
    wait_until("every home is gone", || {
        let homes = before
            .iter()
            .map(|session| folder.path().join("sessions").join(&session.id));
        homes.into_iter().all(|home| !home.exists())
    });
    server.end();
}

#[test]
fn a_server_killed_at_any_moment_of_a_start_leaves_one_holder_for_each_session() {
    if !can_run_sessions() {
        return;
    }
    for delay in [0, 10, 20, 40, 80, 160] {
        let folder = tempfile::tempdir().unwrap();
        let _sweep = Sweep(folder.path().to_owned());
        let mut server = Server::start(folder.path());
        let group = server.create_group();
        // A moment that is as good as any other, not something to wait for.
        std::thread::sleep(Duration::from_millis(delay));
        server.kill();
        let mut server = Server::start(folder.path());
        let sessions = server.wait_for(&group, |session| session.status == "RUNNING");
        for session in &sessions {
            let spec = folder
                .path()
                .join("sessions")
                .join(&session.id)
                .join("spec.json");
            let holders = processes_with(spec.to_str().unwrap());
            assert_eq!(holders.len(), 1, "killed after {delay} ms: {holders:?}");
        }
        server.end();
    }
}

/// A session as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Session {
    id: String,
    status: String,
    instance_status: String,
}

/// The processes of sessions.
#[derive(Debug, PartialEq, Eq)]
struct Processes {
    holders: BTreeMap<String, u32>,
    apps: BTreeMap<String, u32>,
}

impl Processes {
    fn of(data: &Path, sessions: &[Session]) -> Self {
        let holder = |session: &Session| {
            let file = data.join("run").join(&session.id).join("holder.pid");
            let text = std::fs::read_to_string(file).unwrap();
            text.split(' ').next().unwrap().parse::<u32>().unwrap()
        };
        let holders: BTreeMap<_, _> = sessions.iter().map(|s| (s.id.clone(), holder(s))).collect();
        let app = |(id, pid): (&String, &u32)| (id.clone(), descendant(*pid, "foot").unwrap());
        Self {
            apps: holders.iter().map(app).collect(),
            holders,
        }
    }
}

struct Server {
    child: Child,
    address: String,
    key: Value,
    calls: u32,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greenroom"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .env_remove("GREENROOM_CONFIG")
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines
                .next()
                .expect("the server must say where it listens")
                .unwrap();
            if let Some((_, address)) = line.split_once("endpoint") {
                break address.trim().trim_start_matches("http://").to_owned();
            }
        };
        // The rest of what it says is read and forgotten, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let key = std::fs::read(data.join("root-credentials.json")).unwrap();
        Self {
            child,
            address,
            key: serde_json::from_slice(&key).unwrap(),
            calls: 0,
        }
    }

    fn create_group(&mut self) -> String {
        let answer = self.call(
            "CreateAppInstanceGroup",
            &json!({
                "AppCenterImageId": "img-this-machine",
                "AuthMode": "Session",
                "BizRegionId": "cn-shanghai",
                "ChargeResourceMode": "Node",
                "ChargeType": "PostPaid",
                "NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 2, "NodeCapacity": 1},
                "Period": 1,
                "PeriodUnit": "Month",
                "PreOpenAppId": "ca-foot",
                "ProductType": "CloudApp",
                "SessionTimeout": 15,
            }),
        );
        let group = &answer["AppInstanceGroupModel"]["AppInstanceGroupId"];
        group.as_str().unwrap().to_owned()
    }

    fn sessions(&mut self, group: &str) -> Vec<Session> {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let answer = self.call("ListPersistentAppInstances", &ask);
        let text = |model: &Value, name: &str| model[name].as_str().unwrap().to_owned();
        let models = answer["PersistentAppInstanceModels"].as_array().unwrap();
        let session = |model: &Value| Session {
            id: text(model, "AppInstancePersistentId"),
            status: text(model, "AppInstancePersistentStatus"),
            instance_status: text(model, "AppInstanceStatus"),
        };
        models.iter().map(session).collect()
    }

    /// Waits until every session of the group is as wanted.
    fn wait_for(&mut self, group: &str, wanted: impl Fn(&Session) -> bool) -> Vec<Session> {
        let mut last = Vec::new();
        wait_until("the sessions are as wanted", || {
            last = self.sessions(group);
            last.iter().all(&wanted)
        });
        last
    }

    /// Calls an operation, and gives its answer once it is a success.
    fn call(&mut self, action: &str, ask: &Value) -> Value {
        self.calls += 1;
        let params: Vec<(String, String)> = ask
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), text)
            })
            .collect();
        let form: Vec<(&str, &str)> = params
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        #[expect(
            clippy::disallowed_methods,
            reason = "a client signs with the time of its machine"
        )]
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let call = Call {
            method: "POST",
            host: &self.address,
            action,
            version: "2021-09-01",
            query: &[],
            form: &form,
            access_key_id: self.key["AccessKeyId"].as_str().unwrap(),
            secret: self.key["AccessKeySecret"].as_str().unwrap(),
            security_token: None,
            date: &greenroom_rpc::date::format(i64::try_from(now.as_millis()).unwrap()),
            nonce: &format!("{}-{}", now.as_nanos(), self.calls),
        };
        let signed = sign_v3(&call, Algorithm::Sha256);
        let mut head = format!("{} /?{} HTTP/1.1\r\n", signed.method, signed.query);
        for (name, value) in &signed.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!(
            "content-length: {}\r\nconnection: close\r\n\r\n",
            signed.body.len()
        );
        let mut link = TcpStream::connect(&self.address).unwrap();
        link.set_read_timeout(Some(LIMIT)).unwrap();
        link.write_all(head.as_bytes()).unwrap();
        link.write_all(&signed.body).unwrap();
        let mut answer = String::new();
        link.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{action}: {answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Kills the server and every process of its group.
    fn kill(mut self) {
        let group = i32::try_from(self.child.id()).unwrap();
        let group = rustix::process::Pid::from_raw(group).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the server to end, which it does.
    fn end(mut self) {
        let server = i32::try_from(self.child.id()).unwrap();
        let server = rustix::process::Pid::from_raw(server).unwrap();
        rustix::process::kill_process(server, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends what a failed test leaves behind: holders outlive everything else.
struct Sweep(PathBuf);

impl Drop for Sweep {
    fn drop(&mut self) {
        for run in std::fs::read_dir(self.0.join("run"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let note = std::fs::read_to_string(run.path().join("holder.pid")).unwrap_or_default();
            if let Some(pid) = note.split(' ').next().and_then(|pid| pid.parse().ok()) {
                kill(pid);
            }
        }
    }
}

fn kill(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // Gone already is as good.
    let _ = rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL);
}

fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The first process of that name below `pid`.
fn descendant(pid: u32, name: &str) -> Option<u32> {
    // By thread: each knows only the children it made itself.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let children: String = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .collect();
    let mut children = children
        .split_whitespace()
        .filter_map(|pid| pid.parse::<u32>().ok());
    children.find_map(|child| {
        let comm = std::fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        if comm.trim() == name {
            Some(child)
        } else {
            descendant(child, name)
        }
    })
}

/// Every process that has this text among its arguments.
fn processes_with(argument: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|part| part == argument.as_bytes())
    })
    .collect()
}

/// Says so when it is not so.
fn can_run_sessions() -> bool {
    let missing = ["bwrap", "foot"]
        .into_iter()
        .find(|program| !on_path(program));
    if let Some(program) = missing {
        eprintln!("SKIPPED: {program} is not installed");
    }
    missing.is_none()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < limit, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
