//! What is refused before any operation sees it, and in which words.

use super::Origin;
use crate::test_support::TestServer;
use greenroom_rpc::sign::{self, Algorithm, Call};
use serde_json::{Value, json};
use std::time::Duration;

/// `ListRegions` of the root account, changed by `change` before it is signed.
fn list_regions<'a>(
    server: &'a TestServer,
    date: &'a str,
    nonce: &'a str,
    change: impl Fn(&mut Call<'a>),
) -> sign::SignedRequest {
    let mut call = Call {
        method: "POST",
        host: "127.0.0.1:8080",
        action: "ListRegions",
        version: "2021-09-01",
        query: &[],
        form: &[],
        access_key_id: server.key_id("acme"),
        secret: server.secret("acme"),
        security_token: None,
        date,
        nonce,
    };
    change(&mut call);
    sign::sign_v3(&call, Algorithm::Sha256)
}

async fn code(server: &TestServer, request: &sign::SignedRequest) -> (u16, String) {
    let reply = server.api.call(&request.as_raw(), Origin::default()).await;
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    let code = answer["Code"].as_str().unwrap_or("OK").to_owned();
    (reply.status, code)
}

#[tokio::test]
async fn each_check_refuses_with_its_own_code() {
    let server = TestServer::start().await;
    let date = server.date();
    let late = "2026-01-01T00:15:01Z";
    let refusals: Vec<(u16, &str, sign::SignedRequest)> = vec![
        (200, "OK", list_regions(&server, &date, "n1", |_| ())),
        (
            400,
            "SignatureNonceUsed",
            list_regions(&server, &date, "n1", |_| ()),
        ),
        (
            400,
            "SignatureDoesNotMatch",
            list_regions(&server, &date, "n2", |call| call.secret = "wrong"),
        ),
        (
            404,
            "InvalidAccessKeyId.NotFound",
            list_regions(&server, &date, "n3", |call| call.access_key_id = "nobody"),
        ),
        (
            400,
            "InvalidTimeStamp.Expired",
            list_regions(&server, late, "n4", |_| ()),
        ),
        (
            400,
            "InvalidVersion",
            list_regions(&server, &date, "n5", |call| call.version = "2021-09-03"),
        ),
        (
            404,
            "InvalidAction.NotFound",
            list_regions(&server, &date, "n6", |call| call.action = "ListThings"),
        ),
        (
            404,
            "InvalidAction.NotFound",
            list_regions(&server, &date, "n7", |call| {
                call.action = "GetDebugAppInstance"
            }),
        ),
        (
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            list_regions(&server, &date, "n8", |call| {
                call.security_token = Some("token")
            }),
        ),
    ];
    for (status, expected, request) in refusals {
        assert_eq!(code(&server, &request).await, (status, expected.to_owned()));
    }
}

#[tokio::test]
async fn a_wrong_signature_uses_up_no_nonce() {
    let server = TestServer::start().await;
    let date = server.date();
    let forged = list_regions(&server, &date, "n", |call| call.secret = "wrong");
    assert_eq!(code(&server, &forged).await.1, "SignatureDoesNotMatch");
    assert_eq!(
        code(&server, &list_regions(&server, &date, "n", |_| ()))
            .await
            .1,
        "OK"
    );
}

#[tokio::test]
async fn a_replayed_change_is_refused_even_by_a_server_that_has_forgotten() {
    let server = TestServer::start().await;
    let group = server.create_group(json!({"AuthMode": "App"})).await;
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AuthorizeUserIds": ["alice"]});
    let request = server.signed("acme", "AuthorizeInstanceGroup", &ask);
    assert_eq!(code(&server, &request).await.1, "OK");
    server.clock.advance(Duration::from_secs(60));
    let restarted = server.restarted();
    assert_eq!(
        code(&restarted, &request).await,
        (400, "SignatureNonceUsed".to_owned())
    );
}

#[tokio::test]
async fn a_caller_who_calls_too_often_is_told_when_to_come_back() {
    let mut server = TestServer::start().await;
    server.throttle("account_burst = 3\noperation_burst = 2");
    let date = server.date();
    let call = |nonce: &'static str, change: fn(&mut Call<'_>)| {
        let request = list_regions(&server, &date, nonce, |call| change(call));
        let api = &server.api;
        async move {
            let reply = api.call(&request.as_raw(), Origin::default()).await;
            let answer: Value = serde_json::from_str(&reply.body).unwrap();
            let retry = reply
                .headers
                .iter()
                .find(|(name, _)| *name == "x-acs-retry-after");
            let code = answer["Code"].as_str().filter(|_| reply.status != 200);
            (
                code.unwrap_or("OK").to_owned(),
                retry.map(|(_, ms)| ms.clone()),
            )
        }
    };
    let same = |_: &mut Call<'_>| ();
    let images = |call: &mut Call<'_>| {
        call.action = "ListImage";
        call.query = &[("ProductType", "CloudApp")];
    };
    let ok = ("OK".to_owned(), None);
    assert_eq!(call("n1", same).await, ok);
    assert_eq!(call("n2", same).await, ok);
    // A call that is heard twice costs its sender nothing.
    assert_eq!(call("n2", same).await.0, "SignatureNonceUsed");
    let in_10_ms = Some("10".to_owned());
    let of_operation = ("Throttling.Api".to_owned(), in_10_ms.clone());
    assert_eq!(call("n3", same).await, of_operation);
    assert_eq!(call("n4", images).await, ok);
    let of_account = ("Throttling.User".to_owned(), in_10_ms);
    assert_eq!(call("n5", images).await, of_account);
    assert_eq!(
        server.call_as("globex", "ListRegions", json!({})).await.0,
        200
    );
    server.clock.advance(Duration::from_millis(10));
    assert_eq!(call("n6", same).await, ok);
}

#[tokio::test]
async fn an_unsigned_call_is_told_what_is_missing() {
    let server = TestServer::start().await;
    let (status, answer) = server.unsigned("ListRegions").await;
    assert_eq!(
        (status, answer["Code"].as_str()),
        (400, Some("MissingAccessKeyId"))
    );
}

#[tokio::test]
async fn a_bearer_token_leads_to_no_key() {
    let server = TestServer::start().await;
    let date = server.date();
    let mut request = list_regions(&server, &date, "n", |_| ());
    request.headers.retain(|(name, _)| name != "authorization");
    request
        .headers
        .push(("x-acs-bearer-token".into(), "token".into()));
    let refused = (404, "InvalidAccessKeyId.NotFound".to_owned());
    assert_eq!(code(&server, &request).await, refused);
}

#[tokio::test]
async fn faults_come_in_the_format_that_was_asked_for() {
    let server = TestServer::start().await;
    let date = server.date();
    let mut request = list_regions(&server, &date, "n", |call| call.action = "ListThings");
    request.headers.retain(|(name, _)| name != "accept");
    request
        .headers
        .push(("accept".into(), "application/xml".into()));
    let reply = server.api.call(&request.as_raw(), Origin::default()).await;
    assert_eq!(reply.content_type, "text/xml;charset=utf-8");
    assert!(
        reply.body.contains("<Code>InvalidAction.NotFound</Code>"),
        "{}",
        reply.body
    );
    assert!(
        reply.body.contains("<HostId>127.0.0.1:8080</HostId>"),
        "{}",
        reply.body
    );
}
