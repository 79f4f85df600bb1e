//! Requests that nobody should send get the fault the vendor's gateway gives.

use greenroom_rpc::sign::{Algorithm, Call, SignedRequest, sign_v1, sign_v3};
use greenroom_rpc::{Credential, Fault, Format, RawRequest, Request};

const CALL: Call<'static> = Call {
    method: "POST",
    host: "127.0.0.1:8080",
    action: "ListRegions",
    version: "2021-09-01",
    query: &[],
    form: &[("ProductType", "CloudApp")],
    access_key_id: "key",
    secret: "secret",
    security_token: None,
    date: "2026-11-24T02:57:56Z",
    nonce: "n",
};

fn refusal(raw: &RawRequest<'_>) -> Fault {
    match Request::parse(raw) {
        Err(fault) => fault,
        Ok(request) => match request.credential {
            Credential::Signed(signed) => signed.verify("secret").expect_err("holds"),
            other => panic!("{other:?} is taken"),
        },
    }
}

/// A v1 request with its query changed.
fn v1(change: impl Fn(&str) -> String) -> SignedRequest {
    let mut request = sign_v1(&CALL);
    request.query = change(&request.query);
    request
}

/// The query without one of its parameters.
fn without(query: &str, name: &str) -> String {
    query
        .split('&')
        .filter(|part| !part.starts_with(&format!("{name}=")))
        .collect::<Vec<_>>()
        .join("&")
}

#[test]
fn a_v1_request_that_lacks_or_garbles_a_common_parameter_is_told_which() {
    for name in [
        "AccessKeyId",
        "Action",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "Timestamp",
        "Version",
    ] {
        let fault = refusal(&v1(|query| without(query, name)).as_raw());
        assert_eq!((fault.status, fault.code), (400, format!("Missing{name}")));
        assert_eq!(
            fault.message,
            format!("{name} is mandatory for this action.")
        );
    }
    for (name, value, code) in [
        ("TimeStamp", "x", "SignatureDoesNotMatch"),
        ("Format", "yaml", "InvalidParameter.Format"),
        ("SignatureMethod", "HMAC-MD5", "InvalidSignatureMethod"),
        ("SignatureMethod", "SHA256withRSA", "InvalidSignatureMethod"),
        ("SignatureType", "PRIVATEKEY", "InvalidSignatureMethod"),
        ("SignatureVersion", "2.0", "InvalidSignatureVersion"),
        (
            "Timestamp",
            "2026-11-24T02:57:56.123Z",
            "InvalidTimeStamp.Format",
        ),
        ("Timestamp", "1795489076", "InvalidTimeStamp.Format"),
        ("Timestamp", "2026-11-24T02:57:57Z", "SignatureDoesNotMatch"),
        ("Version", "latest", "InvalidVersion"),
        ("Version", "2021-09-011", "InvalidVersion"),
        ("SignatureNonce", "other", "SignatureDoesNotMatch"),
        ("AccessKeyId", "other", "SignatureDoesNotMatch"),
        ("SecurityToken", "other", "SignatureDoesNotMatch"),
        ("Signature", "AAAA", "SignatureDoesNotMatch"),
        ("Signature", "!", "SignatureDoesNotMatch"),
    ] {
        let request = v1(|query| format!("{}&{name}={value}", without(query, name)));
        let fault = refusal(&request.as_raw());
        assert_eq!(
            (fault.status, fault.code.as_str()),
            (400, code),
            "{name}={value}"
        );
    }
    for action in ["<b>", "List%0ARegions", "1st", "a.b", &"A".repeat(129)] {
        let request = v1(|query| format!("{}&Action={action}", without(query, "Action")));
        let fault = refusal(&request.as_raw());
        assert_eq!(
            (fault.status, fault.code.as_str()),
            (404, "InvalidAction.NotFound")
        );
    }
}

#[test]
fn methods_and_paths_other_than_the_protocols_are_refused() {
    let request = sign_v3(&CALL, Algorithm::Sha256);
    for method in ["PUT", "DELETE", "post", ""] {
        let fault = refusal(&RawRequest {
            method,
            ..request.as_raw()
        });
        assert_eq!(
            (fault.status, fault.code.as_str()),
            (403, "UnsupportedHTTPMethod")
        );
    }
    let fault = refusal(&RawRequest {
        path: "/v1",
        ..request.as_raw()
    });
    assert_eq!(
        (fault.status, fault.code.as_str()),
        (404, "InvalidAction.NotFound")
    );
}

#[test]
fn a_v3_request_that_lacks_or_garbles_a_header_is_told_which() {
    let change = |name: &str, value: Option<&str>| {
        let mut request = sign_v3(&CALL, Algorithm::Sha256);
        request.headers.retain(|(n, _)| n != name);
        if let Some(value) = value {
            request.headers.push((name.into(), value.into()));
        }
        refusal(&request.as_raw()).code
    };
    let valid_fields = "Credential=key,SignedHeaders=host,Signature=00";
    for (name, value, code) in [
        ("x-acs-action", None, "MissingAction"),
        ("x-acs-version", None, "MissingVersion"),
        ("x-acs-date", None, "MissingTimestamp"),
        ("x-acs-signature-nonce", None, "MissingSignatureNonce"),
        ("x-acs-content-sha256", None, "Missingx-acs-content-sha256"),
        ("host", None, "IncompleteSignature"),
        (
            "x-acs-date",
            Some("2026-11-24T02:57:56.000Z"),
            "InvalidTimeStamp.Format",
        ),
        (
            "x-acs-date",
            Some("Tue, 24 Nov 2026 02:57:56 GMT"),
            "InvalidTimeStamp.Format",
        ),
        (
            "x-acs-action",
            Some("DeleteAppInstanceGroup"),
            "SignatureDoesNotMatch",
        ),
        ("x-acs-content-sha256", Some("00"), "SignatureDoesNotMatch"),
        ("host", Some("elsewhere:8080"), "SignatureDoesNotMatch"),
        (
            "authorization",
            Some("ACS3-HMAC-SHA256"),
            "IncompleteSignature",
        ),
        (
            "authorization",
            Some(&format!("ACS3-RSA-SHA256 {valid_fields}")),
            "InvalidSignatureMethod",
        ),
        (
            "authorization",
            Some(&format!("ACS3-HMAC-SHA512 {valid_fields}")),
            "InvalidSignatureMethod",
        ),
        (
            "authorization",
            Some(&format!("ACS3-HMAC-SHA256 {valid_fields}")),
            "IncompleteSignature",
        ),
    ] {
        assert_eq!(change(name, value), code, "{name}: {value:?}");
    }
    for name in ["x-acs-action", "x-acs-date", "authorization"] {
        let mut request = sign_v3(&CALL, Algorithm::Sha256);
        request.headers.push((name.into(), "again".into()));
        assert_eq!(
            refusal(&request.as_raw()).code,
            "InvalidParameter",
            "{name}"
        );
    }
    let mut other_body = sign_v3(&CALL, Algorithm::Sha256);
    other_body.body = b"ProductType=CloudBrowser".to_vec();
    let fault = refusal(&other_body.as_raw());
    assert_eq!(fault.code, "SignatureDoesNotMatch");
    assert!(
        fault
            .message
            .contains("server string to sign is:ACS3-HMAC-SHA256\n")
    );
}

#[test]
fn a_signature_moved_to_the_weaker_place_signs_nothing() {
    // Nothing of a V3 request's headers may stand in for what a v1 signature has to cover.
    let mut request = v1(|query| without(query, "Action"));
    request
        .headers
        .push(("x-acs-action".into(), "DeleteAppInstanceGroup".into()));
    assert_eq!(refusal(&request.as_raw()).code, "MissingAction");
    // And a bearer token beside a whole signature does not turn the signature off.
    let request = v1(|query| format!("{query}&BearerToken=t"));
    assert_eq!(refusal(&request.as_raw()).code, "SignatureDoesNotMatch");
}

#[test]
fn too_much_of_anything_is_refused() {
    let form = |body: String| {
        let mut request = sign_v1(&CALL);
        request.body = body.into_bytes();
        refusal(&request.as_raw())
    };
    let far_too_long = "Name.1=a&".repeat(1_200_000);
    assert!(far_too_long.len() > 10_000_000);
    for (what, fault) in [
        ("10 MB of Name.1", form(far_too_long)),
        ("one byte over", form("a".repeat(1024 * 1024 + 1))),
        ("2001 parameters", form("a=1&".repeat(2_001))),
        (
            "2001 names",
            form((0..2_001).map(|n| format!("a.{n}=1&")).collect()),
        ),
        (
            "a long query",
            refusal(&v1(|q| format!("{q}&a={}", "a".repeat(256 * 1024))).as_raw()),
        ),
    ] {
        assert_eq!(
            (fault.status, fault.code.as_str()),
            (400, "InvalidParameter"),
            "{what}"
        );
    }
    let long_value = form(format!("Name={}", "a".repeat(600 * 1024)));
    assert_eq!(long_value.code, "InvalidParameter");
    assert!(long_value.message.contains("the value of Name"));
    let mut headers = sign_v3(&CALL, Algorithm::Sha256);
    let many = vec!["host"; 101].join(";");
    for (name, value) in &mut headers.headers {
        if name == "authorization" {
            *value = value.replace("SignedHeaders=", &format!("SignedHeaders={many};"));
        }
    }
    assert_eq!(refusal(&headers.as_raw()).code, "IncompleteSignature");
}

#[test]
fn ill_encoded_input_is_refused_in_query_and_form() {
    for bad in ["a=%", "a=%4", "a=%ff", "a=%ed%a0%80", "%ff=a", "=a"] {
        let query = refusal(&v1(|query| format!("{query}&{bad}")).as_raw());
        assert_eq!(query.code, "InvalidParameter", "{bad}");
        let mut request = sign_v1(&CALL);
        request.body = bad.into();
        let form = refusal(&request.as_raw());
        assert_eq!(form.code, query.code, "{bad}");
    }
    let mut request = sign_v1(&CALL);
    request.body = vec![b'a', b'=', 0xff];
    assert_eq!(refusal(&request.as_raw()).code, "InvalidParameter");
}

#[test]
fn the_form_of_an_answer_follows_the_request_even_when_it_is_refused() {
    let format = |query: &str, accept: Option<&str>| {
        let headers: Vec<_> = accept
            .map(|accept| ("accept".to_owned(), accept.to_owned()))
            .into_iter()
            .collect();
        Format::of(&RawRequest {
            method: "GET",
            path: "/",
            query,
            headers: &headers,
            body: b"",
        })
    };
    for (query, accept, expected) in [
        ("", None, Format::Json),
        ("Format=xml", None, Format::Xml),
        ("Format=XML", Some("application/json"), Format::Xml),
        ("Format=Json", Some("text/xml"), Format::Json),
        ("", Some("application/json"), Format::Json),
        ("", Some("text/xml"), Format::Xml),
        (
            "",
            Some("text/html, Application/XML;q=0.9, */*"),
            Format::Xml,
        ),
        ("", Some("*/*, text/xml"), Format::Json),
        ("", Some("image/png"), Format::Json),
        ("Format=yaml", Some("text/xml"), Format::Json),
        ("Format=xml&bad=%", None, Format::Json),
    ] {
        assert_eq!(format(query, accept), expected, "{query} {accept:?}");
    }
}

#[test]
fn callers_without_a_signature_are_bearers_or_nobody() {
    let caller = |query: &str, headers: &[(&str, &str)]| {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let raw = RawRequest {
            method: "POST",
            path: "/",
            query,
            headers: &headers,
            body: b"",
        };
        match Request::parse(&raw).map(|request| request.credential) {
            Ok(Credential::Bearer(token)) => token.0,
            Ok(Credential::Anonymous) => "nobody".into(),
            Ok(Credential::Signed(_)) => "a key".into(),
            Err(fault) => fault.code,
        }
    };
    let call = "Action=ListRegions&Version=2021-09-01&Timestamp=2026-11-24T02:57:56Z";
    let headers = [
        ("x-acs-action", "ListRegions"),
        ("x-acs-version", "2021-09-01"),
    ];
    for (query, expected) in [
        ("", "nobody"),
        ("&Format=json&SignatureNonce=n", "nobody"),
        ("&BearerToken=t&SignatureType=BEARERTOKEN", "t"),
        // An older client signs with an empty key on top.
        (
            "&BearerToken=t&SignatureType=BEARERTOKEN&AccessKeyId=&Signature=x&SignatureMethod=HMAC-SHA1",
            "t",
        ),
        ("&AccessKeyId=k", "MissingSignature"),
    ] {
        assert_eq!(caller(&format!("{call}{query}"), &[]), expected, "{query}");
        // v1 clients send these headers too: they decide nothing.
        assert_eq!(
            caller(&format!("{call}{query}"), &headers),
            expected,
            "{query}"
        );
    }
    assert_eq!(caller("Format=json", &headers), "nobody");
    let bearer = [headers[0], headers[1], ("x-acs-bearer-token", "t")];
    assert_eq!(caller("SignatureType=BEARERTOKEN", &bearer), "t");
    assert_eq!(caller("", &[]), "MissingAction");
    // A scheme of another kind is none of the protocol's.
    let basic = [headers[0], headers[1], ("authorization", "Basic a2V5")];
    assert_eq!(caller("", &basic), "nobody");
}
