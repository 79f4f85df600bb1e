//! Where a PostgreSQL database is, as an operator writes it; never shown with its password.

mod encryption;

pub(crate) use encryption::{Encryption, Roots, Trust};

use postgres::config::Host;
use std::fmt;
use std::str::FromStr;

/// `postgres://user:password@host:port/database`, or with `?host=/run/postgresql` a Unix socket's folder. `sslmode`
/// and `sslrootcert` mean what they do in libpq.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: String,
    config: postgres::Config,
    encryption: Encryption,
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

    pub(crate) fn encryption(&self) -> &Encryption {
        &self.encryption
    }
}

impl DatabaseUrl {
    /// The same place as a connection string of PostgreSQL's own programs (`host=db port=5432 …`), without a
    /// password: those ask for one, or find it in `~/.pgpass`.
    #[must_use]
    pub fn to_conninfo(&self) -> String {
        let it = &self.config;
        let hosts = it.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let ports = it.get_ports().iter().map(u16::to_string);
        let words = [
            ("host", hosts.collect::<Vec<_>>().join(",")),
            ("port", ports.collect::<Vec<_>>().join(",")),
            ("user", it.get_user().unwrap_or_default().to_owned()),
            ("dbname", it.get_dbname().unwrap_or_default().to_owned()),
            ("sslmode", self.encryption.word.to_owned()),
            (
                "sslrootcert",
                self.encryption.trust.roots().unwrap_or_default(),
            ),
        ];
        let said = words.iter().filter(|(_, value)| !value.is_empty());
        let quoted = said.map(|(name, value)| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-,".contains(&b);
            match value.bytes().all(plain) {
                true => format!("{name}={value}"),
                false => {
                    let value = value.replace('\\', r"\\").replace('\'', r"\'");
                    format!("{name}='{value}'")
                }
            }
        });
        quoted.collect::<Vec<_>>().join(" ")
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidUrl("it begins otherwise"));
        }
        let (rest, encryption) = encryption::take_out(text)?;
        // The driver's own words may quote the text.
        let mut config: postgres::Config = rest
            .parse()
            .map_err(|_| InvalidUrl("it cannot be taken apart"))?;
        config.ssl_mode(encryption.mode);
        if config.get_hosts().is_empty() {
            // An address is a name as well, which a certificate may be for.
            for address in config.get_hostaddrs().to_vec() {
                config.host(&address.to_string());
            }
        }
        if config.get_hosts().is_empty() {
            return Err(InvalidUrl("it names no host"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(InvalidUrl("it names no database"));
        }
        Ok(Self {
            text: text.to_owned(),
            config,
            encryption,
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
    fn the_programs_of_the_database_are_told_the_same_place_without_its_password() {
        for (text, told) in [
            (
                "postgres://ann:hunter2@db.example.com:6432/greenroom",
                "host=db.example.com port=6432 user=ann dbname=greenroom sslmode=prefer",
            ),
            (
                "postgresql:///it's%20mine?host=/run/postgresql&user=ann&password=hunter2",
                r"host=/run/postgresql user=ann dbname='it\'s mine' sslmode=prefer",
            ),
            (
                "postgres://db/greenroom?sslmode=verify-full&sslrootcert=/etc/ca.pem",
                "host=db port=5432 dbname=greenroom sslmode=verify-full sslrootcert=/etc/ca.pem",
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_conninfo(), told);
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
