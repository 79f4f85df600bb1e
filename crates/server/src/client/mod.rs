//! A client of the API for commands that ask a server which runs: signed calls, bounded in time and size.

mod endpoint;
mod error;
mod key;
mod trust;

pub use endpoint::Endpoint;
pub use error::{ClientError, Refusal};
pub use key::Key;

use crate::ops::ApiProduct;
use axum::body::Bytes;
use axum::http::Request;
use greenroom_model::random::uuid_upper;
use greenroom_model::{Clock, Entropy};
use greenroom_rpc::date;
use greenroom_rpc::sign::{Algorithm, Call, SignedRequest, sign_v3};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a call may take unless it is said, and how long it is tried again while the server has its callers wait.
const TIME: Duration = Duration::from_secs(30);

/// More than any page of anything.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// The API of one server, seen with one key.
pub struct Client {
    endpoint: Endpoint,
    key: Key,
    tls: Option<TlsConnector>,
    patience: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Which certificates a server may show.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// Only those that lead to one in this file; PEM.
    Only(&'a Path),
    /// Those that lead to one that this machine trusts, or to one in this file, if there is one.
    SystemAnd(&'a Path),
}

impl Client {
    /// Nothing is sent before the first call.
    ///
    /// # Errors
    /// The endpoint is encrypted, and the certificates to be trusted cannot be read.
    pub fn new(
        endpoint: Endpoint,
        key: Key,
        trust: Trust<'_>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, ClientError> {
        let tls = if endpoint.is_encrypted() {
            Some(trust::connector(trust)?)
        } else {
            None
        };
        Ok(Self {
            endpoint,
            key,
            tls,
            patience: TIME,
            clock,
            entropy,
        })
    }

    /// The same client, whose calls may take so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where the server is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Calls an operation with its parameters in flat form (`Ids.1`), and gives what it answers.
    ///
    /// # Errors
    /// The server cannot be reached, does not answer in time, or refuses.
    pub async fn call(
        &self,
        product: ApiProduct,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let answered = tokio::time::timeout(self.patience, async {
            loop {
                let done = self.attempt(product, action, parameters).await;
                match done.as_ref().err().and_then(ClientError::pause) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return done,
                }
            }
        });
        let slow = |_| ClientError::Slow {
            endpoint: self.endpoint.clone(),
        };
        answered.await.map_err(slow)?
    }

    async fn attempt(
        &self,
        product: ApiProduct,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let request = sign_v3(
            &Call {
                method: "POST",
                host: self.endpoint.host(),
                action,
                version: product.version,
                query: &[],
                form: parameters,
                access_key_id: &self.key.id,
                secret: self.key.secret(),
                security_token: self.key.security_token(),
                date: &date::format(self.clock.now().0),
                nonce: &uuid_upper(&*self.entropy),
            },
            Algorithm::Sha256,
        );
        let link = self.connect().await?;
        let answer = match &self.tls {
            None => self.send(link, request).await?,
            Some(tls) => {
                let name = self.endpoint.server_name()?;
                let link = tls.connect(name, link).await;
                let link = link.map_err(|source| ClientError::Untrusted {
                    endpoint: self.endpoint.clone(),
                    source,
                })?;
                self.send(link, request).await?
            }
        };
        let foreign = || ClientError::Foreign(self.endpoint.clone());
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| foreign())?;
        if answer.status == 200 {
            return Ok(body);
        }
        let refusal = Refusal::read(action, &self.key, &body, answer.retry_after);
        Err(refusal.map_or_else(foreign, |refusal| ClientError::Refused(Box::new(refusal))))
    }

    async fn connect(&self) -> Result<TcpStream, ClientError> {
        let link = TcpStream::connect(self.endpoint.address()).await;
        link.map_err(|source| ClientError::Absent {
            endpoint: self.endpoint.clone(),
            source,
        })
    }

    async fn send(
        &self,
        link: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: SignedRequest,
    ) -> Result<Answer, ClientError> {
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Broken {
            endpoint: self.endpoint.clone(),
            source,
        };
        let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(link))
            .await
            .map_err(|error| broken(error.into()))?;
        // It ends with the sender; how it does is heard there.
        tokio::spawn(connection);
        let target = format!("/?{}", request.query);
        let mut outgoing = Request::builder().method("POST").uri(target);
        for (name, value) in &request.headers {
            outgoing = outgoing.header(name, value);
        }
        let outgoing = outgoing
            .body(Full::from(request.body))
            .map_err(|error| broken(error.into()))?;
        let answer = sender.send_request(outgoing).await;
        let (head, body) = answer.map_err(|error| broken(error.into()))?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let retry_after = head.headers.get("x-acs-retry-after");
        Ok(Answer {
            status: head.status.as_u16(),
            retry_after: retry_after
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .map(Duration::from_millis),
            body: body.map_err(broken)?.to_bytes(),
        })
    }
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Bytes,
}

#[cfg(test)]
mod tests;
