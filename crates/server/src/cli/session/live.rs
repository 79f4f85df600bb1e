//! Looking into a session that runs, and doing something in it.

use super::api::Sessions;
use crate::cli::output::{Json, say_each};
use crate::cli::remote::Remote;
use crate::cli::table::Table;
use crate::cli::{CliError, say};
use crate::client::ClientError;
use base64::prelude::{BASE64_STANDARD, Engine};
use clap::Args;
use greenroom_session_api::questions::MAX_TEXT;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const SESSION: &str = "AppInstancePersistentId";

/// Why a screenshot is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScreenshotError {
    /// The server's answer has none.
    #[error("the server answers no picture")]
    NoPicture,
    /// It cannot be written.
    #[error("cannot write {}", .0.display())]
    File(PathBuf, #[source] std::io::Error),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Screenshot {
    /// The session's id
    #[arg(value_name = "SESSION")]
    id: String,
    /// Where to write it; a file that is there is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Screenshot {
    pub(super) async fn run(&self, sessions: &Sessions<'_>) -> Result<(), CliError> {
        let answer = sessions
            .call("LookAtSession", &[(SESSION, &self.id)])
            .await?;
        let image = answer["Image"].as_str().unwrap_or_default();
        match BASE64_STANDARD.decode(image) {
            Ok(file) if !file.is_empty() => Ok(write(&self.output, &file)?),
            _ => Err(ScreenshotError::NoPicture.into()),
        }
    }
}

/// For the caller's eyes only: it may show what is nobody else's business.
fn write(path: &Path, file: &[u8]) -> Result<(), ScreenshotError> {
    let mut options = OpenOptions::new();
    let opened = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    opened
        .and_then(|mut opened| opened.write_all(file))
        .map_err(|source| ScreenshotError::File(path.to_owned(), source))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Windows {
    /// The session's id
    #[arg(value_name = "SESSION")]
    id: String,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Windows {
    pub(super) async fn run(&self, sessions: &Sessions<'_>) -> Result<(), CliError> {
        let answer = sessions
            .call("ReadSessionWindows", &[(SESSION, &self.id)])
            .await?;
        let windows = items(&answer["Windows"]);
        if self.json.json {
            say_each(windows);
        } else {
            let mut table = Table::new(["ID", "ACTIVE", "SIZE", "PROGRAM", "TITLE"]);
            say(table.lines(windows.iter().map(row)).trim_end());
        }
        Ok(())
    }
}

fn row(window: &Value) -> [String; 5] {
    let text = |name: &str| printable(window[name].as_str().unwrap_or_default(), "");
    let number = |name: &str| window[name].as_u64().unwrap_or_default();
    let active = window["Active"].as_bool().unwrap_or_default();
    [
        number("WindowId").to_string(),
        if active { "yes" } else { "" }.to_owned(),
        format!("{}x{}", number("Width"), number("Height")),
        text("Program"),
        text("Title"),
    ]
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Raise {
    /// The session's id
    #[arg(value_name = "SESSION")]
    id: String,
    /// The window's id, as `windows` lists it
    #[arg(value_name = "WINDOW")]
    window: u64,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Raise {
    pub(super) async fn run(&self, sessions: &Sessions<'_>) -> Result<(), CliError> {
        let window = self.window.to_string();
        let parameters = [(SESSION, self.id.as_str()), ("WindowId", &window)];
        sessions.call("RaiseSessionWindow", &parameters).await?;
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Type {
    /// The session's id
    #[arg(value_name = "SESSION")]
    id: String,
    /// The text; a line feed in it is Enter
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Type {
    pub(super) async fn run(&self, sessions: &Sessions<'_>) -> Result<(), CliError> {
        for part in parts(&self.text) {
            let parameters = [(SESSION, self.id.as_str()), ("Text", &part)];
            sessions.call("TypeIntoSession", &parameters).await?;
        }
        Ok(())
    }
}

/// The text in pieces that one call takes.
fn parts(text: &str) -> Vec<String> {
    let typed: Vec<char> = text.chars().collect();
    typed
        .chunks(MAX_TEXT)
        .map(|part| part.iter().collect())
        .collect()
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Logs {
    /// The session's id
    #[arg(value_name = "SESSION")]
    id: String,
    /// What the session's holder printed, instead of its apps
    #[arg(long)]
    holder: bool,
    #[command(flatten)]
    pub(super) remote: Remote,
}

impl Logs {
    pub(super) async fn run(&self, sessions: &Sessions<'_>) -> Result<(), CliError> {
        let source = if self.holder { "HOLDER" } else { "APP" };
        let parameters = [(SESSION, self.id.as_str()), ("Source", source)];
        let answer: Result<Value, ClientError> = sessions.call("ReadSessionLog", &parameters).await;
        for log in items(&answer?["Logs"]) {
            let text = |name: &str| printable(log[name].as_str().unwrap_or_default(), "\n\t");
            say(&format!("==> {}", text("Name")));
            say(text("Text").trim_end());
        }
        Ok(())
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// What an app wrote commands no terminal.
fn printable(text: &str, kept: &str) -> String {
    text.replace(|c: char| c.is_control() && !kept.contains(c), " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_text_is_typed_in_pieces_and_nothing_of_it_is_lost() {
        let text = "\u{e9}".repeat(2 * MAX_TEXT + 1);
        let parts = parts(&text);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), text);
    }

    #[test]
    fn a_title_commands_no_terminal() {
        let window = json!({"WindowId": 3, "Active": true, "Width": 10, "Height": 20,
            "Program": "foot", "Title": "a\u{1b}[2Jb"});
        assert_eq!(row(&window), ["3", "yes", "10x20", "foot", "a [2Jb"]);
    }
}
