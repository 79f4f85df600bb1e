//! What is signed is what is read, however a client spells it; what was changed on the way is refused.

use crate::support::random::Random;
use crate::support::{self, Vector};
use greenroom_rpc::sign::{Algorithm, Call, SignedRequest, sign_v1, sign_v3};
use greenroom_rpc::{Credential, Params, RawRequest, Request, Signed, date};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const SECRET: &str = "testAccessKeySecret";

const CALL: Call<'static> = Call {
    method: "POST",
    host: "127.0.0.1:8080",
    action: "ListPersistentAppInstances",
    version: "2021-09-01",
    query: &[("ProductType", "CloudApp"), ("Name", "a b~*'()!+/中")],
    form: &[("Ids.1", "p-1"), ("Ids.2", "")],
    access_key_id: "testAccessKeyId",
    secret: SECRET,
    security_token: None,
    date: "2026-11-24T02:57:56Z",
    nonce: "059f1196e5e0fbfc57a7f4462806756f",
};

/// The request if it is one and its signature holds, else the fault's code.
fn admit(raw: &RawRequest<'_>, secret: &str) -> Result<(Request, String), String> {
    let request = Request::parse(raw).map_err(|fault| fault.code)?;
    let said = match &request.credential {
        Credential::Signed(signed) => {
            signed.verify(secret).map_err(|fault| fault.code)?;
            format!(
                "{} {:?} {} {}",
                signed.access_key_id, signed.security_token, signed.nonce, signed.timestamp_ms
            )
        }
        other => return Err(format!("{other:?}")),
    };
    // The format is left out: it is how the answer looks, and `Accept` is not always signed.
    let meaning = format!(
        "{} {} {:?} {:?} {said}",
        request.action,
        request.version,
        request.region_id,
        request.params.iter().collect::<Vec<_>>()
    );
    Ok((request, meaning))
}

fn signed(request: &SignedRequest) -> Signed {
    match Request::parse(&request.as_raw())
        .expect("parses")
        .credential
    {
        Credential::Signed(signed) => signed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn random_calls_are_read_as_they_were_signed() {
    let mut random = Random(1);
    for round in 0..400 {
        let mut pairs = BTreeMap::new();
        for _ in 0..random.below(12) {
            // A value is refused for its NUL when it is read as something, a name at once.
            let name = random.text(6).replace('\0', "");
            let name = format!("P{}{name}", random.below(100));
            pairs.insert(name, random.text(40));
        }
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let (query, form) = pairs.split_at(random.below(pairs.len() + 1));
        // V3 sends it as a header, which holds no control characters.
        let token = random.text(20).replace(char::is_control, "");
        let call = Call {
            method: random.pick(&["GET", "POST"]),
            query,
            form,
            security_token: (random.chance(2) && !token.trim().is_empty()).then_some(token.trim()),
            ..CALL
        };
        let request = match random.below(3) {
            0 => sign_v1(&call),
            1 => sign_v3(&call, Algorithm::Sha256),
            _ => sign_v3(&call, Algorithm::Sm3),
        };
        let (read, _) =
            admit(&request.as_raw(), SECRET).unwrap_or_else(|code| panic!("round {round}: {code}"));
        let expected: Params = pairs.iter().copied().collect();
        assert_eq!(
            read.params.iter().collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>(),
            "round {round}"
        );
        assert_eq!(read.action, CALL.action);
        let signed = signed(&request);
        assert_eq!(signed.security_token.as_deref(), call.security_token);
        assert_eq!(signed.access_key_id, CALL.access_key_id);
        assert_eq!(signed.nonce, CALL.nonce);
        assert_eq!(date::format(signed.timestamp_ms), CALL.date);
        assert_eq!(
            admit(&request.as_raw(), "another secret").expect_err("wrong"),
            "SignatureDoesNotMatch"
        );
    }
}

/// The same form data in another order and spelling.
fn respell(form: &str, random: &mut Random) -> String {
    let mut parts: Vec<&str> = form.split('&').collect();
    random.shuffle(&mut parts);
    parts
        .join("&")
        .replace("%20", random.pick(&["%20", "+"]))
        .replace('~', random.pick(&["~", "%7E", "%7e"]))
        .replace("%2A", random.pick(&["%2a", "*"]))
        .replace("%27", random.pick(&["%27", "'"]))
        .replace("%28", random.pick(&["%28", "("]))
        .replace("%21", random.pick(&["%21", "!"]))
        .replace("%2F", random.pick(&["%2f", "/"]))
        .replace("%E4", random.pick(&["%E4", "%e4"]))
}

#[test]
fn order_and_spelling_on_the_wire_mean_nothing() {
    let mut random = Random(2);
    for round in 0..100 {
        let mut v1 = sign_v1(&CALL);
        v1.query = respell(&v1.query, &mut random);
        let body = String::from_utf8(v1.body).expect("text");
        v1.body = respell(&body, &mut random).into_bytes();
        assert!(admit(&v1.as_raw(), SECRET).is_ok(), "v1 round {round}");
        let mut v3 = sign_v3(&CALL, Algorithm::Sha256);
        v3.query = respell(&v3.query, &mut random);
        random.shuffle(&mut v3.headers);
        assert!(admit(&v3.as_raw(), SECRET).is_ok(), "V3 round {round}");
    }
}

#[test]
fn everything_may_stand_in_the_form_or_in_the_query() {
    let plain = sign_v1(&CALL);
    let all = format!(
        "{}&{}",
        plain.query,
        String::from_utf8(plain.body.clone()).expect("text")
    );
    let mut in_form = plain.clone();
    in_form.body = all.clone().into_bytes();
    in_form.query = String::new();
    let mut in_query = plain.clone();
    in_query.query = all;
    in_query.body = Vec::new();
    let meaning = |request: &SignedRequest| admit(&request.as_raw(), SECRET).expect("admitted").1;
    assert_eq!(meaning(&in_form), meaning(&plain));
    assert_eq!(meaning(&in_query), meaning(&plain));
    // The type may carry a parameter and any case; a body of another type is no part of the call.
    let typed = |value: &str| {
        let mut typed = in_form.clone();
        for (name, typed) in &mut typed.headers {
            if name == "content-type" {
                value.clone_into(typed);
            }
        }
        admit(&typed.as_raw(), SECRET)
    };
    assert!(typed("Application/X-WWW-Form-Urlencoded ; charset=UTF-8").is_ok());
    assert_eq!(
        typed("application/json").expect_err("empty"),
        "MissingAction"
    );
}

/// A V3 signer made from the vendor's description alone. `query` is the canonical query as the client
/// builds it.
fn v3(query: &str, headers: &[(&str, &str)], body: &str, canonical: &str) -> SignedRequest {
    let hash = |data: &str| -> String {
        let hash = Sha256::digest(data);
        hash.iter().map(|b| format!("{b:02x}")).collect()
    };
    let mut all: Vec<(String, String)> = [
        ("host", "127.0.0.1:8080"),
        ("x-acs-action", "ListPersistentAppInstances"),
        ("x-acs-version", "2021-09-01"),
        ("x-acs-date", "2026-11-24T02:57:56Z"),
        ("x-acs-signature-nonce", "n"),
        ("x-acs-content-sha256", &hash(body)),
    ]
    .iter()
    .filter(|(name, _)| !headers.iter().any(|(n, _)| n == name))
    .chain(headers)
    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
    .collect();
    let mut names: Vec<String> = all.iter().map(|(n, _)| n.clone()).collect();
    names.sort();
    names.dedup();
    let mut block = String::new();
    for name in &names {
        let mut values: Vec<&str> = all
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.trim())
            .collect();
        values.sort_unstable();
        block += &format!("{name}:{}\n", values.join(","));
    }
    let names = names.join(";");
    let text = format!(
        "ACS3-HMAC-SHA256\n{}",
        hash(&format!(
            "POST\n/\n{canonical}\n{block}\n{names}\n{}",
            hash(body)
        ))
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    let signature: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    all.push((
        "authorization".into(),
        format!("ACS3-HMAC-SHA256 Credential=k,Signature={signature},SignedHeaders={names}"),
    ));
    SignedRequest {
        method: "POST".into(),
        query: query.into(),
        headers: all,
        body: body.into(),
    }
}

#[test]
fn clients_habits_in_v3_are_followed() {
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (habit, request) in [
        ("no parameters at all", v3("", &[], "", "")),
        (
            "a host with a scheme",
            v3("", &[("host", "http://127.0.0.1:8080/")], "", ""),
        ),
        (
            "repeated headers, values sorted",
            v3("", &[("x-acs-b", "2"), ("x-acs-b", " 10 ")], "", ""),
        ),
        (
            "a header without a value",
            v3("", &[("x-acs-empty", "")], "", ""),
        ),
        ("an encoded name", v3("a%5B=1", &[], "", "a%5B=1")),
        ("a name left raw", v3("%E4%B8%AD=%2B", &[], "", "中=%2B")),
        ("a value without =", v3("a", &[], "", "a=")),
        ("a type without a body", v3("", &[form], "", "")),
        ("a form", v3("", &[form], "a=1&b=%20", "")),
        (
            "one parameter in both places",
            v3("a=1", &[form], "a=1", "a=1"),
        ),
    ] {
        let admitted = admit(&request.as_raw(), SECRET);
        assert!(admitted.is_ok(), "{habit}: {admitted:?}");
    }
}

#[test]
fn a_body_hash_that_is_not_the_bodys_is_refused_even_when_it_is_signed() {
    let request = v3("", &[("x-acs-content-sha256", "00")], "", "");
    assert_eq!(
        admit(&request.as_raw(), SECRET).expect_err("another hash"),
        "SignatureDoesNotMatch"
    );
}

#[test]
fn a_parameter_in_both_places_counts_once_and_two_values_are_refused() {
    let both = Call {
        query: &[("A", "1")],
        form: &[("A", "1")],
        ..CALL
    };
    let literal = sign_v1(&both);
    assert!(admit(&literal.as_raw(), SECRET).is_ok());
    // A client that merges before it signs has signed it once.
    let mut merged = sign_v1(&Call { form: &[], ..both });
    merged.body = b"A=1".to_vec();
    merged.headers.push((
        "content-type".into(),
        "application/x-www-form-urlencoded".into(),
    ));
    let (request, _) = admit(&merged.as_raw(), SECRET).expect("admitted");
    assert_eq!(request.params.iter().collect::<Vec<_>>(), [("A", "1")]);

    let split = Call {
        form: &[("A", "2")],
        ..both
    };
    for request in [sign_v1(&split), sign_v3(&split, Algorithm::Sha256)] {
        assert_eq!(
            admit(&request.as_raw(), SECRET).expect_err("two values"),
            "InvalidParameter"
        );
    }
}

#[test]
fn a_signature_that_does_not_cover_what_decides_is_incomplete() {
    for name in [
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
        "content-type",
    ] {
        let mut request = sign_v3(&CALL, Algorithm::Sha256);
        for (header, value) in &mut request.headers {
            if header == "authorization" {
                *value = value
                    .replace(&format!("{name};"), "")
                    .replace(&format!(";{name},"), ",");
            }
        }
        let code = admit(&request.as_raw(), SECRET).expect_err(name);
        assert_eq!(code, "IncompleteSignature", "{name}");
    }
    let mut added = sign_v3(&CALL, Algorithm::Sha256);
    added.headers.push(("x-acs-more".into(), "1".into()));
    assert_eq!(
        admit(&added.as_raw(), SECRET).expect_err("unsigned"),
        "IncompleteSignature"
    );
    let mut lost = v3("", &[("accept", "application/json")], "", "");
    lost.headers.retain(|(name, _)| name != "accept");
    assert_eq!(
        admit(&lost.as_raw(), SECRET).expect_err("gone"),
        "IncompleteSignature"
    );
}

#[test]
fn time_is_checked_both_ways() {
    const QUARTER: i64 = 15 * 60 * 1000;
    let signed = signed(&sign_v3(&CALL, Algorithm::Sha256));
    for off in [0, QUARTER, -QUARTER] {
        assert!(
            signed.check_time(signed.timestamp_ms + off).is_ok(),
            "{off}"
        );
    }
    for off in [QUARTER + 1, -QUARTER - 1, i64::MAX - signed.timestamp_ms] {
        let fault = signed
            .check_time(signed.timestamp_ms + off)
            .expect_err("too far");
        assert_eq!(fault.code, "InvalidTimeStamp.Expired", "{off}");
    }
}

#[test]
fn no_secret_shows_in_debug() {
    let call = Call {
        security_token: Some("t0ken"),
        query: &[("AdPassword", "p4ssword")],
        ..CALL
    };
    for request in [sign_v1(&call), sign_v3(&call, Algorithm::Sha256)] {
        let parsed = Request::parse(&request.as_raw()).expect("parses");
        let shown = format!("{parsed:?} {request:?}");
        for secret in [
            "t0ken",
            "p4ssword",
            CALL.access_key_id,
            SECRET,
            "Signature=",
        ] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

/// A vector with one byte changed; `None` where that makes it no text, or nothing new.
fn tamper(vector: &Vector, place: Place, at: usize, to: u8) -> Option<Vector> {
    let mut changed = vector.clone();
    let text = match place {
        Place::Query => &mut changed.query,
        Place::Body => &mut changed.body,
        Place::Header(n) => &mut changed.headers[n].1,
    };
    let mut bytes = std::mem::take(text).into_bytes();
    if bytes[at] == to {
        return None;
    }
    bytes[at] = to;
    *text = String::from_utf8(bytes).ok()?;
    Some(changed)
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Query,
    Body,
    Header(usize),
}

#[test]
fn every_changed_byte_is_refused_unless_it_changes_nothing() {
    let chosen = [
        "python-v3-create",
        "node-v3-sts-list",
        "python-v3-sm3-list",
        "python-v1-create",
        "node-popcore-v1-post-list",
    ];
    let (vectors, _) = support::load();
    let mut random = Random(3);
    let mut tried = 0;
    for vector in vectors.iter().filter(|v| chosen.contains(&v.name.as_str())) {
        let secret = vector.access_key_secret.as_deref().expect("signed");
        let (_, original) = admit(&vector.raw(), secret).expect("valid");
        let headers = (0..vector.headers.len()).map(Place::Header);
        for place in [Place::Query, Place::Body].into_iter().chain(headers) {
            let length = match place {
                Place::Query => vector.query.len(),
                Place::Body => vector.body.len(),
                Place::Header(n) => vector.headers[n].1.len(),
            };
            for at in 0..length {
                let to = random.pick(b"aZ05&=%+.;, ");
                let Some(changed) = tamper(vector, place, at, to) else {
                    continue;
                };
                tried += 1;
                let Ok((request, meaning)) = admit(&changed.raw(), secret) else {
                    continue;
                };
                // Another key has another secret, which the look-up by key sees to.
                let same_key = matches!(&request.credential, Credential::Signed(s)
                    if Some(&s.access_key_id) == vector.access_key_id.as_ref());
                assert!(
                    !same_key || meaning == original,
                    "{} {place:?} byte {at} to {}: {meaning}",
                    vector.name,
                    char::from(to)
                );
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
}
