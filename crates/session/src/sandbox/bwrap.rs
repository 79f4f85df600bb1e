//! Sandboxes by bubblewrap.
//!
//! With a user to become (the server is root), bubblewrap runs as root without a user namespace and init
//! becomes that user before it starts anything: the kernel then sees the apps as that user and no other, and
//! no kernel setting on user namespaces matters. Without one, a user namespace is the only way in.

use super::layers::{Entry, Layers};
use super::limits::confine;
use super::loader::{self, Loader};
use super::network;
use super::{PATH, Plan, Running, Sandbox, SandboxError, Shown, memory_file, seccomp};
use greenroom_session_api::spec::{HOME, Network};
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

const RUNTIME_DIR: &str = "/run/user/session";
const INIT: &str = "/run/greenroom-init";
/// The program that keeps an X server, as the apps see it.
pub const X11: &str = "/run/greenroom-x11";
/// Inside a user namespace the apps have this number, whoever they are outside.
const INSIDE_ID: u32 = 1000;

/// The names that are known without asking; `session` is the sandbox's own.
const HOSTS: &str = "127.0.0.1 localhost session\n::1 localhost session\n";

/// What of `/etc` an app may need and no other session's secret is in.
const ETC: &[&str] = &[
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/chromium.d",
    "/etc/dbus-1",
    "/etc/dconf",
    "/etc/default/locale",
    "/etc/firefox",
    "/etc/firefox-esr",
    "/etc/fonts",
    "/etc/gtk-3.0",
    "/etc/gtk-4.0",
    "/etc/inputrc",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/libreoffice",
    "/etc/mailcap",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/profile",
    "/etc/ssl/certs",
    "/etc/terminfo",
    "/etc/xdg",
];

/// What starts the portal for documents. It needs FUSE, which no session has, so that it could only fail, and the other
/// portals wait for that.
const DOCUMENTS: &str = "/usr/share/dbus-1/services/org.freedesktop.portal.Documents.service";

/// What is known of the network's names.
const NAMES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];
const LOCALTIME: &str = "/etc/localtime";

/// The driver.
#[derive(Debug, Default)]
pub struct Bwrap;

impl Sandbox for Bwrap {
    fn start(&self, plan: &Plan) -> Result<Running, SandboxError> {
        let failed = SandboxError::at;
        let (uid, gid) = plan.user.unwrap_or((INSIDE_ID, INSIDE_ID));
        let passwd = format!(
            "user:x:{uid}:{gid}:user:{HOME}:{}\n",
            shell(plan.layers.as_ref())
        );
        let mut own = vec![
            ("/etc/passwd", passwd.into_bytes()),
            ("/etc/group", format!("user:x:{gid}:\n").into_bytes()),
            ("/etc/machine-id", format!("{}\n", plan.machine_id).into()),
        ];
        let filters = seccomp::files()?;
        let network = match plan.network {
            Network::Internet => Some(network::Network::open(plan.user)?),
            Network::None | Network::Host => None,
        };
        if plan.network != Network::Host {
            let resolv_conf = network.as_ref().map_or("", |network| &network.resolv_conf);
            let [resolver, hosts] = NAMES;
            own.extend([(resolver, resolv_conf.into()), (hosts, HOSTS.into())]);
        }
        let (ours, inits) = UnixStream::pair().map_err(failed("make the link to init"))?;

        let mut command = Command::new("bwrap");
        let mut passed = Vec::new();
        if let Some(layers) = &plan.layers {
            let files = image_files(plan.network, &own);
            layers.prepare(&files, &[(&zone(plan), LOCALTIME)])?;
        }
        command.args(walls(plan)?);
        if plan.layers.is_none() {
            // Nothing can be put where the machine has nothing.
            if Path::new(DOCUMENTS).is_file() {
                own.push((DOCUMENTS, Vec::new()));
            }
            for (path, bytes) in &own {
                let file = memory_file(path, bytes)?;
                pass_on(&file).map_err(failed("pass a file into the sandbox"))?;
                // Readable by the apps' user, who does not own it when the server is root.
                command.args(["--perms", "0444"]);
                command.args(["--ro-bind-data", &file.as_raw_fd().to_string(), path]);
                passed.push(file);
            }
        }
        for filter in &filters {
            pass_on(filter).map_err(failed("pass a file into the sandbox"))?;
            command.args(["--add-seccomp-fd", &filter.as_raw_fd().to_string()]);
        }
        // In a user namespace the apps would own what all these mounts stand on.
        command.args(["--remount-ro", "/"]);
        command.arg("--");
        let loader = plan.layers.as_ref().and_then(Layers::loader);
        command.args(loader.into_iter().flat_map(Loader::words));
        command.arg(INIT);
        if let Some((uid, gid)) = plan.user {
            command.args([uid.to_string(), gid.to_string()]);
        }
        confine(&mut command, &plan.limits)?;
        if let Some(network) = &network {
            network.namespaces.hold(&mut command);
        }
        if let Some(layers) = &plan.layers {
            layers.mount(&mut command, plan.user)?;
        }
        let process = command
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(OwnedFd::from(inits))
            // Bubblewrap and init say nothing but errors, and those belong in the holder's log.
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed(match plan.layers {
                Some(_) => "mount the layers of the image, or start bwrap over them",
                None => "start bwrap",
            }))?;
        Ok(Running {
            link: ours,
            process: Some(process),
            uplink: network.map(|network| network.uplink),
        })
    }

    fn home(&self) -> &str {
        HOME
    }

    fn runtime_dir(&self) -> &str {
        RUNTIME_DIR
    }
}

/// The user's shell, as on this machine or in the image.
pub fn shell(image: Option<&Layers>) -> &'static str {
    let has = |path: &&str| match image {
        Some(layers) => layers.has(path),
        None => Path::new(path).exists(),
    };
    let bash = ["/bin/bash", "/usr/bin/bash"].into_iter().find(has);
    bash.unwrap_or("/bin/sh")
}

/// Lets a descriptor through to the next process that is started; the caller drops it afterwards.
fn pass_on(file: &File) -> std::io::Result<()> {
    Ok(rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())?)
}

fn walls(plan: &Plan) -> Result<Vec<OsString>, SandboxError> {
    let mut walls = Walls(Vec::new());
    // Init is process 1, so that its end is the end of all. `--die-with-parent` covers bubblewrap's own
    // process; the apps' end when the holder dies comes from init's link, which survives a change of user.
    walls.add([
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]);
    walls.add([
        "--as-pid-1",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "session",
        "--clearenv",
    ]);
    if plan.network == Network::None {
        walls.add(["--unshare-net"]);
    }
    match plan.user {
        // What init needs to become the user and to give up the rest.
        Some(_) => walls.add([
            "--cap-drop",
            "ALL",
            "--cap-add",
            "CAP_SETUID",
            "--cap-add",
            "CAP_SETGID",
            "--cap-add",
            "CAP_SETPCAP",
        ]),
        None => {
            let id = INSIDE_ID.to_string();
            walls.add(["--unshare-user", "--uid", &id, "--gid", &id]);
        }
    }
    // Made here because bubblewrap makes the parents of a private folder as private, and root's.
    for path in ["/home", "/run", "/run/user"] {
        walls.add(["--perms", "0755", "--dir", path]);
    }
    match &plan.layers {
        None => walls.machine(plan),
        Some(layers) => walls.image(layers)?,
    }
    walls.add(["--proc", "/proc", "--dev", "/dev"]);
    // World-writable, as they are everywhere: their owner is root where the apps are not.
    let in_layer = plan.layers.is_some();
    let scratch = ["/dev/shm", "/tmp", "/var/tmp"];
    for path in scratch
        .iter()
        .filter(|path| !in_layer || **path != "/var/tmp")
    {
        if let Some(bytes) = plan.limits.scratch_bytes {
            walls.add(["--size", &bytes.to_string()]);
        }
        walls.add(["--perms", "1777", "--tmpfs", path]);
    }
    walls.bind("--bind", &plan.home, HOME);
    walls.bind("--bind", &plan.runtime_dir, RUNTIME_DIR);
    walls.bind("--ro-bind", &plan.init, INIT);
    if let Some(x11) = &plan.x11 {
        walls.bind("--ro-bind", x11, X11);
    }
    Ok(walls.0)
}

/// Where the apps' time zone is described.
fn zone(plan: &Plan) -> String {
    format!("/usr/share/zoneinfo/{}", plan.timezone)
}

/// The files an image gets from our hand: the sandbox's own, and where the network's names are known.
fn image_files(network: Network, own: &[(&'static str, Vec<u8>)]) -> Vec<(&'static str, Vec<u8>)> {
    let mut files = own.to_vec();
    if network == Network::Host {
        // A machine may have neither.
        let names = NAMES
            .into_iter()
            .filter_map(|path| Some((path, std::fs::read(path).ok()?)));
        files.extend(names);
    }
    files
}

struct Walls(Vec<OsString>);

/// Where Chromium's administrator says how it is to be, on this machine and inside.
const CHROMIUM: &str = "/etc/chromium";

impl Walls {
    /// The system is this machine's.
    fn machine(&mut self, plan: &Plan) {
        for path in ["/etc", "/var", "/var/cache"] {
            self.add(["--perms", "0755", "--dir", path]);
        }
        self.bind("--ro-bind", Path::new("/usr"), "/usr");
        for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            match std::fs::read_link(path) {
                Ok(target) => {
                    self.add(["--symlink"]);
                    self.0.extend([target.into_os_string(), path.into()]);
                }
                Err(_) => self.bind("--ro-bind-try", Path::new(path), path),
            }
        }
        for path in ETC {
            self.bind("--ro-bind-try", Path::new(path), path);
        }
        self.chromium(&plan.files);
        self.bind(
            "--ro-bind-try",
            Path::new("/var/cache/fontconfig"),
            "/var/cache/fontconfig",
        );
        if plan.network == Network::Host {
            for path in NAMES {
                self.bind("--ro-bind-try", Path::new(path), path);
            }
        }
        self.add(["--symlink", &zone(plan), LOCALTIME]);
    }

    /// The system is an image's, which the apps may write to as far as it lets them.
    fn image(&mut self, layers: &Layers) -> Result<(), SandboxError> {
        let root = layers.root();
        for (name, entry) in layers.entries()? {
            let inside = Path::new("/").join(&name).into_os_string();
            match entry {
                Entry::Folder => {
                    let from = root.join(&name).into_os_string();
                    self.0.extend(["--bind".into(), from, inside]);
                }
                Entry::Link(target) => {
                    self.0.extend(["--symlink".into(), target.into(), inside]);
                }
            }
        }
        self.add(["--perms", "0755", "--dir", loader::FOLDER]);
        for (file, inside) in layers.loader().into_iter().flat_map(Loader::files) {
            self.bind("--ro-bind", file, &inside);
        }
        Ok(())
    }

    /// Chromium's settings: the machine's, or those of the session without the machine's policies. Its folder
    /// cannot be bound as a whole then, as nothing could be put into it.
    fn chromium(&mut self, files: &[Shown]) {
        let shown = files.iter().find(|shown| shown.place.starts_with(CHROMIUM));
        let Some(Shown { folder, place }) = shown else {
            self.bind("--ro-bind-try", Path::new(CHROMIUM), CHROMIUM);
            return;
        };
        for path in [CHROMIUM, "/etc/chromium/policies"] {
            self.add(["--perms", "0755", "--dir", path]);
        }
        let preferences = "/etc/chromium/master_preferences";
        self.bind("--ro-bind-try", Path::new(preferences), preferences);
        self.bind("--ro-bind", folder, place);
    }

    fn add<const N: usize>(&mut self, arguments: [&str; N]) {
        self.0.extend(arguments.map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &str) {
        self.0
            .extend([how.into(), from.as_os_str().to_owned(), to.into()]);
    }
}
