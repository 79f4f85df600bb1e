//! TLS: which certificate the server shows, where it comes from, and taking a newer one without a restart.

mod self_signed;

pub use self_signed::CERTIFICATE as OWN_CERTIFICATE;

use crate::config;
use crate::data_dir::DataDir;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate, then those that lead from it to one that clients know; PEM.
    pub certificate: PathBuf,
    /// Its private key; PEM.
    pub key: PathBuf,
}

/// How connections are encrypted.
pub struct Tls {
    files: Files,
    current: RwLock<Arc<ServerConfig>>,
}

/// Why they cannot be.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("cannot read {what} from {}", path.display())]
    Read {
        /// What should be in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pem::Error,
    },
    /// The file has no certificate.
    #[error("there is no certificate in {}", .0.display())]
    Empty(PathBuf),
    /// They are no pair, or of a kind that is not spoken.
    #[error("cannot use the certificate {} with the key {}", files.certificate.display(), files.key.display())]
    Refused {
        /// The pair.
        files: Files,
        /// Why not.
        source: rustls::Error,
    },
    /// It is no certificate that others could lead to.
    #[error("cannot trust what is in {}", path.display())]
    Untrustable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// There is no version of TLS that can be spoken.
    #[error("cannot speak TLS")]
    Versions(#[source] rustls::Error),
    /// No certificate of our own can be made.
    #[error("cannot make a self-signed certificate")]
    Make(#[from] rcgen::Error),
    /// It cannot be kept.
    #[error("cannot keep a self-signed certificate in the data folder")]
    Keep(#[source] io::Error),
}

impl Tls {
    /// What the configuration asks for: nothing, the operator's files, or a certificate of our own for
    /// `names`, which is made at the first start and kept in the data folder.
    ///
    /// # Errors
    /// It asks for TLS, and it cannot be had.
    pub fn from_config(
        config: &config::Tls,
        names: Vec<String>,
        data: &DataDir,
    ) -> Result<Option<Self>, TlsError> {
        let files = if config.self_signed {
            self_signed::keep(names, data)?
        } else if config.certificate.as_os_str().is_empty() {
            return Ok(None);
        } else {
            Files {
                certificate: config.certificate.clone(),
                key: config.key.clone(),
            }
        };
        let current = RwLock::new(Arc::new(load(&files)?));
        Ok(Some(Self { files, current }))
    }

    /// Takes what is in the files now for connections that are yet to come.
    ///
    /// # Errors
    /// They cannot be used; the server goes on with what it has.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(load(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Where certificate and key are.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// What takes a connection as it should be taken now.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        // The value is replaced whole, so a panic elsewhere does not spoil it.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(current.clone())
    }
}

/// The certificates in a PEM file, of which there is at least one.
///
/// # Errors
/// The file cannot be read, or has none.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable("certificates", file))?;
    if found.is_empty() {
        return Err(TlsError::Empty(file.to_owned()));
    }
    Ok(found)
}

fn unreadable(what: &'static str, file: &Path) -> impl FnOnce(pem::Error) -> TlsError {
    let path = file.to_owned();
    move |source| TlsError::Read { what, path, source }
}

fn load(files: &Files) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(unreadable("a private key", &files.key))?;
    let refused = |source| TlsError::Refused {
        files: files.clone(),
        source,
    };
    // The provider is named here and not installed for the process, which tests share.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn self_signed() -> config::Tls {
        config::Tls {
            self_signed: true,
            ..config::Tls::default()
        }
    }

    fn names() -> Vec<String> {
        vec!["localhost".into(), "127.0.0.1".into()]
    }

    #[test]
    fn a_self_signed_certificate_is_made_once_and_its_key_is_its_owners_only() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::open(&home.path().join("data")).unwrap();
        let tls = Tls::from_config(&self_signed(), names(), &data)
            .unwrap()
            .unwrap();
        let read = || std::fs::read(&tls.files().certificate).unwrap();
        let first = read();
        let mode = std::fs::metadata(&tls.files().key)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        Tls::from_config(&self_signed(), names(), &data).unwrap();
        assert_eq!(read(), first);
        // Half of a pair is of no use, and a start that was killed may leave one.
        std::fs::remove_file(&tls.files().key).unwrap();
        Tls::from_config(&self_signed(), names(), &data).unwrap();
        assert_ne!(read(), first);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_the_name_of_the_file() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::open(&home.path().join("data")).unwrap();
        let own = self_signed::keep(names(), &data).unwrap();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let file = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let missing = home.path().join("missing.pem");
        for (certificate, key, expected) in [
            (&missing, &own.key, "missing.pem"),
            (&file("empty.pem", ""), &own.key, "empty.pem"),
            (&own.certificate, &missing, "a private key from"),
            (&own.certificate, &own.certificate, "a private key from"),
            (&own.certificate, &file("other.pem", &other), "other.pem"),
        ] {
            let config = config::Tls {
                certificate: certificate.clone(),
                key: key.clone(),
                self_signed: false,
            };
            let error = Tls::from_config(&config, Vec::new(), &data)
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn without_a_setting_there_is_no_tls() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::open(&home.path().join("data")).unwrap();
        let none = Tls::from_config(&config::Tls::default(), names(), &data).unwrap();
        assert!(none.is_none());
        assert_eq!(
            std::fs::read_dir(data.path()).unwrap().count(),
            1,
            "the lock"
        );
    }
}
