//! The client's side: requests signed as the official SDKs sign them.

use crate::encoding::{Pair, canonical};
use crate::request::RawRequest;
use crate::signature::{v1, v3};
use std::fmt;

pub use crate::signature::v3::Algorithm;

/// The type of a form body.
const FORM: &str = "application/x-www-form-urlencoded";

/// What is asked, and by whom; the same for both ways of signing.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The value of the `Host` header, with the port as it will be sent.
    pub host: &'a str,
    /// The operation.
    pub action: &'a str,
    /// The API version, `yyyy-MM-dd`.
    pub version: &'a str,
    /// Parameters that go into the query.
    pub query: &'a [(&'a str, &'a str)],
    /// Parameters that go into the form body.
    pub form: &'a [(&'a str, &'a str)],
    /// The access key.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The token of a temporary key.
    pub security_token: Option<&'a str>,
    /// The time, as [`crate::date::format`] writes it.
    pub date: &'a str,
    /// A word not used before with this key.
    pub nonce: &'a str,
}

/// A request to put on the wire as it is: to path `/`, with this query, these headers and this body.
#[derive(Clone)]
pub struct SignedRequest {
    /// The method.
    pub method: String,
    /// The query, encoded, without `?`.
    pub query: String,
    /// The headers, their names in lower case, `host` among them; the length of the body is the
    /// transport's to say.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// The request as a server sees it.
    #[must_use]
    pub fn as_raw(&self) -> RawRequest<'_> {
        RawRequest {
            method: &self.method,
            path: "/",
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Signs with V3, the way of the current SDKs.
#[must_use]
pub fn sign_v3(call: &Call<'_>, algorithm: Algorithm) -> SignedRequest {
    let query = encoded(&owned(call.query));
    let body = encoded(&owned(call.form)).into_bytes();
    let body_hash = algorithm.hash(&body);
    let mut headers = vec![
        ("host", call.host),
        ("x-acs-action", call.action),
        ("x-acs-version", call.version),
        ("x-acs-date", call.date),
        ("x-acs-signature-nonce", call.nonce),
        ("x-acs-content-sha256", &body_hash),
    ];
    if !body.is_empty() {
        headers.push(("content-type", FORM));
    }
    if let Some(token) = call.security_token {
        headers.push(("x-acs-accesskey-id", call.access_key_id));
        headers.push(("x-acs-security-token", token));
    }
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed_headers = names.join(";");
    let mut headers = owned(&headers);
    let request = v3::canonical_request(call.method, &query, &headers, &signed_headers, &body_hash);
    let text = v3::string_to_sign(algorithm, &request);
    let signature = algorithm.hmac(call.secret.as_bytes(), text.as_bytes());
    headers.push((
        "authorization".into(),
        format!(
            "{} Credential={},SignedHeaders={signed_headers},Signature={signature}",
            algorithm.name(),
            call.access_key_id
        ),
    ));
    headers.push(("accept".into(), "application/json".into()));
    SignedRequest {
        method: call.method.to_owned(),
        query,
        headers,
        body,
    }
}

/// Signs with v1, the way of the older SDKs: the protocol's own parameters go into the query.
#[must_use]
pub fn sign_v1(call: &Call<'_>) -> SignedRequest {
    let mut query = owned(call.query);
    query.extend(owned(&[
        ("Action", call.action),
        ("Version", call.version),
        ("Format", "JSON"),
        ("AccessKeyId", call.access_key_id),
        ("SignatureMethod", v1::METHOD),
        ("SignatureVersion", v1::VERSION),
        ("SignatureNonce", call.nonce),
        ("Timestamp", call.date),
    ]));
    query.extend(
        call.security_token
            .map(|token| ("SecurityToken".to_owned(), token.to_owned())),
    );
    let form = owned(call.form);
    let all: Vec<&Pair> = query.iter().chain(&form).collect();
    let text = v1::string_to_sign(call.method, &all);
    query.push(("Signature".into(), v1::signature(call.secret, &text)));
    let mut headers = vec![("host", call.host)];
    if !form.is_empty() {
        headers.push(("content-type", FORM));
    }
    SignedRequest {
        method: call.method.to_owned(),
        query: encoded(&query),
        headers: owned(&headers),
        body: encoded(&form).into_bytes(),
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<Pair> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn encoded(pairs: &[Pair]) -> String {
    canonical(&pairs.iter().collect::<Vec<_>>(), false)
}
