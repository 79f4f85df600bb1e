//! The database that a server keeps everything in but the homes of its sessions: a file of its data folder, or
//! PostgreSQL, which other servers may share.

use crate::config::Config;
use crate::data_dir::DATABASE;
use crate::secrets;
use greenroom_store::{DatabaseUrl, InvalidUrl, Store, StoreError};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Longer texts are no URL.
const LONGEST_URL: u64 = 4096;

/// A database that may not have been opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in this file of the data folder.
    File(PathBuf),
    /// PostgreSQL.
    Postgres(Box<DatabaseUrl>),
}

/// Why it is not known which database is meant.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is none.
    #[error("database.url is not what it must be")]
    Url(#[source] InvalidUrl),
    /// The file with the URL cannot be read.
    #[error("cannot read database.url_file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("database.url_file {} does not hold a URL", path.display())]
    NoUrl {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidUrl,
    },
}

impl Database {
    /// The database that the configuration names.
    ///
    /// # Errors
    /// It names one by a file that cannot be read, or by something that is no URL.
    pub fn from_config(config: &Config) -> Result<Self, DatabaseError> {
        let settings = &config.database;
        if !settings.url_file.as_os_str().is_empty() {
            return read(&settings.url_file).map(|url| Self::Postgres(Box::new(url)));
        }
        let url = settings.url.read().map_err(DatabaseError::Url)?;
        Ok(url.map_or_else(
            || Self::File(config.general.data_dir.join(DATABASE)),
            |url| Self::Postgres(Box::new(url)),
        ))
    }

    /// Opens it, and brings its schema up to date. Blocks while it does.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::open_url`].
    pub fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::File(path) => Store::open(path),
            Self::Postgres(url) => Store::open_url(url),
        }
    }

    /// Whether a server with this data folder was started on it before, as far as the folder says.
    #[must_use]
    pub fn was_served_from(&self, data_dir: &Path) -> bool {
        match self {
            Self::File(path) => path.is_file(),
            Self::Postgres(_) => data_dir.join(secrets::FILE).is_file(),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

fn read(path: &Path) -> Result<DatabaseUrl, DatabaseError> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_URL).read_to_string(&mut text))
        .map_err(|source| DatabaseError::File {
            path: path.to_owned(),
            source,
        })?;
    text.trim().parse().map_err(|source| DatabaseError::NoUrl {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    const URL: &str = "postgres://ann:hunter2@db.example/greenroom";

    fn of(text: &str) -> Result<Database, DatabaseError> {
        Database::from_config(&Config::from_text(text).unwrap())
    }

    #[test]
    fn without_a_url_the_database_is_a_file_of_the_data_folder() {
        let file = of("data_dir = '/data'").unwrap();
        assert_eq!(file, Database::File("/data/greenroom.db".into()));
    }

    #[test]
    fn a_url_is_taken_from_the_setting_its_file_the_environment_and_the_flag() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, format!("{URL}\n")).unwrap();
        let url = Database::Postgres(Box::new(URL.parse().unwrap()));
        assert_eq!(of(&format!("[database]\nurl = '{URL}'")).unwrap(), url);
        let by_file = format!("[database]\nurl_file = '{}'", file.display());
        assert_eq!(of(&by_file).unwrap(), url);

        let variable = ("GREENROOM_DATABASE_URL".to_owned(), URL.to_owned());
        let by_variable = Config::load(None, [variable], Flags::default()).unwrap();
        assert_eq!(Database::from_config(&by_variable).unwrap(), url);
        let config = folder.path().join("greenroom.toml");
        std::fs::write(&config, by_file).unwrap();
        let flags = Flags {
            database_url: Some("postgres://other/base".to_owned()),
            ..Flags::default()
        };
        let by_flag = Config::load(Some(&config), [], flags).unwrap();
        let other = Database::Postgres(Box::new("postgres://other/base".parse().unwrap()));
        assert_eq!(Database::from_config(&by_flag).unwrap(), other);
    }

    #[test]
    fn a_password_is_neither_shown_nor_repeated_in_an_error() {
        let config = Config::from_text(&format!("[database]\nurl = '{URL}'")).unwrap();
        let shown = format!("{config:?} {}", config.to_text());
        assert!(shown.contains("postgres://ann@db.example"));
        assert!(!shown.contains("hunter2"), "{shown}");

        for wrong in ["mysql://ann:hunter2@db/x", "postgres://ann:hunter2@db"] {
            let text = format!("[database]\nurl = '{wrong}'");
            let error = Config::from_text(&text).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains("database.url") && !said.contains("hunter2"));
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("url");
            std::fs::write(&file, wrong).unwrap();
            let error = of(&format!("[database]\nurl_file = '{}'", file.display())).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains("does not hold a URL") && !said.contains("hunter2"));
        }
        let missing = of("[database]\nurl_file = '/nowhere/url'").unwrap_err();
        assert!(missing.to_string().contains("/nowhere/url"), "{missing}");
    }

    #[test]
    fn a_line_with_a_password_that_is_no_toml_is_named_and_not_shown() {
        for line in [
            format!("url = {URL}"),
            format!("url = '{URL}"),
            format!("url = \"{URL}\\q\""),
            format!("url = ['{URL}']"),
            format!("url = {{ of = '{URL}' }}"),
            format!("url '{URL}'"),
            format!("url = '{URL}' hunter2"),
            format!("url = '{URL}'\nurl = '{URL}'"),
            URL.to_owned(),
        ] {
            let text = format!("listen = '127.0.0.1:1'\n[database]\n{line}\n");
            let error = Config::from_text(&text).unwrap_err();
            let said = format!("{} {error:?}", crate::error::chain(&error));
            let named = ["line 3, column ", "line 4, column ", "database.url must be"];
            assert!(named.iter().any(|named| said.contains(named)), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_url_and_a_file_with_one_are_one_too_many() {
        let both = format!("[database]\nurl = '{URL}'\nurl_file = 'f'");
        let error = Config::from_text(&both).unwrap_err().to_string();
        assert!(error.contains("database.url_file"), "{error}");
    }
}
