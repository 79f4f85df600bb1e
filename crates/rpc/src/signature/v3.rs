//! Signature V3: `ACS3-HMAC-SHA256` (or SM3) over the query, the signed headers and the body's hash.

use super::{Method, Signed};
use crate::date;
use crate::encoding::{Pair, canonical};
use crate::fault::Fault;
use crate::request::{Decoded, RawRequest};
use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sm3::Sm3;

/// Headers that every signature has to cover.
const MUST_BE_SIGNED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// The most headers a signature may cover: each is looked up in the request.
const MAX_SIGNED_HEADERS: usize = 100;

/// The hash a V3 signature is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// `ACS3-HMAC-SHA256`, what clients use unless told otherwise.
    #[default]
    Sha256,
    /// `ACS3-HMAC-SM3`.
    Sm3,
}

impl Algorithm {
    /// The name that opens the `Authorization` header and the string to sign.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "ACS3-HMAC-SHA256",
            Self::Sm3 => "ACS3-HMAC-SM3",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sm3]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The hash of `data`, in lower-case hexadecimal.
    pub(crate) fn hash(self, data: &[u8]) -> String {
        match self {
            Self::Sha256 => hex(&Sha256::digest(data)),
            Self::Sm3 => hex(&Sm3::digest(data)),
        }
    }

    /// The keyed hash of `data`, in lower-case hexadecimal.
    pub(crate) fn hmac(self, key: &[u8], data: &[u8]) -> String {
        match self {
            Self::Sha256 => keyed::<Hmac<Sha256>>(key, data),
            Self::Sm3 => keyed::<Hmac<Sm3>>(key, data),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(data);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// `ACS3-.. Credential=..,SignedHeaders=..,Signature=..`, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'a> {
    algorithm: Algorithm,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// The three fields come in any order, each once.
    fn parse(value: &'a str) -> Result<Self, Fault> {
        let (name, fields) = value.split_once(' ').unwrap_or((value, ""));
        let algorithm = Algorithm::named(name).ok_or_else(Fault::invalid_signature_method)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let Some((name, value)) = field.trim().split_once('=') else {
                return Err(Fault::incomplete_signature(""));
            };
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(Fault::incomplete_signature("")),
            };
            if value.is_empty() || slot.replace(value).is_some() {
                return Err(Fault::incomplete_signature(""));
            }
        }
        match (credential, signed_headers, signature) {
            (Some(credential), Some(signed_headers), Some(signature)) => Ok(Self {
                algorithm,
                credential,
                signed_headers,
                signature,
            }),
            _ => Err(Fault::incomplete_signature("")),
        }
    }
}

/// Reads what a V3 request says of its signature.
pub(crate) fn read(raw: &RawRequest<'_>, decoded: &Decoded) -> Result<Signed, Fault> {
    let authorization = Authorization::parse(raw.one_header("authorization")?.unwrap_or_default())?;
    // A lacking header is named like the v1 parameter it stands for, which is what the catalogue has.
    let need =
        |header: &str, name: &str| raw.one_header(header)?.ok_or_else(|| Fault::missing(name));
    let date = need("x-acs-date", "Timestamp")?;
    let nonce = need("x-acs-signature-nonce", "SignatureNonce")?;
    let content_hash = need("x-acs-content-sha256", "x-acs-content-sha256")?;
    let security_token = raw.one_header("x-acs-security-token")?;
    let timestamp_ms = date::parse(date).ok_or_else(Fault::time_stamp_format)?;

    let Authorization {
        algorithm,
        signed_headers,
        ..
    } = authorization;
    let query: Vec<&Pair> = decoded.pairs[..decoded.in_query].iter().collect();
    let body_hash = algorithm.hash(raw.body);
    let text = |raw_names: bool| {
        let query = canonical(&query, raw_names);
        let request =
            canonical_request(raw.method, &query, raw.headers, signed_headers, &body_hash);
        string_to_sign(algorithm, &request)
    };
    let mut strings_to_sign = vec![text(false)];
    if names_go_raw(&query) {
        strings_to_sign.push(text(true));
    }
    if !covers(raw, signed_headers) {
        return Err(Fault::incomplete_signature(&strings_to_sign[0]));
    }
    Ok(Signed {
        access_key_id: authorization.credential.to_owned(),
        security_token: security_token.map(str::to_owned),
        nonce: nonce.to_owned(),
        timestamp_ms,
        method: Method::V3(algorithm),
        strings_to_sign,
        body_is_intact: content_hash == body_hash,
        signature: authorization.signature.to_owned(),
    })
}

/// Whether the signed headers are all there and include what decides the request's meaning: the
/// required ones, every `x-acs-*`, and the type that makes a body parameters.
fn covers(raw: &RawRequest<'_>, signed_headers: &str) -> bool {
    let signed: Vec<String> = signed_headers
        .split(';')
        .map(str::to_ascii_lowercase)
        .collect();
    let is_signed = |name: &str| signed.iter().any(|s| s == name);
    signed.len() <= MAX_SIGNED_HEADERS
        && signed.iter().all(|name| raw.header(name).is_some())
        && MUST_BE_SIGNED.into_iter().all(is_signed)
        && raw.headers.iter().all(|(name, _)| {
            let must =
                name.starts_with("x-acs-") || (name == "content-type" && !raw.body.is_empty());
            !must || is_signed(name)
        })
}

/// Some official clients leave the names in the canonical query as they are. That is taken too, where
/// no name could be mistaken for more than a name.
fn names_go_raw(query: &[&Pair]) -> bool {
    let plain = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
    };
    let harmless =
        |name: &str| !name.contains(|c: char| matches!(c, '&' | '=' | '%') || c.is_control());
    query.iter().any(|(name, _)| !plain(name)) && query.iter().all(|(name, _)| harmless(name))
}

/// The canonical form of a request.
pub(crate) fn canonical_request(
    method: &str,
    canonical_query: &str,
    headers: &[(String, String)],
    signed_headers: &str,
    body_hash: &str,
) -> String {
    let mut text = format!("{method}\n/\n{canonical_query}\n");
    for name in signed_headers.split(';').take(MAX_SIGNED_HEADERS) {
        let name = name.to_ascii_lowercase();
        let mut values: Vec<&str> = headers
            .iter()
            .filter(|(n, _)| *n == name)
            .map(|(_, value)| value.trim())
            .collect();
        values.sort_unstable();
        text.push_str(&name);
        text.push(':');
        text.push_str(&values.join(","));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(signed_headers);
    text.push('\n');
    text.push_str(body_hash);
    text
}

/// The text a V3 signature is made over.
pub(crate) fn string_to_sign(algorithm: Algorithm, canonical_request: &str) -> String {
    format!(
        "{}\n{}",
        algorithm.name(),
        algorithm.hash(canonical_request.as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(
            Algorithm::Sha256.hash(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        // GB/T 32905-2016, example 1.
        assert_eq!(
            Algorithm::Sm3.hash(b"abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        // RFC 4231, test case 2.
        assert_eq!(
            Algorithm::Sha256.hmac(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_authorization_fields_come_in_any_order() {
        let expected = Authorization {
            algorithm: Algorithm::Sha256,
            credential: "k",
            signed_headers: "a;b",
            signature: "00",
        };
        for fields in [
            "Credential=k,SignedHeaders=a;b,Signature=00",
            "Credential=k,Signature=00,SignedHeaders=a;b",
            "Signature=00, SignedHeaders=a;b, Credential=k",
        ] {
            let value = format!("ACS3-HMAC-SHA256 {fields}");
            assert_eq!(Authorization::parse(&value).expect(fields), expected);
        }
    }

    #[test]
    fn an_authorization_that_lacks_or_repeats_a_field_is_incomplete() {
        for fields in [
            "",
            "Credential=k",
            "Credential=k,SignedHeaders=a",
            "Credential=k,SignedHeaders=a,Signature=",
            "Credential=k,SignedHeaders=a,Signature=0,Signature=0",
            "Credential=k,SignedHeaders=a,Signature=0,More=1",
            "Credential=k;SignedHeaders=a;Signature=0",
        ] {
            let value = format!("ACS3-HMAC-SHA256 {fields}");
            let fault = Authorization::parse(&value).expect_err(fields);
            assert_eq!(fault.code, "IncompleteSignature", "{fields}");
            assert!(fault.message.contains(':'), "{fields}");
        }
    }

    #[test]
    fn other_signing_methods_are_named_invalid() {
        for name in ["ACS3-RSA-SHA256", "ACS3-", "ACS3-HMAC-SHA1"] {
            let value = format!("{name} Credential=k,SignedHeaders=a,Signature=0");
            let fault = Authorization::parse(&value).expect_err(name);
            assert_eq!(fault.code, "InvalidSignatureMethod", "{name}");
        }
    }

    #[test]
    fn raw_names_are_tried_only_where_they_cannot_be_mistaken() {
        let go = |name: &str| names_go_raw(&[&(name.to_owned(), String::new())]);
        assert!(go("标签"));
        assert!(go("a[0]"));
        for name in ["Plain.1", "a=b", "a&b", "a%62", "a\nb"] {
            assert!(!go(name), "{name}");
        }
    }
}
