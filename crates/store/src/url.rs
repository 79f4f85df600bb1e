//! Where a PostgreSQL database is, as an operator writes it; never shown with its password.

use postgres::config::Host;
use std::fmt;
use std::str::FromStr;

/// `postgres://user:password@host:port/database`, or with `?host=/run/postgresql` a Unix socket's folder.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: String,
    config: postgres::Config,
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for DatabaseUrl {}

/// What was written is no such URL. It is not repeated, for there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of the form postgres://user:password@host:port/database: {0}")]
pub struct InvalidUrl(&'static str);

impl DatabaseUrl {
    pub(crate) fn config(&self) -> &postgres::Config {
        &self.config
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidUrl("it begins otherwise"));
        }
        // The driver's own words may quote the text.
        let config: postgres::Config = text
            .parse()
            .map_err(|_| InvalidUrl("it cannot be taken apart"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidUrl("it names no host"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(InvalidUrl("it names no database"));
        }
        Ok(Self {
            text: text.to_owned(),
            config,
        })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(folder) => write!(f, "{}", folder.display())?,
            }
            // One port may stand for all hosts.
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(at).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (text, shown) in [
            (
                "postgres://ann:hunter2@db.example.com:6432/greenroom",
                "postgres://ann@db.example.com:6432/greenroom",
            ),
            (
                "postgresql:///greenroom?host=/run/postgresql&user=ann&password=hunter2",
                "postgres://ann@/run/postgresql/greenroom",
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for text in [
            "mysql://ann:hunter2@host/db",
            "postgres://ann:hunter2@host:port/db",
            "postgres://ann:hunter2@host",
            "postgres:///greenroom?password=hunter2",
            "hunter2",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
