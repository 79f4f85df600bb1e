//! Any text as a policy document: refused, or of a meaning that holds together.
#![no_main]

use greenroom_server::access::policy::{Document, Facts, MAX_CHARS, Question, Trust, Verdict};
use libfuzzer_sys::fuzz_target;

#[path = "../any_policy.rs"]
mod any_policy;

fuzz_target!(|text: &str| {
    any_policy::check(text);
});
