//! The `Authorization` header on an otherwise complete V3 request.
#![no_main]

use greenroom_rpc::{RawRequest, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    let headers = [
        ("host", "127.0.0.1:8080"),
        ("x-acs-action", "ListRegions"),
        ("x-acs-version", "2021-09-01"),
        ("x-acs-date", "2026-11-24T02:57:56Z"),
        ("x-acs-signature-nonce", "n"),
        (
            "x-acs-content-sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("authorization", &format!("ACS3-{value}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let _ = Request::parse(&RawRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        body: b"",
    });
});
