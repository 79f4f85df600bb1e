//! From an HTTP request to a call: which operation, in which form, by whom, with which parameters.

use crate::encoding::{self, MAX_BODY_BYTES, MAX_QUERY_BYTES, Pair};
use crate::fault::Fault;
use crate::params::Params;
use crate::signature::{Signed, v1, v3};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Parameters that belong to the protocol. `RegionId` is not among them: the clients set it on every
/// call, and some operations also have it as their own.
const PROTOCOL_PARAMS: [&str; 12] = [
    "AccessKeyId",
    "Action",
    "BearerToken",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// A request as it came over HTTP, with its body joined and nothing decoded.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// What follows the `?`, still encoded.
    pub query: &'a str,
    /// Every header in the order sent: its name in lower case, its value as sent.
    pub headers: &'a [(String, String)],
    /// The body, without the framing of a chunked transfer.
    pub body: &'a [u8],
}

/// The form an answer is wanted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `application/json`.
    #[default]
    Json,
    /// `text/xml`.
    Xml,
}

/// A call of an operation.
#[derive(Debug)]
pub struct Request {
    /// The operation's name.
    pub action: String,
    /// The version of the API it belongs to, `yyyy-MM-dd`.
    pub version: String,
    /// The form the answer is wanted in.
    pub format: Format,
    /// The region the client says it is set to.
    pub region_id: Option<String>,
    /// The operation's parameters, without those of the protocol.
    pub params: Params,
    /// Who calls, as far as the request says.
    pub credential: Credential,
}

/// What a request says about its caller. Nothing of it is checked yet.
#[derive(Debug)]
pub enum Credential {
    /// Signed with an access key.
    Signed(Signed),
    /// Presents a token instead of a signature.
    Bearer(BearerToken),
    /// Says nothing.
    Anonymous,
}

/// A bearer's token; it does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(pub String);

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(..)")
    }
}

impl<'a> RawRequest<'a> {
    /// The first header of this (lower case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.trim())
    }

    /// The only header of this name, or a fault: a header the protocol acts on has one value.
    pub(crate) fn one_header(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        if self.headers.iter().filter(|(n, _)| n == name).count() > 1 {
            return Err(Fault::malformed(&format!("header {name} comes twice")));
        }
        Ok(self.header(name).filter(|value| !value.is_empty()))
    }

    fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|value| {
            let media_type = value.split(';').next().unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }
}

/// A request's parameters, decoded once and kept in the three shapes that are needed.
pub(crate) struct Decoded {
    /// Query pairs, then form pairs, as sent.
    pub(crate) pairs: Vec<Pair>,
    /// How many of the pairs came in the query.
    pub(crate) in_query: usize,
    merged: BTreeMap<String, String>,
}

impl Decoded {
    fn of(raw: &RawRequest<'_>) -> Result<Self, Fault> {
        if raw.query.len() > MAX_QUERY_BYTES {
            return Err(Fault::malformed(&format!(
                "the query is longer than {MAX_QUERY_BYTES} bytes"
            )));
        }
        if raw.body.len() > MAX_BODY_BYTES {
            return Err(Fault::malformed(&format!(
                "the body is longer than {MAX_BODY_BYTES} bytes"
            )));
        }
        let mut pairs = Vec::new();
        encoding::decode_form(raw.query.as_bytes(), &mut pairs)?;
        let in_query = pairs.len();
        if raw.is_form() {
            encoding::decode_form(raw.body, &mut pairs)?;
        }
        let mut merged = BTreeMap::new();
        for (name, value) in &pairs {
            match merged.entry(name.clone()) {
                Entry::Vacant(free) => {
                    free.insert(value.clone());
                }
                // Said twice is still said once; said in two ways means nothing. Taking either would let
                // two readers of one signed request see two different requests.
                Entry::Occupied(taken) if taken.get() == value => {}
                Entry::Occupied(_) => {
                    return Err(Fault::malformed(&format!("{name} has two values")));
                }
            }
        }
        Ok(Self {
            pairs,
            in_query,
            merged,
        })
    }

    /// A protocol parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.merged
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl Format {
    /// The form in which to refuse a request that [`Request::parse`] refused: what could be made out
    /// of its wishes, else JSON.
    #[must_use]
    pub fn of(raw: &RawRequest<'_>) -> Self {
        Decoded::of(raw)
            .and_then(|decoded| Self::wanted(raw, &decoded))
            .unwrap_or_default()
    }

    /// An explicit `Format` wins, else `Accept`, else JSON.
    fn wanted(raw: &RawRequest<'_>, decoded: &Decoded) -> Result<Self, Fault> {
        match decoded.get("Format") {
            Some(text) if text.eq_ignore_ascii_case("json") => Ok(Self::Json),
            Some(text) if text.eq_ignore_ascii_case("xml") => Ok(Self::Xml),
            Some(_) => Err(Fault::invalid_parameter("Format")),
            None => Ok(raw.header("accept").map_or(Self::Json, Self::accepted)),
        }
    }

    /// The first form spoken here that an `Accept` header names.
    fn accepted(accept: &str) -> Self {
        accept
            .split(',')
            .map(|entry| entry.split(';').next().unwrap_or_default().trim())
            .find_map(
                |media_type| match media_type.to_ascii_lowercase().as_str() {
                    "application/json" | "application/*" | "*/*" => Some(Self::Json),
                    "text/xml" | "application/xml" => Some(Self::Xml),
                    _ => None,
                },
            )
            .unwrap_or_default()
    }
}

impl Request {
    /// Reads a request. Parameters come from the query and from a form body alike; one that comes in
    /// both with one value counts once, with two values the request is refused.
    ///
    /// The signature, if there is one, is understood but not yet verified.
    ///
    /// # Errors
    /// The fault to answer with: the request is too large, ill-formed, or lacks what the protocol
    /// demands.
    pub fn parse(raw: &RawRequest<'_>) -> Result<Self, Fault> {
        if !matches!(raw.method, "GET" | "POST") {
            return Err(Fault::unsupported_method());
        }
        if !matches!(raw.path, "/" | "") {
            return Err(Fault::no_such_action());
        }
        let decoded = Decoded::of(raw)?;
        let format = Format::wanted(raw, &decoded)?;
        let (action, version) = operation(raw, &decoded)?;
        let credential = credential(raw, &decoded)?;
        let region_id = decoded.get("RegionId").map(str::to_owned);
        let params = decoded
            .merged
            .into_iter()
            .filter(|(name, _)| !PROTOCOL_PARAMS.contains(&name.as_str()))
            .collect();
        Ok(Self {
            action,
            version,
            format,
            region_id,
            params,
            credential,
        })
    }
}

/// How a request names its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    V3,
    V3Bearer,
    V1,
    V1Bearer,
    Anonymous,
}

impl Scheme {
    // `x-acs-action` decides nothing: v1 clients send it too.
    fn of(raw: &RawRequest<'_>, decoded: &Decoded) -> Self {
        let bearer_type = decoded
            .get("SignatureType")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("BEARERTOKEN"));
        if raw
            .header("authorization")
            .is_some_and(|value| value.starts_with("ACS3-"))
        {
            Self::V3
        } else if raw.header("x-acs-bearer-token").is_some() {
            Self::V3Bearer
        } else if decoded.get("BearerToken").is_some()
            && (bearer_type || decoded.get("AccessKeyId").is_none())
        {
            // Some clients also send a signature made with an empty key; it proves nothing.
            Self::V1Bearer
        } else if decoded.get("Signature").is_some() || decoded.get("AccessKeyId").is_some() {
            Self::V1
        } else {
            Self::Anonymous
        }
    }
}

fn credential(raw: &RawRequest<'_>, decoded: &Decoded) -> Result<Credential, Fault> {
    let bearer = |token: Option<&str>| match token {
        Some(token) if !token.is_empty() => Ok(Credential::Bearer(BearerToken(token.to_owned()))),
        _ => Err(Fault::missing("BearerToken")),
    };
    match Scheme::of(raw, decoded) {
        Scheme::V3 => v3::read(raw, decoded).map(Credential::Signed),
        Scheme::V3Bearer => bearer(raw.one_header("x-acs-bearer-token")?),
        Scheme::V1Bearer => bearer(decoded.get("BearerToken")),
        Scheme::V1 => v1::read(raw.method, decoded).map(Credential::Signed),
        Scheme::Anonymous => Ok(Credential::Anonymous),
    }
}

/// The operation's name and version. They are taken from where the signature covers them: parameters
/// in v1, headers in V3.
fn operation(raw: &RawRequest<'_>, decoded: &Decoded) -> Result<(String, String), Fault> {
    let scheme = Scheme::of(raw, decoded);
    let find = |param: &str, header: &str| -> Result<String, Fault> {
        let from_param = decoded.get(param);
        let from_header = raw.one_header(header)?;
        match scheme {
            Scheme::V1 => from_param,
            Scheme::V3 | Scheme::V3Bearer => from_header,
            Scheme::V1Bearer | Scheme::Anonymous => from_param.or(from_header),
        }
        .map(str::to_owned)
        .ok_or_else(|| Fault::missing(param))
    };
    let action = find("Action", "x-acs-action")?;
    let version = find("Version", "x-acs-version")?;
    // The name goes into logs and becomes an XML element.
    let well_named = action.starts_with(|c: char| c.is_ascii_alphabetic())
        && action.len() <= 128
        && action.bytes().all(|b| b.is_ascii_alphanumeric());
    if !well_named {
        return Err(Fault::no_such_action());
    }
    let is_date = version.len() == 10
        && version.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !is_date {
        return Err(Fault::no_such_version());
    }
    Ok((action, version))
}
