//! Texts that nobody means: too deep, too long, damaged, drawn.

use super::*;
use greenroom_testkit::SeededEntropy;

/// What the fuzz target looks at, too.
#[path = "../../../fuzz/any_policy.rs"]
mod any_policy;

#[test]
fn depth_and_length_are_bounded() {
    let deep = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    for n in [100, 1_000, 10_000] {
        for text in [
            deep("[", "]", n),
            deep(r#"{"Statement":["#, "]}", n),
            format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":{},"Resource":"*"}}]}}"#,
                deep("[", "]", n)
            ),
            format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}]}}"#,
                r#"{"Bool":"#.repeat(n)
            ),
        ] {
            assert!(Document::read(&text).is_err());
            assert!(Trust::read(&text).is_err());
        }
    }
    let padded = |spaces: usize| {
        let text =
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        format!("{text}{}", " ".repeat(spaces - text.len()))
    };
    assert!(Document::read(&padded(MAX_CHARS)).is_ok());
    assert!(matches!(
        Document::read(&padded(MAX_CHARS + 1)),
        Err(Malformed::TooLong)
    ));
    let wide = |letters: usize| {
        let values = "文".repeat(letters);
        format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"k":"{values}"}}}}}}]}}"#
        )
    };
    let around = wide(0).len();
    assert!(Document::read(&wide(MAX_CHARS - around)).is_ok());
    assert!(matches!(
        Document::read(&wide(MAX_CHARS - around + 1)),
        Err(Malformed::TooLong)
    ));
}

/// Documents of every element, which are damaged below.
const GOOD: [&str; 5] = [
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    r#"{"Version":"1","Statement":[{"Effect":"Deny","NotAction":["ram:Get?ser","sts:*"],"Resource":["acs:ram:*:12:user/*","*"]},{"Effect":"Allow","Action":"ram:*","Resource":"acs:ram:*:*:user/alice"}]}"#,
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:Get*"],"Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":["192.0.2.0/24","::1/64"]},"Bool":{"acs:SecureTransport":true},"DateLessThan":{"acs:CurrentTime":"2026-01-01T00:00:00.5+08:00"},"NumericEquals":{"k":[1,2.5e3]},"StringNotLike":{"acs:SourceVpc":"vpc-*"}}}]}"#,
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::12:root","acs:ram::12:user/alice"],"Service":["ecs.aliyuncs.com"]}}]}"#,
    r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"sts:*","Principal":{"Federated":"acs:ram::12:saml-provider/x"},"Condition":{"StringEquals":{"sts:ExternalId":"文"}}}]}"#,
];

const PIECES: [&str; 14] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "*",
    "?",
    "\u{0}",
    "😀",
    "9e999",
    "\"Effect\":\"Deny\",",
    "\\u0000",
];

/// The text with a run of it taken out, written twice, or replaced.
fn damaged(text: &str, entropy: &SeededEntropy) -> String {
    let letters: Vec<char> = text.chars().collect();
    let from = entropy.below(letters.len() + 1);
    let to = from + entropy.below((letters.len() - from).min(12) + 1);
    let run: String = letters[from..to].iter().collect();
    let instead = match entropy.below(3) {
        0 => String::new(),
        1 => run.clone() + &run,
        _ => PIECES[entropy.below(PIECES.len())].to_owned(),
    };
    let around = |part: &[char]| part.iter().collect::<String>();
    around(&letters[..from]) + &instead + &around(&letters[to..])
}

#[test]
fn whatever_a_damaged_document_says_holds_together() {
    let entropy = SeededEntropy::new(3);
    assert!(GOOD.iter().all(|text| any_policy::check(text)));
    let mut documents = 0;
    for _ in 0..20_000 {
        let mut text = GOOD[entropy.below(GOOD.len())].to_owned();
        for _ in 0..=entropy.below(3) {
            text = damaged(&text, &entropy);
        }
        documents += u32::from(any_policy::check(&text));
    }
    assert!((500..15_000).contains(&documents), "{documents} were read");
}

#[test]
fn pieces_of_documents_in_no_order_are_refused() {
    let entropy = SeededEntropy::new(3);
    for _ in 0..20_000 {
        let text: String = (0..40)
            .map(|_| PIECES[entropy.below(PIECES.len())])
            .collect();
        assert!(!any_policy::check(&text), "{text}");
    }
}
