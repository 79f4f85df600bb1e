//! Callers of every kind, through the dispatcher.

use crate::dispatch::Origin;
use crate::test_support::{TestServer, statement};
use greenroom_rpc::sign::SignedRequest;
use greenroom_store::{Holder, PolicyName};
use serde_json::{Value, json};
use std::time::Duration;

const FULL: &str = "AliyunAppStreamingFullAccess";

async fn code(server: &TestServer, caller: &str) -> String {
    let (_, answer) = server.call_as(caller, "ListRegions", json!({})).await;
    answer["Code"].as_str().unwrap_or("OK").to_owned()
}

#[tokio::test]
async fn a_user_does_what_its_policies_and_those_of_its_groups_allow() {
    let deny = statement("Deny", "appstreaming:ListRegions");
    let server = TestServer::start()
        .await
        .with_user("nobody", &[])
        .await
        .with_user("member", &[])
        .await
        .with_user("full", &[FULL])
        .await
        .with_user("denied", &[FULL, &deny])
        .await;
    assert_eq!(code(&server, "full").await, "OK");
    let (status, answer) = server.call_as("nobody", "ListRegions", json!({})).await;
    assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
    let owner = server.account_id("acme").as_str();
    assert_eq!(
        answer["AccessDeniedDetail"],
        json!({
            "AuthAction": "appstreaming:ListRegions",
            "AuthPrincipalType": "SubUser",
            "AuthPrincipalOwnerId": owner,
            "AuthPrincipalDisplayName": "id-of-nobody",
            "NoPermissionType": "ImplicitDeny",
            "PolicyType": "AccountLevelIdentityBasedPolicy",
        })
    );
    let (_, answer) = server.call_as("denied", "ListRegions", json!({})).await;
    assert_eq!(
        answer["AccessDeniedDetail"]["NoPermissionType"],
        "ExplicitDeny"
    );

    let (acme, now) = (server.account_id("acme"), server.now());
    let store = &server.store;
    let (id, name) = ("g-1".to_owned(), "readers".to_owned());
    store
        .create_ram_group(acme, id, name.clone(), String::new(), None, now)
        .await
        .unwrap();
    let attached = store.attach_ram_policy(
        acme,
        PolicyName::system("AliyunAppStreamingReadOnlyAccess"),
        Holder::Group(name.clone()),
        None,
        now,
    );
    attached.await.unwrap();
    assert_eq!(code(&server, "member").await, "NoPermission");
    let added = store.add_user_to_ram_group(acme, "member", &name, None, now);
    added.await.unwrap();
    assert_eq!(code(&server, "member").await, "OK", "from the next call on");
}

#[tokio::test]
async fn a_users_key_works_while_it_is_active() {
    let server = TestServer::start().await.with_user("full", &[FULL]).await;
    let (acme, store) = (server.account_id("acme"), &server.store);
    let key = server.key_id("full");
    let set = |active| store.set_ram_user_key_active(acme, "full", key, active, None);
    set(false).await.unwrap();
    assert_eq!(code(&server, "full").await, "InvalidAccessKeyId.Inactive");
    set(true).await.unwrap();
    assert_eq!(code(&server, "full").await, "OK");
    let gone = store.delete_ram_user_key(acme, "full", key, None);
    gone.await.unwrap();
    assert_eq!(code(&server, "full").await, "InvalidAccessKeyId.NotFound");
}

#[tokio::test]
async fn a_condition_asks_where_a_call_came_from() {
    let from = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"IpAddress": {"acs:SourceIp": ["192.0.2.0/24"]}, "Bool": {"acs:SecureTransport": "true"}}}]});
    let server = TestServer::start()
        .await
        .with_user("inside", &[&from.to_string()])
        .await;
    let origin = |address: &str, secure| Origin {
        address: Some(address.parse().unwrap()),
        secure,
    };
    for (origin, status) in [
        (origin("192.0.2.9", true), 200),
        (origin("192.0.2.9", false), 403),
        (origin("198.51.100.9", true), 403),
        (Origin::default(), 403),
    ] {
        let request = server.signed("inside", "ListRegions", &json!({}));
        let reply = server.api.call(&request.as_raw(), origin).await;
        assert_eq!(reply.status, status, "{origin:?}");
    }
}

#[tokio::test]
async fn an_assumed_role_is_narrowed_by_its_session_and_ends_with_its_time() {
    let images = statement("Allow", "appstreaming:ListImage");
    let server = TestServer::start()
        .await
        .with_role("whole", &[FULL], None)
        .await
        .with_role("narrow", &[FULL], Some(&images))
        .await;
    assert_eq!(code(&server, "whole").await, "OK");
    let (_, answer) = server.call_as("narrow", "ListRegions", json!({})).await;
    let detail = &answer["AccessDeniedDetail"];
    assert_eq!(detail["PolicyType"], "SessionPolicy");
    assert_eq!(detail["AuthPrincipalDisplayName"], "narrow:session");
    let (status, _) = server.call_as("narrow", "ListImage", json!({})).await;
    assert_eq!(status, 200);

    server.clock.advance(Duration::from_secs(899));
    assert_eq!(code(&server, "whole").await, "OK");
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&server, "whole").await, "InvalidSecurityToken.Expired");
}

#[tokio::test]
async fn credentials_of_a_role_end_with_it_though_another_takes_its_name() {
    let server = TestServer::start().await.with_role("gone", &[], None).await;
    let (acme, store) = (server.account_id("acme"), &server.store);
    store.delete_ram_role(acme, "gone", None).await.unwrap();
    assert_eq!(code(&server, "gone").await, "InvalidSecurityToken.Expired");
    let again = greenroom_store::NewRole {
        id: "another".to_owned(),
        name: "gone".to_owned(),
        description: String::new(),
        trust_policy: String::new(),
        max_session_seconds: 3_600,
    };
    let made = store.create_ram_role(acme, again, None, server.now());
    made.await.unwrap();
    assert_eq!(code(&server, "gone").await, "InvalidSecurityToken.Expired");
}

#[tokio::test]
async fn a_security_token_is_good_for_its_own_key_and_only_as_it_was_given_out() {
    let mut server = TestServer::start()
        .await
        .with_role("one", &[FULL], None)
        .await
        .with_role("other", &[FULL], None)
        .await;
    let acme = server.account_id("acme").clone();
    let known = |server: &TestServer, name: &str| {
        (
            server.key_id(name).to_owned(),
            server.secret(name).to_owned(),
            server.token(name).unwrap(),
        )
    };
    let (key, secret, token) = known(&server, "one");
    let (_, _, others) = known(&server, "other");
    let mut bent = token.clone();
    bent.replace_range(60..61, if &bent[60..61] == "A" { "B" } else { "A" });
    for (name, secret, token, expected) in [
        ("right", &secret, Some(token.clone()), "OK"),
        ("none", &secret, None, "MissingSecurityToken"),
        (
            "others",
            &secret,
            Some(others),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        (
            "bent",
            &secret,
            Some(bent),
            "InvalidSecurityToken.Malformed",
        ),
        (
            "invented",
            &secret,
            Some("token".to_owned()),
            "InvalidSecurityToken.Malformed",
        ),
        (
            "forged",
            &"guessed".to_owned(),
            Some(token),
            "SignatureDoesNotMatch",
        ),
    ] {
        server.know(name, &acme, &key, secret, token);
        assert_eq!(code(&server, name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_disabled_accounts_users_and_roles_are_shut_out_with_it() {
    let server = TestServer::start().await;
    let store = &server.store;
    let globex = server.account_id("globex");
    store.disable_account(globex, server.now()).await.unwrap();
    assert_eq!(code(&server, "globex").await, "InvalidAccessKeyId.Inactive");
    assert_eq!(code(&server, "acme").await, "OK");
}

#[tokio::test]
async fn no_part_of_a_secret_or_token_shows_in_an_answer() {
    let server = TestServer::start()
        .await
        .with_role("whole", &[], None)
        .await;
    let request: SignedRequest = server.signed("whole", "ListRegions", &json!({}));
    let reply = server.api.call(&request.as_raw(), Origin::default()).await;
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(answer["Code"], "NoPermission");
    assert!(!reply.body.contains(&server.token("whole").unwrap()));
    assert!(!reply.body.contains(server.secret("whole")));
}
