//! Runs other programs: shown to the person before they start, and named when they fail.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::failure::{Context, Failure, Result};

/// One program with its arguments.
pub struct Run {
    command: Command,
    shown: String,
}

impl Run {
    /// A program found on PATH, or by its path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let shown = Path::new(program)
            .file_name()
            .unwrap_or(program)
            .to_string_lossy()
            .into_owned();
        let mut command = Command::new(program);
        // Nothing here may wait for an answer nobody gives: CI has no standard input.
        command.stdin(Stdio::null());
        Self { command, shown }
    }

    /// Cargo, as it was found by the cargo that started us.
    pub fn cargo() -> Self {
        let mut run = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        run.shown = "cargo".into();
        run
    }

    /// Adds arguments, and shows them.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            let arg = arg.as_ref();
            self.shown.push(' ');
            self.shown.push_str(&quoted(&arg.to_string_lossy()));
            self.command.arg(arg);
        }
        self
    }

    /// Sets a variable, and shows it.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        self.shown = format!("{name}={} {}", quoted(&value.to_string_lossy()), self.shown);
        self.command.env(name, value);
        self
    }

    /// Sets a variable whose value is nobody's business.
    pub fn secret_env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where it runs; shown, so that the line can be pasted into a shell at the root.
    pub fn dir(mut self, root: &Path, relative: &str) -> Self {
        self.command.current_dir(root.join(relative));
        if !relative.is_empty() {
            self.shown = format!("(cd {relative} && {})", self.shown);
        }
        self
    }

    /// Runs it with its output on the terminal.
    pub fn run(mut self) -> Result {
        println!("  $ {}", self.shown);
        let status = self
            .command
            .status()
            .context(|| format!("starting `{}`", self.shown))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`{}` ended with {status}",
            self.shown
        )))
    }

    /// Runs it silently and returns what it printed, or what it complained about.
    pub fn read(mut self) -> Result<String> {
        let output = self
            .command
            .output()
            .context(|| format!("starting `{}`", self.shown))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!(
                "`{}` ended with {}: {}",
                self.shown,
                output.status,
                said.trim()
            )));
        }
        String::from_utf8(output.stdout)
            .context(|| format!("reading what `{}` printed", self.shown))
    }

    /// Runs it silently, for those who only ask whether it can be done.
    pub fn succeeds(mut self) -> bool {
        self.command
            .output()
            .is_ok_and(|Output { status, .. }| status.success())
    }
}

/// An argument as a POSIX shell would need it.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted_into_a_shell() {
        let run = Run::new("/usr/bin/echo")
            .args(["a b", "it's", "plain-1.0"])
            .env("X", "1");
        assert_eq!(run.shown, r"X=1 echo 'a b' 'it'\''s' plain-1.0");
    }

    #[test]
    fn a_failing_program_is_named_with_its_complaint() {
        let told = Run::new("sh")
            .args(["-c", "echo oh no >&2; exit 3"])
            .read()
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("exit status: 3") && told.ends_with("oh no"),
            "{told}"
        );
    }
}
