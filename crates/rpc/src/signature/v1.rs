//! Signature v1: HMAC-SHA1 over every parameter (`SignatureVersion=1.0`).

use super::{Method, Signed};
use crate::date;
use crate::encoding::{Pair, canonical, percent_encode_into};
use crate::fault::Fault;
use crate::request::Decoded;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The value of `SignatureMethod`.
pub(crate) const METHOD: &str = "HMAC-SHA1";
/// The value of `SignatureVersion`.
pub(crate) const VERSION: &str = "1.0";

/// Reads what a v1 request says of its signature.
pub(crate) fn read(method: &str, decoded: &Decoded) -> Result<Signed, Fault> {
    let need = |name: &str| decoded.get(name).ok_or_else(|| Fault::missing(name));
    let access_key_id = need("AccessKeyId")?;
    let signature = need("Signature")?;
    if !need("SignatureMethod")?.eq_ignore_ascii_case(METHOD)
        // A signature made with a private key names its kind here.
        || decoded.get("SignatureType").is_some()
    {
        return Err(Fault::invalid_signature_method());
    }
    if need("SignatureVersion")? != VERSION {
        return Err(Fault::invalid("SignatureVersion"));
    }
    let timestamp_ms = date::parse(need("Timestamp")?).ok_or_else(Fault::time_stamp_format)?;
    let nonce = need("SignatureNonce")?;

    let mut pairs: Vec<&Pair> = decoded
        .pairs
        .iter()
        .filter(|(name, _)| name != "Signature")
        .collect();
    let mut strings_to_sign = vec![string_to_sign(method, &pairs)];
    // A client that puts a parameter into both the query and the form signs it once.
    pairs.sort_unstable();
    let all = pairs.len();
    pairs.dedup();
    if pairs.len() < all {
        strings_to_sign.push(string_to_sign(method, &pairs));
    }
    Ok(Signed {
        access_key_id: access_key_id.to_owned(),
        security_token: decoded.get("SecurityToken").map(str::to_owned),
        nonce: nonce.to_owned(),
        timestamp_ms,
        method: Method::V1,
        strings_to_sign,
        // Every parameter of the body is in the text that is signed; the rest of it is not looked at.
        body_is_intact: true,
        signature: signature.to_owned(),
    })
}

/// The text a v1 signature is made over.
pub(crate) fn string_to_sign(method: &str, pairs: &[&Pair]) -> String {
    let mut text = format!("{method}&%2F&");
    percent_encode_into(&canonical(pairs, false), &mut text);
    text
}

/// The signature of `text`, as it stands in the parameter.
pub(crate) fn signature(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
