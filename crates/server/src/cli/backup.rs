//! `greenroom backup` and `greenroom restore`.

use super::remote::Remote;
use super::{CliError, Place, async_runtime, load, say};
use crate::backup::{self, BackupError};
use crate::client::ClientError;
use crate::config::{Config, Flags};
use crate::data_dir::DataDir;
use crate::database::Database;
use crate::ops::ApiProduct;
use crate::secrets;
use crate::system::{KernelEntropy, SystemClock};
use clap::Args;
use greenroom_model::Clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the copy of a very large database may take.
const PATIENCE: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to make
    file: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that `greenroom backup` has made
    file: PathBuf,
    /// Put a database that is there aside
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    place: Place,
}

/// Has the server that runs copy its database, and takes the copy away.
pub(super) fn back_up(command: &Backup) -> Result<(), CliError> {
    let config = command.remote.config()?;
    let told = |args: &str| {
        format!(
            "pg_dump --format=custom --file={} {args}",
            quoted(&command.file)
        )
    };
    only_sqlite(&config, "back it up", told)?;
    backup::is_free(&command.file)?;
    let client = command.remote.client()?.with_patience(PATIENCE);
    let call = client.call(ApiProduct::GREENROOM, "CreateBackup", &[]);
    let answer = async_runtime()?.block_on(call)?;
    let (name, size) = (&answer["FileName"], &answer["Size"]);
    // Whatever answers, nothing but a name is taken for one.
    let name = name.as_str().filter(|name| is_name(name));
    let name = name.ok_or_else(|| ClientError::Foreign(client.endpoint().clone()))?;
    let data_dir = &config.general.data_dir;
    backup::take_away(data_dir, name, &command.file)?;
    // What was never read back may be anything.
    let key = secrets::read(data_dir, Arc::new(KernelEntropy))?;
    backup::check(&command.file, (&key, &data_dir.join(secrets::FILE)))?;
    say(&format!(
        "{} holds the database ({size} bytes). Not in it, and to be kept as well:
  {}  without it nobody can use the backup; keep it somewhere else
  {}  the homes of the sessions",
        command.file.display(),
        data_dir.join(secrets::FILE).display(),
        data_dir.join("sessions").display(),
    ));
    Ok(())
}

/// Puts a backup in the place of the database of a stopped server.
pub(super) fn restore(command: &Restore) -> Result<(), CliError> {
    let config = load(&command.place, Flags::default())?;
    let told = |args: &str| {
        format!(
            "pg_restore --clean --if-exists --single-transaction {args} {}",
            quoted(&command.file)
        )
    };
    only_sqlite(&config, "restore it with every server of it stopped", told)?;
    let data_dir = &config.general.data_dir;
    // Before the folder is opened: one that was misspelt must not become a new one.
    let key = secrets::read(data_dir, Arc::new(KernelEntropy))?;
    let key = (&key, &*data_dir.join(secrets::FILE));
    let data = DataDir::open(data_dir)?;
    let now = SystemClock.now();
    let kept = backup::restore(&data, &command.file, command.replace, key, now)?;
    let kept = kept.map_or_else(String::new, |kept| {
        format!("\nThe database that was there is {}.", kept.display())
    });
    say(&format!(
        "The database is what {} holds.{kept}
At the next start sessions are what they were meant to be when it was made: those that run are taken over, others
start in the homes that are there. Audit rows, keys and policies are those of that time, too.",
        command.file.display()
    ));
    Ok(())
}

/// Fails with what to do instead for a database that has tools of its own.
fn only_sqlite(
    config: &Config,
    to: &str,
    told: impl FnOnce(&str) -> String,
) -> Result<(), CliError> {
    match Database::from_config(config)? {
        Database::File(_) => Ok(()),
        Database::Postgres(url) => {
            let told = told(&format!("--dbname={}", shell_word(&url.to_conninfo())));
            Err(BackupError::NotAFile(format!("{url}; {to} with\n  {told}")).into())
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(plain)
}

fn quoted(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// A text as one word of a shell's command line.
fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_of_a_shell() {
        for (text, word) in [
            ("/backups/a.dump", "/backups/a.dump"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn no_answer_leads_out_of_the_folder() {
        assert!(is_name("3F2A-1.db"));
        for text in ["", "..", "../x.db", "/x", "a/b", ".hidden"] {
            assert!(!is_name(text), "{text}");
        }
    }
}
