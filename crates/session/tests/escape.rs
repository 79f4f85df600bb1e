//! What somebody inside a session tries in order to get out, and that nothing of it works.
//!
//! Every attempt is also made outside of the sandbox, where it must succeed: an attempt that cannot succeed
//! anywhere proves nothing. To add one, add a line to [`attempts`], and a verb to the example `escape` if no verb
//! there does it.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::Spec;
use greenroom_session_api::spec::Network;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as LocalAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering};
use support::attempts::Outside::{ForAnybody, ForNobody, ForRoot, Perhaps};
use support::attempts::{Attempt, equip, nothing_works};
use support::{Session, idle, script, skipped, spec, until, user};

/// What there is to get at outside, as long as it lives.
struct World {
    folder: tempfile::TempDir,
    victim: Child,
    tcp: Vec<TcpListener>,
    _named: UnixListener,
    _service: UnixListener,
    name: String,
    shared_memory: SharedMemory,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["greenroom.db", "secrets.key"] {
            fs::write(folder.path().join(name), "secret").unwrap();
        }
        fs::create_dir(folder.path().join("here")).unwrap();
        // Nobody runs this one.
        fs::copy(
            env!("CARGO_BIN_EXE_greenroom-init"),
            folder.path().join("init"),
        )
        .unwrap();
        let shared_memory = SharedMemory::new();
        let name = format!("greenroom-escape-{}", shared_memory.key);
        let named = LocalAddr::from_abstract_name(&name).unwrap();
        let own = ["127.0.0.1:0".to_owned(), "[::1]:0".to_owned()];
        let own = own.into_iter().chain(address_of_this_machine());
        Self {
            victim: Command::new("sleep")
                .arg0("escape-victim")
                .arg("100000")
                .spawn()
                .unwrap(),
            // A machine may be without IPv6.
            tcp: own.filter_map(|at| TcpListener::bind(at).ok()).collect(),
            _named: UnixListener::bind_addr(&named).unwrap(),
            _service: UnixListener::bind(folder.path().join("service.sock")).unwrap(),
            name,
            shared_memory,
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

/// A System V segment that everybody may read.
struct SharedMemory {
    key: i32,
    id: i32,
}

impl SharedMemory {
    fn new() -> Self {
        // Tests that run at once have each their own.
        static NEXT: AtomicI32 = AtomicI32::new(0);
        let own = i32::try_from(std::process::id()).unwrap() * 16;
        let key = 0x4000_0000 + own + NEXT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the call takes no pointer.
        let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | 0o666) };
        assert_ne!(id, -1, "{}", std::io::Error::last_os_error());
        Self { key, id }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: removing a segment reads nothing through the pointer.
        unsafe { libc::shmctl(self.id, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

fn address_of_this_machine() -> Option<String> {
    // Sends nothing: it only asks which address would be used.
    let asked = UdpSocket::bind("0.0.0.0:0").ok()?;
    asked.connect("192.0.2.77:9").ok()?;
    let address = asked.local_addr().ok()?;
    Some(SocketAddr::new(address.ip(), 0).to_string())
}

/// All there is to try, with `session` the one that tries and `other` its neighbour.
fn attempts(world: &World, session: &Session, other: &Session) -> Vec<Attempt> {
    let mut all = Vec::new();
    let mut add = |what, outside, words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        all.push(Attempt {
            what,
            words,
            outside,
        });
    };
    let path = |path: std::path::PathBuf| path.display().to_string();
    // The same by way of what process 1 has for its root.
    let both = |path: &str| [path.to_owned(), format!("/proc/1/root{path}")];

    let [a, b] = both("/etc/shadow");
    add("read the machine's passwords", ForRoot, &["read", &a, &b]);
    let [a, b] = both(&path(other.home().join("diary")));
    add("read in another home", ForAnybody, &["read", &a, &b]);
    let (a, b) = (world.path("greenroom.db"), world.path("secrets.key"));
    add(
        "read the server's database and its key",
        ForAnybody,
        &["read", &a, &b],
    );
    let [a, b] = both(&path(session.folder.path().join("spec.json")));
    add(
        "read the key to its own holder",
        ForAnybody,
        &["read", &a, &b],
    );
    let a = path(other.folder.path().to_owned());
    add(
        "list another session's folder",
        ForAnybody,
        &["list", &a, "spec.json"],
    );
    for (what, of) in [
        ("connect to its own holder", session),
        ("connect to another holder", other),
    ] {
        let [a, b] = both(&path(of.spec.run_dir.join("holder.sock")));
        add(what, ForAnybody, &["connect-local", &a, &b]);
    }
    let sockets = other.spec.run_dir.join("wayland");
    let display = until("the neighbour's display", || {
        let mut entries = fs::read_dir(&sockets).ok()?.flatten();
        entries.find(|entry| entry.file_name().to_string_lossy().starts_with("wayland-"))
    });
    add(
        "connect to another session's display",
        ForAnybody,
        &["connect-local", &path(display.path())],
    );
    add(
        "connect to a service of the machine",
        ForAnybody,
        &["connect-local", &world.path("service.sock")],
    );
    // Whoever is given the machine's network reaches what is in it.
    let apart = session.spec.network != Network::Host;
    if apart {
        add(
            "connect to a named socket of the machine",
            ForAnybody,
            &["connect-named", &world.name],
        );
    }
    for listener in world.tcp.iter().filter(|_| apart) {
        let address = listener.local_addr().unwrap().to_string();
        add(
            "connect to a port of the machine",
            ForAnybody,
            &["connect", &address],
        );
    }
    add(
        "share memory with the machine",
        ForAnybody,
        &["shared-memory", &world.shared_memory.key.to_string()],
    );

    let victim = world.victim.id().to_string();
    let holder = session.process.id().to_string();
    add("signal a process outside", ForAnybody, &["kill", &victim]);
    add(
        "see a process outside",
        ForAnybody,
        &["find", "escape-victim"],
    );
    add("trace a process outside", ForRoot, &["trace", &victim]);
    add("trace its holder", ForRoot, &["trace", &holder]);
    add("trace its init", ForRoot, &["trace", "{init}"]);
    add("read init's memory", ForRoot, &["memory", "{init}"]);
    add(
        "read init's environment and maps",
        ForAnybody,
        &["read", "/proc/{init}/environ", "/proc/{init}/maps"],
    );
    let a = path(session.spec.init.clone());
    add(
        "overwrite init",
        ForAnybody,
        &["write", "{init's program}", "/proc/{init}/exe", &a],
    );
    add("become root", ForRoot, &["become", "0"]);
    let a = other.spec.uid.unwrap_or(1001).to_string();
    add("become another session's user", ForRoot, &["become", &a]);
    add(
        "become root by a program of root's",
        ForNobody,
        &["raised-by", "/usr/bin/su"],
    );

    add(
        "change the system",
        ForRoot,
        &["write", "/etc/passwd", "/usr/share/common-licenses/GPL-3"],
    );
    let a = path(other.home().join("diary"));
    add(
        "give a file outside a second name",
        ForAnybody,
        &["link", &a, "{home}/link"],
    );
    add(
        "put a link in the place of its home",
        ForAnybody,
        &["replace", "{home}"],
    );
    add("make a device", ForRoot, &["device", "{home}/device"]);
    add(
        "open devices",
        ForRoot,
        &[
            "write",
            "/dev/kmsg",
            "/dev/mem",
            "/dev/net/tun",
            "/dev/kvm",
            "/dev/uinput",
        ],
    );
    add(
        "turn the kernel's switches",
        ForRoot,
        &[
            "write",
            "/proc/sysrq-trigger",
            "/proc/sys/kernel/core_pattern",
            "/proc/kcore",
        ],
    );
    add(
        "turn devices' switches",
        ForRoot,
        &[
            "write",
            "/sys/kernel/mm/ksm/run",
            "/sys/kernel/profiling",
            "/sys/power/state",
        ],
    );
    add(
        "turn the network's switches",
        ForRoot,
        &[
            "write",
            "/proc/sys/net/ipv4/ip_forward",
            "/proc/sys/net/ipv6/conf/all/forwarding",
        ],
    );
    add("administer the network", ForRoot, &["raise", "lo"]);
    add("mount something", ForRoot, &["mount", "{home}/mount"]);
    add("type into a terminal", ForRoot, &["type-into-terminal"]);

    for name in ["mount", "cgroup", "uts", "time"] {
        add(
            "make a namespace that browsers do without",
            ForAnybody,
            &["in-a-namespace", "namespace", name],
        );
    }
    for (what, numbers) in [
        ("make a packet socket", ["17", "3", "0"]),
        ("make a packet socket the old way", ["2", "10", "0"]),
        ("make a raw socket", ["2", "3", "1"]),
        ("make a raw socket for IPv6", ["10", "3", "58"]),
        ("reach the packet filters", ["16", "3", "12"]),
    ] {
        let [a, b, c] = numbers;
        add(what, ForAnybody, &["in-a-namespace", "socket", a, b, c]);
    }
    for (what, family) in [
        ("reach the hypervisor", ["40", "1", "0"]),
        ("reach the kernel's ciphers", ["38", "5", "0"]),
    ] {
        let [a, b, c] = family;
        add(what, ForAnybody, &["socket", a, b, c]);
    }

    for (call, outside) in [
        ("add_key", ForAnybody),
        ("add_key-by-its-second-number", ForAnybody),
        ("bpf", ForRoot),
        ("finit_module", Perhaps),
        ("fsopen", ForRoot),
        ("io_uring_setup", Perhaps),
        ("iopl", Perhaps),
        ("kexec_load", Perhaps),
        ("keyctl", ForAnybody),
        ("modify_ldt", ForAnybody),
        ("open_by_handle_at", ForRoot),
        ("perf_event_open", ForRoot),
        ("reboot", ForRoot),
        ("swapon", ForRoot),
        ("syslog", ForRoot),
        ("userfaultfd", ForRoot),
    ] {
        let known = cfg!(target_arch = "x86_64")
            || !["add_key-by-its-second-number", "iopl", "modify_ldt"].contains(&call);
        if known {
            add("reach a part of the kernel", outside, &["reach", call]);
        }
    }
    add("make a system call of 32 bits", ForAnybody, &["32-bit"]);
    all
}

/// Whatever they have of the network.
fn nothing_gets_out(start: impl Fn(tempfile::TempDir, Spec) -> Session) {
    for network in [Network::None, Network::Internet, Network::Host] {
        let internet = network == Network::Internet;
        if !internet || !(skipped("pasta") || skipped("nft")) {
            nothing_gets_out_with(network, &start);
        }
    }
}

fn nothing_gets_out_with(network: Network, start: impl Fn(tempfile::TempDir, Spec) -> Session) {
    let begin = |secret: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = spec(folder.path(), vec![idle("ca-idle")]);
        spec.network = network;
        let home = spec.session_dir.join("home");
        equip(&home);
        fs::write(home.join("diary"), secret).unwrap();
        start(folder, spec)
    };
    let (session, other, world) = (begin("mine"), begin("theirs"), World::new());
    fs::create_dir(world.folder.path().join("here/mount")).unwrap();
    // Once it answers, everything of it is there.
    for session in [&session, &other] {
        session
            .control()
            .app("ca-idle", "started", |app| app.pid > 0);
    }
    let attempts = attempts(&world, &session, &other);
    let stand_ins = [
        ("{home}", &*world.path("here")),
        ("{init}", &*world.victim.id().to_string()),
        ("{init's program}", &*world.path("init")),
    ];
    nothing_works(&attempts, &session, &stand_ins);
    // The neighbour has noticed nothing.
    other
        .control()
        .launch(&script("ca-asked", "touch ~/answered"));
    until("the neighbour's answer", || {
        other.home().join("answered").exists().then_some(())
    });
}

#[test]
fn nothing_inside_gets_out() {
    if skipped("bwrap") {
        return;
    }
    nothing_gets_out(Session::start_with);
}

#[test]
fn nothing_inside_gets_out_where_the_server_is_not_root() {
    if skipped("bwrap") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: it takes root to become another; the test above has tried the same");
        return;
    }
    // One user for both, as it is there.
    let user = user().unwrap();
    nothing_gets_out(|folder, spec| Session::start_as(user, folder, spec));
}

#[test]
fn chromium_keeps_its_own_sandbox_within() {
    if skipped("bwrap") || skipped("chromium") {
        return;
    }
    if user().is_none() {
        eprintln!(
            "SKIPPED: without a user of its own the browser's processes cannot be told from others"
        );
        return;
    }
    let session = Session::start(vec![support::app(
        "ca-browser",
        &["chromium", "--ozone-platform=wayland", "about:blank"],
    )]);
    let own = |path: &Path| fs::read_link(path.join("ns/user")).ok();
    let machine = own(Path::new("/proc/self"));
    let status = until("a renderer in Chromium's sandbox", || {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        processes.map(|entry| entry.path()).find_map(|path| {
            let line = fs::read_to_string(path.join("cmdline")).ok()?;
            let status = fs::read_to_string(path.join("status")).ok()?;
            let uid = session.spec.uid.map(|uid| format!("\nUid:\t{uid}\t"));
            let ours = uid.is_some_and(|uid| status.contains(&uid));
            // Ours are two; the third is Chromium's, which comes a moment after the process.
            let filtered = status.contains("Seccomp_filters:\t3");
            (ours && line.contains("--type=renderer") && filtered && own(&path) != machine)
                .then_some(status)
        })
    });
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
}
