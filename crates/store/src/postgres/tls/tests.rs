//! Against a real PostgreSQL with and without certificates.

use crate::connection::{Transactions, first};
use crate::postgres::Postgres;
use greenroom_testkit::postgres::Cluster;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::NamedTempFile;

/// Somebody who gives out certificates.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file with the authority's certificate.
fn roots(of: &CertifiedIssuer<'_, KeyPair>) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, of.pem()).unwrap();
    file
}

/// An error and its causes.
fn said(error: &dyn std::error::Error) -> String {
    let causes = error.source().map_or_else(String::new, said);
    format!("{error}: {causes}")
}

/// Whether a connection is encrypted, as the database sees it, or why there is none.
fn encrypted(url: &str) -> Result<bool, String> {
    let url = url.parse().map_err(|error| said(&error))?;
    let mut c = Postgres::new(&url).map_err(|error| said(&error))?;
    c.begin_reading().map_err(|error| said(&error))?;
    let sql = "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let found = first(&mut c, sql, &[], |row| row.integer(0)).unwrap();
    Ok(found == Some(1))
}

#[test]
fn a_connection_is_as_safe_as_its_url_says_or_there_is_none() {
    let (ours, theirs) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &ours).unwrap();
    let cluster = Cluster::start_encrypted(&certificate.pem(), &key.serialize_pem());
    let (ours, theirs) = (roots(&ours), roots(&theirs));
    let (ours, theirs) = (ours.path().display(), theirs.path().display());

    let at = |host: &str, query: &str| encrypted(&format!("{}{query}", cluster.database_at(host)));
    for (host, query, is_encrypted) in [
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "?sslmode=disable".to_owned(), false),
        ("127.0.0.1", "?sslmode=require".to_owned(), true),
        (
            "127.0.0.1",
            format!("?sslmode=require&sslrootcert={ours}"),
            true,
        ),
        (
            "127.0.0.1",
            format!("?sslmode=verify-ca&sslrootcert={ours}"),
            true,
        ),
        (
            "localhost",
            format!("?sslmode=verify-full&sslrootcert={ours}"),
            true,
        ),
    ] {
        assert_eq!(at(host, &query), Ok(is_encrypted), "{host}{query}");
    }
    for (host, query, why) in [
        (
            "127.0.0.1",
            format!("?sslmode=verify-full&sslrootcert={ours}"),
            "not valid for name",
        ),
        (
            "localhost",
            format!("?sslmode=verify-full&sslrootcert={theirs}"),
            "invalid peer certificate",
        ),
        (
            "localhost",
            format!("?sslmode=verify-ca&sslrootcert={theirs}"),
            "invalid peer certificate",
        ),
        (
            "localhost",
            format!("?sslmode=require&sslrootcert={theirs}"),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "?sslmode=verify-full&sslrootcert=system".to_owned(),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "?sslmode=verify-ca&sslrootcert=/nowhere".to_owned(),
            "that sslrootcert names",
        ),
        (
            "localhost",
            "?sslmode=require&channel_binding=require".to_owned(),
            "channel binding",
        ),
    ] {
        let refused = at(host, &query).expect_err(&query);
        assert!(refused.contains(why), "{host}{query}: {refused}");
    }
}

#[test]
fn a_database_without_certificates_is_spoken_to_in_the_clear_only_by_who_allows_it() {
    let cluster = Cluster::start_on_tcp();
    let at = |query: &str| encrypted(&format!("{}{query}", cluster.database_at("127.0.0.1")));
    for query in ["", "?sslmode=prefer", "?sslmode=disable"] {
        assert_eq!(at(query), Ok(false), "{query}");
    }
    for query in [
        "?sslmode=require",
        "?sslmode=verify-full&sslrootcert=system",
    ] {
        let refused = at(query).expect_err(query);
        assert!(refused.contains("does not support TLS"), "{refused}");
    }
    // Nobody listens in on a socket of this machine, and libpq asks for nothing there either.
    assert_eq!(encrypted(&cluster.database()), Ok(false));
}
