//! Starting a program the way an app is started: in its home, with a process group of its own.

use crate::locale;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What is started.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// By what name it is listened to.
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

    /// Starts it in its home with this standard input, printing there; answers its process id.
    ///
    /// # Errors
    /// It names no program, or one that cannot be started.
    pub fn start(&self, input: Stdio, output: Option<OwnedFd>) -> std::io::Result<i32> {
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
        let (out, err) = match output {
            Some(output) => (Stdio::from(output.try_clone()?), Stdio::from(output)),
            None => (Stdio::null(), Stdio::null()),
        };
        command.stdout(out).stderr(err);
        if let Some(home) = self.variable("HOME") {
            command.current_dir(home);
        }
        if let Some(wished) = self.variable("LANG") {
            command.env("LANG", locale::or_plain(wished));
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
}
