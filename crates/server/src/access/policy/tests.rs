//! The grammar, and what documents mean.

use super::*;
use greenroom_model::{Entropy, Timestamp};
use greenroom_testkit::SeededEntropy;
use serde_json::{Value, json};

fn document(statement: Value) -> Document {
    Document::read(&json!({"Version": "1", "Statement": [statement]}).to_string()).unwrap()
}

fn facts() -> Facts {
    let now = Timestamp::from_request("2026-01-01T12:00:00Z").unwrap();
    Facts::of_call(now, Some("192.0.2.7".parse().unwrap()), false)
}

fn verdict(documents: &[Document], action: &str, resource: &str) -> Verdict {
    let facts = facts();
    Verdict::of(
        documents,
        &Question {
            action,
            resource,
            facts: &facts,
        },
    )
}

const ANY: &str = "acs:appstreaming:cn-shanghai:1234567890123456:*";

#[test]
fn a_statement_is_about_actions_and_resources() {
    use Verdict::{Allowed, Denied, Silent};
    let allow = |action: Value, resource: &str| {
        document(json!({"Effect": "Allow", "Action": action, "Resource": resource}))
    };
    let list = || allow(json!("appstreaming:List*"), "*");
    let deny = || {
        document(json!({"Effect": "Deny", "Action": "appstreaming:ListRegions", "Resource": ["*"]}))
    };
    let but =
        || document(json!({"Effect": "Allow", "NotAction": ["ram:*", "sts:*"], "Resource": "*"}));
    let never =
        || document(json!({"Effect": "Deny", "NotAction": "appstreaming:*", "Resource": "*"}));
    for (documents, action, resource, expected) in [
        (vec![], "appstreaming:ListRegions", ANY, Silent),
        (vec![list()], "appstreaming:ListRegions", ANY, Allowed),
        (
            vec![list()],
            "appstreaming:GetAppInstanceGroup",
            ANY,
            Silent,
        ),
        (
            vec![allow(json!("APPSTREAMING:listregions"), "*")],
            "appstreaming:ListRegions",
            ANY,
            Allowed,
        ),
        (vec![allow(json!("*"), "*")], "ram:CreateUser", ANY, Allowed),
        (
            vec![list(), deny()],
            "appstreaming:ListRegions",
            ANY,
            Denied,
        ),
        (
            vec![deny(), list()],
            "appstreaming:ListRegions",
            ANY,
            Denied,
        ),
        (vec![list(), deny()], "appstreaming:ListImage", ANY, Allowed),
        (vec![but()], "appstreaming:ListRegions", ANY, Allowed),
        (vec![but()], "ram:ListUsers", ANY, Silent),
        (vec![but(), never()], "ecs:RunInstances", ANY, Denied),
        (
            vec![allow(json!("ram:*"), "acs:ram:*:12:user/*")],
            "ram:GetUser",
            "acs:ram::12:user/alice",
            Allowed,
        ),
        (
            vec![allow(json!("ram:*"), "acs:ram:*:12:user/*")],
            "ram:GetUser",
            "acs:ram::12:role/alice",
            Silent,
        ),
        (
            vec![allow(json!("ram:*"), "acs:ram:*:12:user/Alice")],
            "ram:GetUser",
            "acs:ram::12:user/alice",
            Silent,
        ),
        (
            vec![allow(
                json!("appstreaming:*"),
                "acs:appstreaming:*:*:group/x",
            )],
            "appstreaming:ListRegions",
            ANY,
            Silent,
        ),
        (
            vec![allow(json!("appstreaming:*"), "acs:appstreaming:*:*:*")],
            "appstreaming:ListRegions",
            ANY,
            Allowed,
        ),
    ] {
        assert_eq!(
            verdict(&documents, action, resource),
            expected,
            "{documents:?} {action} {resource}"
        );
    }
}

#[test]
fn a_condition_narrows_its_statement() {
    use Verdict::{Allowed, Denied, Silent};
    for (effect, condition, expected) in [
        (
            "Allow",
            json!({"IpAddress": {"acs:SourceIp": ["192.0.2.0/24"]}}),
            Allowed,
        ),
        (
            "Allow",
            json!({"IpAddress": {"acs:SourceIp": "10.0.0.1"}}),
            Silent,
        ),
        (
            "Allow",
            json!({"IpAddress": {"acs:SourceIp": "192.0.2.7"}, "Bool": {"acs:SecureTransport": true}}),
            Silent,
        ),
        (
            "Allow",
            json!({"StringEquals": {"acs:MFAPresent": "false", "acs:SecureTransport": "false"}}),
            Allowed,
        ),
        (
            "Deny",
            json!({"Bool": {"acs:SecureTransport": ["false"]}}),
            Denied,
        ),
        (
            "Deny",
            json!({"Bool": {"acs:SecureTransport": ["true"]}}),
            Silent,
        ),
        // What nobody knows is on the safe side, whichever that is.
        (
            "Allow",
            json!({"StringNotEquals": {"acs:SourceVpc": "vpc-1"}}),
            Silent,
        ),
        (
            "Deny",
            json!({"StringNotEquals": {"acs:SourceVpc": "vpc-1"}}),
            Denied,
        ),
        (
            "Deny",
            json!({"StringEquals": {"acs:SourceVpc": "vpc-1"}}),
            Silent,
        ),
        ("Allow", json!({}), Allowed),
    ] {
        let it = document(
            json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}),
        );
        assert_eq!(
            verdict(&[it], "ram:GetUser", ANY),
            expected,
            "{effect} {condition}"
        );
    }
}

#[test]
fn whatever_could_be_read_in_two_ways_is_refused() {
    let allow = r#""Effect":"Allow","Action":"*","Resource":"*""#;
    let around = |statement: &str| format!(r#"{{"Version":"1","Statement":[{{{statement}}}]}}"#);
    assert!(Document::read(&around(allow)).is_ok());
    for text in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        r#"{"Version":"1","Statement":[]}"#.to_owned(),
        r#"{"Version":"1"}"#.to_owned(),
        r#"{"Version":"2","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
            .to_owned(),
        r#"{"Version":1,"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#.to_owned(),
        around(r#""Effect":"Allow","Action":"*""#),
        around(r#""Effect":"Allow","Resource":"*""#),
        around(r#""Effect":"allow","Action":"*","Resource":"*""#),
        around(r#""Effect":"Allow","Action":[],"Resource":"*""#),
        around(r#""Effect":"Allow","Action":"","Resource":"*""#),
        around(r#""Effect":"Allow","Action":"ListRegions","Resource":"*""#),
        around(r#""Effect":"Allow","Action":1,"Resource":"*""#),
        around(r#""Effect":"Allow","Action":"*","Resource":"everything""#),
        around(r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#),
        around(&format!(r#"{allow},"Effect":"Deny""#)),
        around(&format!(r#"{allow},"NotResource":"*""#)),
        around(&format!(
            r#"{allow},"Principal":{{"RAM":["acs:ram::12:root"]}}"#
        )),
        around(&format!(
            r#"{allow},"Condition":{{"Bool":{{"k":"true"}},"Bool":{{"k":"false"}}}}"#
        )),
        around(&format!(
            r#"{allow},"Condition":{{"Bool":{{"k":"true","k":"false"}}}}"#
        )),
        around(&format!(r#"{allow},"Condition":{{"Bool":{{"k":[]}}}}"#)),
        around(&format!(r#"{allow},"Condition":{{"Bool":{{"k":{{}}}}}}"#)),
        around(&format!(r#"{allow},"Condition":{{"Magic":{{"k":"v"}}}}"#)),
        around(&format!(r#"{allow},"Condition":[]"#)),
        around(allow) + "x",
        "\u{0}".to_owned(),
        "😀".to_owned(),
    ] {
        assert!(Document::read(&text).is_err(), "{text}");
    }
}

fn trust(statement: Value) -> Trust {
    Trust::read(&json!({"Version": "1", "Statement": [statement]}).to_string()).unwrap()
}

#[test]
fn a_role_is_assumed_by_whom_it_trusts() {
    let alice = [
        "acs:ram::12:root".to_owned(),
        "acs:ram::12:user/alice".to_owned(),
    ];
    let by = |principals: Value| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals});
    for (principals, expected) in [
        (json!({"RAM": ["acs:ram::12:root"]}), Verdict::Allowed),
        (json!({"RAM": "acs:ram::12:user/alice"}), Verdict::Allowed),
        (json!({"RAM": ["acs:ram::12:user/bob"]}), Verdict::Silent),
        (json!({"RAM": ["acs:ram::13:root"]}), Verdict::Silent),
        (
            json!({"RAM": ["acs:ram::13:root", "acs:ram::12:user/alice"]}),
            Verdict::Allowed,
        ),
        (json!({"Service": ["ecs.aliyuncs.com"]}), Verdict::Silent),
    ] {
        assert_eq!(
            trust(by(principals.clone())).verdict(&alice, &facts()),
            expected,
            "{principals}"
        );
    }
    let mut other = by(json!({"RAM": ["acs:ram::12:root"]}));
    other["Action"] = json!("sts:GetCallerIdentity");
    let said = |statement: &Value| trust(statement.clone()).verdict(&alice, &facts());
    assert_eq!(said(&other), Verdict::Silent);
    other["Action"] = json!("sts:*");
    assert_eq!(said(&other), Verdict::Allowed);
    other["Condition"] = json!({"Bool": {"acs:MFAPresent": "true"}});
    assert_eq!(said(&other), Verdict::Silent);

    let but = json!({"Version": "1", "Statement": [
        by(json!({"RAM": ["acs:ram::12:root"]})),
        {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"RAM": ["acs:ram::12:user/alice"]}},
    ]});
    let but = Trust::read(&but.to_string()).unwrap();
    assert_eq!(but.verdict(&alice, &facts()), Verdict::Denied);
    assert_eq!(but.verdict(&alice[..1], &facts()), Verdict::Allowed);
}

#[test]
fn a_principal_is_somebody_of_an_account_that_is_named() {
    for (principal, expected) in [
        ("acs:ram::12:root", true),
        ("acs:ram::12:user/alice", true),
        ("acs:ram::12:role/admin", true),
        ("acs:ram::12:role/*", true),
        ("acs:ram::*:root", false),
        ("acs:ram::1?:root", false),
        ("acs:ram:::root", false),
        ("acs:ram::12:user/", false),
        ("acs:ram::12:group/staff", false),
        ("acs:ram::12", false),
        ("acs:ram:cn:12:root", false),
        ("12", false),
        ("*", false),
    ] {
        let text = json!({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [principal]}}]});
        let read = Trust::read(&text.to_string());
        assert_eq!(read.is_ok(), expected, "{principal}");
    }
}

#[test]
fn an_order_of_documents_means_nothing_and_a_further_denial_only_takes() {
    let entropy = SeededEntropy::new(9);
    let mut bytes = [0_u8; 8];
    let mut draw = |limit: u8| {
        entropy.fill(&mut bytes);
        bytes[0] % limit
    };
    const ACTIONS: [&str; 4] = ["*", "ram:*", "ram:Get*", "sts:AssumeRole"];
    let mut seen = [0; 3];
    for _ in 0..3_000 {
        let documents: Vec<Document> = (0..draw(5))
            .map(|_| {
                let effect = if draw(3) == 0 { "Deny" } else { "Allow" };
                let word = if draw(4) == 0 { "NotAction" } else { "Action" };
                let action = ACTIONS[usize::from(draw(4))];
                document(json!({"Effect": effect, word: action, "Resource": "*"}))
            })
            .collect();
        let action =
            ["ram:GetUser", "ram:CreateUser", "sts:AssumeRole", "ecs:Run"][usize::from(draw(4))];
        let found = verdict(&documents, action, ANY);
        let reversed: Vec<Document> = documents.iter().rev().cloned().collect();
        assert_eq!(verdict(&reversed, action, ANY), found);
        let mut denied = documents.clone();
        denied.push(document(
            json!({"Effect": "Deny", "Action": action, "Resource": "*"}),
        ));
        assert_eq!(verdict(&denied, action, ANY), Verdict::Denied);
        seen[found as usize] += 1;
    }
    assert!(
        seen.iter().all(|count| *count > 100),
        "every verdict was drawn: {seen:?}"
    );
}
