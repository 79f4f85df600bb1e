//! Where a server is.

use super::ClientError;
use axum::http::Uri;
use std::fmt;
use std::net::IpAddr;
use tokio_rustls::rustls::pki_types::ServerName;

/// Where a server is, as in `https://apps.example.com:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    encrypted: bool,
    /// As in the `Host` header, with the port when it was named.
    host: String,
    name: String,
    port: u16,
}

impl Endpoint {
    /// Reads an endpoint. The official SDKs take it without a scheme: then it is encrypted unless it is this
    /// machine, so that nothing travels in the clear by mistake.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let none = || ClientError::NoEndpoint(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| none())?;
        let authority = uri.authority().ok_or_else(none)?;
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(none()),
            None => !is_this_machine(&name),
        };
        let more = uri.path_and_query().map_or("/", |more| more.as_str());
        if name.is_empty() || authority.as_str().contains('@') || more != "/" {
            return Err(none());
        }
        Ok(Self {
            encrypted,
            host: authority.to_string(),
            name,
            port: authority
                .port_u16()
                .unwrap_or(if encrypted { 443 } else { 80 }),
        })
    }

    /// Whether connections are.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The value of the `Host` header.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// What to connect to.
    pub(super) fn address(&self) -> (&str, u16) {
        (&self.name, self.port)
    }

    /// The name that the certificate must be for.
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, ClientError> {
        let name = ServerName::try_from(self.name.clone());
        name.map_err(|_| ClientError::NoEndpoint(self.to_string()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)
    }
}

fn is_this_machine(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_read_with_or_without_its_scheme() {
        for (text, read, address) in [
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080",
                ("127.0.0.1", 8080),
            ),
            (
                "https://apps.example.com/",
                "https://apps.example.com",
                ("apps.example.com", 443),
            ),
            ("http://[::1]:80", "http://[::1]:80", ("::1", 80)),
            (
                "127.0.0.1:8080",
                "http://127.0.0.1:8080",
                ("127.0.0.1", 8080),
            ),
            ("localhost:80", "http://localhost:80", ("localhost", 80)),
            (
                "apps.example.com",
                "https://apps.example.com",
                ("apps.example.com", 443),
            ),
            (
                "192.0.2.7:8443",
                "https://192.0.2.7:8443",
                ("192.0.2.7", 8443),
            ),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), read);
            assert_eq!(endpoint.address(), address, "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_named() {
        for text in [
            "",
            "/",
            "ftp://x",
            "http://",
            "http://x/path",
            "http://x/?a=b",
            "http://me:secret@x",
            "a b",
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains("is no endpoint"), "{text}: {error}");
        }
    }
}
