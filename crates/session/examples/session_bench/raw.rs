//! The same app without us: a plain process under a headless `weston`.

use super::{Result, SIZE, user};
use rustix::process::{Pid, Signal};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOCKET: &str = "wayland-raw";
const LIMIT: Duration = Duration::from_secs(30);

/// A compositor without a screen, which draws with the processor as ours does.
pub struct Weston {
    process: Child,
    runtime_dir: PathBuf,
}

impl Weston {
    pub fn start(folder: &Path) -> Result<Self> {
        let runtime_dir = own_folder(folder)?;
        let (width, height) = SIZE;
        let mut command = Command::new("weston");
        command
            .args(["--backend=headless-backend.so", "--use-pixman"])
            .args(["--no-config", "--idle-time=0"])
            .args([format!("--width={width}"), format!("--height={height}")])
            .arg(format!("--socket={SOCKET}"))
            .env("XDG_RUNTIME_DIR", &runtime_dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = as_the_apps_user(&mut command)
            .spawn()
            .map_err(|error| format!("weston cannot be started: {error}"))?;
        let mut weston = Self {
            process,
            runtime_dir,
        };
        let (socket, began) = (weston.runtime_dir.join(SOCKET), Instant::now());
        while !socket.exists() {
            if let Some(status) = weston.process.try_wait()? {
                return Err(format!("weston ended with {status}").into());
            }
            if began.elapsed() > LIMIT {
                return Err("weston does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(weston)
    }

    /// From the app's spawn to its first commit of a window with something to show, as its own Wayland library
    /// tells when asked to.
    pub fn first_frame(&self, argv: &[&str], home: &Path) -> Result<Duration> {
        let home = own_folder(home)?;
        let (program, arguments) = argv.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(environment(&home))
            .env("XDG_RUNTIME_DIR", &self.runtime_dir)
            .current_dir(&home)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = as_the_apps_user(&mut command).spawn()?;
        let said = child.stderr.take().ok_or("no standard error")?;
        let frame = wait_for_frame(BufReader::new(said)).map(|()| began.elapsed());
        end(&mut child)?;
        frame
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an app in a session is told as well.
fn environment(home: &Path) -> [(&'static str, &std::ffi::OsStr); 14] {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".as_ref()),
        ("HOME", home.as_os_str()),
        ("USER", "user".as_ref()),
        ("LOGNAME", "user".as_ref()),
        ("SHELL", "/bin/sh".as_ref()),
        ("LANG", "C.UTF-8".as_ref()),
        ("TZ", "Etc/UTC".as_ref()),
        ("WAYLAND_DISPLAY", SOCKET.as_ref()),
        ("WAYLAND_DEBUG", "client".as_ref()),
        ("XDG_SESSION_TYPE", "wayland".as_ref()),
        ("GDK_BACKEND", "wayland".as_ref()),
        ("NO_AT_BRIDGE", "1".as_ref()),
        ("GTK_A11Y", "none".as_ref()),
        ("GSETTINGS_BACKEND", "keyfile".as_ref()),
    ]
}

fn wait_for_frame(said: impl BufRead) -> Result {
    let (mut windows, mut filled) = (HashSet::new(), HashSet::new());
    for line in said.split(b'\n') {
        // Later releases of the library write `#` where earlier ones wrote `@`.
        let line = String::from_utf8_lossy(&line?).replace('#', "@");
        let Some((_, request)) = line.split_once("-> ") else {
            continue;
        };
        if request.contains(".get_xdg_surface(") {
            windows.extend(surface_in(request).map(str::to_owned));
        } else if request.contains(".attach(wl_buffer@") {
            filled.extend(surface_in(request).map(str::to_owned));
        } else if request.contains(".commit()")
            && surface_in(request).is_some_and(|it| windows.contains(it) && filled.contains(it))
        {
            return Ok(());
        }
    }
    Err("the app ended before it drew".into())
}

fn surface_in(request: &str) -> Option<&str> {
    let (_, after) = request.split_once("wl_surface@")?;
    let end = after.find(|c: char| !c.is_ascii_digit());
    Some(&after[..end.unwrap_or(after.len())])
}

/// The app and all it started in its group.
fn end(child: &mut Child) -> Result {
    let group = Pid::from_child(child);
    rustix::process::kill_process_group(group, Signal::KILL)?;
    child.wait()?;
    Ok(())
}

/// A folder of the apps' user.
fn own_folder(path: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    let path = std::path::absolute(path)?;
    if let Some(id) = user() {
        std::os::unix::fs::chown(&path, Some(id), Some(id))?;
    }
    let only_its_owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&path, only_its_owner)?;
    Ok(path)
}

fn as_the_apps_user(command: &mut Command) -> &mut Command {
    match user() {
        Some(id) => command.uid(id).gid(id),
        None => command,
    }
}
