//! Who gets credentials of which role, what they are good for, and when that ends.

use crate::access::token::PREFIX;
use crate::dispatch::Origin;
use crate::test_support::{TestServer, group_request};
use greenroom_rpc::sign::{self, Algorithm, Call, SignedRequest};
use greenroom_store::{Holder, PolicyName, RoleChange};
use serde_json::{Value, json};
use std::time::Duration;

const FULL: &str = "AliyunAppStreamingFullAccess";
const ASSUME: &str = "AliyunSTSAssumeRoleAccess";

/// alice may assume roles; the role painter trusts her account and may do everything with sessions.
async fn server() -> TestServer {
    let server = TestServer::start()
        .await
        .with_user("alice", &[ASSUME])
        .await;
    let trust = server.trusting("acme", &["root"]).to_string();
    server.add_role("acme", "painter", trust, &[FULL]).await;
    server
}

fn ask(server: &TestServer, role: &str, more: Value) -> Value {
    ask_of("acme", server, role, more)
}

fn ask_of(account: &str, server: &TestServer, role: &str, more: Value) -> Value {
    let arn = format!("acs:ram::{}:role/{role}", server.account_id(account));
    let mut ask = json!({"RoleArn": arn, "RoleSessionName": "at-noon"});
    let more = more.as_object().unwrap().clone();
    ask.as_object_mut().unwrap().extend(more);
    ask
}

async fn told(server: &TestServer, caller: &str, ask: Value) -> (u16, String, Value) {
    let (status, answer) = server.call_as(caller, "AssumeRole", ask).await;
    let detail = answer["AccessDeniedDetail"].clone();
    (status, code_of(status, &answer), detail)
}

async fn code(server: &TestServer, caller: &str, action: &str, ask: Value) -> String {
    let (status, answer) = server.call_as(caller, action, ask).await;
    code_of(status, &answer)
}

fn code_of(status: u16, answer: &Value) -> String {
    match status {
        200 => "OK".to_owned(),
        _ => answer["Code"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn credentials_of_a_role_are_whole_and_say_when_they_end() {
    let mut server = server().await;
    let request = ask(&server, "painter", json!({"DurationSeconds": 900}));
    let answer = server.assume("alice", "session", request).await;
    let acme = server.account_id("acme");
    assert_eq!(
        answer["AssumedRoleUser"],
        json!({
            "Arn": format!("acs:ram::{acme}:role/painter/at-noon"),
            "AssumedRoleId": "id-of-painter:at-noon",
        })
    );
    let given = &answer["Credentials"];
    assert!(given["AccessKeyId"].as_str().unwrap().starts_with(PREFIX));
    assert_eq!(given["Expiration"], "2026-01-01T00:15:00Z");

    assert_eq!(
        code(&server, "session", "ListRegions", json!({})).await,
        "OK"
    );
    server.clock.advance(Duration::from_secs(899));
    assert_eq!(
        code(&server, "session", "ListRegions", json!({})).await,
        "OK"
    );
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(
        code(&server, "session", "ListRegions", json!({})).await,
        "InvalidSecurityToken.Expired"
    );
}

#[tokio::test]
async fn both_signatures_take_the_credentials_with_their_token_only() {
    let mut server = server().await;
    let request = ask(&server, "painter", json!({}));
    server.assume("alice", "session", request).await;
    let (key, secret) = (server.key_id("session"), server.secret("session"));
    let (key, secret) = (key.to_owned(), secret.to_owned());
    let acme = server.account_id("acme").clone();
    server.know("without-token", &acme, &key, &secret, None);
    type Way = fn(&Call<'_>) -> SignedRequest;
    let newer: Way = |call| sign::sign_v3(call, Algorithm::Sha256);
    for (name, way) in [("v1", sign::sign_v1 as Way), ("V3", newer)] {
        for (caller, expected) in [("session", "OK"), ("without-token", "MissingSecurityToken")] {
            let signed = server.signed_in(way, caller, "ListRegions", &json!({}));
            let reply = server.api.call(&signed.as_raw(), Origin::default()).await;
            let answer: Value = serde_json::from_str(&reply.body).unwrap();
            let code = answer["Code"].as_str().unwrap_or("OK");
            assert_eq!(code, expected, "{name} {caller}");
        }
    }
}

#[tokio::test]
async fn the_callers_policies_and_the_roles_trust_have_to_agree() {
    let mut server = TestServer::start()
        .await
        .with_user("alice", &[ASSUME])
        .await;
    let only = |role: &str| {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": format!("acs:ram::*:role/{role}")}]})
    };
    server = server
        .with_user("bob", &[&only("for-all").to_string()])
        .await
        .with_user("nobody", &[])
        .await;
    let all = server.trusting("acme", &["root"]);
    let bob = server.trusting("acme", &["user/bob"]);
    let mut but_alice = all.clone();
    let mut deny = server.trusting("acme", &["user/alice"])["Statement"][0].clone();
    deny["Effect"] = json!("Deny");
    but_alice["Statement"].as_array_mut().unwrap().push(deny);
    for (role, trust) in [
        ("for-all", &all),
        ("for-bob", &bob),
        ("but-alice", &but_alice),
    ] {
        server.add_role("acme", role, trust.to_string(), &[]).await;
    }
    let (identity, trust) = ("AccountLevelIdentityBasedPolicy", "AssumeRolePolicy");
    for (caller, role, expected) in [
        ("alice", "for-all", None),
        ("bob", "for-all", None),
        ("nobody", "for-all", Some(("ImplicitDeny", identity))),
        ("alice", "for-bob", Some(("ImplicitDeny", trust))),
        ("bob", "for-bob", Some(("ImplicitDeny", identity))),
        ("alice", "but-alice", Some(("ExplicitDeny", trust))),
    ] {
        let (status, code, detail) = told(&server, caller, ask(&server, role, json!({}))).await;
        let Some((kind, policy)) = expected else {
            assert_eq!((status, code.as_str()), (200, "OK"), "{caller} {role}");
            continue;
        };
        assert_eq!((status, code.as_str()), (403, "NoPermission"));
        let said = (&detail["NoPermissionType"], &detail["PolicyType"]);
        assert_eq!(said, (&json!(kind), &json!(policy)), "{caller} {role}");
        assert_eq!(detail["AuthAction"], "sts:AssumeRole");
    }
    let (status, answer) = server
        .call_as("acme", "AssumeRole", ask(&server, "for-all", json!({})))
        .await;
    assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
    assert_eq!(
        answer["Message"],
        "Roles may not be assumed by root accounts."
    );
}

#[tokio::test]
async fn a_role_of_another_account_is_there_for_whom_it_trusts_and_acts_in_its_own() {
    let mut server = TestServer::start()
        .await
        .with_user("gina", &[ASSUME, FULL])
        .await
        .with_user("gus", &[ASSUME])
        .await;
    let ours = server.create_group(json!({})).await;
    let request = group_request(json!({}));
    let (_, made) = server
        .call_as("globex", "CreateAppInstanceGroup", request)
        .await;
    let theirs = made["AppInstanceGroupModel"]["AppInstanceGroupId"].clone();
    let trust = server.trusting("acme", &["user/gina"]).to_string();
    server.add_role("globex", "guest", trust, &[FULL]).await;
    for role in ["guest", "no-such-role"] {
        let request = ask_of("globex", &server, role, json!({}));
        let (status, code, _) = told(&server, "gus", request).await;
        assert_eq!((status, code.as_str()), (404, "EntityNotExist.Role"));
    }
    let request = ask_of("globex", &server, "guest", json!({}));
    server.assume("gina", "session", request.clone()).await;
    let seen = |caller: &'static str, group: Value| {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        code(&server, caller, "GetAppInstanceGroup", ask)
    };
    let absent = "InvalidAppInstanceGroup.NotFound";
    assert_eq!(seen("session", theirs.clone()).await, "OK");
    assert_eq!(seen("session", json!(ours)).await, absent);
    assert_eq!(seen("gina", theirs.clone()).await, absent);

    let globex = server.account_id("globex");
    let disabled = server.store.disable_account(globex, server.now());
    disabled.await.unwrap();
    assert_eq!(seen("session", theirs).await, "InvalidAccessKeyId.Inactive");
    let (_, code, _) = told(&server, "gina", request).await;
    assert_eq!(code, "EntityNotExist.Role");
}

#[tokio::test]
async fn an_external_id_is_asked_for_by_the_trust_policy() {
    let server = server().await;
    let mut trust = server.trusting("acme", &["root"]);
    trust["Statement"][0]["Condition"] = json!({"StringEquals": {"sts:ExternalId": "sesame"}});
    server
        .add_role("acme", "cave", trust.to_string(), &[])
        .await;
    for (more, expected) in [
        (json!({"ExternalId": "sesame"}), "OK"),
        (json!({"ExternalId": "barley"}), "NoPermission"),
        (json!({"ExternalId": ""}), "NoPermission"),
        (json!({}), "NoPermission"),
        (json!({"ExternalId": "x"}), "InvalidParameter.ExternalId"),
    ] {
        let (_, code, _) = told(&server, "alice", ask(&server, "cave", more.clone())).await;
        assert_eq!(code, expected, "{more}");
    }
}

#[tokio::test]
async fn a_session_policy_only_takes_away() {
    let mut server = server().await;
    let allow = |action: &str| {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
            .to_string()
    };
    let narrow = ask(
        &server,
        "painter",
        json!({"Policy": allow("appstreaming:ListImage")}),
    );
    server.assume("alice", "narrow", narrow).await;
    let wide = ask(&server, "painter", json!({"Policy": allow("*")}));
    server.assume("alice", "wide", wide).await;
    for (caller, action, expected) in [
        ("narrow", "ListImage", "OK"),
        ("narrow", "ListRegions", "NoPermission"),
        ("wide", "ListRegions", "OK"),
        ("wide", "ListUsers", "NoPermission"),
    ] {
        let code = code(&server, caller, action, json!({})).await;
        assert_eq!(code, expected, "{caller} {action}");
    }
}

#[tokio::test]
async fn a_session_is_no_way_out_of_its_policy() {
    let mut server = server().await;
    let trust = server.trusting("acme", &["role/painter"]).to_string();
    server.add_role("acme", "curator", trust, &[]).await;
    let attached = server.store.attach_ram_policy(
        server.account_id("acme"),
        PolicyName::system(ASSUME),
        Holder::Role("painter".to_owned()),
        None,
        server.now(),
    );
    attached.await.unwrap();
    let list = json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "appstreaming:List*", "Resource": "*"}]});
    let narrow = ask(&server, "painter", json!({"Policy": list.to_string()}));
    server.assume("alice", "narrow", narrow).await;
    let whole = ask(&server, "painter", json!({}));
    server.assume("alice", "whole", whole).await;
    for (caller, expected) in [("narrow", "NoPermission"), ("whole", "OK")] {
        let (_, code, _) = told(&server, caller, ask(&server, "curator", json!({}))).await;
        assert_eq!(code, expected, "{caller}");
    }
}

#[tokio::test]
async fn what_a_role_loses_its_sessions_lose_from_the_next_call_on() {
    let mut server = server().await;
    let request = ask(&server, "painter", json!({}));
    server.assume("alice", "session", request).await;
    let regions = || code(&server, "session", "ListRegions", json!({}));
    let (acme, store) = (server.account_id("acme"), &server.store);
    assert_eq!(regions().await, "OK");
    let detached = store.detach_ram_policy(
        acme,
        PolicyName::system(FULL),
        Holder::Role("painter".to_owned()),
        None,
    );
    detached.await.unwrap();
    assert_eq!(regions().await, "NoPermission");
    store.delete_ram_role(acme, "painter", None).await.unwrap();
    assert_eq!(regions().await, "InvalidSecurityToken.Expired");
}

#[tokio::test]
async fn a_role_says_for_how_long_it_can_be_assumed() {
    let server = server().await;
    let change = RoleChange {
        max_session_seconds: Some(7_200),
        ..RoleChange::default()
    };
    let acme = server.account_id("acme");
    let changed = server
        .store
        .update_ram_role(acme, "painter", change, None, server.now());
    changed.await.unwrap();
    for (seconds, expected) in [
        (899, "InvalidParameter.DurationSeconds"),
        (900, "OK"),
        (7_200, "OK"),
        (7_201, "InvalidParameter.DurationSeconds"),
        (43_201, "InvalidParameter.DurationSeconds"),
    ] {
        let more = json!({"DurationSeconds": seconds});
        let (_, code, _) = told(&server, "alice", ask(&server, "painter", more)).await;
        assert_eq!(code, expected, "{seconds}");
    }
}

#[tokio::test]
async fn each_wrong_parameter_is_named() {
    let server = server().await;
    let all = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let padded = |length: usize| format!("{all}{}", " ".repeat(length - all.len()));
    for (more, expected) in [
        (json!({"RoleArn": "painter"}), "InvalidParameter.RoleArn"),
        (
            json!({"RoleArn": "acs:ram::1234567890123456:user/alice"}),
            "InvalidParameter.RoleArn",
        ),
        (
            json!({"RoleSessionName": "x"}),
            "InvalidParameter.RoleSessionName",
        ),
        (
            json!({"RoleSessionName": "at noon"}),
            "InvalidParameter.RoleSessionName",
        ),
        (
            json!({"RoleSessionName": "x".repeat(65)}),
            "InvalidParameter.RoleSessionName",
        ),
        (json!({"Policy": padded(2_048)}), "OK"),
        (
            json!({"Policy": padded(2_049)}),
            "InvalidParameter.PolicySize",
        ),
        (json!({"Policy": ""}), "InvalidParameter.PolicyGrammar"),
        (json!({"Policy": "{}"}), "InvalidParameter.PolicyGrammar"),
        (
            json!({"SourceIdentity": "alice"}),
            "InvalidParameter.SourceIdentity",
        ),
        (json!({"SourceIdentity": ""}), "OK"),
    ] {
        let (_, code, _) = told(&server, "alice", ask(&server, "painter", more.clone())).await;
        assert_eq!(code, expected, "{more}");
    }
}
