//! Where the apps run: behind walls, with [`greenroom-init`](greenroom_session_api::init) inside.

pub mod bwrap;
pub mod fake;
pub mod files;
mod inhabitant;
pub mod layers;
mod limits;
pub mod loader;
pub mod network;
mod owners;
pub mod seccomp;
pub mod trial;

pub use bwrap::Bwrap;
pub use files::{Files, Shown};
pub use layers::Layers;

use greenroom_session_api::spec::{Limits, Network};
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Child;

/// Where the programs lie that make a sandbox; a normal user's own `PATH` lacks some of them.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// What a sandbox is to look like from inside and who is in it.
#[derive(Debug)]
pub struct Plan {
    /// The program of `greenroom-init`.
    pub init: PathBuf,
    /// The program that keeps an X server, if the apps are to have one.
    pub x11: Option<PathBuf>,
    /// The folder that is the apps' home.
    pub home: PathBuf,
    /// The folder with the compositor's sockets.
    pub runtime_dir: PathBuf,
    /// Whom the apps run as; `None` is whoever runs the holder.
    pub user: Option<(u32, u32)>,
    /// What of the network they reach.
    pub network: Network,
    /// Their time zone.
    pub timezone: String,
    /// What bounds them.
    pub limits: Limits,
    /// What `/etc/machine-id` says, 32 hexadecimal digits.
    pub machine_id: String,
    /// Folders with files from the server's hand.
    pub files: Vec<Shown>,
    /// The image whose system the apps see; `None` is this machine's.
    pub layers: Option<Layers>,
}

/// There is no sandbox.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step}")]
pub struct SandboxError {
    pub(crate) step: &'static str,
    #[source]
    pub(crate) source: std::io::Error,
}

impl SandboxError {
    /// What makes one of the kernel's answer to a step.
    pub(crate) fn at(step: &'static str) -> impl Fn(std::io::Error) -> Self + Copy {
        move |source| Self { step, source }
    }
}

/// A sandbox that was begun; whether it comes up, its init says.
#[derive(Debug)]
pub struct Running {
    /// The link to init. When it is dropped, init ends, and everything in the sandbox with it.
    pub link: UnixStream,
    /// The process that stands for the sandbox on this side; gone when the sandbox is.
    pub process: Option<Child>,
    /// What carries its apps' packets out, where they reach the internet. It ends when it is dropped.
    pub uplink: Option<network::Uplink>,
}

/// A way to build sandboxes.
pub trait Sandbox {
    /// Begins a sandbox with init in it.
    ///
    /// # Errors
    /// Not even its first process could be started.
    fn start(&self, plan: &Plan) -> Result<Running, SandboxError>;

    /// The home's path inside.
    fn home(&self) -> &str;

    /// The path of the folder with the compositor's sockets inside.
    fn runtime_dir(&self) -> &str;
}

/// A file that lies nowhere: what the sandboxed see as text of their own, and filters.
fn memory_file(name: &str, bytes: &[u8]) -> Result<File, SandboxError> {
    use std::io::{Seek, Write};
    let failed = SandboxError::at("write a file for the sandbox");
    let file = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC);
    let mut file = File::from(file.map_err(|error| failed(error.into()))?);
    file.write_all(bytes).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(file)
}
