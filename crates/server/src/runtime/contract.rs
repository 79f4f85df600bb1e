//! One test of what every runtime promises, run over the fake and over this machine.

mod disk;
mod images;

use super::fake::{Fake, Script};
use super::local::disk::Rules;
use super::local::{Local, Settings};
use super::{
    AppSeen, AppState, Changes, Failure, Handle, Observation, Order, Plan, Release, Runtime,
    RuntimeError, Share,
};
use crate::system::KernelEntropy;
use greenroom_model::{AppId, PersistentId};
use greenroom_session_api::files::{FILE_PLACES, File};
use greenroom_session_api::spec::{App, Network};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Generous: a loaded machine takes seconds for what takes 100 ms.
const LIMIT: Duration = Duration::from_secs(30);

/// A runtime under test, and what only its test can do to it.
trait Place {
    type Runtime: Runtime;

    /// The same place as another server finds it: nothing remembered, everything running.
    fn runtime(&self) -> (Arc<Self::Runtime>, Changes);

    /// An app that draws and goes on.
    fn lasting(&self) -> App;

    /// An app that fails before it draws.
    fn failing(&self) -> App;

    /// Ends the holder's process behind the runtime's back.
    fn murder(&self, session: &PersistentId, holder: &Handle);

    /// Has the holder fall silent, or go on.
    fn freeze(&self, session: &PersistentId, holder: &Handle, frozen: bool);

    /// What is in the [`file`] that the session's apps are shown.
    fn shown(&self, session: &PersistentId, holder: &Handle) -> String;

    /// Whether the session's home is there.
    fn has_home(&self, session: &PersistentId) -> bool;
}

async fn contract(place: &impl Place) {
    let session = PersistentId::parse("p-contract").unwrap();
    let (runtime, changes) = place.runtime();
    let plan = Plan {
        persistent_id: session.clone(),
        apps: vec![place.lasting()],
        width: 640,
        height: 480,
        share: Share::SMALL,
        files: vec![file("first")],
        image: None,
    };
    let until = |runtime: Arc<_>, changes: Changes, wanted: fn(&Observation) -> bool| {
        let session = session.clone();
        async move { wait(&*runtime, &changes, &session, wanted).await }
    };

    // Nothing is there, and saying so again and again changes nothing.
    assert_eq!(runtime.adopt().await.unwrap(), []);
    assert_eq!(runtime.observe(&session), Observation::Absent);
    runtime.order(&session, Order::Kill).await.unwrap();
    runtime.release(&session, Release::Slot).await.unwrap();

    // A start ends in a drawn app; a second one changes nothing.
    runtime.start(&plan).await.unwrap();
    let first = until(runtime.clone(), changes.clone(), is_drawn).await;
    runtime.start(&plan).await.unwrap();
    assert_eq!(runtime.observe(&session), first);
    assert!(place.has_home(&session));
    assert_eq!(handle(&first).boot_id, runtime.boot_id());
    assert!(matches!(
        runtime.release(&session, Release::Home).await,
        Err(RuntimeError::StillThere)
    ));

    // An app that fails is told of; the one that runs is not launched twice.
    let (lasting, failing) = (place.lasting(), place.failing());
    runtime
        .order(&session, Order::Launch(lasting))
        .await
        .unwrap();
    runtime
        .order(&session, Order::Launch(failing))
        .await
        .unwrap();
    let two = until(runtime.clone(), changes.clone(), |seen| {
        apps(seen)
            .iter()
            .any(|app| matches!(app.state, AppState::Failed(_)))
    })
    .await;
    assert_eq!(apps(&two).len(), 2);
    assert!(is_drawn(&two), "{two:?}");
    assert_eq!(handle(&two), handle(&first));

    // What its apps are shown is what was said last.
    assert_eq!(place.shown(&session, &handle(&first)), "first");
    let order = Order::Show(vec![file("second")]);
    runtime.order(&session, order).await.unwrap();
    let showing = async {
        while place.shown(&session, &handle(&first)) != "second" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, showing).await.unwrap();

    // The next server finds it as it is, by the same handle, and can end it.
    drop(runtime);
    let (runtime, changes) = place.runtime();
    assert_eq!(
        runtime.adopt().await.unwrap(),
        std::slice::from_ref(&session)
    );
    assert_eq!(runtime.observe(&session), two);
    runtime.start(&plan).await.unwrap();
    assert_eq!(runtime.observe(&session), two);
    runtime
        .order(&session, Order::Stop(Duration::from_secs(5)))
        .await
        .unwrap();
    until(runtime.clone(), changes.clone(), |seen| {
        *seen == Observation::Absent
    })
    .await;
    runtime.release(&session, Release::Slot).await.unwrap();
    assert!(place.has_home(&session));

    // A holder that dies is noticed, as is one that is killed.
    runtime.start(&plan).await.unwrap();
    let again = until(runtime.clone(), changes.clone(), is_drawn).await;
    assert_ne!(handle(&again).pid, handle(&first).pid);
    place.murder(&session, &handle(&again));
    until(runtime.clone(), changes.clone(), |seen| {
        *seen == Observation::Absent
    })
    .await;
    runtime.start(&plan).await.unwrap();
    until(runtime.clone(), changes.clone(), is_drawn).await;
    runtime.order(&session, Order::Kill).await.unwrap();
    until(runtime.clone(), changes.clone(), |seen| {
        *seen == Observation::Absent
    })
    .await;

    // One that falls silent is there and unseen, and is as it was once it speaks again.
    runtime.start(&plan).await.unwrap();
    let last = until(runtime.clone(), changes.clone(), is_drawn).await;
    place.freeze(&session, &handle(&last), true);
    let silent = until(runtime.clone(), changes.clone(), |seen| {
        matches!(seen, Observation::Unseen(_))
    })
    .await;
    assert_eq!(handle(&silent), handle(&last));
    place.freeze(&session, &handle(&last), false);
    assert_eq!(
        until(runtime.clone(), changes.clone(), is_drawn).await,
        last
    );
    runtime.order(&session, Order::Kill).await.unwrap();
    until(runtime.clone(), changes.clone(), |seen| {
        *seen == Observation::Absent
    })
    .await;

    // In the end nothing is left, and clearing up twice is fine.
    runtime.release(&session, Release::Home).await.unwrap();
    runtime.release(&session, Release::Home).await.unwrap();
    assert!(!place.has_home(&session));
    assert_eq!(place.runtime().0.adopt().await.unwrap(), []);
}

async fn wait(
    runtime: &impl Runtime,
    changes: &Changes,
    session: &PersistentId,
    wanted: fn(&Observation) -> bool,
) -> Observation {
    let watching = async {
        loop {
            let seen = runtime.observe(session);
            if wanted(&seen) {
                return seen;
            }
            changes.next().await;
        }
    };
    match tokio::time::timeout(LIMIT, watching).await {
        Ok(seen) => seen,
        Err(_) => panic!("still {:?}", runtime.observe(session)),
    }
}

fn apps(seen: &Observation) -> &[AppSeen] {
    match seen {
        Observation::Present(_, seen) => &seen.apps,
        Observation::Absent | Observation::Unseen(_) => &[],
    }
}

fn is_drawn(seen: &Observation) -> bool {
    apps(seen).iter().any(|app| app.state == AppState::Drawn)
}

fn handle(seen: &Observation) -> Handle {
    match seen {
        Observation::Present(handle, _) | Observation::Unseen(handle) => handle.clone(),
        Observation::Absent => panic!("there is no holder"),
    }
}

fn app(id: &str, argv: &[&str]) -> App {
    App {
        app_id: id.to_owned(),
        argv: argv.iter().map(|&arg| arg.to_owned()).collect(),
        env: Vec::new(),
    }
}

/// A file for the apps of the session.
fn file(contents: &str) -> File {
    File {
        path: format!("{}/test.json", FILE_PLACES[0]),
        contents: contents.to_owned(),
    }
}

struct FakePlace(Arc<Fake>, Changes);

impl Place for FakePlace {
    type Runtime = Fake;

    fn runtime(&self) -> (Arc<Fake>, Changes) {
        (Arc::clone(&self.0), self.1.clone())
    }

    fn lasting(&self) -> App {
        app("ca-lasting", &["lasting"])
    }

    fn failing(&self) -> App {
        app("ca-failing", &["failing"])
    }

    fn murder(&self, session: &PersistentId, _: &Handle) {
        self.0.die(session);
    }

    fn freeze(&self, session: &PersistentId, _: &Handle, frozen: bool) {
        self.0.freeze(session, frozen);
    }

    fn shown(&self, session: &PersistentId, _: &Handle) -> String {
        let files = self.0.files(session);
        files.into_iter().map(|file| file.contents).collect()
    }

    fn has_home(&self, session: &PersistentId) -> bool {
        self.0.has_home(session)
    }
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    let changes = Changes::default();
    let fake = Fake::new(changes.clone());
    fake.script(
        &AppId::parse("ca-failing").unwrap(),
        Script::Fails("it was told to"),
    );
    contract(&FakePlace(Arc::new(fake), changes)).await;
}

/// A session with one app and nothing else that is special.
fn plan(name: &str, app: App) -> Plan {
    Plan {
        persistent_id: PersistentId::parse(name).unwrap(),
        apps: vec![app],
        width: 640,
        height: 480,
        share: Share::SMALL,
        files: Vec::new(),
        image: None,
    }
}

struct ThisMachine {
    data_dir: PathBuf,
    install_dir: PathBuf,
    disk: Rules,
}

impl ThisMachine {
    /// The real holder, from the folder this test was built into; `None`, said loudly, without the programs that
    /// a session needs.
    fn in_folder(data_dir: &Path) -> Option<Self> {
        let own = std::env::current_exe().unwrap();
        let install_dir = own.parent().and_then(Path::parent).unwrap().to_owned();
        let on_path = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        };
        for program in ["bwrap", "foot"] {
            if !on_path(program) {
                eprintln!("SKIPPED: {program} is not installed");
                return None;
            }
        }
        for program in ["greenroom-session", "greenroom-init"] {
            assert!(
                install_dir.join(program).is_file(),
                "build it first: cargo build -p greenroom-session"
            );
        }
        Some(Self {
            install_dir,
            ..Self::without_programs(data_dir)
        })
    }

    /// A place where no session can start.
    fn without_programs(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            install_dir: PathBuf::new(),
            disk: Rules::default(),
        }
    }
}

impl Place for ThisMachine {
    type Runtime = Local;

    fn runtime(&self) -> (Arc<Local>, Changes) {
        let is_root = rustix::process::geteuid().is_root();
        let settings = Settings {
            data_dir: self.data_dir.clone(),
            install_dir: self.install_dir.clone(),
            uids: is_root.then_some(240_000..240_010),
            locale: "C.UTF-8".into(),
            timezone: "UTC".into(),
            network: Network::None,
            boot_id: "boot-1".into(),
            disk: self.disk,
        };
        let changes = Changes::default();
        let local = Local::new(settings, Arc::new(KernelEntropy), changes.clone()).unwrap();
        (Arc::new(local), changes)
    }

    fn lasting(&self) -> App {
        app("ca-lasting", &["foot", "sleep", "1000"])
    }

    fn failing(&self) -> App {
        app("ca-failing", &["false"])
    }

    fn murder(&self, _: &PersistentId, holder: &Handle) {
        signal(holder, Signal::KILL);
    }

    fn freeze(&self, _: &PersistentId, holder: &Handle, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        self::signal(holder, signal);
    }

    /// Seen as its apps do: through the root of the process that is the first inside.
    fn shown(&self, _: &PersistentId, holder: &Handle) -> String {
        let inside = processes_below(holder.pid).into_iter().find_map(|pid| {
            let root = PathBuf::from(format!("/proc/{pid}/root"));
            std::fs::read_to_string(
                root.join(FILE_PLACES[0].trim_start_matches('/'))
                    .join("test.json"),
            )
            .ok()
        });
        inside.unwrap_or_default()
    }

    fn has_home(&self, session: &PersistentId) -> bool {
        self.data_dir
            .join("sessions")
            .join(session.as_str())
            .join("home")
            .is_dir()
    }
}

/// The children of a process, and theirs.
fn processes_below(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    children
        .flat_map(|child| [vec![child], processes_below(child)].concat())
        .collect()
}

fn signal(holder: &Handle, signal: Signal) {
    let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(place) = ThisMachine::in_folder(folder.path()) {
        contract(&place).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_left_of_its_groups_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let Some(place) = ThisMachine::in_folder(folder.path()) else {
        return;
    };
    let (runtime, changes) = place.runtime();
    let Some(trees) = runtime.counted_in() else {
        eprintln!("SKIPPED: this process may not make groups of processes");
        return;
    };
    let (dies, lasts) = (
        plan("p-dies", place.lasting()),
        plan("p-lasts", place.lasting()),
    );
    let mut holders = Vec::new();
    for plan in [&dies, &lasts] {
        runtime.start(plan).await.unwrap();
        let seen = wait(&*runtime, &changes, &plan.persistent_id, is_drawn).await;
        holders.push(handle(&seen));
    }
    drop(runtime);
    place.murder(&dies.persistent_id, &holders[0]);
    let empty = async {
        let procs = |tree: &PathBuf| std::fs::read_to_string(tree.join("p-dies/cgroup.procs"));
        while trees.iter().any(|tree| procs(tree).unwrap() != "") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, empty).await.unwrap();

    let (runtime, changes) = place.runtime();
    let session = lasts.persistent_id;
    assert_eq!(
        runtime.adopt().await.unwrap(),
        std::slice::from_ref(&session)
    );
    for tree in &trees {
        assert!(!tree.join("p-dies").exists(), "{tree:?}");
        assert!(tree.join("p-lasts").exists(), "{tree:?}");
    }
    runtime.order(&session, Order::Kill).await.unwrap();
    wait(&*runtime, &changes, &session, |seen| {
        *seen == Observation::Absent
    })
    .await;
    runtime.release(&session, Release::Home).await.unwrap();
    assert!(trees.iter().all(|tree| !tree.exists()), "{trees:?}");
}

/// What strangers' sessions do to each other where the kernel counts each session's processes: nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_takes_all_it_can_takes_its_own_share_and_its_neighbour_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(place) = ThisMachine::in_folder(folder.path()) else {
        return;
    };
    let (runtime, changes) = place.runtime();
    let Some(trees) = runtime.counted_in() else {
        eprintln!("SKIPPED: this process may not make groups of processes");
        return;
    };
    let plan = |name: &str, app: App| Plan {
        share: Share {
            memory_mib: 96,
            processes: 60,
            ..Share::SMALL
        },
        ..plan(name, app)
    };
    let neighbour = plan("p-neighbour", place.lasting());
    runtime.start(&neighbour).await.unwrap();
    let quiet = wait(&*runtime, &changes, &neighbour.persistent_id, is_drawn).await;

    let shell = |name: &str, text: &str| app(name, &["sh", "-c", text]);
    let greedy = [
        plan("p-memory", app("ca-memory", &["tail", "/dev/zero"])),
        plan(
            "p-files",
            shell(
                "ca-files",
                "cat /dev/zero > /dev/shm/a; exec tail /dev/zero",
            ),
        ),
        plan("p-bomb", shell("ca-bomb", "while :; do sleep 1000 & done")),
    ];
    for plan in &greedy {
        runtime.start(plan).await.unwrap();
    }
    for plan in &greedy[..2] {
        let seen = wait(&*runtime, &changes, &plan.persistent_id, |seen| {
            apps(seen).iter().any(|app| !app.state.lives())
        })
        .await;
        let AppState::Failed(why) = &apps(&seen)[0].state else {
            panic!("{seen:?}")
        };
        assert!(why.contains("memory"), "{why}");
    }
    let bomb = &greedy[2].persistent_id;
    let figures = |session: &PersistentId| {
        let all = runtime.figures();
        all.into_iter().find(|it| it.session == *session).unwrap()
    };
    let full = async {
        // The shell goes when it cannot start another one, and all it started stays.
        while figures(bomb).usage.unwrap().processes < Some(59) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, full).await.unwrap();
    assert!(figures(bomb).usage.unwrap().processes <= Some(60));
    assert!(matches!(runtime.observe(bomb), Observation::Present(..)));

    // The neighbour is what it was, and does what it is told.
    assert_eq!(runtime.observe(&neighbour.persistent_id), quiet);
    let more = Order::Launch(place.failing());
    runtime.order(&neighbour.persistent_id, more).await.unwrap();
    wait(&*runtime, &changes, &neighbour.persistent_id, |seen| {
        apps(seen).iter().any(|app| !app.state.lives())
    })
    .await;
    let of_memory = figures(&greedy[0].persistent_id).tally.failures;
    assert_eq!(of_memory.get(&Failure::Memory), Some(&1));
    let of_neighbour = figures(&neighbour.persistent_id);
    assert_eq!(of_neighbour.tally.starts, 1);
    assert!(of_neighbour.usage.unwrap().memory_bytes > Some(1 << 20));

    assert!(trees.iter().all(|tree| tree.is_dir()), "{trees:?}");
    for plan in greedy.iter().chain([&neighbour]) {
        let session = &plan.persistent_id;
        runtime.order(session, Order::Kill).await.unwrap();
        wait(&*runtime, &changes, session, |seen| {
            *seen == Observation::Absent
        })
        .await;
        runtime.release(session, Release::Home).await.unwrap();
    }
    assert!(trees.iter().all(|tree| !tree.exists()), "{trees:?}");
    assert_eq!(runtime.figures(), []);
}
