//! A holder in a folder of its own, and the three peers it has: server, gateway and streamer.
// Each test file uses a part of it; and outside of a test a failure is a failed test as well.
#![allow(dead_code, clippy::unwrap_used)]

pub mod attempts;
pub mod machine;
pub mod picture;
pub mod selection;
pub mod stage;
pub mod wayland;
pub mod window;
pub mod x;

use greenroom_session_api::control::{AppReport, Launch, Report, Show, Stop};
use greenroom_session_api::files::File;
use greenroom_session_api::questions::{Ask, ListWindows, Window, answer::Said, ask::Question};
use greenroom_session_api::spec::{App, HOLDER_SOCKET, Limits, Network};
use greenroom_session_api::{
    FrameBuffer, Hello, Message, PROTOCOL, Role, Spec, control, encode, input, viewer,
};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Nothing here takes this long on a machine that works.
pub const LIMIT: Duration = Duration::from_secs(30);
pub const KEY: [u8; 32] = [7; 32];

/// Says loudly that a test could not run; a missing program is not a passed test.
pub fn skipped(missing: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(missing).is_file());
    if !found {
        let all = std::env::var_os("TESTS_ALL_INSTALLED").is_some();
        assert!(!all, "{missing} is not installed");
        eprintln!("SKIPPED: {missing} is not installed");
    }
    !found
}

/// Waits for something to become true.
pub fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub struct Session {
    pub folder: tempfile::TempDir,
    pub spec: Spec,
    pub process: Child,
}

pub fn app(id: &str, argv: &[&str]) -> App {
    App {
        app_id: id.to_owned(),
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
        env: Vec::new(),
    }
}

/// An app that is a shell script.
pub fn script(id: &str, text: &str) -> App {
    app(id, &["sh", "-c", text])
}

/// An app that does nothing for as long as the session runs.
pub fn idle(id: &str) -> App {
    app(id, &["sleep", "100000"])
}

/// As root the apps get a user of their own, as the server does it; else they share ours.
pub fn user() -> Option<u32> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let root = rustix::process::geteuid().is_root();
    root.then(|| 40_000 + std::process::id() % 5_000 * 4 + NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Session {
    pub fn start(apps: Vec<App>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(folder.path(), apps);
        Self::start_with(folder, spec)
    }

    pub fn start_with(folder: tempfile::TempDir, spec: Spec) -> Self {
        let holder = Command::new(env!("CARGO_BIN_EXE_greenroom-session"));
        Self::start_by(holder, folder, spec)
    }

    /// As somebody who is not root, which takes root to try: with programs that somebody else may start.
    pub fn start_as(user: u32, folder: tempfile::TempDir, mut spec: Spec) -> Self {
        (spec.uid, spec.gid) = (None, None);
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        let copy = |path: &Path| {
            let copy = programs.join(path.file_name().unwrap());
            std::fs::copy(path, &copy).unwrap();
            copy
        };
        spec.init = copy(&spec.init);
        spec.stream = copy(&spec.stream);
        spec.x11 = spec.x11.map(|program| copy(&program));
        let holder = copy(Path::new(env!("CARGO_BIN_EXE_greenroom-session")));
        let mut holder = Command::new(holder);
        std::os::unix::process::CommandExt::gid(&mut holder, user);
        std::os::unix::process::CommandExt::uid(&mut holder, user);
        give(folder.path(), user);
        Self::start_by(holder, folder, spec)
    }

    /// By a command that `--spec FILE` is added to.
    pub fn start_by(mut holder: Command, folder: tempfile::TempDir, spec: Spec) -> Self {
        let path = folder.path().join("spec.json");
        std::fs::create_dir_all(&spec.session_dir).unwrap();
        std::fs::write(&path, spec.to_json().unwrap()).unwrap();
        // Whoever starts a holder may have left a descriptor open.
        let left = std::fs::File::open("/dev/null").unwrap();
        rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).unwrap();
        let whose = std::fs::metadata(folder.path()).unwrap().uid();
        for path in [&path, &spec.session_dir, &spec.session_dir.join("home")] {
            if path.exists() {
                give(path, whose);
            }
        }
        holder.arg("--spec").arg(path).stdin(Stdio::null());
        // A copy that was just written may be open in what another test is starting at this moment.
        let process = until("the holder's program", || match holder.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            started => Some(started.unwrap()),
        });
        Self {
            folder,
            spec,
            process,
        }
    }

    pub fn home(&self) -> PathBuf {
        self.spec.session_dir.join("home")
    }

    pub fn connect(&self, key: [u8; 32], role: Role) -> UnixStream {
        let socket = self.spec.run_dir.join(HOLDER_SOCKET);
        let mut stream = until("the holder's socket", || UnixStream::connect(&socket).ok());
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let hello = Hello {
            protocol: PROTOCOL,
            key: key.to_vec(),
            role: role as i32,
        };
        stream.write_all(&encode(&hello)).unwrap();
        stream
    }

    pub fn control(&self) -> Control {
        Control(Peer::new(self.connect(KEY, Role::Control)))
    }

    pub fn viewer(&self) -> Viewer {
        Viewer {
            peer: Peer::new(self.connect(KEY, Role::Viewer)),
            stream: 77,
            seq: 0,
        }
    }

    /// How the holder ended.
    pub fn wait(&mut self) -> ExitStatus {
        until("the end of the holder", || self.process.try_wait().unwrap())
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(pid(self.process.id()), signal).unwrap();
    }

    /// The processes of this name among those that descend from the holder.
    pub fn processes(&self, name: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let mut next = vec![self.process.id()];
        while let Some(pid) = next.pop() {
            let read = |path: &str| {
                std::fs::read_to_string(format!("/proc/{pid}/{path}")).unwrap_or_default()
            };
            if read("comm").trim_end() == name {
                found.push(pid);
            }
            let children = read(&format!("task/{pid}/children"));
            next.extend(
                children
                    .split_ascii_whitespace()
                    .map(|pid| pid.parse::<u32>().unwrap()),
            );
        }
        found
    }

    /// Every process that descends from the holder, or did and was left to process 1, by the sockets'
    /// folder, which is in the arguments of bubblewrap, and by the apps' user.
    pub fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let path = entry.path();
            let Ok(arguments) = std::fs::read_to_string(path.join("cmdline")) else {
                continue;
            };
            let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
            let uid = self.spec.uid.map(|uid| format!("\nUid:\t{uid}\t"));
            let ours = arguments.contains(self.spec.run_dir.to_str().unwrap())
                || uid.is_some_and(|uid| status.contains(&uid));
            if ours && !arguments.is_empty() {
                traces.push(format!(
                    "{} {}",
                    path.display(),
                    arguments.replace('\0', " ")
                ));
            }
        }
        traces
    }
}

/// Makes a file or folder somebody's; root alone gives anything away.
pub fn give(path: &Path, user: u32) {
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The sandbox goes with the holder.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn pid(number: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(number.try_into().unwrap()).unwrap()
}

pub fn spec(folder: &Path, apps: Vec<App>) -> Spec {
    let user = user();
    Spec {
        persistent_id: "p-test".into(),
        session_dir: folder.join("session"),
        run_dir: folder.join("run"),
        key_hex: "07".repeat(32),
        uid: user,
        gid: user,
        width: 1280,
        height: 800,
        scale_120: 120,
        apps,
        init: env!("CARGO_BIN_EXE_greenroom-init").into(),
        stream: example("lend_frames"),
        x11: Some(env!("CARGO_BIN_EXE_greenroom-x11").into()),
        locale: "C.UTF-8".into(),
        timezone: "Asia/Shanghai".into(),
        network: Network::None,
        limits: Limits::default(),
        files: Vec::new(),
        image: None,
    }
}

/// Examples are built with the tests, beside them.
pub fn example(name: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.is_file(),
        "one test file was run alone: build the examples first"
    );
    path
}

pub struct Peer {
    stream: UnixStream,
    inbox: FrameBuffer,
}

impl Peer {
    pub fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self {
            stream,
            inbox: FrameBuffer::new(1 << 20),
        }
    }

    pub fn send(&mut self, message: &impl Message) {
        self.stream.write_all(&encode(message)).unwrap();
    }

    /// The next message; `None` when the other side has closed.
    pub fn next<M: Message + Default>(&mut self) -> Option<M> {
        loop {
            if let Some(message) = self.inbox.take().unwrap() {
                return Some(message);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.inbox.push(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                // A machine that was asleep interrupts what waits with a limit.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("no message within the limit: {error}"),
            }
        }
    }
}

/// The server's link.
pub struct Control(Peer);

impl Control {
    pub fn launch(&mut self, app: &App) {
        let launch = Launch {
            app_id: app.app_id.clone(),
            argv: app.argv.clone(),
            env: app.env.clone(),
        };
        self.order(control::to_holder::Order::Launch(launch));
    }

    pub fn stop(&mut self, grace_ms: u32) {
        self.order(control::to_holder::Order::Stop(Stop { grace_ms }));
    }

    pub fn show(&mut self, files: Vec<File>) {
        self.order(control::to_holder::Order::Show(Show { files }));
    }

    fn order(&mut self, order: control::to_holder::Order) {
        self.0.send(&control::ToHolder { order: Some(order) });
    }

    /// Every window that there is.
    pub fn windows(&mut self) -> Vec<Window> {
        match self.ask(Some(Question::ListWindows(ListWindows {}))) {
            Said::Windows(told) => told.windows,
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and reads until the answer comes.
    pub fn ask(&mut self, question: Option<Question>) -> Said {
        let number = 7;
        self.order(control::to_holder::Order::Ask(Ask { number, question }));
        loop {
            match self.news().expect("the holder answers") {
                control::from_holder::News::Answer(answer) => {
                    assert_eq!(answer.number, number);
                    return answer.said.expect("an answer this test knows");
                }
                control::from_holder::News::Report(_) | control::from_holder::News::Welcome(_) => {}
            }
        }
    }

    /// The next news; `None` when the holder has gone.
    pub fn news(&mut self) -> Option<control::from_holder::News> {
        loop {
            if let Some(news) = self.0.next::<control::FromHolder>()?.news {
                return Some(news);
            }
        }
    }

    /// Reads reports until one is as wanted.
    pub fn report(&mut self, what: &str, wanted: impl Fn(&Report) -> bool) -> Report {
        let began = Instant::now();
        while let Some(news) = self.news() {
            match news {
                control::from_holder::News::Report(report) if wanted(&report) => return report,
                other => assert!(
                    began.elapsed() < LIMIT,
                    "timed out waiting for {what}; last was {other:?}"
                ),
            }
        }
        panic!("the holder went before {what}");
    }

    /// The report in which one app is as wanted.
    pub fn app(&mut self, id: &str, what: &str, wanted: impl Fn(&AppReport) -> bool) -> AppReport {
        let find = |report: &Report| {
            report
                .apps
                .iter()
                .find(|app| app.app_id == id && wanted(app))
                .cloned()
        };
        let report = self.report(&format!("{id}: {what}"), |report| find(report).is_some());
        find(&report).unwrap()
    }

    pub fn drawn(&mut self, id: &str) -> AppReport {
        let app = self.app(id, "drawn or ended", |app| app.drawn || app.ended);
        assert!(app.drawn, "{app:?}");
        app
    }
}

/// A gateway's link.
pub struct Viewer {
    peer: Peer,
    pub stream: u64,
    pub seq: u64,
}

impl Viewer {
    pub fn news(&mut self) -> Option<viewer::from_holder::News> {
        loop {
            if let Some(news) = self.peer.next::<viewer::FromHolder>()?.news {
                return Some(news);
            }
        }
    }

    pub fn order(&mut self, order: viewer::to_holder::Order) {
        self.peer.send(&viewer::ToHolder { order: Some(order) });
    }

    /// Sends events under the next numbers and waits until they were had.
    pub fn input(&mut self, kinds: Vec<input::event::Kind>) {
        let first = self.seq + 1;
        self.seq += kinds.len() as u64;
        self.input_at(first, kinds);
        let seq = self.seq;
        assert_eq!(self.ack(), seq);
    }

    /// Sends events under numbers of one's choice.
    pub fn input_at(&mut self, first: u64, kinds: Vec<input::event::Kind>) {
        let events = kinds.into_iter().zip(first..);
        let events = events.map(|(kind, seq)| input::Event {
            seq,
            at_ms: 0.0,
            kind: Some(kind),
        });
        let input = input::Input {
            stream: self.stream,
            events: events.collect(),
        };
        self.order(viewer::to_holder::Order::Input(input));
    }

    pub fn want(&mut self, want: viewer::Want) {
        self.order(viewer::to_holder::Order::Want(want));
    }

    /// Reads news until one is as wanted.
    pub fn hear<T>(&mut self, wanted: impl Fn(viewer::from_holder::News) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let news = self.news().expect("the holder is there");
            if let Some(found) = wanted(news) {
                return found;
            }
            assert!(began.elapsed() < LIMIT, "no news as wanted");
        }
    }

    pub fn text_field(&mut self, wanted: impl Fn(&viewer::TextField) -> bool) -> viewer::TextField {
        self.hear(|news| match news {
            viewer::from_holder::News::TextField(field) => Some(field).filter(&wanted),
            _ => None,
        })
    }

    pub fn cursor_image(
        &mut self,
        wanted: impl Fn(&viewer::CursorImage) -> bool,
    ) -> viewer::CursorImage {
        self.hear(|news| match news {
            viewer::from_holder::News::CursorImage(image) => Some(image).filter(&wanted),
            _ => None,
        })
    }

    pub fn ack(&mut self) -> u64 {
        loop {
            match self.news().expect("the holder is there") {
                viewer::from_holder::News::InputAck(ack) if ack.stream == self.stream => {
                    return ack.seq;
                }
                _ => {}
            }
        }
    }

    /// Types a text of US letters, digits and what the table below knows.
    pub fn type_text(&mut self, text: &str) {
        for typed in text.chars() {
            self.input(keys(typed));
        }
    }

    pub fn resize(&mut self, width: u32, height: u32, scale_120: u32) {
        self.order(viewer::to_holder::Order::Resize(viewer::Resize {
            width,
            height,
            scale_120,
        }));
    }

    pub fn open_stream(&mut self) -> String {
        self.order(viewer::to_holder::Order::OpenStream(viewer::OpenStream {}));
        loop {
            let news = self.news().expect("a streamer");
            if let viewer::from_holder::News::StreamAt(at) = news {
                return at.socket;
            }
        }
    }
}

pub fn key(code: &str, key: &str, down: bool) -> input::event::Kind {
    input::event::Kind::Key(input::Key {
        code: code.into(),
        key: key.into(),
        location: 0,
        modifiers: 0,
        down,
    })
}

/// A click of the main button there.
pub fn click(x: f64, y: f64) -> Vec<input::event::Kind> {
    let button = |down| input::event::Kind::Button(input::Button { button: 0, down });
    let motion = input::event::Kind::Motion(input::Motion { x, y });
    vec![motion, button(true), button(false)]
}

/// Waits until a file of the home says this and nothing else.
pub fn until_written(session: &Session, name: &str, text: &str) {
    let path = session.home().join(name);
    until(&format!("{name} to be written"), || {
        std::fs::read_to_string(&path)
            .ok()
            .filter(|written| written == text)
    });
}

/// Runs a shell script in a session; answers what it wrote.
pub fn told_by(session: &Session, id: &str, text: &str) -> String {
    let script = script(
        id,
        &format!("{{ {text}\n}} > ~/{id} 2>&1; touch ~/{id}.done"),
    );
    session.control().launch(&script);
    until(id, || {
        session
            .home()
            .join(format!("{id}.done"))
            .exists()
            .then_some(())
    });
    std::fs::read_to_string(session.home().join(id)).unwrap()
}

/// The key presses a US keyboard makes for a character.
pub fn keys(typed: char) -> Vec<input::event::Kind> {
    let (code, shifted) = match typed {
        'a'..='z' => (format!("Key{}", typed.to_ascii_uppercase()), false),
        'A'..='Z' => (format!("Key{typed}"), true),
        '0'..='9' => (format!("Digit{typed}"), false),
        ' ' => ("Space".into(), false),
        '\n' => ("Enter".into(), false),
        '/' => ("Slash".into(), false),
        '-' => ("Minus".into(), false),
        '.' => ("Period".into(), false),
        ';' => ("Semicolon".into(), false),
        '>' => ("Period".into(), true),
        '~' => ("Backquote".into(), true),
        '$' => ("Digit4".into(), true),
        // On this layout no key types it.
        other => (
            "IntlBackslash".into(),
            !other.is_ascii() && other.is_uppercase(),
        ),
    };
    let name = if typed == '\n' {
        "Enter".to_owned()
    } else {
        typed.to_string()
    };
    let mut kinds = vec![key(&code, &name, true), key(&code, &name, false)];
    if shifted {
        kinds.insert(0, key("ShiftLeft", "Shift", true));
        kinds.push(key("ShiftLeft", "Shift", false));
    }
    kinds
}
