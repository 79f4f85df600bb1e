//! A whole request: the input's lines are the query, then headers, then after an empty line the body.
#![no_main]

use greenroom_rpc::{Credential, Format, RawRequest, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let at = input
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .unwrap_or(input.len());
    let Ok(head) = std::str::from_utf8(&input[..at]) else {
        return;
    };
    let mut lines = head.split('\n');
    let query = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let raw = RawRequest {
        method: "POST",
        path: "/",
        query,
        headers: &headers,
        body: input.get(at + 2..).unwrap_or_default(),
    };
    let _ = Format::of(&raw);
    if let Ok(Request {
        credential: Credential::Signed(signed),
        ..
    }) = Request::parse(&raw)
    {
        assert!(signed.verify("a secret no input was signed with").is_err());
    }
});
