//! Starting a program the way an app is started: a process group of its own, and what it says in a file of its
//! user's.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What is started.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Names the file of what it says.
    pub name: &'a str,
    /// Program and arguments.
    pub argv: &'a [String],
    /// The whole environment, `NAME=value` each.
    pub env: &'a [String],
}

impl Program<'_> {
    /// The last value of a variable of its environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Starts it in its home with this standard input; answers its process id.
    ///
    /// # Errors
    /// It names no program, or one that cannot be started.
    pub fn start(&self, input: Stdio) -> std::io::Result<i32> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(std::io::Error::new(
                ErrorKind::InvalidInput,
                "no program is named",
            ));
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables())
            .process_group(0)
            .stdin(input);
        let home = self.variable("HOME");
        // A full or read-only home must not keep an app from starting.
        let (out, err) = match home.and_then(|home| self.output_file(home).ok()) {
            Some(file) => (Stdio::from(file.try_clone()?), Stdio::from(file)),
            None => (Stdio::null(), Stdio::null()),
        };
        command.stdout(out).stderr(err);
        if let Some(home) = home {
            command.current_dir(home);
        }
        let child = command.spawn().map_err(|error| {
            std::io::Error::new(error.kind(), format!("cannot start {program}: {error}"))
        })?;
        // Reaped like every other process; a `Child` does nothing when it is dropped.
        Ok(i32::try_from(child.id()).unwrap_or(i32::MAX))
    }

    fn variables(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.env.iter().filter_map(|entry| entry.split_once('='))
    }

    /// `~/.local/state/greenroom/NAME.log`, of the latest start only.
    fn output_file(&self, home: &str) -> std::io::Result<File> {
        let folder = PathBuf::from(home).join(".local/state/greenroom");
        std::fs::create_dir_all(&folder)?;
        let name = self.name.rsplit('/').next().unwrap_or(self.name);
        File::create(folder.join(format!("{name}.log")))
    }
}
