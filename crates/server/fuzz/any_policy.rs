//! What is true of every text that may be a policy document. The fuzz target draws texts from a corpus, the
//! ordinary suite from a seed.

use super::{Document, Facts, MAX_CHARS, Question, Trust, Verdict};

const ALLOW: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const DENY: &str = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
const SOMEBODY: &str = "acs:ram::12:user/alice";

/// Reads the text as each kind of document. Whatever it says, nothing panics, a denial wins, and nobody is let in
/// whom it does not name. Answers whether it was one.
pub fn check(text: &str) -> bool {
    let facts = Facts::default();
    let document = Document::read(text);
    if let Ok(document) = &document {
        assert!(text.chars().count() <= MAX_CHARS);
        let question = Question {
            action: "ram:GetUser",
            resource: SOMEBODY,
            facts: &facts,
        };
        let says = |documents: &[&Document]| Verdict::of(documents.iter().copied(), &question);
        let (allow, deny) = (Document::read(ALLOW), Document::read(DENY));
        let (Ok(allow), Ok(deny)) = (allow, deny) else {
            panic!("what the documents are compared with cannot be read");
        };
        let alone = says(&[document]);
        assert_eq!(says(&[document, document]), alone);
        assert_eq!(says(&[document, &deny]), Verdict::Denied);
        assert_eq!(says(&[&deny, document]), Verdict::Denied);
        let widened = match alone {
            Verdict::Denied => Verdict::Denied,
            Verdict::Allowed | Verdict::Silent => Verdict::Allowed,
        };
        assert_eq!(says(&[document, &allow]), widened);
        assert_eq!(says(&[&allow, document]), widened);
    }
    let trust = Trust::read(text);
    if let Ok(trust) = &trust {
        assert!(text.chars().count() <= MAX_CHARS);
        assert_eq!(trust.verdict(&[], &facts), Verdict::Silent);
        let stranger = ["acs:ram::0:root".to_owned()];
        let named = text.contains('0') || text.contains("\\u");
        assert!(named || trust.verdict(&stranger, &facts) != Verdict::Allowed);
    }
    document.is_ok() || trust.is_ok()
}
