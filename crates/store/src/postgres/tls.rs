//! Encrypted connections to PostgreSQL: the driver's own trait over rustls, which the server has for its clients.

mod stream;
mod trust;

use crate::error::{Result, StoreError};
use crate::url::Encryption;
use postgres::tls::{MakeTlsConnect, TlsConnect};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use stream::Encrypted;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};

/// Makes connections encrypted, for a driver that was told whether they have to be.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates that are to be trusted. They are not read again.
    pub(super) fn new(encryption: &Encryption) -> Result<Self> {
        let failed = |source: rustls::Error| StoreError::Unavailable {
            step: "preparing to speak TLS",
            source: source.into(),
        };
        // The provider is named here and not installed for the process, which tests share.
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(trust::verifier(&encryption.trust, provider)?)
            .with_no_client_auth();
        let mut config = config;
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// The connector to one host.
pub(super) struct ToHost {
    config: Arc<ClientConfig>,
    /// `None` for a Unix socket, whose other end offers no encryption.
    name: Option<ServerName<'static>>,
}

type Failure = Box<dyn Error + Send + Sync>;

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = ToHost;
    type Error = Failure;

    fn make_tls_connect(&mut self, host: &str) -> std::result::Result<ToHost, Failure> {
        Ok(ToHost {
            config: Arc::clone(&self.0),
            name: ServerName::try_from(host.to_owned()).ok(),
        })
    }
}

impl<S> TlsConnect<S> for ToHost
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Encrypted<S>, Failure>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = self
                .name
                .ok_or("the host has no name that a certificate could be for")?;
            let connected = TlsConnector::from(self.config).connect(name, stream);
            Ok(Encrypted::new(connected.await?))
        })
    }
}

#[cfg(test)]
mod tests;
