//! Real servers, real holders and real apps, looked at from outside: the API over HTTP, and the processes of
//! this machine.

#![allow(
    dead_code,
    reason = "each test program takes what it needs of it, and none takes all"
)]

pub mod processes;

use greenroom_rpc::sign::{Algorithm, Call, sign_v3};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Generous: a loaded machine takes seconds for what takes 100 ms.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The versions of the products.
pub const APPSTREAM: &str = "2021-09-01";
pub const RAM: &str = "2015-05-01";
pub const GREENROOM: &str = "2026-12-01";

/// So that a test may ask as often as it likes.
pub const UNTHROTTLED: [(&str, &str); 2] = [
    ("GREENROOM_THROTTLING_ACCOUNT_PER_SECOND", "0"),
    ("GREENROOM_THROTTLING_OPERATION_PER_SECOND", "0"),
];

/// A session as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub status: String,
    pub instance_status: String,
}

/// A server that runs, ended with the value.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub address: String,
    /// The root account's access key.
    pub key: Value,
    calls: AtomicU32,
}

/// `greenroom` with nothing of this process's own settings.
pub fn greenroom() -> Command {
    greenroom_at(Path::new(env!("CARGO_BIN_EXE_greenroom")))
}

fn greenroom_at(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREENROOM_") {
            command.env_remove(name);
        }
    }
    command
}

/// What `greenroom doctor` says of a server with this data folder and this configuration.
pub fn doctor(data: &Path, config: &Path) -> String {
    let mut command = greenroom();
    command.args(["doctor", "--data-dir"]).arg(data);
    let said = command.arg("--config").arg(config).output().unwrap();
    String::from_utf8([said.stdout, said.stderr].concat()).unwrap()
}

/// What `greenroom audit` says of the server of a data folder, and whether it succeeds.
pub fn audit(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = greenroom();
    command.arg("audit").args(arguments);
    let said = command.arg("--data-dir").arg(data).output().unwrap();
    let text = [said.stdout, said.stderr].concat();
    (said.status.success(), String::from_utf8(text).unwrap())
}

impl Server {
    /// A server on `data`, with its database there.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// A server on `data` with these variables.
    pub fn start_with(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = greenroom();
        command.args(["serve", "--data-dir"]).arg(data);
        command.envs(settings.iter().copied());
        Self::run(command, data)
    }

    /// A server that a user who is not root runs below `folder`, with programs that they may start; for root to call.
    pub fn start_as(user: u32, folder: &Path, settings: &[(&str, &str)]) -> Self {
        let (programs, data) = (folder.join("programs"), folder.join("data"));
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder, open).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_greenroom")).parent().unwrap();
        if !programs.exists() {
            std::fs::create_dir_all(&programs).unwrap();
            for name in [
                "greenroom",
                "greenroom-session",
                "greenroom-init",
                "greenroom-x11",
                "greenroom-stream",
            ] {
                std::fs::copy(built.join(name), programs.join(name)).unwrap();
            }
            std::fs::create_dir(&data).unwrap();
            std::os::unix::fs::chown(&data, Some(user), Some(user)).unwrap();
        }
        let mut command = greenroom_at(&programs.join("greenroom"));
        command.args(["serve", "--data-dir"]).arg(&data);
        command.envs(settings.iter().copied());
        command.uid(user).gid(user).current_dir("/");
        Self::run(command, &data)
    }

    /// The server that a command starts; what it logs goes to `data`, where its key is taken from.
    pub fn run(mut command: Command, data: &Path) -> Self {
        std::fs::create_dir_all(data).unwrap();
        let log = data.join("serve.log");
        let errors = File::options().create(true).append(true).open(&log);
        if !command
            .get_envs()
            .any(|(name, _)| name == "GREENROOM_LISTEN")
        {
            command.env("GREENROOM_LISTEN", "127.0.0.1:0");
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(errors.unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let Some(line) = lines.next() else {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("the server must say where it listens; it said:\n{said}");
            };
            if let Some((_, address)) = line.unwrap().split_once("endpoint") {
                break address.trim().trim_start_matches("http://").to_owned();
            }
        };
        // The rest of what it says is read and forgotten, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        // Only the first server of a database is given the key.
        let key = std::fs::read(data.join("root-credentials.json")).unwrap_or_default();
        Self {
            child,
            log,
            address,
            key: serde_json::from_slice(&key).unwrap_or_default(),
            calls: AtomicU32::new(0),
        }
    }

    /// Everything it logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The ticket that such a call of `GetConnectionTicket` comes to once the app has drawn.
    pub fn ticket(&self, ask: &Value) -> String {
        let task = self.call("GetConnectionTicket", ask)["TaskId"].clone();
        let poll = json!({"ProductType": ask["ProductType"], "EndUserId": ask["EndUserId"], "TaskId": task});
        let mut ticket = None;
        wait_until("there is a ticket", || {
            let answer = self.call("GetConnectionTicket", &poll);
            assert_ne!(answer["TaskStatus"], "Failed", "{answer}");
            ticket = answer["Ticket"].as_str().map(str::to_owned);
            ticket.is_some() && answer["TaskStatus"] == "Finished"
        });
        ticket.unwrap()
    }

    /// A group of two sessions with a terminal each.
    pub fn create_group(&self) -> String {
        self.create_group_of(2)
    }

    /// A group of so many sessions with a terminal each.
    pub fn create_group_of(&self, sessions: u32) -> String {
        self.create_group_with(sessions, "ca-foot")
    }

    /// A group of so many sessions with this app each.
    pub fn create_group_with(&self, sessions: u32, app: &str) -> String {
        self.create_group_from("img-this-machine", sessions, app)
    }

    /// A group of so many sessions of an image with this app each.
    pub fn create_group_from(&self, image: &str, sessions: u32, app: &str) -> String {
        let answer = self.call(
            "CreateAppInstanceGroup",
            &json!({
                "AppCenterImageId": image,
                "AuthMode": "Session",
                "BizRegionId": "cn-shanghai",
                "ChargeResourceMode": "Node",
                "ChargeType": "PostPaid",
                "NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": sessions, "NodeCapacity": 1},
                "Period": 1,
                "PeriodUnit": "Month",
                "PreOpenAppId": app,
                "ProductType": "CloudApp",
                "SessionTimeout": 15,
            }),
        );
        let group = &answer["AppInstanceGroupModel"]["AppInstanceGroupId"];
        group.as_str().unwrap().to_owned()
    }

    pub fn sessions(&self, group: &str) -> Vec<Session> {
        self.sessions_of("CloudApp", group)
    }

    /// The sessions of a group that delivers that.
    pub fn sessions_of(&self, product: &str, group: &str) -> Vec<Session> {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": product});
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
    pub fn wait_for(&self, group: &str, wanted: impl Fn(&Session) -> bool) -> Vec<Session> {
        let limit = Instant::now() + LIMIT;
        loop {
            let sessions = self.sessions(group);
            let others: Vec<_> = sessions.iter().filter(|it| !wanted(it)).collect();
            if others.is_empty() {
                return sessions;
            }
            if Instant::now() > limit {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("waited in vain for {others:?}; the server said:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Calls an operation of the main product, and gives its answer once it is a success.
    pub fn call(&self, action: &str, ask: &Value) -> Value {
        let (status, answer) = self.ask(APPSTREAM, action, ask).unwrap();
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// Calls an operation, and gives the status and the answer unless the server is gone before it answers.
    pub fn ask(&self, version: &str, action: &str, ask: &Value) -> io::Result<(u16, Value)> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        #[expect(
            clippy::disallowed_methods,
            reason = "a client signs with the time of its machine"
        )]
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let nonce = format!("{}-{number}", now.as_nanos());
        self.ask_with_nonce(version, action, ask, &nonce)
    }

    /// As [`Server::ask`], with a nonce that may have been used.
    pub fn ask_with_nonce(
        &self,
        version: &str,
        action: &str,
        ask: &Value,
        nonce: &str,
    ) -> io::Result<(u16, Value)> {
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
            version,
            query: &[],
            form: &form,
            access_key_id: self.key["AccessKeyId"].as_str().unwrap(),
            secret: self.key["AccessKeySecret"].as_str().unwrap(),
            security_token: None,
            date: &greenroom_rpc::date::format(i64::try_from(now.as_millis()).unwrap()),
            nonce,
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
        let (status, body) = self.exchange(&[head.as_bytes(), &signed.body].concat())?;
        Ok((status, serde_json::from_str(&body)?))
    }

    /// What a path answers to anybody.
    pub fn get(&self, path: &str) -> io::Result<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        self.exchange(request.as_bytes())
    }

    fn exchange(&self, request: &[u8]) -> io::Result<(u16, String)> {
        let mut link = TcpStream::connect(&self.address)?;
        link.set_read_timeout(Some(LIMIT))?;
        link.write_all(request)?;
        let mut answer = String::new();
        link.read_to_string(&mut answer)?;
        let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut_off)?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Ok((status.ok_or_else(cut_off)?, body.to_owned()))
    }

    /// Kills the server and every process of its group.
    pub fn kill(mut self) {
        self.send_kill();
        self.child.wait().unwrap();
    }

    /// As [`Server::kill`], for who still wants to see what its clients make of it.
    pub fn send_kill(&self) {
        let group = i32::try_from(self.child.id()).unwrap();
        let group = rustix::process::Pid::from_raw(group).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    }

    /// Asks the server to end, which it does.
    pub fn end(mut self) {
        let server = i32::try_from(self.child.id()).unwrap();
        let server = rustix::process::Pid::from_raw(server).unwrap();
        rustix::process::kill_process(server, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    /// Ends it, and lets a test that fails say what the server saw.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("The server said:\n{}", self.logged());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < limit, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
