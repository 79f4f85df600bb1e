//! Requests recorded from the official clients are read as what they say, and their signatures hold.

use crate::support::{self, Vector};
use greenroom_rpc::{Credential, Format, Params, Request, Signed, date};
use sha2::{Digest, Sha256};
use sm3::Sm3;

#[test]
fn every_recorded_request_is_read_and_judged_rightly() {
    let (vectors, files) = support::load();
    assert_eq!(vectors.len(), files, "every file there is a vector");
    assert!(vectors.len() >= 48, "none was lost");
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let judged = check(vector);
            println!(
                "{:45} {}",
                vector.name,
                judged.as_ref().map_or_else(|why| why.as_str(), |()| "ok")
            );
            judged.err().map(|why| format!("{}: {why}", vector.name))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(vector: &Vector) -> Result<(), String> {
    let request =
        Request::parse(&vector.raw()).map_err(|fault| format!("refused with {fault:?}"))?;
    // A tampered request says something else than its expectation, which is the original's.
    if vector.valid {
        check_reading(vector, &request)?;
    }
    match (vector.scheme.as_str(), &request.credential) {
        ("anonymous", Credential::Anonymous) => Ok(()),
        ("v1-bearer" | "v3-bearer", Credential::Bearer(token)) => {
            same("token", &Some(token.0.clone()), &vector.bearer_token)
        }
        (scheme, Credential::Signed(signed)) => check_signature(vector, scheme, signed),
        (scheme, other) => Err(format!("{scheme} was taken for {other:?}")),
    }
}

fn check_reading(vector: &Vector, request: &Request) -> Result<(), String> {
    let expect = &vector.expect;
    same("action", &request.action, &expect.action)?;
    same("version", &request.version, &expect.version)?;
    same("region", &request.region_id, &expect.region_id)?;
    let format = match expect.format.as_deref() {
        Some(text) if text.eq_ignore_ascii_case("xml") => Format::Xml,
        _ => Format::Json,
    };
    same("format", &request.format, &format)?;
    // The region is set on the client, so the recording does not count it among the parameters.
    let params: Params = request
        .params
        .iter()
        .filter(|(name, _)| *name != "RegionId")
        .collect();
    let expected: Params = expect.params.clone().into_iter().collect();
    same(
        "params",
        &params.iter().collect::<Vec<_>>(),
        &expected.iter().collect::<Vec<_>>(),
    )
}

fn check_signature(vector: &Vector, scheme: &str, signed: &Signed) -> Result<(), String> {
    same(
        "key",
        &Some(signed.access_key_id.clone()),
        &vector.access_key_id,
    )?;
    same("token", &signed.security_token, &vector.security_token)?;
    same("nonce", &Some(signed.nonce.clone()), &vector.nonce)?;
    let made = vector.timestamp.as_deref().and_then(date::parse);
    same("time", &Some(signed.timestamp_ms), &made)?;
    signed
        .check_time(signed.timestamp_ms)
        .map_err(|fault| fault.code)?;

    // The negative ones hold what the client signed, which is not what this request says.
    if vector.valid {
        let signs = match scheme {
            "v1-hmac-sha1" => vector.string_to_sign.clone(),
            _ => vector
                .canonical_request
                .as_deref()
                .map(|text| match scheme {
                    "acs3-hmac-sm3" => hashed("ACS3-HMAC-SM3", &Sm3::digest(text)),
                    _ => hashed("ACS3-HMAC-SHA256", &Sha256::digest(text)),
                }),
        };
        same(
            "string to sign",
            &Some(signed.string_to_sign().to_owned()),
            &signs,
        )?;
    }
    let secret = vector.access_key_secret.as_deref().unwrap_or_default();
    match (signed.verify(secret), &vector.expect_code) {
        (Ok(()), None) if vector.valid => {}
        (Err(fault), Some(code)) if !vector.valid && fault.code == *code => {
            same("status", &fault.status, &400)?;
            same(
                "what the fault says was signed",
                &fault.message.ends_with(&format!(
                    "server string to sign is:{}",
                    signed.string_to_sign()
                )),
                &true,
            )?;
        }
        (outcome, _) => return Err(format!("verified as {outcome:?}")),
    }
    same(
        "verdict on another secret",
        &signed.verify("another").is_err(),
        &true,
    )
}

fn hashed(algorithm: &str, hash: &[u8]) -> String {
    let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    format!("{algorithm}\n{hex}")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), String> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what}: {got:?} instead of {expected:?}"))
    }
}
