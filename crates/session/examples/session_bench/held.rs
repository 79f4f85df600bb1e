//! One holder, started as the server starts it and asked what it sees.

use super::{Result, SIZE, user};
use greenroom_session_api::control::{FromHolder, Stop, ToHolder, from_holder::News, to_holder};
use greenroom_session_api::spec::{App, HOLDER_SOCKET, Limits, Network};
use greenroom_session_api::{FrameBuffer, Hello, PROTOCOL, Role, Spec, encode};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// No app takes this long to draw, and no holder to end, on a machine that can be measured.
const LIMIT: Duration = Duration::from_secs(60);

/// Where the programs are.
pub struct Programs {
    session: PathBuf,
    init: PathBuf,
    stream: PathBuf,
    x11: PathBuf,
}

impl Programs {
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        Ok(Self {
            session: folder.join("greenroom-session"),
            init: folder.join("greenroom-init"),
            stream: folder.join("greenroom-stream"),
            x11: folder.join("greenroom-x11"),
        })
    }
}

/// A holder whose app has drawn.
pub struct Held {
    process: Child,
    link: UnixStream,
    /// From the spawn of the holder to its word that the app has drawn.
    pub drawn_after: Duration,
    /// The app's process.
    pub app_pid: u32,
}

impl Held {
    pub fn start(programs: &Programs, folder: &Path, app: App) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let spec = spec(programs, folder, app);
        let spec_file = folder.join("spec.json");
        std::fs::create_dir_all(&spec.session_dir)?;
        std::fs::write(&spec_file, spec.to_json()?)?;
        let log = std::fs::File::create(folder.join("holder.log"))?;
        let began = Instant::now();
        let mut process = Command::new(&programs.session)
            .arg("--spec")
            .arg(&spec_file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()?;
        let link = connect(&mut process, &spec, began)?;
        let mut held = Self {
            process,
            link,
            drawn_after: Duration::ZERO,
            app_pid: 0,
        };
        held.wait_until_drawn()?;
        held.drawn_after = began.elapsed();
        Ok(held)
    }

    pub fn holder(&self) -> u32 {
        self.process.id()
    }

    fn wait_until_drawn(&mut self) -> Result {
        let mut inbox = FrameBuffer::new(1 << 20);
        let mut bytes = [0; 4096];
        loop {
            while let Some(message) = inbox.take::<FromHolder>()? {
                let Some(News::Report(report)) = message.news else {
                    continue;
                };
                let Some(app) = report.apps.first() else {
                    continue;
                };
                if app.ended {
                    return Err(format!("the app ended before it drew: {app:?}").into());
                }
                if app.drawn {
                    self.app_pid = app.pid;
                    return Ok(());
                }
            }
            match self.link.read(&mut bytes)? {
                0 => return Err("the holder ended before its app drew".into()),
                read => inbox.push(&bytes[..read]),
            }
        }
    }

    /// Ends it all, and waits until it has ended.
    pub fn end(mut self) -> Result {
        let stop = to_holder::Order::Stop(Stop { grace_ms: 200 });
        self.link
            .write_all(&encode(&ToHolder { order: Some(stop) }))?;
        // What it says until then is of no interest.
        std::io::copy(&mut self.link, &mut std::io::sink())?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spec(programs: &Programs, folder: &Path, app: App) -> Spec {
    Spec {
        persistent_id: "p-bench".into(),
        session_dir: folder.join("session"),
        run_dir: folder.join("run"),
        key_hex: KEY.into(),
        uid: user(),
        gid: user(),
        width: SIZE.0,
        height: SIZE.1,
        scale_120: 120,
        apps: vec![app],
        init: programs.init.clone(),
        stream: programs.stream.clone(),
        x11: Some(programs.x11.clone()),
        locale: "C.UTF-8".into(),
        timezone: "Etc/UTC".into(),
        network: Network::None,
        limits: Limits::default(),
        files: Vec::new(),
        image: None,
    }
}

fn connect(process: &mut Child, spec: &Spec, began: Instant) -> Result<UnixStream> {
    let socket = spec.run_dir.join(HOLDER_SOCKET);
    let mut link = loop {
        if let Ok(link) = UnixStream::connect(&socket) {
            break link;
        }
        if let Some(status) = process.try_wait()? {
            return Err(format!("the holder ended with {status}").into());
        }
        if began.elapsed() > LIMIT {
            return Err("the holder does not listen".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    link.set_read_timeout(Some(LIMIT))?;
    let hello = Hello {
        protocol: PROTOCOL,
        key: spec.key().ok_or("the key is none")?.to_vec(),
        role: Role::Control.into(),
    };
    link.write_all(&encode(&hello))?;
    Ok(link)
}
