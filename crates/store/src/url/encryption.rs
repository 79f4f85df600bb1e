//! What a URL says of encryption, in libpq's words. The driver knows some of them; which certificates are trusted is
//! not its business, so all of them are taken out of what it reads.

use super::InvalidUrl;
use percent_encoding::percent_decode_str;
use postgres::config::SslMode;
use std::path::PathBuf;

const MODE: &str = "sslmode";
const ROOTS: &str = "sslrootcert";

/// The word for what this machine trusts, in the place of a file.
const SYSTEM: &str = "system";

/// Whether connections are encrypted, and whom they may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encryption {
    /// The word for it.
    pub(crate) word: &'static str,
    pub(crate) mode: SslMode,
    pub(crate) trust: Trust,
}

/// Whose certificate is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Whatever is shown: against those who listen, and not against those who answer in the database's place.
    Anyone,
    /// One that leads to one of the file; PEM.
    Issued(PathBuf),
    /// One that leads there and is for the host's name.
    Named(Roots),
}

/// Where certificates come from that others lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// This machine's.
    System,
    /// A file's; PEM.
    File(PathBuf),
}

impl Trust {
    /// The value of `sslrootcert`, if there is one.
    pub(crate) fn roots(&self) -> Option<String> {
        match self {
            Self::Anyone => None,
            Self::Named(Roots::System) => Some(SYSTEM.to_owned()),
            Self::Issued(file) | Self::Named(Roots::File(file)) => Some(file.display().to_string()),
        }
    }
}

/// Takes what is said of encryption out of a URL: the rest, and that.
pub(super) fn take_out(url: &str) -> Result<(String, Encryption), InvalidUrl> {
    // A password may have a question mark in it.
    let host = url.find('@').unwrap_or(0);
    let Some(query) = url[host..].find('?').map(|at| host + at) else {
        return Ok((url.to_owned(), read(None, None)?));
    };
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for pair in url[query + 1..].split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let said = match name {
            MODE => &mut mode,
            ROOTS => &mut roots,
            _ => {
                rest.push(pair);
                continue;
            }
        };
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| InvalidUrl("sslmode or sslrootcert is no text"))?;
        if said.replace(value.into_owned()).is_some() {
            return Err(InvalidUrl("it says sslmode or sslrootcert twice"));
        }
    }
    let encryption = read(mode.as_deref(), roots)?;
    let sign = if rest.is_empty() { "" } else { "?" };
    Ok((
        format!("{}{sign}{}", &url[..query], rest.join("&")),
        encryption,
    ))
}

/// As libpq means them, but that nothing is weaker than it looks: certificates to trust are only named where they
/// are looked at, and a name is looked for wherever anybody may have a certificate.
fn read(mode: Option<&str>, roots: Option<String>) -> Result<Encryption, InvalidUrl> {
    let roots = roots.map(|roots| match &*roots {
        SYSTEM => Roots::System,
        _ => Roots::File(roots.into()),
    });
    let (word, mode, trust) = match (mode.unwrap_or("prefer"), roots) {
        ("disable", None) => ("disable", SslMode::Disable, Trust::Anyone),
        ("prefer", None) => ("prefer", SslMode::Prefer, Trust::Anyone),
        ("disable" | "prefer", Some(_)) => {
            return Err(InvalidUrl(
                "sslrootcert goes with sslmode=verify-full, verify-ca or require",
            ));
        }
        ("require", None) => ("require", SslMode::Require, Trust::Anyone),
        // libpq's rule for those who have always had such a file.
        ("require" | "verify-ca", Some(Roots::File(file))) => {
            ("verify-ca", SslMode::Require, Trust::Issued(file))
        }
        ("verify-full", Some(roots)) => ("verify-full", SslMode::Require, Trust::Named(roots)),
        ("verify-ca" | "verify-full", None) => {
            return Err(InvalidUrl(
                "sslmode=verify-full and verify-ca need sslrootcert: a file, or for verify-full `system`",
            ));
        }
        ("require" | "verify-ca", Some(Roots::System)) => {
            return Err(InvalidUrl(
                "sslrootcert=system goes with sslmode=verify-full",
            ));
        }
        _ => {
            return Err(InvalidUrl(
                "sslmode is disable, prefer, require, verify-ca or verify-full",
            ));
        }
    };
    Ok(Encryption { word, mode, trust })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "postgres://ann:a?b@db/base";

    fn of(query: &str) -> Result<(String, Encryption), InvalidUrl> {
        take_out(&format!("{PLACE}{query}"))
    }

    #[test]
    fn each_word_means_what_it_does_in_libpq() {
        let file = || PathBuf::from("/etc/my ca.pem");
        for (query, word, mode, trust) in [
            ("", "prefer", SslMode::Prefer, Trust::Anyone),
            (
                "?sslmode=disable",
                "disable",
                SslMode::Disable,
                Trust::Anyone,
            ),
            (
                "?sslmode=require",
                "require",
                SslMode::Require,
                Trust::Anyone,
            ),
            (
                "?sslmode=require&sslrootcert=/etc/my%20ca.pem",
                "verify-ca",
                SslMode::Require,
                Trust::Issued(file()),
            ),
            (
                "?sslrootcert=/etc/my%20ca.pem&sslmode=verify-ca",
                "verify-ca",
                SslMode::Require,
                Trust::Issued(file()),
            ),
            (
                "?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem",
                "verify-full",
                SslMode::Require,
                Trust::Named(Roots::File(file())),
            ),
            (
                "?sslmode=verify-full&sslrootcert=system",
                "verify-full",
                SslMode::Require,
                Trust::Named(Roots::System),
            ),
        ] {
            let (rest, read) = of(query).unwrap();
            assert_eq!(read, Encryption { word, mode, trust }, "{query}");
            assert_eq!(rest, PLACE, "{query}");
        }
    }

    #[test]
    fn the_other_words_stay_where_they_are() {
        let (rest, _) = of("?options=-c%20a&sslmode=require&user=bob").unwrap();
        assert_eq!(rest, format!("{PLACE}?options=-c%20a&user=bob"));
    }

    #[test]
    fn what_would_be_weaker_than_it_looks_is_refused() {
        for query in [
            "?sslmode=allow",
            "?sslmode=",
            "?sslmode",
            "?sslmode=Verify-Full&sslrootcert=system",
            "?sslmode=verify-ca",
            "?sslmode=verify-full",
            "?sslrootcert=/ca.pem",
            "?sslmode=prefer&sslrootcert=/ca.pem",
            "?sslmode=disable&sslrootcert=/ca.pem",
            "?sslmode=verify-ca&sslrootcert=system",
            "?sslmode=verify-full&sslrootcert=system&sslmode=disable",
            "?sslmode=%ff",
        ] {
            assert!(of(query).is_err(), "{query}");
        }
    }
}
