//! A small system in a folder: some of this machine's programs and what they are linked with, for an image.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a terminal draws with, beside its program.
const OF_A_TERMINAL: [&str; 5] = [
    "/etc/fonts",
    "/usr/lib/locale/C.utf8",
    "/usr/share/X11/xkb",
    "/usr/share/fontconfig",
    "/usr/share/fonts/truetype/dejavu",
];

/// Makes a system of programs that this machine has in `/usr/bin`. Its `/bin` is `/usr/bin`, and `/etc/image` is a line
/// that the machine does not have.
///
/// # Errors
/// A program is not there, or the folder cannot be written.
pub fn make(folder: &Path, programs: &[&str]) -> io::Result<()> {
    let mut files = Vec::new();
    for name in programs {
        let program = Path::new("/usr/bin").join(name);
        let said = Command::new("ldd").arg(&program).output()?.stdout;
        let said = String::from_utf8_lossy(&said);
        let words = said.split_whitespace().filter(|word| word.starts_with('/'));
        files.extend(words.map(PathBuf::from));
        files.push(program);
    }
    for file in files {
        // As the loader is asked for, whatever links the machine has on the way.
        let at = folder.join(file.strip_prefix("/").unwrap_or(&file));
        fs::create_dir_all(at.parent().unwrap_or(folder))?;
        fs::copy(&file, &at)?;
    }
    symlink("usr/bin", folder.join("bin"))?;
    fs::create_dir_all(folder.join("etc"))?;
    fs::write(folder.join("etc/image"), "the image\n")
}

/// As [`make`], with a terminal beside the programs: `foot`.
///
/// # Errors
/// As for [`make`].
pub fn with_terminal(folder: &Path, programs: &[&str]) -> io::Result<()> {
    make(folder, &[programs, &["foot"]].concat())?;
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--parents", "--"]);
    let copied = copy.args(OF_A_TERMINAL).arg(folder).status()?;
    match copied.success() {
        true => Ok(()),
        false => Err(io::Error::other("cp fails")),
    }
}
