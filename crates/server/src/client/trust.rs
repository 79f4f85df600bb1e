//! Which certificates are trusted.

use super::Trust;
use crate::tls::{TlsError, certificates};
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What makes connections to servers that are trusted.
pub(super) fn connector(trust: Trust<'_>) -> Result<TlsConnector, TlsError> {
    let mut roots = RootCertStore::empty();
    let file = match trust {
        Trust::Only(file) => Some(file),
        Trust::SystemAnd(file) => {
            // What of the system's cannot be read is not trusted, and the connection says so.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            file.is_file().then_some(file)
        }
    };
    if let Some(file) = file {
        for certificate in certificates(file)? {
            roots
                .add(certificate)
                .map_err(|source| TlsError::Untrustable {
                    path: file.to_owned(),
                    source,
                })?;
        }
    }
    // The provider is named here and not installed for the process, which tests share.
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
