//! `greenroom serve` from outside: its command line, its files, its signals, and HTTP as clients speak it.

use greenroom_rpc::sign::{Algorithm, Call, SignedRequest, sign_v3};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Generous: a loaded machine takes seconds for what takes milliseconds.
const LIMIT: Duration = Duration::from_secs(30);
const KEY_ID: &str = "LTAItest";
const SECRET: &str = "a-secret-nobody-logs";

#[test]
fn a_first_start_keeps_its_credentials_and_answers_signed_calls() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(home.path());
    let file = home.path().join("root-credentials.json");
    let mode = std::fs::metadata(&file)
        .expect("written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
    assert_eq!(
        (&kept["AccessKeyId"], &kept["AccessKeySecret"]),
        (&KEY_ID.into(), &SECRET.into())
    );
    assert_eq!(kept["AccountId"].as_str().map(str::len), Some(16));

    let (status, answer) = server.call("ListRegions", SECRET);
    assert_eq!(
        (status, answer["RegionModels"][0]["regionId"].as_str()),
        (200, Some("cn-shanghai"))
    );
    let (status, answer) = server.call("ListRegions", "another");
    assert_eq!(
        (status, answer["Code"].as_str()),
        (400, Some("SignatureDoesNotMatch"))
    );

    assert_eq!(server.get("/healthz").0, 200);
    server.wait_for("it is ready", || server.get("/readyz").0 == 200);
    let (_, ready) = server.get("/readyz");
    let walls: Vec<&str> = ready
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    assert!(ready.starts_with("ready\n"), "{ready}");
    assert_eq!(
        walls,
        [
            "programs",
            "users",
            "system calls",
            "network",
            "limits",
            "disk",
            "X"
        ]
    );
    assert_eq!(server.get("/nowhere").0, 404);
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("greenroom_api_calls_total{action=\"ListRegions\",code=\"OK\"} 1"),
        "{metrics}"
    );

    let (status, output) = server.end();
    assert!(status.success(), "{status}");
    assert!(output.contains("rpc.action=\"ListRegions\""), "{output}");
    for hidden in [SECRET, KEY_ID] {
        assert!(!output.contains(hidden), "{output}");
    }
}

#[test]
fn bodies_come_whole_in_chunks_or_too_large_and_each_is_answered() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(home.path());
    let request = server.signed("ListImage", SECRET, &[("ImageName", "machine")]);
    let mut chunked = server.head(&request, "transfer-encoding: chunked");
    for part in request.body.chunks(5) {
        chunked.extend(format!("{:x}\r\n", part.len()).into_bytes());
        chunked.extend(part);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let (status, answer) = server.send(&chunked);
    assert_eq!((status, &answer["Success"]), (200, &true.into()));

    let large = [b"Name.1=".as_slice(), &vec![b'a'; 10_000_000]].concat();
    let mut post =
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            .to_vec();
    post.extend(
        format!(
            "connection: close\r\ncontent-length: {}\r\n\r\n",
            large.len()
        )
        .into_bytes(),
    );
    post.extend(large);
    let (status, answer) = server.send(&post);
    assert_eq!(
        (status, answer["Code"].as_str()),
        (400, Some("InvalidParameter"))
    );
    assert!(
        answer["Message"]
            .as_str()
            .is_some_and(|text| text.contains("1048576")),
        "{answer}"
    );
    server.end();
}

#[test]
fn a_call_under_way_is_answered_before_the_server_ends() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(home.path());
    let request = server.signed("ListImage", SECRET, &[("ImageName", "machine")]);
    let mut bytes = server.head(&request, &format!("content-length: {}", request.body.len()));
    bytes.extend(&request.body[..3]);
    let mut connection = TcpStream::connect(&server.address).expect("listening");
    connection.write_all(&bytes).expect("sent");
    server.wait_for("the call", || server.get("/healthz").0 == 200);
    kill_process(server.pid(), Signal::TERM).expect("alive");
    server.wait_for("the listener's end", || {
        TcpStream::connect(&server.address).is_err()
    });
    connection
        .write_all(&request.body[3..])
        .expect("still read");
    let (status, answer) = read_answer(connection);
    assert_eq!((status, &answer["Success"]), (200, &true.into()));
    let (status, _) = server.end();
    assert!(status.success(), "{status}");
}

#[test]
fn one_server_and_one_root_key_for_each_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(home.path());
    let second = refused(serve(home.path(), KEY_ID, SECRET));
    assert!(second.contains("in use by a server"), "{second}");
    let rotation = refused(rotate(home.path()));
    assert!(rotation.contains("in use by a server"), "{rotation}");
    server.end();

    let other = refused(serve(home.path(), KEY_ID, "another-secret"));
    assert!(other.contains("greenroom root rotate-key"), "{other}");
    let half = refused(serve(home.path(), KEY_ID, ""));
    assert!(half.contains("go together"), "{half}");

    let rotated = rotate(home.path()).output().expect("runs");
    assert!(rotated.status.success(), "{rotated:?}");
    assert!(
        text(&rotated).contains("root-credentials.json"),
        "{rotated:?}"
    );
    let kept = std::fs::read(home.path().join("root-credentials.json")).expect("written");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_ne!(kept["AccessKeySecret"], SECRET);
    let old = refused(serve(home.path(), KEY_ID, SECRET));
    assert!(old.contains("greenroom root rotate-key"), "{old}");
}

#[test]
fn mistakes_on_the_command_line_are_named_and_make_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let nowhere = home.path().join("misspelt");
    let rotation = refused(rotate(&nowhere));
    assert!(rotation.contains("no root account yet"), "{rotation}");
    assert!(!nowhere.exists());
    let deep = home.path().join("d".repeat(80));
    let long = refused(serve(&deep, KEY_ID, SECRET));
    assert!(long.contains("60 are the most"), "{long}");
    let mut unknown = greenroom(&["config", "check"]);
    unknown.env("GREENROOM_DATADIR", "x");
    assert!(refused(unknown).contains("did you mean GREENROOM_DATA_DIR?"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let mut busy = serve(home.path(), KEY_ID, SECRET);
    busy.args(["--listen", &address]);
    let busy = refused(busy);
    assert!(
        busy.contains(&format!("cannot listen on {address}")),
        "{busy}"
    );
}

#[test]
fn the_example_is_a_valid_configuration() {
    let home = tempfile::tempdir().expect("a folder");
    let example = greenroom(&["config", "example"]).output().expect("runs");
    let file = home.path().join("greenroom.toml");
    std::fs::write(&file, &example.stdout).expect("written");
    let checked = greenroom(&["config", "check", "--config"])
        .arg(&file)
        .output()
        .expect("runs");
    assert!(checked.status.success(), "{checked:?}");
    assert!(
        text(&checked).contains("listen = \"127.0.0.1:8080\""),
        "{checked:?}"
    );
}

fn greenroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREENROOM_") {
            command.env_remove(name);
        }
    }
    command
}

fn serve(data: &Path, key_id: &str, secret: &str) -> Command {
    let mut command = greenroom(&["serve", "--data-dir"]);
    command
        .arg(data)
        .env("GREENROOM_LISTEN", "127.0.0.1:0")
        .env("GREENROOM_ROOT_ACCESS_KEY_ID", key_id)
        .env("GREENROOM_ROOT_ACCESS_KEY_SECRET", secret);
    command
}

fn rotate(data: &Path) -> Command {
    let mut command = greenroom(&["root", "rotate-key", "--data-dir"]);
    command.arg(data);
    command
}

/// What a command that must fail says on standard error.
fn refused(mut command: Command) -> String {
    let output = command.output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server that runs, ended with the value.
struct Server {
    child: Child,
    address: String,
    output: Option<JoinHandle<String>>,
    calls: AtomicU32,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = serve(data, KEY_ID, SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut errors = child.stderr.take().expect("piped");
        let output = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let endpoint = lines.find_map(|line| {
            let line = line.expect("readable");
            Some(
                line.split_once("endpoint")?
                    .1
                    .trim()
                    .trim_start_matches("http://")
                    .to_owned(),
            )
        });
        // The rest is read and forgotten, so that the server never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: endpoint.expect("it says where it listens"),
            output: Some(output),
            calls: AtomicU32::new(0),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signed(&self, action: &str, secret: &str, form: &[(&str, &str)]) -> SignedRequest {
        let since = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
        let date = greenroom_rpc::date::format(i64::try_from(since.as_millis()).expect("small"));
        let nonce = format!(
            "{}-{}",
            since.as_nanos(),
            self.calls.fetch_add(1, Ordering::Relaxed)
        );
        let call = Call {
            method: "POST",
            host: &self.address,
            action,
            version: "2021-09-01",
            query: &[],
            form,
            access_key_id: KEY_ID,
            secret,
            security_token: None,
            date: &date,
            nonce: &nonce,
        };
        sign_v3(&call, Algorithm::Sha256)
    }

    /// The request's head, with one more header.
    fn head(&self, request: &SignedRequest, more: &str) -> Vec<u8> {
        let mut head = format!(
            "{} /?{} HTTP/1.1\r\nconnection: close\r\n{more}\r\n",
            request.method, request.query
        );
        for (name, value) in &request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }

    fn call(&self, action: &str, secret: &str) -> (u16, Value) {
        let request = self.signed(action, secret, &[]);
        let mut bytes = self.head(&request, "content-length: 0");
        bytes.extend(&request.body);
        self.send(&bytes)
    }

    fn send(&self, bytes: &[u8]) -> (u16, Value) {
        let mut connection = TcpStream::connect(&self.address).expect("listening");
        connection.write_all(bytes).expect("sent");
        read_answer(connection)
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(&self.address).expect("listening");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("sent");
        read_text(connection)
    }

    fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks the server to end, and gives how it did and what it logged.
    fn end(mut self) -> (ExitStatus, String) {
        let _ = kill_process(self.pid(), Signal::TERM);
        let began = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => assert!(began.elapsed() < LIMIT, "the server does not end"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let output = self.output.take().expect("read once").join().expect("read");
        (status, output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_text(mut connection: TcpStream) -> (u16, String) {
    connection.set_read_timeout(Some(LIMIT)).expect("a socket");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

fn read_answer(connection: TcpStream) -> (u16, Value) {
    let (status, body) = read_text(connection);
    (status, serde_json::from_str(&body).expect("JSON"))
}
