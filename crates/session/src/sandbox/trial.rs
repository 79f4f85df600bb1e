//! Whether sessions of images would find their files on this machine, tried as a session would have it.

use super::{Layers, SandboxError};
use greenroom_session_api::image::{Image, LayersTried};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Anybody but root will do for a session's user.
const SOMEBODY: u32 = 1;

/// Mounts an image with one file in an empty folder of the file system that sessions would have theirs on, and looks
/// whose the file is. Goes with the process that did it; what is left in the folder is for the caller to remove.
///
/// # Errors
/// No session of an image would start.
pub fn layers(folder: &Path) -> Result<LayersTried, SandboxError> {
    const FILE: &str = "file";
    let image = folder.join("image");
    let made = fs::create_dir(&image).and_then(|()| fs::write(image.join(FILE), ""));
    made.map_err(SandboxError::at("make an image to try"))?;
    let image = Image {
        layers: vec![image],
        changes: folder.join("changes"),
    };
    let layers = Layers::new(image, folder.join("system"), None);
    layers.prepare(&[], &[])?;
    let is_root = rustix::process::geteuid().is_root();
    let user = is_root.then_some((SOMEBODY, SOMEBODY));
    let owner = user.map_or_else(|| rustix::process::getuid().as_raw(), |(uid, _)| uid);
    let mut command = Command::new("stat");
    command
        .args(["--format=%u", "--"])
        .arg(layers.root().join(FILE));
    layers.mount(&mut command, user)?;
    let mount = SandboxError::at("mount the layers of an image");
    let told = command.stdin(Stdio::null()).output().map_err(mount)?;
    let told = String::from_utf8_lossy(&told.stdout);
    Ok(match told.trim() == owner.to_string() {
        true => LayersTried::Owned,
        false => LayersTried::AsTheyAre,
    })
}
